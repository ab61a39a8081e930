"""``api.collect`` on lists of the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest
from anyio import CancelScope, create_task_group, current_time

from _helpers import assert_at_rest, settle
from vkanyio import APIError, ClientClosedError, ClientUseError
from vkanyio.testing import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import VK
    from vkanyio.testing import Simulator

    MakeClient: TypeAlias = Callable[..., VK]

pytestmark = pytest.mark.anyio

MEMBERS = "groups.getMembers"


def offsets(simulator: Simulator, method: str = "wall.get") -> list[int]:
    """Return the offsets that were asked for, in order."""
    return [
        int(entry.params.get("offset", 0))
        for entry in simulator.ledger.carried_out()
        if entry.method == method
    ]


def posts(*ids: int) -> list[Any]:
    return [{"owner_id": -1, "id": id_} for id_ in ids]


async def read(source: Any, got: list[int]) -> None:
    async for post in source:
        got.append(post["id"])  # noqa: PERF401 - they stay if it is interrupted


async def test_every_item_of_a_list_comes_once_and_in_order(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(250)))
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        assert items.total is None
        assert not items.complete
        assert [post["id"] async for post in items] == [*range(250)]
        assert items.total == 250
        assert items.complete
        assert [post async for post in items] == []
    assert offsets(simulator) == [0, 89, 178]


async def test_a_method_may_be_given_by_its_name(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_group(7, members=range(1, 2500))
    async with make_client() as api:
        got = [id_ async for id_ in api.collect(MEMBERS, group_id=7)]
    assert got == [*range(1, 2500)]
    [*calls] = simulator.ledger.carried_out()
    assert {call.params["count"] for call in calls} == {"1000"}
    assert {call.params["sort"] for call in calls} == {"id_asc"}


async def test_an_order_that_was_given_stays(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_group(7, members=range(1, 10))
    async with make_client() as api:
        got = await api.collect(
            api.groups.getMembers, group_id="7", sort="id_desc"
        ).all()
    assert got == [*range(9, 0, -1)]


async def test_a_list_that_changes_meanwhile_loses_nothing_that_stays(
    simulator: Simulator, make_client: MakeClient
) -> None:
    ids = [*range(1000, 0, -1)]
    wall = posts(*ids)
    stays = set(ids)

    def change() -> None:
        for place in (5, 30, 55, 300):
            if place < len(wall):
                stays.discard(wall.pop(place)["id"])
        wall[:0] = posts(len(ids) + 1000)

    simulator.add_list("wall.get", wall)
    simulator.between("wall.get", change)
    async with make_client() as api:
        got = [post["id"] async for post in api.collect(api.wall.get, owner_id=-1)]
    assert len(got) == len({*got})
    assert stays <= {*got}


async def test_leaving_the_loop_leaves_nothing_behind_and_another_goes_on(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(150)))
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        async for post in items:
            if post["id"] == 20:
                break
        assert_at_rest(api)
        assert [post["id"] async for post in items] == [*range(21, 150)]


async def test_a_position_continues_in_a_new_client(
    simulator: Simulator, make_client: MakeClient
) -> None:
    wall = posts(*range(300))
    simulator.add_list("wall.get", wall)
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        got = [(await anext(items))["id"] for _ in range(150)]
        position = items.position
    del wall[3:9]
    wall[:0] = posts(*range(1000, 1150))
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        rest = items.options(resume_from=position)
        got += [post["id"] async for post in rest]
        assert rest.complete
    assert got == [*range(300)]


async def test_a_list_whose_first_items_are_gone_is_read_from_its_beginning(
    simulator: Simulator, make_client: MakeClient
) -> None:
    members = [*range(300)]
    simulator.add_list(MEMBERS, members)
    async with make_client() as api:
        items = api.collect(MEMBERS, group_id=1)
        got = [await anext(items) for _ in range(3)]  # nothing else was read
        del members[:5]
        again = api.collect(MEMBERS, group_id=1).options(resume_from=items.position)
        got += await again.all()
    assert got == [*range(3), *range(5, 300)]


async def test_pages_with_cursors_are_read_ahead_one_by_one(
    simulator: Simulator, make_client: MakeClient
) -> None:
    news = [{"type": "post", "source_id": 1, "post_id": n, "date": 0} for n in range(7)]
    simulator.add_list("newsfeed.get", news, by_cursor=True, max_page=3)
    async with make_client() as api:
        assert await api.collect(api.newsfeed.get).all() == news
    assert simulator.ledger.requests == 3


@pytest.mark.parametrize("stop", range(8))
async def test_a_position_of_a_list_with_cursors_continues_in_its_page(
    simulator: Simulator, make_client: MakeClient, stop: int
) -> None:
    news = [{"type": "post", "source_id": 1, "post_id": n, "date": 0} for n in range(7)]
    simulator.add_list("newsfeed.get", news, by_cursor=True, max_page=3)
    async with make_client() as api:
        items = api.collect("newsfeed.get").options(max_items=stop or None)
        got = [item["post_id"] async for item in items] if stop else []
        again = api.collect("newsfeed.get").options(resume_from=items.position)
        got += [item["post_id"] async for item in again]
        assert again.complete
    assert got == [*range(7)]


async def test_after_the_end_a_position_finds_what_was_added(
    simulator: Simulator, make_client: MakeClient
) -> None:
    members = [*range(1, 50)]
    simulator.add_list(MEMBERS, members)
    async with make_client() as api:
        items = api.collect(MEMBERS, group_id=1)
        assert await items.all() == members
        members += [70, 71]
        again = api.collect(MEMBERS, group_id=1).options(resume_from=items.position)
        assert await again.all() == [70, 71]


async def test_a_position_whose_items_are_all_gone_is_refused(
    simulator: Simulator, make_client: MakeClient
) -> None:
    members = [*range(1, 50)]
    simulator.add_list(MEMBERS, members)
    async with make_client() as api:
        items = api.collect(MEMBERS, group_id=1)
        await items.all()
        members[:] = range(100, 200)
        again = api.collect(MEMBERS, group_id=1).options(resume_from=items.position)
        with pytest.raises(
            ValueError, match="resume_from: the items that were read last"
        ):
            await again.all()


async def test_max_items_ends_the_list_and_asks_for_no_more(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(300)))
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1).options(max_items=5)
        assert [post["id"] for post in await items.all()] == [*range(5)]
        assert not items.complete
        async with items.options(max_items=150).ahead(20) as ahead:
            assert [post["id"] async for post in ahead] == [*range(150)]
    assert [call.params["count"] for call in simulator.ledger.carried_out()] == [
        *("5", "100", "100")
    ]


async def test_a_search_that_is_cut_off_is_not_complete_and_is_logged(
    simulator: Simulator, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    users = [{"id": n} for n in range(3000)]
    simulator.add_list("users.search", users, max_page=1000, max_results=1000)
    async with make_client() as api:
        items = api.collect(api.users.search, q="a")
        assert len(await items.all()) == 1000
        assert not items.complete
        assert items.total == 3000
    [record] = [each for each in caplog.records if each.levelname == "WARNING"]
    assert record.getMessage() == (
        "users.search: VK returns no more items, although it reports 3000"
    )


async def test_the_error_of_a_page_is_raised_as_itself_and_reading_goes_on(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(250)))
    simulator.fault(faults.error(18), "wall.get", nth=2)
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        got: list[int] = []
        with pytest.raises(APIError) as caught:
            await read(items, got)
        assert caught.value.code == 18
        assert got == [*range(100)]
        got += [post["id"] async for post in items]
    assert got == [*range(250)]


@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_pages_ahead_survive_the_error_of_one(
    simulator: Simulator, make_client: MakeClient, nth: int
) -> None:
    simulator.add_list("wall.get", posts(*range(450)))
    simulator.fault(faults.error(18), "wall.get", nth=nth)
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        got: list[int] = []
        async with items.ahead(20) as ahead:
            with pytest.raises(APIError):
                await read(ahead, got)
            await read(ahead, got)
        assert_at_rest(api)
    assert got == [*range(450)]
    assert len(offsets(simulator)) == 5  # none of them twice


async def test_all_goes_on_after_an_error_and_loses_nothing(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(450)))
    simulator.fault(faults.error(18), "wall.get", nth=3)
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        with pytest.raises(APIError):
            await items.all()
        again = items.options(resume_from=items.position)  # nothing was delivered
        assert [post["id"] async for post in again] == [*range(450)]
        assert (await anext(items))["id"] == 0
        assert [post["id"] for post in await items.all()] == [*range(1, 450)]


@pytest.mark.simulator_options(latency=1.0)
@pytest.mark.client_options(max_connections=100)
async def test_pages_ahead_are_under_way_together_and_come_in_order(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(900)))
    async with make_client(request_mode="burst") as api:
        start = current_time()
        async with api.collect(api.wall.get, owner_id=-1).ahead(20) as items:
            assert [post["id"] async for post in items] == [*range(900)]
        assert current_time() - start == pytest.approx(2)


@pytest.mark.simulator_options(latency=1.0)
async def test_leaving_the_block_gives_up_the_pages_under_way(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(900)))
    async with make_client(max_connections=1) as api:
        items = api.collect(api.wall.get, owner_id=-1)
        async with items.ahead(20) as ahead:
            async for post in ahead:
                if post["id"] == 100:
                    break
            assert api.statistics().waiting > 0
        await settle()
        assert_at_rest(api)
        assert [post["id"] async for post in items] == [*range(101, 900)]
        with pytest.raises(ClientUseError, match="in a block"):
            await anext(ahead)


@pytest.mark.simulator_options(latency=1.0)
@pytest.mark.parametrize("after", [0.0, 0.5, 1.0, 1.5, 2.5])
@pytest.mark.parametrize("way", ["plain", "ahead"])
async def test_a_cancelled_reader_goes_on_where_it_was(
    simulator: Simulator, make_client: MakeClient, way: str, after: float
) -> None:
    simulator.add_list("wall.get", posts(*range(450)))
    async with make_client(request_mode="burst") as api:
        items = api.collect(api.wall.get, owner_id=-1)
        got: list[int] = []
        if way == "plain":
            with anyio.move_on_after(after):
                await read(items, got)
            await settle()
            assert_at_rest(api)
            await read(items, got)
        else:
            async with items.ahead(3) as ahead:
                with anyio.move_on_after(after):
                    await read(ahead, got)
                await read(ahead, got)
        assert_at_rest(api)
    assert got == [*range(450)]


async def test_a_cancelled_task_gets_no_item(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(5)))
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        with CancelScope() as scope:
            scope.cancel()
            await anext(items)
        assert scope.cancelled_caught
        assert len(await items.all()) == 5


@pytest.mark.simulator_options(latency=1.0)
async def test_two_tasks_cannot_read_at_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(5)))
    async with make_client() as api:
        items = api.collect(api.wall.get, owner_id=-1)
        async with create_task_group() as tg:
            tg.start_soon(items.all)
            await settle()
            with pytest.raises(ClientUseError, match="another task is already waiting"):
                await anext(items)
            async with items.ahead() as ahead:
                with pytest.raises(
                    ClientUseError, match="another task is already waiting"
                ):
                    await anext(ahead)


@pytest.mark.client_options(mode="parallel", limit=3, request_mode="burst")
@pytest.mark.simulator_options(limit=3, latency=0.2)
async def test_all_packs_its_pages(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_group(7, members=range(1, 60_001))
    async with make_client() as api:
        start = current_time()
        got = await api.collect(api.groups.getMembers, group_id="7").all()
        assert current_time() - start < 1.3
        assert api.statistics().sent == 4
    assert got == [*range(1, 60_001)]


async def test_a_client_that_is_not_open_says_so(make_client: MakeClient) -> None:
    api = make_client()
    items = api.collect("wall.get", owner_id=-1)
    with pytest.raises(ClientClosedError, match="has not been entered"):
        await anext(items)
    with pytest.raises(ClientClosedError, match="has not been entered"):
        await items.all()


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_another_event_loop_cannot_read(
    simulator: Simulator, make_client: MakeClient, anyio_backend: str
) -> None:
    simulator.add_list("wall.get", posts(*range(250)))
    async with make_client() as api:
        items = api.collect("wall.get", owner_id=-1)

        def elsewhere() -> None:
            with pytest.raises(ClientUseError, match="another event loop"):
                anyio.run(items.all, backend=anyio_backend)
            with pytest.raises(ClientUseError, match="another event loop"):
                anyio.run(items.__anext__, backend=anyio_backend)

        await anyio.to_thread.run_sync(elsewhere)
        assert len(await items.all()) == 250


async def test_own_tokens_and_extra_parameters_are_sent_with_each_page(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", posts(*range(150)))
    async with make_client() as api:
        more = {"access_token": "another-token", "lang": "ru"}
        items = api.collect(api.wall.get, owner_id=-1, extra_params=more)
        assert len(await items.all()) == 150
        assert "another-token" not in f"{items!r}{items.position}"
        await api.users.get(user_ids=1)
    [*pages, last] = simulator.ledger.carried_out()
    assert {page.params.get("lang") for page in pages} == {"ru"}
    assert {page.token for page in pages} == {pages[0].token}
    assert last.token != pages[0].token


async def test_a_value_without_a_list_is_an_error_that_names_the_method(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("wall.get", lambda _: {"items": 5})
    async with make_client() as api:
        with pytest.raises(Exception, match=r"wall\.get returned no list 'items'"):
            await api.collect("wall.get", owner_id=-1).all()


@pytest.mark.parametrize("value", [[], {}, False, {"count": 0}])
async def test_vk_writes_an_empty_list_in_many_ways(
    simulator: Simulator, make_client: MakeClient, value: Any
) -> None:
    simulator.add_method("wall.get", lambda _: value)
    async with make_client() as api:
        items = api.collect("wall.get", owner_id=-1)
        assert await items.all() == []
        assert items.complete
