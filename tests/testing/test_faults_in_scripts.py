"""Faults of calls that are made inside an ``execute``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import httpx
import pytest

from _helpers import TOKEN
from _packing import together
from vkanyio import VK, APIRequest, OutcomeUnknownError
from vkanyio.testing import Simulator, faults
from vkanyio.testing.vkscript import compile_script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    Execute: TypeAlias = Callable[..., Awaitable[httpx.Response]]

pytestmark = pytest.mark.anyio

CODE = 'return [API.test.add({"n": 1}), API.test.add({"n": 2}), API.test.get()];'
WHOLE = b'{"response":["added","added","got"]}'

BEFORE = [
    faults.refuse(),
    faults.drop_before(),
    faults.hang_before(),
    faults.html(502),
    faults.body(b"[]"),
    faults.truncated(),
]
AFTER = [
    faults.drop_after(),
    faults.drop_midway(),
    faults.hang_after(),
    faults.html(504, after=True),
    faults.body(b"[]", after=True),
    faults.truncated(after=True),
    faults.delay(5, after=True),
    faults.slow_body(5),
]
LOST = ("refuse", "drop_before", "drop_after")
HANGS = ("hang_before", "hang_after")


def name_of(fault: faults.Fault) -> str:
    return fault.name


@pytest.fixture
def simulator() -> Simulator:
    simulator = Simulator(limit=0)
    simulator.add_method("test.get", lambda call: "got")
    simulator.add_method("test.add", lambda call: "added")
    return simulator


async def post(
    client: httpx.AsyncClient, base_url: str, code: str = CODE, method: str = "execute"
) -> httpx.Response:
    params = {"v": "5.199", "access_token": "t", "code": code}
    return await client.post(f"{base_url}/{method}", data=params)


@pytest.fixture
async def execute(simulator: Simulator) -> AsyncIterator[Execute]:
    async with simulator.http_client() as client:

        async def execute(*what: str) -> httpx.Response:
            return await post(client, "https://api.vk.ru/method", *what)

        yield execute


def entries(simulator: Simulator) -> list[tuple[str, Any, str | None]]:
    return [(each.method, each.outcome, each.fault) for each in simulator.ledger]


def ended_at_the_second_add(fault: faults.Fault) -> list[tuple[str, Any, str | None]]:
    return [
        ("test.add", "carried out", None),
        ("test.add", fault.name, fault.name),
        ("execute", fault.name, None),
    ]


def carried_out_to_the_end(fault: faults.Fault) -> list[tuple[str, Any, str | None]]:
    return [
        ("test.add", "carried out", None),
        ("test.add", "carried out", fault.name),
        ("test.get", "carried out", None),
        ("execute", "carried out", None),
    ]


async def body_of(execute: Execute, fault: faults.Fault) -> bytes | None:
    """Return what the client sees of the body, None if that is nothing."""
    if fault.name in LOST:
        with pytest.raises(httpx.ReadError):
            await execute()
        return None
    if fault.name in HANGS:
        with anyio.move_on_after(3600) as scope:
            await execute()
        assert scope.cancelled_caught
        return None
    if fault.name == "drop_midway":
        with pytest.raises(httpx.RemoteProtocolError, match="closed connection"):
            await execute()
        return None
    return (await execute()).content


@pytest.mark.parametrize("fault", BEFORE, ids=name_of)
async def test_a_fault_before_a_call_ends_the_script_there(
    simulator: Simulator, execute: Execute, fault: faults.Fault
) -> None:
    simulator.fault(fault, "test.add", nth=2)
    body = await body_of(execute, fault)
    assert entries(simulator) == ended_at_the_second_add(fault)
    pages = {"html": b"502 Bad Gateway", "body": b"[]", "truncated": b'{"response":{"'}
    assert (body is None) == (fault.name not in pages)
    assert body is None or pages[fault.name] in body
    assert (await execute()).content == WHOLE


@pytest.mark.parametrize("fault", AFTER, ids=name_of)
async def test_a_fault_after_a_call_lets_the_script_run_to_its_end(
    simulator: Simulator, execute: Execute, fault: faults.Fault
) -> None:
    simulator.fault(fault, "test.add", nth=2)
    start = anyio.current_time()
    body = await body_of(execute, fault)
    assert entries(simulator) == carried_out_to_the_end(fault)
    assert {entry.time for entry in simulator.ledger} == {start}
    if fault.name in ("delay", "slow_body"):
        assert body == WHOLE
        assert anyio.current_time() - start == pytest.approx(5)
    elif body is not None:
        assert WHOLE not in body
    assert (await execute()).content == WHOLE


async def test_a_late_call_delays_the_rest_of_its_script(
    simulator: Simulator, execute: Execute
) -> None:
    simulator.fault(faults.delay(5), "test.add", nth=2)
    start = anyio.current_time()
    assert (await execute()).content == WHOLE
    times = [entry.time - start for entry in simulator.ledger]
    assert times == pytest.approx([0, 5, 5, 5])
    assert entries(simulator) == carried_out_to_the_end(faults.delay(5))


async def test_a_script_that_fails_loses_its_error(
    simulator: Simulator, execute: Execute
) -> None:
    simulator.fault(faults.drop_after(), "test.add")
    with pytest.raises(httpx.ReadError):
        await execute("API.test.add(); while (true) {}")
    assert entries(simulator) == [
        ("test.add", "carried out", "drop_after"),
        ("execute", 13, None),
    ]


async def test_the_faults_of_several_calls_all_strike_the_response(
    simulator: Simulator, execute: Execute
) -> None:
    simulator.fault(faults.delay(5, after=True), "test.add", times=2)
    simulator.fault(faults.html(after=True), "test.get")
    start = anyio.current_time()
    assert (await execute()).status_code == 502
    assert anyio.current_time() - start == pytest.approx(10)
    assert [fault for _, _, fault in entries(simulator)] == [
        "delay",
        "delay",
        "html",
        None,
    ]
    assert (await execute()).content == WHOLE


async def test_without_a_method_a_script_is_one_request(
    simulator: Simulator, execute: Execute
) -> None:
    simulator.fault(faults.drop_before(), nth=2)
    assert (await execute()).content == WHOLE
    with pytest.raises(httpx.ReadError):
        await execute()
    assert entries(simulator)[4:] == [("execute", "drop_before", "drop_before")]


async def test_a_fault_of_execute_keeps_the_whole_script_from_running(
    simulator: Simulator, execute: Execute
) -> None:
    simulator.fault(faults.html(), "execute")
    assert (await execute()).status_code == 502
    assert entries(simulator) == [("execute", "html", "html")]


@pytest.mark.parametrize("fault", [faults.error(10), faults.delay(1)], ids=name_of)
async def test_a_rate_picks_the_same_calls_inside_scripts_and_outside(
    fault: faults.Fault,
) -> None:
    async def struck(code: str, method: str, requests: int) -> list[int]:
        simulator = Simulator(limit=0, seed=7)
        simulator.add_method("test.add", lambda call: "added")
        simulator.fault(fault, "test.add", rate=0.3)
        async with simulator.http_client() as client:
            for _ in range(requests):
                await post(client, "https://api.vk.ru/method", code, method)
        calls = [entry for entry in simulator.ledger if entry.method == "test.add"]
        return [n for n, entry in enumerate(calls) if entry.fault]

    plain = await struck("", "test.add", 60)
    packed = await struck(
        "API.test.add(); API.test.add(); API.test.add();", "execute", 20
    )
    assert plain == packed
    assert 5 < len(plain) < 40


async def test_faults_strike_the_calls_of_procedures_and_of_scripts_in_scripts(
    simulator: Simulator, execute: Execute
) -> None:
    simulator.add_procedure("adding", "API.test.get(); return API.test.add();")
    for _ in range(2):
        simulator.fault(faults.drop_before(), "test.add")
    with pytest.raises(httpx.ReadError):
        await execute("", "execute.adding")
    with pytest.raises(httpx.ReadError):
        await execute("return API.execute.adding();")
    once = [
        ("test.get", "carried out", None),
        ("test.add", "drop_before", "drop_before"),
        ("execute.adding", "drop_before", None),
    ]
    assert entries(simulator) == [*once, *once, ("execute", "drop_before", None)]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "fault",
    [
        *BEFORE[:4],
        faults.drop_after(),
        faults.hang_after(),
        faults.html(504, after=True),
    ],
    ids=name_of,
)
async def test_a_served_script_meets_the_faults_of_its_calls(
    simulator: Simulator, fault: faults.Fault
) -> None:
    before = fault in BEFORE
    simulator.fault(fault, "test.add", nth=2)
    compile_script("return null;")  # the first script loads the parser
    timeout = 1.0 if fault.name in HANGS else 30.0
    async with (
        simulator.serve() as base_url,
        httpx.AsyncClient(timeout=timeout) as client,
    ):
        if fault.name in LOST:
            with pytest.raises(httpx.RemoteProtocolError, match="without sending"):
                await post(client, base_url)
        elif fault.name in HANGS:
            with pytest.raises(httpx.ReadTimeout):
                await post(client, base_url)
        else:
            status = (await post(client, base_url)).status_code
            assert status == (502 if before else 504)
        expected = ended_at_the_second_add if before else carried_out_to_the_end
        assert entries(simulator) == expected(fault)
        client.timeout = httpx.Timeout(30)
        assert (await post(client, base_url)).content == WHOLE


# The same, as users see it: a client that packs its calls, and one that does not.

each_mode = pytest.mark.parametrize("mode", ["sequential", "parallel"])


async def posts(simulator: Simulator, mode: Any, **options: Any) -> Sequence[Any]:
    requests = [APIRequest("wall.post", {"message": f"no. {n}"}) for n in range(3)]
    options = {"mode": mode, "limit": 1000, "timeout": 2, **options}
    async with VK(TOKEN, **options) as api:
        outcomes = await together(api, requests)
        assert "post_id" in await api.wall.post(message="the fault is over")
    return outcomes


def assert_a_post_met(
    fault: faults.Fault, simulator: Simulator, mode: str, outcomes: Sequence[Any]
) -> None:
    calls = [entry for entry in simulator.ledger if entry.method == "wall.post"]
    assert [n for n, entry in enumerate(calls) if entry.fault] == [1]
    messages = [
        each.params["message"] for each in calls if each.outcome == "carried out"
    ]
    assert len(messages) == len(set(messages))  # nothing is posted twice
    unknown = sum(isinstance(each, OutcomeUnknownError) for each in outcomes)
    packed = mode == "parallel"
    if fault.name.endswith("before"):
        assert len(messages) == (2 if packed else 3)
    else:
        assert len(messages) == 4
    assert unknown == (3 if packed else 1)
    scripts = [entry for entry in simulator.ledger if entry.method == "execute"]
    assert len(scripts) == packed


@each_mode
@pytest.mark.parametrize(
    "fault",
    [
        faults.drop_before(),
        faults.drop_after(),
        faults.drop_midway(),
        faults.hang_before(),
        faults.hang_after(),
        faults.html(after=True),
        faults.truncated(after=True),
    ],
    ids=name_of,
)
async def test_a_post_whose_response_is_lost_is_not_posted_twice(
    fault: faults.Fault, mode: str
) -> None:
    simulator = Simulator(limit=0)
    simulator.fault(fault, "wall.post", nth=2)
    outcomes = await posts(simulator, mode, http_client=simulator.http_client())
    assert_a_post_met(fault, simulator, mode, outcomes)


@each_mode
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_post_whose_response_is_lost_on_a_socket_is_not_posted_twice(
    mode: str,
) -> None:
    simulator = Simulator(limit=0)
    simulator.fault(faults.drop_after(), "wall.post", nth=2)
    async with simulator.serve() as base_url:
        outcomes = await posts(simulator, mode, base_url=base_url)
    assert_a_post_met(faults.drop_after(), simulator, mode, outcomes)


@each_mode
@pytest.mark.parametrize(
    "fault", [faults.refuse(), *BEFORE[1:2], faults.drop_after()], ids=name_of
)
async def test_a_read_whose_response_is_lost_is_made_again(
    fault: faults.Fault, mode: Any
) -> None:
    simulator = Simulator(limit=0)
    simulator.fault(fault, "users.get", nth=2)
    requests = [APIRequest("users.get", {"user_ids": n}) for n in (1, 2, 3)]
    client = simulator.http_client()
    async with VK(TOKEN, mode=mode, limit=1000, http_client=client) as api:
        outcomes = await together(api, requests)
    assert [[user["id"] for user in each] for each in outcomes] == [[1], [2], [3]]
    marks = [entry.fault for entry in simulator.ledger if entry.fault]
    leaves_no_trace = fault.name == "refuse" and mode == "sequential"
    assert marks == ([] if leaves_no_trace else [fault.name])
