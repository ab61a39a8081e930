"""`api.as_token`: a client for another token, over the connections of the first."""

from __future__ import annotations

import gc
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import assert_gone, gather, get, note, own_tasks, solve_by
from _probe import Probe
from _tokens import Source
from vkanyio import (
    API,
    VK,
    APIRequest,
    Captcha,
    CaptchaError,
    ClientClosedError,
    ClientUseError,
    Limiter,
    TokenRenewalError,
    TokenView,
)
from vkanyio._engine._lanes import MIN_LANES
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]

OTHER = "vk1.a.the-other-token"


def tokens_of(simulator: Simulator) -> list[int | None]:
    return [each.token for each in simulator.ledger]


async def test_a_view_makes_calls_in_every_way_with_its_own_token(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_list("wall.get", [{"id": i, "owner_id": 1} for i in range(5)])
    async with make_client() as api:
        await api.call("test.get", {"id": 0})
        view = api.as_token(OTHER)
        assert isinstance(view, TokenView)
        assert isinstance(view, API)
        assert await view.call("test.get", {"id": 1}) == 1
        assert len(await view.users.get(user_ids=[1])) == 1
        assert await view.gather([get(2), get(3)]) == [2, 3]
        async with view.stream([get(4)]) as settled:
            assert [each.result() async for each in settled] == [4]
        assert len(await view.collect(view.wall.get, owner_id=1).all()) == 5
        assert len(await api.collect(view.wall.get, owner_id=1).all()) == 5
        assert (await view.execute("return 7;")).response == 7
        request = get(6)
        assert await view.call_with_request(request) == 6
        assert await view.untyped.test.get(id=8) == 8
    assert tokens_of(simulator) == [0] + [1] * (len(simulator.ledger) - 1)
    assert repr(view) == "<vkanyio.TokenView>"


async def test_a_call_of_a_view_may_bring_its_own_token(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        view = api.as_token(OTHER)
        await view.call("test.get", {"id": 1})
        await view.call("test.get", {"id": 1, "access_token": "a-third"})
        await view.as_token("a-third").call("test.get", {"id": 1})
    assert tokens_of(simulator) == [0, 1, 1]


async def test_a_view_has_its_own_limit_and_mode_and_language(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(limit=1, language="ru") as api:
        view = api.as_token(OTHER, limit=20, request_mode="burst", language="en")
        began = anyio.current_time()
        await view.gather([get(i) for i in range(20)])
        assert anyio.current_time() == began
        packed = api.as_token("a-third", limit=1, mode="parallel")
        await packed.gather([get(i) for i in range(25)])
        assert packed.statistics().batches == {25: 1}
        await api.call("test.get", {"id": 1})
    languages = [each.params.get("lang") for each in simulator.ledger]
    assert languages[0] == "en"
    assert languages[-1] == "ru"


async def test_a_view_of_the_clients_own_limiter_does_not_share_it(
    make_client: MakeClient,
) -> None:
    shared, own = Limiter(1), Limiter(3, request_mode="burst")
    async with make_client(limiter=shared) as api:
        view = api.as_token(OTHER, limiter=own)
        began = anyio.current_time()
        await gather(
            *[partial(view.call_with_request, get(i)) for i in range(3)],
            partial(api.as_token("a-third").call_with_request, get(4)),
            partial(api.call_with_request, get(5)),
        )
        assert anyio.current_time() == began
        assert own.ready_at(began) > began
        assert view.statistics().margin == own.margin(began)


async def test_each_view_may_have_its_own_person_to_ask(
    simulator: Simulator, make_client: MakeClient
) -> None:
    asked: list[str] = []

    async def solve(name: str, captcha: Captcha) -> None:
        asked.append(name)
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "test.post", times=2)
    async with make_client(on_captcha=partial(solve, "client")) as api:
        view = api.as_token(OTHER, on_captcha=partial(solve, "view"))
        assert await view.call("test.post", {"id": 1}) == 1
        assert await api.call("test.post", {"id": 2}) == 2
        simulator.fault(faults.captcha(), "test.post")
        with pytest.raises(CaptchaError):
            await api.as_token("a-third", on_captcha=None).call("test.post", {"id": 3})
    assert asked == ["view", "client"]


async def test_views_of_one_token_share_a_lane_and_its_options(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        began = anyio.current_time()
        one, two = api.as_token(OTHER, limit=2), api.as_token(OTHER, limit=2)
        await gather(
            *[partial(each.call, "test.get", {"id": 1}) for each in (one, two, one)]
        )
        assert one.statistics() == two.statistics()
        assert one.statistics().calls == 3
        assert anyio.current_time() > began + 0.5
        with pytest.raises(
            ValueError, match="in use with another limit: options apply"
        ):
            api.as_token(OTHER, limit=3)
        with pytest.raises(ValueError, match="in use with another mode"):
            api.as_token(OTHER, limit=2, mode="parallel")
        with pytest.raises(ValueError, match="in use with another limit"):
            api.as_token(OTHER)
        # A call by the parameter belongs to the lane of the token, too.
        await api.call("test.get", {"id": 1, "access_token": OTHER})
        assert one.statistics().calls == 4


async def test_the_clients_own_token_has_the_clients_options(
    make_client: MakeClient,
) -> None:
    limiter = Limiter(7)
    async with make_client(limiter=limiter) as api:
        view = api.as_token(str(api.config.token))
        await view.call("test.get", {"id": 1})
        assert api.statistics() == view.statistics()
        with pytest.raises(ValueError, match="in use with another limit"):
            api.as_token(str(api.config.token), limit=7)


async def test_options_may_change_when_no_view_and_no_call_is_left(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.delay(5.0))
    async with make_client() as api, anyio.create_task_group() as tg:
        tg.start_soon(api.call, "test.get", {"id": 1, "access_token": OTHER})
        await anyio.sleep(1)
        with pytest.raises(ValueError, match="in use with another limit"):
            api.as_token(OTHER, limit=20)
        await anyio.sleep(10)
        view = api.as_token(OTHER, limit=20)
        await view.call("test.get", {"id": 1})
        del view
        gc.collect()
        with pytest.raises(ValueError, match="another limit"):
            api.as_token(OTHER, limit=21)  # its limiter remembers that call
        await anyio.sleep(10)
        assert await api.as_token(OTHER, limit=21).call("test.get", {"id": 2}) == 2


@pytest.mark.parametrize(
    ("token", "options", "kind", "text"),
    [
        ("", {}, ValueError, "token must be a VK access token, got an empty string"),
        (5, {}, TypeError, "token must be a VK access token, a str, got int"),
        ("t", {"limit": 0}, ValueError, "limit must be a whole number from 1"),
        ("t", {"mode": "fast"}, ValueError, "mode must be one of"),
        ("t", {"limt": 3}, TypeError, "unknown option 'limt' of a view.*limit"),
        ("t", {"timeout": 3}, TypeError, "unknown option 'timeout' of a view"),
        ("t", {"limiter": 3}, TypeError, "limiter must be a vkanyio.Limiter"),
    ],
)
async def test_what_a_view_cannot_have_is_named(
    make_client: MakeClient,
    token: Any,
    options: dict[str, Any],
    kind: type[Exception],
    text: str,
) -> None:
    async with make_client() as api:
        with pytest.raises(kind, match=text):
            api.as_token(token, **options)


async def test_a_view_is_of_use_while_the_client_is_open(
    make_client: MakeClient,
) -> None:
    client = make_client()
    with pytest.raises(ClientClosedError, match="has not been entered"):
        client.as_token(OTHER)
    async with client as api:
        view = api.as_token(OTHER)
    with pytest.raises(ClientClosedError, match="has been closed"):
        await view.call("test.get", {"id": 1})
    with pytest.raises(ClientClosedError, match="has been closed"):
        async with view:
            pytest.fail("it was entered")
    with pytest.raises(ClientClosedError, match="has been closed"):
        client.as_token(OTHER)
    assert view.statistics().calls == 0
    assert_gone(client)


# Lanes come and go.


async def use_other_tokens(api: VK) -> None:
    """Make calls with so many tokens that idle lanes go."""
    for i in range(3 * MIN_LANES):
        await api.call("test.get", {"id": 1, "access_token": f"more-{i}"})
        await anyio.sleep(2)


async def test_an_idle_lane_goes_and_comes_back_with_its_options_and_numbers(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        view = api.as_token(OTHER, limit=2)
        await view.call("test.get", {"id": 1})
        await use_other_tokens(api)
        assert OTHER not in Probe(api).tokens
        assert len(Probe(api).tokens) <= MIN_LANES + 1
        began = anyio.current_time()
        await view.gather([get(i) for i in range(3)])
        assert anyio.current_time() > began + 0.9
        assert OTHER in Probe(api).tokens
        assert view.statistics().calls == view.statistics().sent == 4
        assert api.statistics().calls == 4 + 3 * MIN_LANES


async def test_a_view_and_calls_with_its_token_share_one_limit_when_the_lane_has_gone(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(limit=3, request_mode="burst") as api:
        parameters = {"id": 1, "access_token": OTHER}
        await api.call("test.get", parameters)
        view = api.as_token(OTHER)
        await use_other_tokens(api)
        assert OTHER not in Probe(api).tokens
        began = anyio.current_time()
        await gather(
            *[partial(api.call, "test.get", parameters)] * 3,
            *[partial(view.call, "test.get", {"id": 1})] * 3,
        )
        assert anyio.current_time() > began + 1
        assert Probe(api).tokens.count(OTHER) == 1
        assert api.statistics().calls == 7 + 3 * MIN_LANES
        assert view.statistics().calls == 7


async def test_a_call_that_was_just_given_up_is_not_counted_for_ever(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(timeout=100) as api:
        for i in range(MIN_LANES - 1):
            await api.call("test.get", {"id": 1, "access_token": f"more-{i}"})
        simulator.fault(faults.hang_after(), times=1)
        with anyio.move_on_after(20):
            await api.call("test.get", {"id": 1, "access_token": OTHER})
        # In the same turn of the event loop, this makes idle lanes go.
        await api.call("test.get", {"id": 1, "access_token": "the-last"})
        await anyio.lowlevel.checkpoint()
        assert len(Probe(api).tokens) < MIN_LANES
        assert api.statistics().in_flight == 0


async def test_a_block_holds_the_lane(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        async with api.as_token(OTHER) as view:
            with pytest.raises(ClientUseError, match="already been entered"):
                async with view:
                    pytest.fail("it was entered twice")
            await use_other_tokens(api)
            assert OTHER in Probe(api).tokens
        await use_other_tokens(api)
        assert OTHER not in Probe(api).tokens
        async with view:
            assert OTHER in Probe(api).tokens


async def test_a_lane_with_calls_stays(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(timeout=1000) as api, anyio.create_task_group() as tg:
        simulator.fault(faults.delay(500.0))
        tg.start_soon(api.as_token(OTHER).call, "test.get", {"id": 1})
        await anyio.sleep(1)
        await use_other_tokens(api)
        assert OTHER in Probe(api).tokens
        assert api.as_token(OTHER).statistics().in_flight == 1


# Views with a token function.


async def test_a_view_asks_its_function_when_it_is_first_used(
    simulator: Simulator, make_client: MakeClient
) -> None:
    source = Source()
    async with make_client() as api:
        view = api.as_token(source, limit=20)
        assert source.asked == []
        values = await gather(
            *[partial(view.call, "test.get", {"id": i}) for i in range(10)]
        )
        assert values == [*range(10)]
        source.expire(simulator)
        assert await view.call("test.get", {"id": 1}) == 1
        assert api.as_token(source, limit=20).statistics().calls == 11
        with pytest.raises(ValueError, match="another limit"):
            api.as_token(source)
    assert source.asked == [None, "vk1.a.the-secret-token-1"]


async def test_entering_a_view_asks_its_function(make_client: MakeClient) -> None:
    source = Source()
    async with make_client() as api:
        async with api.as_token(source) as view:
            assert source.asked == [None]
            assert await view.call("test.get", {"id": 1}) == 1

        async def fail(refused: str | None) -> str:
            raise LookupError("no token")

        with pytest.raises(TokenRenewalError, match="LookupError: no token") as caught:
            async with api.as_token(fail):
                pytest.fail("it was entered")
        assert isinstance(caught.value.__cause__, LookupError)
        assert await api.call("test.get", {"id": 1}) == 1


async def test_a_view_keeps_its_token_while_its_lane_is_gone(
    make_client: MakeClient,
) -> None:
    source = Source()
    async with make_client() as api:
        view = api.as_token(source)
        await view.call("test.get", {"id": 1})
        await use_other_tokens(api)
        await view.call("test.get", {"id": 1})
        assert source.asked == [None]


async def test_the_first_call_of_a_view_may_be_cancelled(
    make_client: MakeClient,
) -> None:
    release = anyio.Event()
    asked: list[str | None] = []

    async def slow(refused: str | None) -> str:
        asked.append(refused)
        await release.wait()
        return "vk1.a.late"

    async with make_client() as api:
        view = api.as_token(slow)
        with anyio.move_on_after(1) as scope:
            await view.call("test.get", {"id": 1})
        assert scope.cancelled_caught
        with anyio.move_on_after(1) as scope:
            async with view:
                pytest.fail("it was entered")
        assert scope.cancelled_caught
        release.set()
        assert await view.call("test.get", {"id": 1}) == 1
    assert asked == [None]
    assert own_tasks() == []


async def test_submitted_requests_of_a_view_end_with_the_client(
    make_client: MakeClient, simulator: Simulator
) -> None:
    simulator.fault(faults.delay(50.0), times=1)
    outcomes: list[Any] = []
    request = APIRequest("test.get", {"id": 1})
    async with anyio.create_task_group() as tg:
        with anyio.move_on_after(1):
            async with make_client() as api:
                tg.start_soon(
                    note, outcomes, api.as_token(OTHER).call_with_request, request
                )
                await anyio.sleep_forever()
    [error] = outcomes
    assert isinstance(error, ClientClosedError)
    assert error.maybe_carried_out
