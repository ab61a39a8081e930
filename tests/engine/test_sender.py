"""One attempt by a `Sender`, outside a client."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import create_task_group

from _helpers import TOKEN, add_echoes
from _parts import accept, accepted, sender_of, sender_to, sender_with
from _sockets import closed_port
from vkanyio import (
    APIRequest,
    AuthError,
    ConnectionFailedError,
    Limiter,
    TooManyRequestsError,
)
from vkanyio._outcome import Failure, Success
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from vkanyio._engine._sender import Attempt, Sender

pytestmark = pytest.mark.anyio

REPLACEMENT = "vk1.a.the-token-that-replaced-it"


@pytest.fixture(autouse=True)
def echoes(simulator: Simulator) -> None:
    add_echoes(simulator)


async def send(sender: Sender, *requests: APIRequest, **extra: Any) -> Attempt:
    [first, *_] = requests
    permit = await sender.ticker.acquire()
    return await sender.send(
        first, permit, extra=extra, calls=requests, origin=None, careful=False
    )


async def test_an_attempt_returns_the_value_and_marks_the_call_as_sent(
    simulator: Simulator,
) -> None:
    sender, request = sender_of(simulator), accepted("test.get", {"id": 7})
    attempt = await send(sender, request)
    assert attempt.result == Success(7)
    assert attempt.doubts == [False]
    assert request.maybe_carried_out
    assert sender._counters.batches == {1: 1}
    assert sender._counters.in_flight == 0


async def test_a_refusal_clears_the_mark_but_not_an_older_one(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.error(100))
    sender, fresh, doubtful = sender_of(simulator), accepted(), accepted()
    doubtful._pending.mark_maybe_carried_out()
    attempt = await send(sender, fresh, doubtful)
    assert isinstance(attempt.result, Failure)
    assert attempt.doubts == [False, True]
    assert not fresh.maybe_carried_out
    assert doubtful.maybe_carried_out


async def test_a_lost_response_leaves_the_call_in_doubt(simulator: Simulator) -> None:
    simulator.fault(faults.drop_after())
    request = accepted("test.get", {"id": 1})
    attempt = await send(sender_of(simulator), request)
    assert isinstance(attempt.result, Failure)
    assert attempt.result.maybe_carried_out
    assert request.maybe_carried_out


async def test_the_form_has_the_common_parameters_unless_the_call_has_its_own(
    simulator: Simulator,
) -> None:
    sender = sender_of(simulator, language="ru", version="5.199")
    await send(sender, accepted("test.get", {"id": 1, "v": "5.131"}), captcha_key="a")
    [entry] = simulator.ledger
    assert entry.params["v"] == "5.131"
    assert entry.params["lang"] == "ru"
    assert entry.params["captcha_key"] == "a"


async def test_an_answer_to_a_captcha_replaces_an_older_one(
    simulator: Simulator,
) -> None:
    request = accepted("test.get", {"id": 1, "captcha_key": "old"})
    await send(sender_of(simulator), request, captcha_key="new")
    [entry] = simulator.ledger
    assert entry.params["captcha_key"] == "new"


@pytest.mark.simulator_options(latency=0.25)
async def test_the_limiter_knows_when_the_request_left_and_the_permit_is_used(
    simulator: Simulator,
) -> None:
    sender = sender_of(simulator, limiter=Limiter(1))
    began = anyio.current_time()
    permit = await sender.ticker.acquire()
    request = accepted("test.get", {"id": 1})
    await sender.send(
        request,
        permit,
        extra={},
        calls=[request],
        origin=None,
        careful=False,
    )
    assert permit.is_used
    assert permit.left_at == began
    assert sender._limiter.ready_at(anyio.current_time()) == pytest.approx(began + 1.02)


async def test_a_request_of_a_cancelled_task_is_not_sent_and_returns_its_permit(
    simulator: Simulator,
) -> None:
    sender = sender_of(simulator, limiter=Limiter(1))
    request = accepted("test.get", {"id": 1})
    permit = await sender.ticker.acquire()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await sender.send(
            request,
            permit,
            extra={},
            calls=[request],
            origin=None,
            careful=False,
        )
    assert not permit.is_used
    assert not request.maybe_carried_out
    assert sender._limiter.ready_at(anyio.current_time()) <= anyio.current_time()
    assert list(simulator.ledger) == []


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_permit_is_released_though_an_observer_fails(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError  # as a filter of the log may do

    sender = sender_of(simulator, max_connections=1, on_event=print)
    monkeypatch.setattr(sender._observer, "begin", lambda *_: ())
    monkeypatch.setattr(sender._observer, "end", fail)
    with pytest.raises(ZeroDivisionError):
        await send(sender, accepted("test.get", {"id": 7}))
    with anyio.fail_after(1):
        sender.ticker.release(await sender.ticker.acquire())


async def test_a_request_that_could_not_be_sent_counts_against_the_limit() -> None:
    async with closed_port() as base_url:
        sender = sender_to(base_url, limiter=Limiter(1))
        request, permit = accepted(), await sender.ticker.acquire()
        attempt = await sender.send(
            request,
            permit,
            extra={},
            calls=[request],
            origin=None,
            careful=False,
        )
    assert isinstance(attempt.result, Failure)
    assert isinstance(attempt.result.error, ConnectionFailedError)
    assert not request.maybe_carried_out
    assert permit.is_used  # or a host that cannot be reached would be flooded
    assert sender._limiter.ready_at(permit.left_at) == pytest.approx(
        permit.left_at + 1.02
    )


async def test_a_replaced_token_is_sent_from_then_on(simulator: Simulator) -> None:
    sender = sender_of(simulator)
    first = await send(sender, accepted("test.get", {"id": 1}))
    sender.replace_token(REPLACEMENT)
    second = await send(sender, accepted("test.get", {"id": 1}))
    assert (first.secrets.token, second.secrets.token) == (TOKEN, REPLACEMENT)
    assert REPLACEMENT not in repr(sender)
    refused = Failure(AuthError(5, ""), maybe_carried_out=False)
    delays = [
        sender.delay_after(
            "test.get", refused, sender.new_retries(), token=token, may_repeat=False
        )
        for token in (TOKEN, REPLACEMENT)
    ]
    assert delays == [0.0, None]


async def test_error_6_slows_the_token_down_until_the_method_is_to_blame(
    simulator: Simulator,
) -> None:
    sender = sender_of(simulator, limiter=Limiter(20))
    too_many = Failure(TooManyRequestsError(6, ""), maybe_carried_out=False)
    margins: list[float] = []
    for _ in range(4):
        sender.delay_after(
            "a.get", too_many, sender.new_retries(), token=TOKEN, may_repeat=True
        )
        margins.append(sender._limiter.margin(anyio.current_time()))
        await anyio.sleep(1)
    assert margins[0] == pytest.approx(0.07)
    assert margins[1] > margins[0]
    assert margins[3] < margins[2] < margins[1]
    assert sender._counters.too_many_requests == 4


async def test_the_call_and_the_option_decide_what_may_be_retried(
    simulator: Simulator,
) -> None:
    read, write = APIRequest("users.get"), APIRequest("wall.post", {"message": "a"})
    careful, bold = sender_of(simulator), sender_of(simulator, retry_unsafe=True)
    assert [careful.may_repeat(each) for each in (read, write)] == [True, False]
    assert [bold.may_repeat(each) for each in (read, write)] == [True, True]


async def test_the_ticker_task_grants_permits(
    simulator: Simulator,
) -> None:
    sender, began = sender_of(simulator, limiter=Limiter(2)), anyio.current_time()
    async with create_task_group() as tasks:
        tasks.start_soon(sender.ticker.run)
        for _ in range(3):
            await send(sender, accepted("test.get", {"id": 1}))
        tasks.cancel_scope.cancel()
    assert anyio.current_time() - began == pytest.approx(1.02)


async def test_each_token_is_replaced_by_its_own(simulator: Simulator) -> None:
    tokens: dict[str, str] = {}
    first = sender_of(simulator, token="first-token", replaced_tokens=tokens)
    second = sender_of(simulator, token="second-token", replaced_tokens=tokens)
    second.replace_token(REPLACEMENT)
    assert sent_by(first) == "first-token"
    assert sent_by(second) == REPLACEMENT
    again = sender_of(simulator, token="second-token", replaced_tokens=tokens)
    assert sent_by(again) == REPLACEMENT  # a lane that is made anew knows it, too


def sent_by(sender: Sender) -> str:
    return sender._credentials.token


async def test_a_response_that_is_too_large_is_a_failure(simulator: Simulator) -> None:
    simulator.fault(faults.body(b" " * 2000))
    sender = sender_of(simulator, max_answer=1024)
    attempt = await send(sender, accepted("test.get", {"id": 1}))
    assert isinstance(attempt.result, Failure)
    assert attempt.result.is_too_large


async def test_the_limiter_learns_from_round_trips(simulator: Simulator) -> None:
    sender = sender_of(simulator, limiter=Limiter(20, request_mode="burst"))
    for seconds in (0.1, 0.1, 0.2, 0.2):
        simulator.fault(faults.delay(seconds), times=1)
        await send(sender, accepted("test.get", {"id": 1}))
    assert sender._limiter.margin(anyio.current_time()) > 0.05


async def test_header_names_of_a_request_replace_those_of_the_client(
    simulator: Simulator,
) -> None:
    seen: list[dict[str, str]] = []
    http_client = simulator.http_client()
    post = http_client.post

    async def note_headers(url: str, *, headers: dict[str, str], **rest: Any) -> Any:
        seen.append(headers)
        return await post(url, headers=headers, **rest)

    http_client.post = note_headers  # type: ignore[assignment, method-assign]
    sender = sender_with(http_client=http_client, headers={"x-a": "client"})
    request = APIRequest("test.get", {"id": 1}, headers={"X-A": "call"})
    accept(request)
    await send(sender, request)
    [headers] = seen
    assert [headers[name] for name in headers if name.lower() == "x-a"] == ["call"]


def too_many() -> Failure:
    error = TooManyRequestsError(6, "")
    return Failure(error, maybe_carried_out=False)


def refuse(sender: Sender, method: str) -> float:
    """Return by how much an error 6 widens the margin."""
    before = sender._limiter.margin(anyio.current_time())
    sender.delay_after(
        method, too_many(), sender.new_retries(), token=TOKEN, may_repeat=True
    )
    return sender._limiter.margin(anyio.current_time()) - before


async def test_a_method_that_met_something_else_slows_the_token_down_again(
    simulator: Simulator,
) -> None:
    sender = sender_of(simulator, limiter=Limiter(20))
    widened = []
    for _ in range(4):
        widened.append(refuse(sender, "a.get") > 0)
        await anyio.sleep(1)
    sender.forget_refusals("a.get")
    widened.append(refuse(sender, "a.get") > 0)
    assert widened == [True, True, False, False, True]


async def test_the_log_reports_one_slow_down_for_a_volley(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vkanyio")
    sender = sender_of(simulator, limiter=Limiter(20))
    for method in ("a.get", "b.get", "c.get"):
        refuse(sender, method)
    assert caplog.text.count("of the limit stays unused") == 1


async def test_retries_are_counted_by_their_error(simulator: Simulator) -> None:
    sender = sender_of(simulator)
    refused = Failure(AuthError(5, ""), maybe_carried_out=False)
    sender.note_retry("a.get", refused, 1.0)
    assert sender._counters.retries == {"AuthError": 1}
    assert sender.new_retries(2).used == 2
