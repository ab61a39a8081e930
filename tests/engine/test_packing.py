"""Which calls share an ``execute``, and when they are collected."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import TOKEN, add_echoes, get, settle
from _packing import (
    client_of,
    message,
    one_a_second,
    plain_calls,
    post,
    scripts,
    sizes,
    together,
)
from vkanyio import APIRequest, AuthError, ExecuteResult
from vkanyio._batch import MAX_CODE
from vkanyio.testing import Account, Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from _helpers import MakeClient
    from vkanyio import Captcha

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.client_options(mode="parallel"),
    pytest.mark.usefixtures("echoes"),
]


# Which calls share a request.


async def test_a_thousand_calls_take_forty_requests_and_little_more_than_a_second() -> (
    None
):
    simulator = Simulator(limit=20, latency=0.1)
    add_echoes(simulator)
    async with client_of(simulator, limit=20, request_mode="burst") as api:
        begin = anyio.current_time()
        values = await together(api, map(get, range(1000)))
        assert anyio.current_time() - begin <= 1.15
        assert api.statistics().batches == {25: 40}
        assert api.statistics().calls == 1000
    assert values == [*range(1000)]
    assert sizes(simulator) == [25] * 40
    assert simulator.ledger.refused() == []


async def test_a_single_call_is_sent_plain(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        assert await api.call_with_request(get(7)) == 7
        assert api.statistics().batches == {1: 1}
    [entry] = simulator.ledger
    assert entry.method == "test.get"


async def test_nothing_is_packed_by_default(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(mode="sequential") as api:
        assert await together(api, map(get, range(30))) == [*range(30)]
    assert sizes(simulator) == [1] * 30
    assert scripts(simulator) == []


ALONE: dict[str, APIRequest | Callable[[], APIRequest]] = {
    "an upload": lambda: APIRequest("photos.save", {"id": 100}),
    "execute": lambda: APIRequest("execute", {"code": "return 100;", "id": 100}),
    "a procedure": lambda: APIRequest("execute.digest", {"id": 100}),
    "a token": lambda: get(100, access_token="another-token-of-anna"),
    "v": lambda: get(100, v="5.131"),
    "lang": lambda: get(100, lang="en"),
    "headers": lambda: APIRequest("test.get", {"id": 100}, headers={"x-a": "b"}),
    "no headers": lambda: APIRequest("test.get", {"id": 100}, headers={}),
    "a confirmation": lambda: get(100, confirm=1),
    "a password": lambda: get(100, password="a password"),
    "a name without a dot": lambda: APIRequest("ping", {"id": 100}),
}


@pytest.mark.parametrize("make", ALONE.values(), ids=ALONE)
async def test_calls_that_cannot_be_packed_go_alone_without_delay(
    simulator: Simulator, make_client: MakeClient, make: Callable[[], APIRequest]
) -> None:
    for name in ("photos.save", "execute.digest", "ping"):
        simulator.add_method(name, lambda call: call.integer("id"))
    async with one_a_second(make_client) as api, anyio.create_task_group() as tg:
        await api.call_with_request(get(0))
        begin = anyio.current_time()
        arrived: dict[int, float] = {}

        async def call(i: int, request: APIRequest) -> None:
            value = await api.call_with_request(request)
            if isinstance(value, ExecuteResult):
                value = value.response
            assert value == i
            arrived[i] = anyio.current_time() - begin

        for i, request in enumerate([make(), *map(get, range(1, 11))]):
            tg.start_soon(call, i or 100, request)
            await settle()
    lone = [e for e in simulator.ledger if e.params.get("id") == "100"]
    assert len(lone) == 1
    assert sorted(sizes(simulator)) in ([0, 1, 10], [1, 1, 10])
    # It came first and was sent first; the others got the next permit.
    assert arrived[100] < 1.1
    is_elsewhere = lone[0].token == 1
    assert all(arrived[i] > (0.9 if is_elsewhere else 1.9) for i in range(1, 11))


async def test_calls_that_go_alone_keep_their_place_in_the_queue(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with one_a_second(make_client) as api, anyio.create_task_group() as tg:
        await api.call_with_request(get(0))
        for i in range(1, 13):
            more = {"lang": "en"} if i % 4 == 0 else {}
            tg.start_soon(api.call_with_request, get(i, **more))
            await settle()
    calls = [int(e.params["id"]) for e in simulator.ledger if "id" in e.params]
    assert calls == [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 4, 8, 12]


async def test_parallel_selected_packs_its_methods_and_no_others(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(
        mode="parallel_selected", execute_methods=["test.post"]
    ) as api:
        requests = [*map(post, range(10)), *map(get, range(10, 20))]
        assert await together(api, requests) == [*range(20)]
    assert sorted(sizes(simulator)) == [1] * 10 + [10]
    assert {entry.method for entry in plain_calls(simulator)} == {"test.get"}


async def test_parallel_selected_packs_messages_by_default(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(mode="parallel_selected") as api:
        await together(api, [*map(message, range(5)), *map(get, range(5))])
    assert sorted(sizes(simulator)) == [1] * 5 + [5]


async def test_methods_that_the_options_exclude_are_never_packed(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(execute_unsupported_methods=["test.post"]) as api:
        requests = [*map(post, range(10)), *map(get, range(10, 20))]
        assert await together(api, requests) == [*range(20)]
    assert sorted(sizes(simulator)) == [1] * 10 + [10]
    assert {entry.method for entry in plain_calls(simulator)} == {"test.post"}


@pytest.mark.parametrize(
    ("count", "batches"), [(1, {1: 30}), (2, {2: 15}), (7, {7: 4, 2: 1}), (25, None)]
)
async def test_no_more_calls_are_packed_than_the_options_allow(
    simulator: Simulator, make_client: MakeClient, count: int, batches: Any
) -> None:
    async with make_client(execute_count=count) as api:
        assert await together(api, map(get, range(30))) == [*range(30)]
        assert api.statistics().batches == (batches or {25: 1, 5: 1})


async def test_the_code_of_a_batch_has_no_more_bytes_than_its_cap(
    simulator: Simulator, make_client: MakeClient
) -> None:
    text = "ж" * (MAX_CODE // 8)  # two bytes each: three such calls fit
    async with make_client() as api:
        requests = [get(i, text=text) for i in range(10)]
        assert await together(api, requests) == [*range(10)]
        assert api.statistics().batches == {3: 3, 1: 1}
    for entry in scripts(simulator):
        assert len(entry.params["code"].encode()) <= MAX_CODE + 100


async def test_one_call_with_more_code_than_the_cap_is_sent_alone(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        requests = [get(i, text="a" * MAX_CODE) for i in range(3)]
        assert await together(api, requests) == [0, 1, 2]
        assert api.statistics().batches == {1: 3}


# When calls are taken.


async def test_calls_that_arrive_before_the_permit_join_the_batch(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with one_a_second(make_client) as api, anyio.create_task_group() as tg:
        await api.call_with_request(get(0))
        for i in range(1, 9):
            await anyio.sleep(0.1)
            tg.start_soon(api.call_with_request, get(i))
    assert sizes(simulator) == [1, 8]


# Calls that may not be packed with others.


async def test_calls_with_a_token_of_their_own_are_packed_with_others_of_that_token(
    make_client: MakeClient,
) -> None:
    tokens = [f"the-token-of-user-{user}" for user in range(5)]
    accounts = {token: Account(id=user) for user, token in enumerate(tokens)}
    simulator = Simulator(limit=20, tokens={TOKEN: Account(id=99), **accounts})
    simulator.add_method("test.whose", lambda call: [call.account.id, call.text("n")])
    requests = [
        APIRequest("test.whose", {"n": n, "access_token": tokens[n % 5]})
        for n in range(125)
    ]
    requests += [APIRequest("test.whose", {"n": n}) for n in range(125, 150)]
    async with client_of(simulator, limit=20) as api:
        values = await together(api, requests)
        assert api.statistics().batches == {25: 6}
    assert values[:125] == [[n % 5, str(n)] for n in range(125)]
    assert values[125:] == [[99, str(n)] for n in range(125, 150)]
    assert simulator.ledger.refused() == []


async def test_a_token_that_dies_fails_its_own_calls_only(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.expire("a-dead-token")
    with_token = [
        APIRequest("test.get", {"id": n, "access_token": "a-dead-token"})
        for n in range(5)
    ]
    async with make_client() as api:
        outcomes = await together(api, [*with_token, *map(get, range(5))])
        assert api.statistics().batches == {5: 2}
    assert {type(outcome) for outcome in outcomes[:5]} == {AuthError}
    assert outcomes[5:] == [*range(5)]


async def test_calls_that_help_to_answer_a_question_go_alone(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        async with anyio.create_task_group() as tg:
            for number in range(90, 93):
                tg.start_soon(api.call, "test.get", {"id": number})
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.captcha(), "test.post")
    async with make_client(on_captcha=solve) as api:
        assert await api.call("test.post", {"id": 1}) == 1
        assert api.statistics().batches == {1: 5}


async def test_no_write_is_packed_with_reads_while_a_captcha_is_open(
    simulator: Simulator, make_client: MakeClient
) -> None:
    solved = anyio.Event()

    async def solve(captcha: Captcha) -> None:
        await solved.wait()
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.captcha(), "wall.post")
    async with make_client(on_captcha=solve) as api, anyio.create_task_group() as tg:
        tg.start_soon(api.call, "wall.post", {"message": "hello"})
        await anyio.sleep(1)

        for request in (get(1), post(2), get(3), post(4)):
            tg.start_soon(api.call_with_request, request)
        await anyio.sleep(1)
        values = [e.params["id"] for e in simulator.ledger.carried_out("test.get")]
        assert sorted(values) == ["1", "3"]
        assert not simulator.ledger.carried_out("test.post")
        solved.set()
        await anyio.sleep(1)
        assert api.statistics().batches == {1: 2, 2: 2}  # the writes share one, too
    assert len(simulator.ledger.carried_out("test.post")) == 2


async def test_an_idle_client_keeps_no_call_that_was_packed(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def requests() -> list[APIRequest]:
        return [each for each in gc.get_objects() if type(each) is APIRequest]

    of_others = {id(request) for request in requests()}
    async with make_client(mode="parallel") as api:
        await api.gather([("users.get", {"user_ids": i}) for i in range(1, 4)])
        await settle()
        gc.collect()
        assert {id(request) for request in requests()} <= of_others
