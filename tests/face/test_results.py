"""The outcome of a request, read by code that did not send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import create_task_group

from _helpers import settle
from _probe import Probe
from vkanyio import (
    VK,
    APIRequest,
    CallEnded,
    CallStarted,
    Captcha,
    ClientClosedError,
    ClientUseError,
    Confirmation,
    ExecuteError,
    ExecuteResult,
    OutcomeUnknownError,
    ParameterError,
    RequestStarted,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]

SCRIPT = "return [API.test.get({id: 1}), API.test.gte({id: 2})];"
FAILED = ExecuteError(
    method="test.gte", code=3, message="Unknown method passed", raw={}
)


def get(i: int) -> APIRequest:
    return APIRequest("test.get", {"id": i})


async def test_a_result_can_be_read_any_number_of_times(
    make_client: MakeClient,
) -> None:
    request = get(7)
    async with make_client() as api:
        assert await api.call_with_request(request) == 7
    assert request.result() == request.result() == 7
    assert request.maybe_carried_out


async def test_a_failed_result_raises_a_separate_error_each_time(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(100), times=1)
    request, errors = get(1), []
    async with make_client() as api:
        with pytest.raises(ParameterError) as sender:
            await api.call_with_request(request)
        errors.append(sender.value)
    for _ in range(2):
        with pytest.raises(ParameterError) as caught:
            request.result()
        errors.append(caught.value)
    assert len(set(map(id, errors))) == 3
    assert not request.maybe_carried_out


@pytest.mark.simulator_options(latency=1.0)
async def test_there_is_no_result_before_a_request_has_ended(
    simulator: Simulator, make_client: MakeClient
) -> None:
    request = get(1)
    with pytest.raises(ClientUseError, match="not submitted"):
        request.result()
    async with make_client() as api, create_task_group() as tasks:
        tasks.start_soon(api.call_with_request, request)
        await settle()
        with pytest.raises(ClientUseError, match=r"await request\.wait\(\)"):
            request.result()
        assert request.maybe_carried_out
        assert await request.wait() == 1
    assert request.result() == 1


@pytest.mark.simulator_options(latency=1.0)
async def test_an_abandoned_request_has_no_result(
    simulator: Simulator, make_client: MakeClient
) -> None:
    request = get(1)
    async with make_client() as api:
        with anyio.move_on_after(0.5):
            await api.call_with_request(request)
        with pytest.raises(ClientUseError, match="abandoned"):
            request.result()
    assert request.maybe_carried_out


@pytest.mark.simulator_options(latency=1.0)
async def test_a_request_that_was_never_sent_was_certainly_not_carried_out(
    simulator: Simulator, make_client: MakeClient
) -> None:
    request = get(2)
    async with make_client(limit=1) as api:
        await api.call_with_request(get(1))
        with anyio.move_on_after(0.01):
            await api.call_with_request(request)
    assert not request.maybe_carried_out


async def test_a_write_whose_response_was_lost_stays_in_doubt(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), times=1)
    request = APIRequest("wall.post", {"message": "a"})
    async with make_client() as api:
        with pytest.raises(OutcomeUnknownError):
            await api.call_with_request(request)
    assert request.maybe_carried_out


@pytest.mark.parametrize("way", ["call", "request", "wait", "result", "execute"])
async def test_every_way_to_run_a_script_returns_its_errors_too(
    make_client: MakeClient, way: str
) -> None:
    async with make_client() as api:
        request = APIRequest("execute", {"code": SCRIPT})
        result: Any
        if way == "call":
            result = await api.call("execute", {"code": SCRIPT})
        elif way == "execute":
            result = await api.execute(SCRIPT)
        else:
            result = await api.call_with_request(request)
            if way == "wait":
                result = await request.wait()
            elif way == "result":
                result = request.result()
    assert type(result) is ExecuteResult
    assert result.response == [1, False]
    [error] = result.errors
    assert (error.method, error.code) == (FAILED.method, FAILED.code)


@pytest.mark.parametrize("way", ["procedure", "call", "request"])
async def test_a_procedure_called_by_name_returns_the_same(
    simulator: Simulator, make_client: MakeClient, way: str
) -> None:
    simulator.add_procedure("digest", SCRIPT)
    async with make_client() as api:
        results = {
            "procedure": lambda: api.procedure("digest"),
            "call": lambda: api.call("execute.digest"),
            "request": lambda: api.call_with_request(APIRequest("execute.digest")),
        }
        response, [error] = await results[way]()
    assert response == [1, False]
    assert error.method == "test.gte"


async def test_a_method_that_only_begins_like_a_script_has_a_plain_value(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("executed.get", lambda _: 5)
    async with make_client() as api:
        assert await api.call("executed.get") == 5


# Without a waiting task


async def test_a_submitted_request_reports_its_end_once(
    make_client: MakeClient,
) -> None:
    ended: list[APIRequest] = []
    requests = [get(i) for i in range(60)]
    async with make_client(mode="parallel", max_waiting=1) as api:
        for request in requests:
            Probe(api).caller.submit(request, ended.append)
        await requests[-1].wait()
    assert sorted(request.result() for request in ended) == [*range(60)]
    assert api.statistics().batches == {25: 2, 10: 1}


@pytest.mark.simulator_options(latency=1.0)
async def test_a_submitted_request_may_be_given_up(
    simulator: Simulator, make_client: MakeClient
) -> None:
    ended: list[APIRequest] = []
    async with make_client(limit=1) as api:
        sent, waiting = get(1), get(2)
        for request in (sent, waiting):
            Probe(api).caller.submit(request, ended.append)
        await anyio.sleep(0.7)  # VK has carried out the first one
        for request in (waiting, sent, waiting):
            Probe(api).caller.give_up(request)
        assert ended == [waiting, sent]
        await anyio.sleep(3)
        assert api.statistics().in_flight == 0
    assert sent.maybe_carried_out
    assert not waiting.maybe_carried_out
    assert [entry.params["id"] for entry in simulator.ledger] == ["1"]


@pytest.mark.simulator_options(latency=1.0)
async def test_who_looks_on_does_not_abandon_a_submitted_request(
    make_client: MakeClient,
) -> None:
    ended: list[APIRequest] = []
    request = get(1)
    async with make_client() as api:
        Probe(api).caller.submit(request, ended.append)
        with anyio.move_on_after(0.1):
            await request.wait()
        assert ended == []
    assert ended == [request]
    assert request.result() == 1
    Probe(api).caller.give_up(request)
    assert request.result() == 1  # it had ended before


async def test_a_submitted_request_is_reported_like_any_other_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(100), times=1)
    events: list[Any] = []
    async with make_client(on_event=events.append, limit=1) as api:
        failing, abandoned = get(1), get(2)
        for request in (failing, abandoned):
            Probe(api).caller.submit(request, lambda _: None)
        await anyio.sleep(0.5)
        Probe(api).caller.give_up(abandoned)
        assert Probe(api).observed_call_count == 0
    started = [e for e in events if isinstance(e, CallStarted)]
    ended = [e for e in events if isinstance(e, CallEnded)]
    assert [e.call for e in started] == [e.call for e in ended]
    assert [(e.ending, e.error) for e in ended] == [
        ("error", "ParameterError"),
        ("cancelled", None),
    ]
    [sent] = [e for e in events if isinstance(e, RequestStarted)]
    assert sent.calls == (started[0].call,)


async def call_with_other_tokens(api: VK) -> list[str]:
    """Make calls with so many tokens that idle lanes are dropped.

    :return: the tokens whose lanes are left
    """
    for i in range(20):
        token = f"token-{i}-at-{anyio.current_time()}"
        await api.call("test.get", {"id": i, "access_token": token})
    return Probe(api).tokens


def get_slowly(simulator: Simulator) -> APIRequest:
    """Return a call of another token, which takes half a minute."""
    simulator.fault(faults.delay(30), times=1)
    return APIRequest("test.get", {"id": 1, "access_token": "another-token"})


async def test_the_lane_of_a_submitted_request_is_kept_until_its_end(
    simulator: Simulator, make_client: MakeClient
) -> None:
    request = get_slowly(simulator)
    async with make_client(timeout=60) as api:
        Probe(api).caller.submit(request, lambda _: None)
        await anyio.sleep(10)
        assert "another-token" in await call_with_other_tokens(api)
        assert await request.wait() == 1
        await anyio.sleep(10)
        assert "another-token" not in await call_with_other_tokens(api)


async def test_the_lane_of_a_submitted_request_is_kept_between_its_attempts(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def agree(_: Confirmation) -> bool:
        await anyio.sleep(30)
        return True

    request = APIRequest("test.get", {"id": 1, "access_token": "another-token"})
    simulator.fault(faults.confirmation(), times=1)
    async with make_client(on_confirmation=agree) as api:
        Probe(api).caller.submit(request, lambda _: None)
        await anyio.sleep(10)
        assert "another-token" in await call_with_other_tokens(api)
        assert await request.wait() == 1


async def test_a_lane_is_kept_for_somebody_else_who_waits(
    simulator: Simulator, make_client: MakeClient
) -> None:
    request = get_slowly(simulator)
    async with make_client(timeout=60) as api, anyio.create_task_group() as tg:
        with anyio.move_on_after(10):
            tg.start_soon(request.wait)
            await api.call_with_request(request)
        assert "another-token" in await call_with_other_tokens(api)
        assert await request.wait() == 1
        await anyio.sleep(10)
        assert "another-token" not in await call_with_other_tokens(api)


async def test_a_lane_is_kept_while_a_captcha_holds_its_calls_back(
    simulator: Simulator, make_client: MakeClient
) -> None:
    lanes: list[list[str]] = []

    async def solve(captcha: Captcha) -> None:
        answer = simulator.solve(captcha.redirect_uri or "")
        await captcha.retry(answer)  # which settles the call
        await anyio.sleep(10)
        lanes.append(await call_with_other_tokens(api))

    simulator.fault(faults.captcha(), times=1)
    params = {"id": 1, "access_token": "another-token"}
    async with make_client(on_captcha=solve) as api:
        await api.call("test.get", params)
        await anyio.sleep(60)
    assert "another-token" in lanes[0]


async def test_submitted_requests_are_finished_when_the_block_is_left(
    simulator: Simulator, make_client: MakeClient
) -> None:
    ended: list[APIRequest] = []
    async with make_client(limit=20) as api:
        for i in range(5):
            Probe(api).caller.submit(get(i), ended.append)
    assert sorted(request.result() for request in ended) == [*range(5)]


@pytest.mark.simulator_options(latency=1.0)
async def test_a_cancelled_block_fails_submitted_requests(
    simulator: Simulator, make_client: MakeClient
) -> None:
    ended: list[APIRequest] = []
    with anyio.move_on_after(0.5):
        async with make_client() as api:
            Probe(api).caller.submit(get(1), ended.append)
            await anyio.sleep_forever()
    [request] = ended
    with pytest.raises(ClientClosedError) as caught:
        request.result()
    assert caught.value.maybe_carried_out


async def test_nothing_is_submitted_twice_or_to_a_client_that_is_not_open(
    make_client: MakeClient,
) -> None:
    request = get(1)
    async with make_client() as api:
        Probe(api).caller.submit(request, lambda _: None)
        with pytest.raises(ClientUseError, match="already been submitted"):
            Probe(api).caller.submit(request, lambda _: None)
        assert await request.wait() == 1
    with pytest.raises(ClientClosedError):
        Probe(api).caller.submit(get(2), lambda _: None)
