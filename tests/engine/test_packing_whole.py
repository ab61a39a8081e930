"""Batches that fail as a whole: each call ends as it would have ended alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _gateway import (
    BAD_GATEWAY,
    CUT,
    ERROR_1,
    ERROR_10,
    FORBIDDEN,
    NEVER,
    NOT_FOUND,
    NOT_JSON,
    TOO_LARGE,
    Gateway,
    Page,
    size_of,
)
from _helpers import add_echoes, assert_gone, get, note, settle, solve_by
from _packing import done, message, post, together
from vkanyio import (
    APIError,
    AuthError,
    CaptchaError,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
)
from vkanyio._batch import FORGET_SECONDS
from vkanyio._retry import OUTAGE_MEMORY
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from _helpers import MakeClient
    from vkanyio import VK, Captcha, Confirmation, Validation
    from vkanyio.testing import Call

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.client_options(mode="parallel"),
    pytest.mark.usefixtures("echoes"),
]

ANSWERS: dict[str, Page] = {
    "502": BAD_GATEWAY,
    "413": TOO_LARGE,
    "no JSON": NOT_JSON,
    "cut": CUT,
    "error 1": ERROR_1,
    "error 10": ERROR_10,
    "no response": NEVER,
}
PAGES = pytest.mark.parametrize("page", ANSWERS.values(), ids=ANSWERS)


def add_slow_get(simulator: Simulator, seconds: float) -> None:
    """Make ``test.get`` an echo that takes its time."""

    async def slow(call: Call) -> int:
        await anyio.sleep(seconds)
        return call.integer("id")

    simulator.add_method("test.get", slow)


def behind(
    make_client: MakeClient,
    simulator: Simulator,
    page_for: Callable[[str], Page | None],
    **options: Any,
) -> VK:
    """Make a client behind a gateway."""
    return make_client(http_client=Gateway(simulator, page_for), **options)


# The calls are too much, together.


async def test_slow_calls_that_do_not_end_in_time_together_end_in_parts(
    simulator: Simulator, make_client: MakeClient
) -> None:
    add_slow_get(simulator, 0.1)
    async with make_client(timeout=1) as api:
        assert await together(api, map(get, range(20))) == [*range(20)]
        assert api.statistics().batches == {20: 1, 10: 2, 5: 4}
        assert api.statistics().split == 3
        assert api.statistics().retries == {}  # no back-off, and no retry is used up


async def test_fifty_slow_calls_take_little_more_than_two_deadlines(
    simulator: Simulator, make_client: MakeClient
) -> None:
    add_slow_get(simulator, 0.2)
    async with make_client(timeout=3) as api:
        begin = anyio.current_time()
        assert await together(api, map(get, range(50))) == [*range(50)]
        assert anyio.current_time() - begin < 7  # the halves go side by side


async def test_the_size_that_ends_in_time_is_remembered_and_slowly_forgotten(
    simulator: Simulator, make_client: MakeClient
) -> None:
    add_slow_get(simulator, 0.15)
    async with make_client(timeout=2) as api:
        await together(api, map(get, range(20)))
        assert api.statistics().batches == {20: 1, 10: 2}
        await together(api, map(get, range(20)))
        assert api.statistics().batches == {20: 1, 10: 4}
        await anyio.sleep(FORGET_SECONDS)
        await together(api, map(get, range(20)))
        assert api.statistics().batches == {20: 2, 10: 6}


async def test_a_call_that_is_too_slow_alone_does_not_make_batches_smaller(
    simulator: Simulator, make_client: MakeClient
) -> None:
    add_slow_get(simulator, 5)
    async with make_client(timeout=2, retry_limit=0) as api:
        outcomes = await together(api, map(get, range(4)))
        assert {type(outcome) for outcome in outcomes} == {RequestTimeoutError}
        assert api.statistics().batches == {4: 1, 2: 2, 1: 4}
        add_slow_get(simulator, 0)
        await together(api, map(get, range(25)))
        assert api.statistics().batches[25] == 1


@PAGES
async def test_a_gateway_that_takes_small_batches_only_costs_no_call(
    simulator: Simulator, make_client: MakeClient, page: Page
) -> None:
    def page_for(code: str) -> Page | None:
        return page if size_of(code) > 8 else None

    requests = [*map(get, range(10)), *map(message, range(10, 20))]
    async with behind(make_client, simulator, page_for) as api:
        outcomes = await together(api, requests)
        repeated = page not in (TOO_LARGE, NEVER)
        assert api.statistics().batches == {20: 1 + repeated, 10: 2, 5: 4}
        assert api.statistics().split == 3
    assert outcomes[:10] == [*range(10)]
    assert {type(outcome) for outcome in outcomes[10:]} == {int}
    assert [i for i in done(simulator) if i >= 10] == [*range(10, 20)]


async def test_a_body_that_a_gateway_found_too_large_is_not_sent_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def page_for(code: str) -> Page | None:
        return TOO_LARGE if size_of(code) > 8 else None

    async with behind(make_client, simulator, page_for) as api:
        for _ in range(2):  # writes too: the gateway has not passed them on
            assert await together(api, map(post, range(16))) == [*range(16)]
        assert api.statistics().batches == {16: 1, 8: 4}
    assert done(simulator) == sorted([*range(16)] * 2)


# No call is at fault.


async def test_a_wrong_address_ends_each_call_with_the_first_request(
    simulator: Simulator, make_client: MakeClient
) -> None:
    kinds = [get, message, post]
    requests = [kinds[i % 3](i) for i in range(300)]
    async with behind(make_client, simulator, lambda _: NOT_FOUND) as api:
        outcomes = await together(api, requests)
        assert api.statistics().sent == 300 / 25
        assert api.statistics().split == 0
        assert api.statistics().retries == {}
    assert done(simulator) == []
    assert len({id(outcome) for outcome in outcomes}) == 300
    for request, outcome in zip(requests, outcomes, strict=True):
        assert type(outcome) is InvalidResponseError  # not in doubt, a write neither
        assert outcome.method == request.method
        assert "check base_url" in str(outcome)


# One call is at fault.


@pytest.mark.parametrize("page", [*ANSWERS.values(), FORBIDDEN], ids=[*ANSWERS, "403"])
@pytest.mark.parametrize("bad", [0, 7, 24])
async def test_a_call_that_spoils_every_batch_costs_itself_alone(
    simulator: Simulator, make_client: MakeClient, page: Page, bad: int
) -> None:
    def page_for(code: str) -> Page | None:
        is_bad = f'"id":{bad}}}' in code or f"id={bad}&" in f"{code}&"
        return page if is_bad else None

    async with behind(make_client, simulator, page_for) as api:
        outcomes = await together(api, map(get, range(25)))
        assert api.statistics().batches[25] <= 2
        assert 4 <= api.statistics().split <= 5
        attempts = 1 if page in (TOO_LARGE, FORBIDDEN) else 1 + 3
        assert api.statistics().batches[1] <= attempts + 2
    error = outcomes.pop(bad)
    assert isinstance(error, Exception)
    assert not isinstance(error, OutcomeUnknownError)
    assert outcomes == [i for i in range(25) if i != bad]


@PAGES
async def test_what_may_not_be_repeated_is_not_repeated(
    simulator: Simulator, make_client: MakeClient, page: Page
) -> None:
    page = page._replace(after=page != TOO_LARGE)

    def page_for(code: str) -> Page | None:
        return page if size_of(code) > 8 else None

    requests = [*map(post, range(8)), *map(message, range(8, 16)), *map(get, range(9))]
    async with behind(make_client, simulator, page_for) as api:
        outcomes = await together(api, requests)
    if page.after:
        for error in outcomes[:8]:
            assert isinstance(error, OutcomeUnknownError)
            assert error.method == "test.post"
        assert len({id(error) for error in outcomes[:8]}) == 8
    else:
        assert outcomes[:8] == [*range(8)]
    assert {type(outcome) for outcome in outcomes[8:16]} == {int}
    assert outcomes[16:] == [*range(9)]
    written = [e for e in simulator.ledger.carried_out() if e.method != "test.get"]
    ids = [int(e.params["id"]) for e in written if "id" in e.params]
    assert sorted(ids) == [*range(16)]


async def test_a_batch_of_25_becomes_at_most_125_requests(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with behind(make_client, simulator, lambda _: BAD_GATEWAY) as api:
        outcomes = await together(api, map(get, range(25)))
        statistics = api.statistics()
    assert {type(outcome) for outcome in outcomes} == {InvalidResponseError}
    assert statistics.batches[25] == 2
    assert statistics.batches[1] == 25 * (1 + 3)
    assert statistics.sent == 125
    assert statistics.split == 24


# VK, or the network, is not well.


async def test_batches_are_not_taken_apart_while_others_fail_in_the_same_way(
    simulator: Simulator, make_client: MakeClient
) -> None:
    failing = iter(range(6))

    def page_for(_: str) -> Page | None:
        return None if next(failing, None) is None else BAD_GATEWAY

    async with behind(make_client, simulator, page_for, retry_limit=6) as api:
        assert await together(api, map(get, range(75))) == [*range(75)]
        assert api.statistics().batches == {25: 6 + 3}
        assert api.statistics().split == 0


async def test_after_a_long_outage_each_call_goes_on_alone(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with behind(make_client, simulator, lambda _: BAD_GATEWAY) as api:
        outcomes = await together(api, map(get, range(75)))
        statistics = api.statistics()
    assert {type(outcome) for outcome in outcomes} == {InvalidResponseError}
    assert statistics.batches == {25: 3 * (1 + 3), 1: 75 * (1 + 3)}
    assert statistics.split == 0


async def test_a_sign_of_life_ends_an_outage(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def page_for(code: str) -> Page | None:
        return BAD_GATEWAY if size_of(code) > 20 or "=99&" in f"{code}&" else None

    async def live() -> None:
        await anyio.sleep(0.001)
        assert await api.call("test.get", {"id": 1}) == 1

    outcomes: list[Any] = []
    async with behind(make_client, simulator, page_for) as api:
        await note(outcomes, api.call_with_request, post(99))
        async with anyio.create_task_group() as tg:
            tg.start_soon(live)
            assert await together(api, map(get, range(25))) == [*range(25)]
        assert api.statistics().batches == {1: 2, 25: 2, 13: 1, 12: 1}
        assert api.statistics().split == 1
    assert isinstance(outcomes[0], OutcomeUnknownError)


async def test_an_old_failure_is_no_outage(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def page_for(code: str) -> Page | None:
        return BAD_GATEWAY if size_of(code) > 20 or "=99&" in f"{code}&" else None

    async with behind(make_client, simulator, page_for) as api:
        await note([], api.call_with_request, post(99))
        await anyio.sleep(OUTAGE_MEMORY + 1)
        assert await together(api, map(get, range(25))) == [*range(25)]
        assert api.statistics().batches == {1: 1, 25: 2, 13: 1, 12: 1}


async def test_halves_are_given_up_with_their_last_caller(
    simulator: Simulator, make_client: MakeClient
) -> None:
    add_slow_get(simulator, 1)
    async with make_client(timeout=5) as api:
        with anyio.move_on_after(6):
            await together(api, map(get, range(8)))
        assert api.statistics().batches == {8: 1, 4: 2}  # the halves were in flight
        await settle()
        assert api.statistics().in_flight == 0
    assert_gone(api)


# Questions of VK about a batch.


def asked(simulator: Simulator, fault: Any, times: int = 1) -> None:
    """Let VK ask about scripts."""
    simulator.fault(fault, "execute", times=times)


async def test_a_captcha_for_a_batch_is_answered_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    captchas: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        captchas.append(captcha)
        await solve_by(simulator, captcha)

    asked(simulator, faults.captcha())
    async with make_client(on_captcha=solve) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 2}
    [captcha] = captchas
    assert captcha.request.method == "execute"
    assert captcha.attempt == 2  # the next answer would be the second
    assert done(simulator) == [*range(25)]


async def test_a_wrong_answer_for_a_batch_is_asked_for_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    answers = ["wrong", "wrong", ""]

    async def solve(captcha: Captcha) -> None:
        answer = answers.pop(0)
        await captcha.retry(answer or simulator.solve(captcha.redirect_uri or ""))

    asked(simulator, faults.captcha())
    async with make_client(on_captcha=solve) as api:
        assert await together(api, map(post, range(5))) == [*range(5)]
        assert api.statistics().batches == {5: 4}


async def test_a_captcha_for_a_batch_that_nobody_solves_is_raised_by_each_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    problem = RuntimeError("nobody is there")

    async def fail(_: Captcha) -> None:
        raise problem

    asked(simulator, faults.captcha())
    async with make_client(on_captcha=fail) as api:
        outcomes = await together(api, map(post, range(5)))
        assert api.statistics().batches == {5: 1}
    assert all(is_of(outcomes[i], CaptchaError, i) for i in range(5))
    assert len({id(error) for error in outcomes}) == 5
    assert {error.__cause__ for error in outcomes} == {problem}


@pytest.mark.parametrize("fault", [faults.drop_after(), faults.error(12)])
async def test_a_batch_that_fails_after_the_answer_is_treated_like_any_other(
    simulator: Simulator, make_client: MakeClient, fault: Any
) -> None:
    asked(simulator, faults.captcha())
    asked(simulator, fault, times=2)
    solve = partial(solve_by, simulator)
    async with make_client(on_captcha=solve) as api:
        assert await together(api, map(get, range(8))) == [*range(8)]


async def test_a_captcha_for_a_batch_ends_with_its_last_caller(
    simulator: Simulator, make_client: MakeClient
) -> None:
    cancelled: list[bool] = []

    async def think(_: Captcha) -> None:
        try:
            await anyio.sleep(60)
        except BaseException:
            cancelled.append(True)
            raise

    asked(simulator, faults.captcha())
    async with make_client(on_captcha=think) as api:
        with anyio.move_on_after(5):
            await together(api, map(get, range(5)))
        await settle()
        assert cancelled == [True]
        assert await api.call("test.get", {"id": 1}) == 1
    assert_gone(api)


async def test_the_answer_for_a_batch_goes_on_for_the_callers_that_are_left(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(10)
        await solve_by(simulator, captcha)

    async def impatient() -> None:
        with anyio.move_on_after(5):
            await together(api, map(post, range(4)))

    asked(simulator, faults.captcha())
    outcomes: list[Any] = []
    async with (
        make_client(on_captcha=solve) as api,
        anyio.create_task_group() as tg,
    ):
        tg.start_soon(impatient)
        tg.start_soon(note, outcomes, api.call_with_request, post(9))
    assert outcomes == [9]
    assert done(simulator) == [9]


async def test_a_confirmation_for_a_batch_is_asked_for_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    questions: list[str] = []

    async def confirm(question: Confirmation) -> bool:
        questions.append(question.text)
        return True

    asked(simulator, faults.confirmation("Really?"))
    async with make_client(on_confirmation=confirm) as api:
        assert await together(api, map(post, range(5))) == [*range(5)]
    assert questions == ["Really?"]


async def test_a_validation_for_batches_renews_the_token_once(
    make_client: MakeClient,
) -> None:
    simulator = Simulator(limit=0, latency=1)
    add_echoes(simulator)
    asked(simulator, faults.validation(), times=3)
    questions: list[Validation] = []

    async def renew(question: Validation) -> str:
        questions.append(question)
        return "vk1.a.another-token"

    http_client = simulator.http_client()
    async with make_client(http_client=http_client, on_validation=renew) as api:
        assert await together(api, map(get, range(75))) == [*range(75)]
        assert api.statistics().batches == {25: 6}
    assert len(questions) == 1
    assert {entry.token for entry in simulator.ledger.carried_out()} == {1}


async def test_batches_refused_with_an_old_token_are_sent_again_with_the_new_one(
    make_client: MakeClient,
) -> None:
    simulator = Simulator(limit=0, latency=1)
    add_echoes(simulator)
    asked(simulator, faults.validation())
    asked(simulator, faults.expired_token(), times=2)

    async def renew(_: Validation) -> str:
        return "vk1.a.another-token"

    http_client = simulator.http_client()
    async with make_client(http_client=http_client, on_validation=renew) as api:
        outcomes = await together(api, map(post, range(75)))
    values = [outcome for outcome in outcomes if isinstance(outcome, int)]
    errors = [outcome for outcome in outcomes if not isinstance(outcome, int)]
    assert {type(error) for error in errors} <= {AuthError}
    assert len(values) in (25, 50, 75)  # by which of the three was first
    assert done(simulator) == sorted(values)


def is_of(outcome: Any, kind: type[APIError], i: int) -> bool:
    """Return whether an outcome is an error of one call, and of no other."""
    return type(outcome) is kind and outcome.params == {"id": i}
