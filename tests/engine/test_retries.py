"""Which failures are retried, how often, and which error the caller gets."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

from vkanyio import (
    APIError,
    APIRequest,
    ConnectionFailedError,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
    TransportError,
    VKError,
)
from vkanyio.testing import Call, VKFault, faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio import VK
    from vkanyio.testing import Simulator
    from vkanyio.testing.faults import Fault

pytestmark = pytest.mark.anyio

Calls: TypeAlias = dict[str, tuple[str, dict[str, Any]]]

READING: Calls = {
    "a read": ("users.get", {"user_ids": 1}),
    "a script that reads": (
        "execute",
        {"code": 'return API.users.get({"user_ids": 1});'},
    ),
}
KEYED: Calls = {
    "a message": ("messages.send", {"peer_id": 1, "message": "hello"}),
    "a message with a key": (
        "messages.send",
        {"peer_id": 1, "message": "hello", "random_id": 7},
    ),
    "a post with a key": ("wall.post", {"message": "hello", "guid": "a1"}),
}
UNSAFE: Calls = {
    "a message without a key": (
        "messages.send",
        {"peer_id": 1, "message": "hello", "random_id": 0},
    ),
    "a post": ("wall.post", {"message": "hello"}),
    "a setting": ("status.set", {"text": "hello"}),
    "an addition": ("likes.add", {"type": "post", "owner_id": 1, "item_id": 1}),
    "a script that writes": (
        "execute",
        {"code": 'API.users.get({}); API.wall.post({"message": "hello"});'},
    ),
    "a procedure": ("execute.digest", {"day": 1}),
    "an unknown method": ("pages.whatever", {}),
}
ALL: Calls = {**READING, **KEYED, **UNSAFE}

reading = pytest.mark.parametrize("call", READING.values(), ids=READING)
keyed = pytest.mark.parametrize("call", KEYED.values(), ids=KEYED)
unsafe = pytest.mark.parametrize("call", UNSAFE.values(), ids=UNSAFE)
every_call = pytest.mark.parametrize("call", ALL.values(), ids=ALL)

# Calls that VK may have carried out, and the error the caller gets.
AMBIGUOUS: dict[str, tuple[Fault, type[VKError]]] = {
    "dropped before": (faults.drop_before(), ConnectionFailedError),
    "dropped after": (faults.drop_after(), ConnectionFailedError),
    "hangs before": (faults.hang_before(), RequestTimeoutError),
    "hangs after": (faults.hang_after(), RequestTimeoutError),
    "502": (faults.html(502), InvalidResponseError),
    "504 after": (faults.html(504, after=True), InvalidResponseError),
    "200 HTML": (faults.html(200), InvalidResponseError),
    "cut short": (faults.body(b'{"response": [{"id"'), InvalidResponseError),
    "empty": (faults.body(b""), InvalidResponseError),
    "not VK's": (faults.body(b'{"hello": 1}'), InvalidResponseError),
    "too deep": (faults.body(b"[" * 100_000), InvalidResponseError),
    "no code": (faults.body(b'{"error": {"error_msg": "x"}}'), InvalidResponseError),
    "error text": (faults.body(b'{"error": "internal"}'), InvalidResponseError),
    "error 1": (faults.error(1), APIError[1]),
    "error 10": (faults.error(10), APIError[10]),
    "bare error 10": (faults.body(b'{"error": {"error_code": 10}}'), APIError[10]),
    "error 36": (faults.error(36), APIError[36]),
}
ambiguous = pytest.mark.parametrize(
    ("fault", "kind"), AMBIGUOUS.values(), ids=AMBIGUOUS
)

NEVER_CARRIED_OUT: dict[str, tuple[Fault, type[VKError]]] = {
    "refused": (faults.refuse(), ConnectionFailedError),
}
FINAL_CODES = [
    *(3, 5, 7, 8, 9, 12, 13, 14, 15, 17, 18, 24, 27, 28, 29, 30, 32, 43),
    *(100, 113, 901, 902, 1117, 77777),
]
FOR_GOOD: dict[str, tuple[Fault, type[VKError]]] = {
    "404": (faults.html(404), InvalidResponseError),
    "413": (faults.html(413), InvalidResponseError),
    "301": (faults.html(301), InvalidResponseError),
    **{f"error {code}": (faults.error(code), APIError[code]) for code in FINAL_CODES},
    "error 5 with a subcode": (faults.error(5, error_subcode=1130), APIError[5]),
}


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    simulator.add_method("execute", lambda call: 1)
    simulator.add_method("execute.digest", lambda call: 1)
    simulator.add_method("pages.whatever", lambda call: 1)
    return simulator


async def fails(api: VK, call: tuple[str, dict[str, Any]]) -> tuple[VKError, int]:
    """Return the error of a call, and how many times it was sent."""
    with pytest.raises(VKError) as caught:
        await api.call(*call)
    return caught.value, api.statistics().sent


@reading
@ambiguous
async def test_a_read_is_retried_after_any_transient_failure(
    simulator: Simulator,
    make_client: MakeClient,
    call: Any,
    fault: Fault,
    kind: type[VKError],
) -> None:
    simulator.fault(fault, rate=1)
    async with make_client() as api:
        error, sent = await fails(api, call)
        assert api.statistics().retries == {kind.__name__: 3}
    assert type(error) is kind
    assert error.__cause__ is None
    assert sent == 4


@keyed
@ambiguous
async def test_a_write_with_a_key_is_retried_and_remains_in_doubt(
    simulator: Simulator,
    make_client: MakeClient,
    call: Any,
    fault: Fault,
    kind: type[VKError],
) -> None:
    simulator.fault(fault, rate=1)
    async with make_client() as api:
        error, sent = await fails(api, call)
    assert isinstance(error, OutcomeUnknownError)
    assert type(error.__cause__) is kind
    assert sent == 4
    assert len(simulator.ledger.carried_out()) <= 1


@unsafe
@ambiguous
async def test_any_other_write_is_not_retried_and_its_outcome_is_unknown(
    simulator: Simulator,
    make_client: MakeClient,
    call: Any,
    fault: Fault,
    kind: type[VKError],
) -> None:
    simulator.fault(fault, rate=1)
    async with make_client() as api:
        begin = anyio.current_time()
        error, sent = await fails(api, call)
        timeout = 10 if kind is RequestTimeoutError else 0
        assert anyio.current_time() - begin == pytest.approx(timeout)
    assert isinstance(error, OutcomeUnknownError)
    assert error.method == call[0]
    assert type(error.__cause__) is kind
    assert sent == simulator.ledger.requests == 1


@every_call
@pytest.mark.parametrize(
    ("fault", "kind"), NEVER_CARRIED_OUT.values(), ids=NEVER_CARRIED_OUT
)
async def test_a_call_that_was_not_carried_out_is_retried_whatever_it_does(
    simulator: Simulator,
    make_client: MakeClient,
    call: Any,
    fault: Fault,
    kind: type[VKError],
) -> None:
    simulator.fault(fault, rate=1)
    async with make_client() as api:
        error, sent = await fails(api, call)
    assert type(error) is kind
    assert sent == 4


@pytest.mark.parametrize("call", [READING["a read"], UNSAFE["a post"]], ids="rw")
@pytest.mark.parametrize(("fault", "kind"), FOR_GOOD.values(), ids=FOR_GOOD)
async def test_a_permanent_error_is_raised_at_once(
    simulator: Simulator,
    make_client: MakeClient,
    call: Any,
    fault: Fault,
    kind: type[VKError],
) -> None:
    simulator.fault(fault, rate=1)
    async with make_client() as api:
        begin = anyio.current_time()
        error, sent = await fails(api, call)
        assert anyio.current_time() == begin
    assert type(error) is kind
    assert isinstance(error, kind)
    assert error.__cause__ is None
    assert sent == 1


@every_call
async def test_a_connection_that_is_refused_for_a_while_fails_no_call(
    simulator: Simulator, make_client: MakeClient, call: Any
) -> None:
    simulator.fault(faults.refuse(), times=3)
    async with make_client() as api:
        await api.call(*call)
        assert api.statistics().sent == 4
    assert len(simulator.ledger.carried_out()) == 1


@pytest.mark.parametrize("call", [*READING.values(), *KEYED.values()])
@pytest.mark.parametrize("fault", [faults.drop_after(), faults.refuse()])
async def test_a_limit_of_no_retries_is_kept(
    simulator: Simulator, make_client: MakeClient, call: Any, fault: Fault
) -> None:
    simulator.fault(fault, rate=1)
    async with make_client(retry_limit=0) as api:
        _, sent = await fails(api, call)
    assert sent == 1


@unsafe
async def test_a_client_that_may_retry_unsafe_calls_does(
    simulator: Simulator, make_client: MakeClient, call: Any
) -> None:
    simulator.fault(faults.drop_before(), times=2)
    async with make_client(retry_unsafe=True) as api:
        await api.call(*call)
        assert api.statistics().sent == 3


async def test_a_client_that_may_retry_unsafe_calls_retries_no_permanent_error(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(9), rate=1)
    async with make_client(retry_unsafe=True) as api:
        error, sent = await fails(api, UNSAFE["a post"])
    assert type(error) is APIError[9]
    assert sent == 1


@pytest.mark.parametrize(
    ("call", "repeatable", "sent"),
    [
        (UNSAFE["a post"], True, 4),
        (UNSAFE["a procedure"], True, 4),
        (UNSAFE["a message without a key"], True, 4),
        (READING["a read"], False, 1),
        (KEYED["a message"], False, 1),
        (UNSAFE["a post"], None, 1),
        (READING["a read"], None, 4),
    ],
)
async def test_a_request_can_say_whether_it_is_repeatable(
    simulator: Simulator,
    make_client: MakeClient,
    call: Any,
    repeatable: bool | None,
    sent: int,
) -> None:
    simulator.fault(faults.drop_before(), rate=1)
    async with make_client() as api:
        with pytest.raises((OutcomeUnknownError, TransportError)):
            await api.call_with_request(APIRequest(*call, repeatable=repeatable))
        assert api.statistics().sent == sent


async def test_an_invitation_that_is_renewed_is_not_a_read(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_before(), rate=1)
    async with make_client() as api:
        error, sent = await fails(
            api, ("messages.getInviteLink", {"peer_id": 1, "reset": True})
        )
    assert isinstance(error, OutcomeUnknownError)
    assert sent == 1


async def test_all_attempts_of_a_message_carry_the_same_key(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), times=2)
    async with make_client() as api:
        first = await api.messages.send(peer_id=1, message="hello")
        second = await api.messages.send(peer_id=1, message="hello")
    assert first != second
    keys = [entry.params["random_id"] for entry in simulator.ledger]
    assert len(keys) == 4
    assert len({*keys[:3]}) == 1
    assert keys[3] not in keys[:3]
    assert len(simulator.ledger.carried_out()) == 2
    assert len(simulator.ledger.repeated()) == 2


@pytest.mark.parametrize("first", [faults.drop_after(), faults.error(10)])
@pytest.mark.parametrize("code", [5, 9, 100, 901])
async def test_a_permanent_error_after_a_doubtful_attempt_leaves_a_write_in_doubt(
    simulator: Simulator, make_client: MakeClient, first: Fault, code: int
) -> None:
    simulator.fault(first)
    simulator.fault(faults.error(code), nth=2)
    async with make_client() as api:
        error, sent = await fails(api, KEYED["a message"])
    assert isinstance(error, OutcomeUnknownError)
    assert type(error.__cause__) is APIError[code]
    assert sent == 2


async def test_a_permanent_error_after_a_doubtful_attempt_of_a_read_is_raised(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after())
    simulator.fault(faults.error(100), nth=2)
    async with make_client() as api:
        error, _ = await fails(api, READING["a read"])
    assert type(error) is APIError[100]


async def test_a_permanent_error_after_a_refused_connection_leaves_no_doubt(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.refuse())
    simulator.fault(faults.error(6), nth=2)
    simulator.fault(faults.error(100), nth=3)
    async with make_client() as api:
        error, sent = await fails(api, UNSAFE["a post"])
    assert type(error) is APIError[100]
    assert sent == 3


async def test_the_waits_between_attempts_grow_and_stay_below_their_bounds(
    simulator: Simulator, make_client: MakeClient
) -> None:
    longest = [0.0] * 6
    simulator.fault(faults.html(502), rate=1)
    async with make_client(wait=1.0, retry_limit=6) as api:
        for _ in range(60):
            before = simulator.ledger.requests
            await fails(api, READING["a read"])
            starts = simulator.ledger.starts[before:]
            waits = [b - a for a, b in itertools.pairwise(starts)]
            longest = [max(pair) for pair in zip(longest, waits, strict=True)]
    for n, seconds in enumerate(longest):
        bound = 1.0 * 2**n
        # Of 60 waits drawn from 0 to the bound one is above three quarters of it, and
        # so above the bound of the wait before, but for one run in 30 million.
        assert bound * 0.75 < seconds <= bound + 0.1


async def test_no_wait_between_attempts_grows_beyond_a_minute(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(502), rate=1)
    async with make_client(wait=50.0, retry_limit=80) as api:
        await fails(api, READING["a read"])
    waits = [b - a for a, b in itertools.pairwise(simulator.ledger.starts)]
    assert 45 < max(waits) <= 60.1


async def test_without_a_wait_attempts_follow_at_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(502), rate=1)
    async with make_client(wait=0) as api:
        begin = anyio.current_time()
        _, sent = await fails(api, READING["a read"])
        assert anyio.current_time() - begin < 0.1
    assert sent == 4


async def test_attempts_that_follow_at_once_are_within_the_limit(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(502), rate=1)
    async with make_client(wait=0, limit=3, retry_limit=12) as api:
        await fails(api, READING["a read"])
    assert simulator.ledger.requests == 13
    assert simulator.ledger.worst_window(1.0) <= 3


async def test_a_retry_comes_before_waiting_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(502), nth=2)
    async with (
        make_client(wait=0, limit=3) as api,
        anyio.create_task_group() as tg,
    ):
        for number in (1, 2, 3, 4, 5):
            tg.start_soon(api.call, "users.get", {"user_ids": number})
            await anyio.sleep(0.01)
    asked = [entry.params["user_ids"] for entry in simulator.ledger]
    # By the time of the failure the third call has been promised the next permit.
    assert asked.index("2") == 1
    assert asked[2:4] in (["2", "3"], ["3", "2"])
    assert asked[4:] == ["4", "5"]


async def test_each_attempt_may_take_the_whole_timeout(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.hang_before(), times=2)
    simulator.fault(faults.delay(3.9), nth=3)
    async with make_client(timeout=4.0, wait=0) as api:
        begin = anyio.current_time()
        await api.users.get(user_ids=[1])
        assert anyio.current_time() - begin == pytest.approx(4 + 4 + 3.9, abs=0.1)


async def test_a_timeout_is_a_timeout_error(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.hang_after(), rate=1)
    async with make_client() as api:
        with pytest.raises(TimeoutError) as caught:
            await api.users.get(user_ids=[1])
    assert isinstance(caught.value, RequestTimeoutError)


async def test_the_error_for_a_foreign_response_has_its_status_and_beginning(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.body(b"<html>" + b"x" * 100_000, 404))
    async with make_client() as api:
        error, _ = await fails(api, READING["a read"])
    assert isinstance(error, InvalidResponseError)
    assert error.status == 404
    assert error.body.startswith(b"<html>xxx")
    assert len(error.body) <= 200


async def test_calls_with_different_outcomes_each_get_theirs(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def probe(call: Call) -> int:
        if (number := call.integer("n")) % 3:
            return number
        raise VKFault(900 + number)

    simulator.add_method("users.probe", probe)
    outcomes: dict[int, Any] = {}

    async def ask(number: int) -> None:
        try:
            outcomes[number] = await api.call("users.probe", {"n": number})
        except APIError as error:
            outcomes[number] = type(error)

    async with make_client() as api, anyio.create_task_group() as tg:
        for number in range(30):
            tg.start_soon(ask, number)
    assert outcomes == {n: n if n % 3 else APIError[900 + n] for n in range(30)}
