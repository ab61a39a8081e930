"""What goes wrong with calls that share an ``execute``."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

from _helpers import add_echoes, assert_at_rest, get, settle
from _packing import (
    assert_gone_tasks,
    done,
    message,
    plain_calls,
    post,
    scripts,
    sizes,
    spoil_execute,
    together,
)
from conftest import TOKEN
from vkanyio import (
    VK,
    APIError,
    APIRequest,
    CaptchaError,
    CompileError,
    ConfirmationError,
    ConnectionFailedError,
    FloodControlError,
    OutcomeUnknownError,
    ParameterError,
    RequestTimeoutError,
    ScriptRuntimeError,
    TooManyRequestsError,
    ValidationError,
    VKError,
)
from vkanyio._batch import FORGET_SECONDS
from vkanyio.testing import Account, Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import Captcha, Confirmation, Validation
    from vkanyio.testing import Call

    MakeClient: TypeAlias = Callable[..., VK]

pytestmark = pytest.mark.anyio


@pytest.fixture
def simulator(simulator: Simulator) -> Simulator:
    add_echoes(simulator)
    return simulator


@pytest.fixture
def make_client(make_client: MakeClient) -> MakeClient:
    """Makes clients that pack."""

    def make(**options: Any) -> VK:
        return make_client(**{"mode": "parallel", **options})

    return make


def client_of(simulator: Simulator, **options: Any) -> VK:
    """Make a client that packs, of a simulator that the test has made."""
    http_client = simulator.http_client()
    options = {"mode": "parallel", "limit": 1000, **options}
    return VK(TOKEN, http_client=http_client, **options)


def one_a_second(make_client: MakeClient, **options: Any) -> VK:
    """Make a client whose calls wait for the tick after the first one's."""
    return make_client(limit=1, request_mode="burst", **options)


# Batches that VK cannot run.


@pytest.mark.parametrize("bad", [0, 7, 24])
async def test_a_call_that_cannot_be_compiled_is_found_by_halving(
    simulator: Simulator, make_client: MakeClient, bad: int
) -> None:
    spoil_execute(simulator, lambda code: 12 if f'"id":{bad}}}' in code else 0)
    async with make_client() as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        statistics = api.statistics()
    assert done(simulator) == [*range(25)]
    plain = [entry.params["id"] for entry in plain_calls(simulator)]
    assert str(bad) in plain
    assert len(plain) <= 3  # halves of an odd number leave some alone
    assert 4 <= statistics.split <= 5
    assert statistics.sent == sum(statistics.batches.values()) <= 12


async def test_a_batch_that_never_compiles_ends_with_plain_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(12), "execute", rate=1)
    async with make_client() as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
    assert done(simulator) == [*range(25)]
    assert len(plain_calls(simulator)) == 25


async def test_an_answer_that_is_too_large_is_asked_for_in_parts(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def long(call: Call) -> str:
        return call.text("id") * 600_000

    simulator.add_method("test.get", long)
    async with make_client() as api:
        values = await together(api, map(get, range(8)))
        assert api.statistics().split == 1
        assert api.statistics().batches == {8: 1, 4: 2}
        assert await together(api, map(get, range(8))) == values
        assert api.statistics().split == 1  # VK's size is known by now
        assert api.statistics().batches == {8: 1, 4: 4}
    assert values == [f"{i}" * 600_000 for i in range(8)]


async def test_the_size_that_was_learned_is_forgotten(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(13), "execute")
    async with make_client() as api:
        await together(api, map(get, range(8)))
        await anyio.sleep(FORGET_SECONDS + 1)
        assert await together(api, map(get, range(8))) == [*range(8)]
        assert api.statistics().batches == {8: 2, 4: 2}


async def test_calls_that_a_failed_script_has_made_are_not_made_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    spoil_execute(simulator, lambda code: 13 if "post" in code else 0, after=True)
    async with make_client() as api:
        requests = [*map(post, range(10)), *map(get, range(10, 20))]
        outcomes = await together(api, requests)
    for i, error in enumerate(outcomes[:10]):
        assert isinstance(error, OutcomeUnknownError)
        assert isinstance(error.__cause__, ScriptRuntimeError)
        assert error.__cause__.method == "test.post"
        assert error.__cause__.params == {"id": i}
    assert outcomes[10:] == [*range(10, 20)]
    assert [i for i in done(simulator) if i < 10] == [*range(10)]


async def test_a_message_in_a_failed_script_is_sent_again_under_its_key(
    simulator: Simulator, make_client: MakeClient
) -> None:
    seen: list[str] = []

    def once(code: str) -> int:
        seen.append(code)
        return 13 if len(seen) == 1 else 0

    spoil_execute(simulator, once, after=True)
    async with make_client() as api:
        outcomes = await together(api, map(message, range(10)))
    assert done(simulator) == [*range(10)]
    assert len(simulator.ledger.repeated("messages.send")) == 10
    assert len(set(outcomes)) == 10
    assert {type(outcome) for outcome in outcomes} == {int}


# What is said of the request as a whole.

LOST: dict[str, Any] = {
    "dropped": (faults.drop_after(), ConnectionFailedError),
    "never answered": (faults.hang_after(), RequestTimeoutError),
    "a page": (faults.html(502, after=True), None),
    "half": (faults.truncated(after=True), None),
    "error 10": (faults.error(10), APIError[10]),
    "error 1": (faults.error(1), APIError[1]),
}


@pytest.mark.parametrize(("fault", "kind"), LOST.values(), ids=LOST)
async def test_a_lost_answer_is_asked_for_again_where_that_does_no_harm(
    simulator: Simulator, make_client: MakeClient, fault: Any, kind: Any
) -> None:
    simulator.fault(fault, "execute")
    async with make_client() as api:
        requests = [
            *map(get, range(8)),
            *map(message, range(8, 16)),
            *map(post, range(16, 24)),
        ]
        outcomes = await together(api, requests)
        assert api.statistics().batches == {24: 1, 16: 1}
        assert sum(api.statistics().retries.values()) == 1
    assert outcomes[:8] == [*range(8)]
    assert len({*outcomes[8:16]}) == 8
    assert {type(outcome) for outcome in outcomes[8:16]} == {int}
    for i, error in enumerate(outcomes[16:], 16):
        assert isinstance(error, OutcomeUnknownError)
        assert error.method == "test.post"
        assert kind is None or type(error.__cause__) is kind
        assert f"{i}" not in [e.params["id"] for e in plain_calls(simulator)]
    ids = [i for i in done(simulator) if i >= 8]
    assert len(ids) == len(set(ids))
    assert {*range(8, 16)} <= {*ids}
    assert {id(error) for error in outcomes[16:]} != {id(outcomes[16])}


async def test_an_answer_that_stays_lost_is_not_asked_for_without_end(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), "execute", rate=1)
    async with make_client(retry_limit=2) as api:
        outcomes = await together(api, [*map(get, range(5)), *map(message, range(5))])
        assert api.statistics().batches == {10: 3}
    assert {type(error) for error in outcomes[:5]} == {ConnectionFailedError}
    assert {type(error) for error in outcomes[5:]} == {OutcomeUnknownError}
    assert len({id(error) for error in outcomes}) == 10
    assert outcomes[0].method == "test.get"
    assert outcomes[5].method == "messages.send"


async def test_a_batch_that_was_never_sent_is_sent_again_whole(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.refuse(), "execute", times=2)
    async with make_client() as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 3}
    assert done(simulator) == [*range(25)]


async def test_retry_unsafe_sends_all_calls_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), "execute")
    async with make_client(retry_unsafe=True) as api:
        assert await together(api, map(post, range(5))) == [*range(5)]
    assert done(simulator) == sorted([*range(5)] * 2)


async def test_a_request_that_says_whether_it_is_repeatable_is_heeded(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), "execute")
    async with make_client() as api:
        yes, yes_too, no, no_too = await together(
            api,
            [
                APIRequest("test.post", {"id": 0}, repeatable=True),
                APIRequest("test.post", {"id": 1}, repeatable=True),
                APIRequest("test.get", {"id": 2}, repeatable=False),
                APIRequest("test.get", {"id": 3}, repeatable=False),
            ],
        )
    assert (yes, yes_too) == (0, 1)
    assert {type(no), type(no_too)} == {ConnectionFailedError}
    assert done(simulator) == [0, 0, 1, 1, 2, 3]


async def test_too_many_requests_send_the_batch_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(6), "execute", times=2)
    async with make_client(retry_limit=0) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 3}
        assert api.statistics().too_many_requests == 2
        assert api.statistics().margin > 0.02
    assert done(simulator) == [*range(25)]


@pytest.mark.parametrize("code", [3, 15, 23, 27, 28])
async def test_a_token_that_may_not_run_scripts_has_its_calls_sent_plain(
    simulator: Simulator,
    make_client: MakeClient,
    code: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator.fault(faults.error(code), "execute", rate=1)
    async with one_a_second(make_client, limiter=None) as api:
        # Those that wait behind the first batch are not packed either.
        assert await together(api, map(post, range(60))) == [*range(60)]
        assert await together(api, map(post, range(60, 70))) == [*range(60, 70)]
    assert done(simulator) == [*range(70)]
    assert sizes(simulator) == [0] + [1] * 70
    assert caplog.text.count("one by one") == 1


async def test_a_service_token_is_not_asked_twice_for_execute() -> None:
    simulator = Simulator(limit=0, tokens={TOKEN: Account(kind="service")}, latency=1)
    add_echoes(simulator)
    async with client_of(simulator) as api:
        assert await together(api, map(get, range(60))) == [*range(60)]
        assert await together(api, map(get, range(60))) == [*range(60)]
    assert len(scripts(simulator)) == 3  # those were on their way already
    assert len(plain_calls(simulator)) == 120


WHOLE: dict[str, Any] = {
    **{str(code): faults.error(code) for code in (5, 7, 8, 9, 18, 29, 100, 1117, 77)},
    "captcha": faults.captcha(),
    "confirmation": faults.confirmation(),
    "validation": faults.validation(),
    "too large a body": faults.html(413),
}


@pytest.mark.parametrize("fault", WHOLE.values(), ids=WHOLE)
async def test_calls_go_plain_when_vk_turns_their_script_away(
    simulator: Simulator, make_client: MakeClient, fault: Any
) -> None:
    simulator.fault(fault, "execute")
    async with make_client() as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 1, 1: 25}
        # It was about that one, and says nothing of the next.
        assert await together(api, map(post, range(25, 30))) == [*range(25, 30)]
        assert api.statistics().batches == {25: 1, 1: 25, 5: 1}
    assert done(simulator) == [*range(30)]


async def test_a_bad_token_is_told_to_every_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.expire(TOKEN)
    async with make_client() as api:
        outcomes = await together(api, map(post, range(25)))
    assert {type(outcome) for outcome in outcomes} == {APIError[5]}
    assert len({id(outcome) for outcome in outcomes}) == 25


# What is said of a call in it.


@pytest.mark.parametrize("code", [9, 15, 18, 29, 100, 113, 214, 901, 77777])
async def test_an_error_belongs_to_its_call(
    simulator: Simulator, make_client: MakeClient, code: int
) -> None:
    def picky(call: Call) -> int:
        if call.integer("id") % 3 == 0:
            raise VKFault(code, f"not {call.text('id')}")
        return call.integer("id")

    simulator.add_method("test.post", picky)
    async with make_client() as api:
        requests = [*map(post, range(12)), *map(get, range(12, 24))]
        outcomes = await together(api, requests)
        assert api.statistics().batches == {24: 1}
    for i, outcome in enumerate(outcomes):
        if i < 12 and i % 3 == 0:
            assert type(outcome) is APIError[code]
            assert outcome.code == code
            assert outcome.message == f"not {i}"
            assert outcome.method == "test.post"
            assert outcome.params == {"id": i}
            assert outcome.raw["error_code"] == code
        else:
            assert outcome == i
    assert len({id(o) for o in outcomes if isinstance(o, VKError)}) == 4


async def test_a_legitimate_false_is_a_value(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("test.is", lambda call: False)
    simulator.fault(faults.error(100), "test.post", nth=2, times=1)
    async with make_client() as api:
        requests = [APIRequest("test.is", {"id": i}) for i in range(5)]
        outcomes = await together(api, [*requests, *map(post, range(5))])
    assert outcomes[:5] == [False] * 5
    assert [type(o) for o in outcomes[5:]].count(APIError[100]) == 1


async def test_a_false_that_may_be_a_failure_is_asked_about_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("test.is", lambda call: False)
    simulator.fault(faults.error(100), "test.is", nth=1, times=1)
    async with make_client() as api:
        requests = [APIRequest("test.is", {"id": i}) for i in range(5)]
        assert await together(api, requests) == [False] * 5
    assert len(plain_calls(simulator)) == 5


async def test_a_write_whose_false_may_be_a_failure_is_not_repeated(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("test.post", lambda call: False)
    simulator.fault(faults.error(100), "test.post", nth=1, times=1)
    async with make_client() as api:
        outcomes = await together(api, [*map(post, range(5)), get(5), get(6)])
    assert {type(outcome) for outcome in outcomes[:5]} == {OutcomeUnknownError}
    assert outcomes[5:] == [5, 6]
    assert plain_calls(simulator) == []


async def test_a_trailing_entry_of_execute_is_nobodys_error() -> None:
    simulator = Simulator(limit=0, trailing_execute_error=True)
    add_echoes(simulator)
    simulator.fault(faults.error(100), "test.post", nth=3, times=1)
    async with client_of(simulator) as api:
        outcomes = await together(api, map(post, range(5)))
        assert api.statistics().batches == {5: 1}
    assert sorted(type(o).__name__ for o in outcomes) == ["ParameterError"] + 4 * [
        "int"
    ]
    assert len(done(simulator)) == 4


PASSING: dict[str, tuple[Any, type[VKError] | None]] = {
    "6": (faults.error(6), None),
    "1": (faults.error(1), APIError[1]),
    "10": (faults.error(10), APIError[10]),
    "36": (faults.error(36), APIError[36]),
}


@pytest.mark.parametrize(("fault", "cause"), PASSING.values(), ids=PASSING)
async def test_a_call_whose_failure_may_pass_is_sent_again_plain(
    simulator: Simulator, make_client: MakeClient, fault: Any, cause: Any
) -> None:
    simulator.fault(fault, "test.get", nth=2)
    simulator.fault(fault, "test.post", nth=2)
    simulator.fault(fault, "messages.send", nth=2)
    async with make_client() as api:
        outcomes = await together(
            api, [*map(get, range(8)), *map(message, range(8)), *map(post, range(8))]
        )
        assert outcomes[:8] == [*range(8)]
        assert {type(outcome) for outcome in outcomes[8:16]} == {int}
        errors = [o for o in outcomes[16:] if isinstance(o, VKError)]
        if cause is None:
            assert errors == []
            assert api.statistics().too_many_requests == 3
            assert api.statistics().batches == {24: 1, 1: 3}
        else:
            [error] = errors
            assert isinstance(error, OutcomeUnknownError)
            assert type(error.__cause__) is cause
            assert api.statistics().batches == {24: 1, 1: 2}
        assert_at_rest(api)


async def test_a_call_that_fails_on_and_on_has_its_own_limit_of_retries(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(10), "test.get", rate=1)
    async with make_client(retry_limit=2) as api:
        outcomes = await together(api, [get(0), *map(post, range(1, 25))])
        assert api.statistics().batches == {25: 1, 1: 2}
    assert type(outcomes[0]) is APIError[10]
    assert outcomes[1:] == [*range(1, 25)]


@pytest.mark.parametrize("kind", ["new", "old"])
async def test_a_captcha_is_answered_for_its_call_alone(
    simulator: Simulator, make_client: MakeClient, kind: Any
) -> None:
    seen: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        seen.append(captcha)
        await captcha.retry(simulator.solve(captcha.redirect_uri or captcha.sid or ""))

    simulator.fault(faults.captcha(kind), "test.post", nth=5)
    async with make_client(on_captcha=solve) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 1, 1: 1}
    [captcha] = seen
    [plain] = plain_calls(simulator)
    assert plain.params["id"] == str(captcha.request.params["id"])
    assert done(simulator) == [*range(25)]


async def test_captchas_of_a_batch_are_asked_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    seen: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        seen.append(captcha)
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.captcha(), "test.post", times=5)
    async with make_client(on_captcha=solve) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 1, 1: 5}
    assert len(seen) == 1
    assert done(simulator) == [*range(25)]


async def test_a_captcha_of_a_later_batch_is_asked_at_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    async with make_client(on_captcha=solve) as api:
        for _ in range(2):
            simulator.fault(faults.captcha(), "test.post")
            await together(api, map(post, range(5)))
        # The second is not sent again in hope of the first one's answer.
        assert api.statistics().batches == {5: 2, 1: 2}


async def test_the_timestamp_of_a_captcha_in_a_batch_goes_back_as_vk_wrote_it(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.error(100), "test.get")
    simulator.fault(faults.captcha(), "test.post", nth=2)
    async with make_client(on_captcha=solve) as api:
        outcomes = await together(api, [get(0), *map(post, range(1, 6))])
    assert type(outcomes[0]) is ParameterError
    assert outcomes[1:] == [*range(1, 6)]
    [plain] = plain_calls(simulator)
    assert "." in plain.params["captcha_ts"]


async def test_a_batch_waits_for_nothing_while_a_captcha_is_answered(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(100)
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.captcha(), "test.post")
    async with make_client(on_captcha=solve) as api, anyio.create_task_group() as tg:
        tg.start_soon(together, api, map(post, range(3)))
        await anyio.sleep(1)
        with anyio.fail_after(1):  # reads pass by
            assert await together(api, map(get, range(10, 20))) == [*range(10, 20)]
        writes = map(post, range(20, 30))
        with anyio.move_on_after(1) as scope:
            await together(api, writes)
        assert scope.cancelled_caught
    assert [i for i in done(simulator) if i >= 20] == []


async def test_half_a_batch_waits_while_a_captcha_of_the_other_half_is_answered(
    simulator: Simulator, make_client: MakeClient
) -> None:
    answered: list[float] = []

    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(100)
        assert done(simulator) == []
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))
        answered.append(anyio.current_time())

    simulator.fault(faults.error(12), "execute")
    simulator.fault(faults.captcha(), "test.post", times=2)
    async with one_a_second(make_client, on_captcha=solve) as api:
        assert await together(api, map(post, range(4))) == [*range(4)]
    assert len(answered) == 1
    assert done(simulator) == [*range(4)]


async def test_a_confirmation_is_given_for_its_call_alone(
    simulator: Simulator, make_client: MakeClient
) -> None:
    seen: list[Confirmation] = []

    async def agree(question: Confirmation) -> bool:
        seen.append(question)
        return True

    simulator.fault(faults.confirmation("Sure?"), "test.post", nth=5)
    async with make_client(on_confirmation=agree) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
    assert [question.text for question in seen] == ["Sure?"]
    [plain] = plain_calls(simulator)
    assert plain.params["confirm"] == "1"
    assert done(simulator) == [*range(25)]


async def test_a_validation_brings_a_token_and_its_call_goes_on(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def open_page(_: Validation) -> str:
        return "a-new-token"

    simulator.fault(faults.validation(), "test.post", nth=5)
    async with make_client(on_validation=open_page) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        await together(api, map(post, range(25, 30)))
    [plain] = plain_calls(simulator)
    assert plain.token == 1
    assert scripts(simulator)[-1].token == 1
    assert done(simulator) == [*range(30)]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.captcha(), CaptchaError),
        (faults.confirmation(), ConfirmationError),
        (faults.validation(), ValidationError),
        (faults.error(9), FloodControlError),
    ],
    ids=["captcha", "confirmation", "validation", "flood"],
)
async def test_a_question_that_nobody_answers_is_the_error_of_its_call(
    simulator: Simulator, make_client: MakeClient, fault: Any, kind: type[VKError]
) -> None:
    simulator.fault(fault, "test.post", nth=5)
    async with make_client() as api:
        outcomes = await together(api, map(post, range(25)))
        assert api.statistics().batches == {25: 1}
    errors = [outcome for outcome in outcomes if isinstance(outcome, VKError)]
    assert [type(error) for error in errors] == [kind]
    assert len(done(simulator)) == 24


async def test_a_call_of_a_batch_is_cancelled_in_its_wait_before_it_is_sent_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(10), "test.get", rate=1)
    async with make_client(wait=50) as api:
        with anyio.move_on_after(0.01):
            await together(api, [get(0), *map(post, range(1, 5))])
        await settle()
        assert_at_rest(api)
        assert_gone_tasks(api)


@pytest.mark.parametrize("code", [6, 12, 13])
async def test_what_is_cancelled_before_its_batch_is_sent_again_is_left_out(
    simulator: Simulator, make_client: MakeClient, code: int
) -> None:
    simulator.fault(faults.error(code), "execute")
    values: list[int] = []

    async def call(api: VK, i: int) -> None:
        # The batch waits for its next tick until then.
        with anyio.move_on_after(0.2 if i % 2 else 60):
            values.append(await api.call_with_request(get(i)))

    async with one_a_second(make_client) as api:
        async with anyio.create_task_group() as tg:
            for i in range(12):
                tg.start_soon(call, api, i)
        assert api.statistics().batches[12] == 1
        assert_at_rest(api)
    assert sorted(values) == done(simulator) == [*range(0, 12, 2)]


@pytest.mark.parametrize("code", [6, 12, 13])
async def test_a_batch_whose_calls_are_all_cancelled_is_not_sent_again(
    simulator: Simulator, make_client: MakeClient, code: int
) -> None:
    simulator.fault(faults.error(code), "execute")
    async with one_a_second(make_client) as api:
        with anyio.move_on_after(0.2):
            await together(api, map(get, range(12)))
        await settle()
        assert_at_rest(api)
        await anyio.sleep(10)
        assert api.statistics().sent == 1
        assert await together(api, map(get, range(3))) == [0, 1, 2]


async def test_the_last_call_of_a_batch_to_be_sent_again_goes_plain(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(6), "execute")

    async def call(api: VK, i: int) -> None:
        with anyio.move_on_after(0.2 if i else 60):
            await api.call_with_request(get(i))

    async with one_a_second(make_client) as api:
        async with anyio.create_task_group() as tg:
            for i in range(12):
                tg.start_soon(call, api, i)
        assert api.statistics().batches == {12: 1, 1: 1}
        assert_at_rest(api)
    assert done(simulator) == [0]


async def test_no_error_of_a_batch_shows_the_token(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def refuse(call: Call) -> None:
        raise VKFault(100, f"no: {TOKEN}", note=TOKEN)

    simulator.add_method("test.get", refuse)
    async with make_client(retry_limit=0) as api:
        inner = await together(api, map(get, range(5)))
        simulator.fault(faults.body(f"<p>{TOKEN}</p>".encode()), "execute")
        whole = await together(api, map(post, range(5)))
        simulator.fault(faults.error(10, f"no: {TOKEN}"), "execute")
        failed = await together(api, map(post, range(5)))
    assert {type(error) for error in inner} == {ParameterError}
    assert {type(error) for error in whole + failed} == {OutcomeUnknownError}
    for error in inner + whole + failed:
        shown = "".join(traceback.format_exception(error))
        for each in (error, error.__cause__):
            shown += f"{each!r} {getattr(each, '__dict__', None)!r}"
        assert TOKEN not in shown


async def test_secret_parameters_are_in_no_script_and_in_no_error(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(100), "test.get", rate=1)
    async with make_client() as api:
        outcomes = await together(api, [get(i, password="hunter2") for i in range(5)])
        assert api.statistics().batches == {1: 5}
    assert scripts(simulator) == []
    for error in outcomes:
        assert type(error) is ParameterError
        assert "hunter2" not in f"{error!r} {error} {error.__dict__}"


async def test_the_statistics_tell_of_batches(
    simulator: Simulator, make_client: MakeClient
) -> None:
    spoil_execute(simulator, lambda code: 12 if '"id":3}' in code else 0)
    async with make_client() as api:
        await together(api, map(get, range(4)))
        statistics = api.statistics()
    assert statistics.calls == 4
    assert statistics.sent == 5
    assert statistics.batches == {4: 1, 2: 2, 1: 2}
    assert statistics.split == 2
    assert statistics.waiting == statistics.in_flight == 0


async def test_a_token_too_busy_for_a_batch_is_told_to_each_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(6), "execute", rate=1)
    async with make_client() as api:
        begin = anyio.current_time()
        outcomes = await together(api, map(post, range(5)))
        assert anyio.current_time() - begin < 70
    assert {type(outcome) for outcome in outcomes} == {TooManyRequestsError}
    assert [outcome.params for outcome in outcomes] == [{"id": i} for i in range(5)]
    assert {outcome.method for outcome in outcomes} == {"test.post"}


async def test_an_error_of_compilation_is_never_a_calls() -> None:
    simulator = Simulator(limit=0)
    add_echoes(simulator)
    simulator.fault(faults.error(12), "execute", rate=1)
    async with client_of(simulator) as api:
        outcomes = await together(api, map(get, range(3)))
    assert not any(isinstance(outcome, CompileError) for outcome in outcomes)


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_a_call_that_leaves_a_batch_has_no_more_attempts_than_a_plain_one(
    simulator: Simulator, make_client: MakeClient, lost: int
):
    simulator.fault(faults.html(502), "execute", times=lost)
    simulator.fault(faults.error(10), "test.get", rate=1)
    async with one_a_second(make_client, retry_limit=3, wait=0) as api:
        await api.call("users.get")
        outcomes = await together(api, [get(1), APIRequest("users.get")])
    assert outcomes[0].code == 10
    attempts = [entry for entry in simulator.ledger if entry.method == "test.get"]
    assert len(attempts) + lost == 1 + 3


async def test_the_halves_of_a_batch_have_no_more_attempts_than_the_whole(
    simulator: Simulator, make_client: MakeClient
):
    scripts_seen: list[str] = []

    def code_for(code: str) -> int:
        scripts_seen.append(code)
        if code.count("API.") == 4:
            return 10 if len(scripts_seen) < 3 else 13
        return 10

    spoil_execute(simulator, code_for)
    async with one_a_second(make_client, retry_limit=3, wait=0) as api:
        await api.call("users.get")
        outcomes = await together(api, [get(i) for i in range(4)])
    assert [outcome.code for outcome in outcomes] == [10] * 4
    # Twice the whole, which is then found too large; once more each half, and no more.
    assert [code.count("API.") for code in scripts_seen] == [4, 4, 4, 2, 2, 2, 2]
