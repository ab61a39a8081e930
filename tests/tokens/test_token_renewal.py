"""A token that is a function: asked once at entering, and again when VK refuses."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import assert_gone, gather, get, note, own_tasks, settle, solve_by
from _tokens import Source
from vkanyio import (
    VK,
    AuthError,
    Captcha,
    ClientClosedError,
    ClientUseError,
    ConnectionFailedError,
    Token,
    TokenRenewalError,
    Validation,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., VK]

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]

CODES = pytest.mark.parametrize("code", [5, 28, 1117])
MODES = pytest.mark.parametrize("mode", ["sequential", "parallel"])


@pytest.fixture
def make(simulator: Simulator) -> Make:
    """Makes clients with a token function."""

    def make(token: Any, **options: Any) -> VK:
        http_client = simulator.http_client()
        options = {"limit": 1000, "request_mode": "burst", **options}
        return VK(token, http_client=http_client, **options)

    return make


def codes_of(simulator: Simulator) -> list[int]:
    """Return the codes of the errors that calls met."""
    return [each.outcome for each in simulator.ledger if isinstance(each.outcome, int)]


async def outcomes_of(
    api: VK, count: int, method: str = "test.get", **params: Any
) -> list[Any]:
    """Make calls at once, and return their values and errors."""
    outcomes: list[Any] = []
    async with anyio.create_task_group() as tg:
        for i in range(count):
            tg.start_soon(note, outcomes, api.call, method, {"id": i, **params})
    return outcomes


# The start.


async def test_the_function_is_asked_once_at_entering(make: Make) -> None:
    source = Source()
    async with make(source) as api:
        assert source.asked == [None]
        assert await api.call("test.get", {"id": 1}) == 1
    assert source.asked == [None]
    assert_gone(api)


async def test_what_the_function_raises_at_entering_leaves_the_block(
    make: Make,
) -> None:
    async def fail(refused: str | None) -> str:
        raise LookupError("no token")

    with pytest.raises(LookupError, match="no token") as caught:
        async with make(fail):
            pytest.fail("it was entered")
    assert caught.value.__context__ is None
    assert own_tasks() == []


@pytest.mark.parametrize(
    ("returned", "kind", "text"),
    [
        (None, TypeError, "got NoneType"),
        (5, TypeError, "got int"),
        ("", ValueError, "got an empty string"),
        ("Bearer abc-secret", ValueError, 'got one with "Bearer"'),
    ],
)
async def test_what_is_no_token_is_refused_at_entering(
    make: Make, returned: Any, kind: type[Exception], text: str
) -> None:
    async def wrong(refused: str | None) -> Any:
        return returned

    with pytest.raises(kind, match=text) as caught:
        async with make(wrong):
            pytest.fail("it was entered")
    assert "abc-secret" not in str(caught.value)


async def test_a_function_that_is_not_async_is_refused_without_showing_the_token(
    make: Make,
) -> None:
    def wrong(refused: str | None) -> Any:
        return "vk1.a.a-secret"

    with pytest.raises(TypeError, match="must be an async function") as caught:
        async with make(wrong):
            pytest.fail("it was entered")
    assert "a-secret" not in str(caught.value)


async def test_entering_may_be_cancelled_while_the_function_is_asked(
    make: Make,
) -> None:
    with anyio.move_on_after(1) as scope:
        async with make(lambda _: anyio.sleep_forever()):
            pytest.fail("it was entered")
    assert scope.cancelled_caught
    assert own_tasks() == []


# One renewal for all.


@CODES
@MODES
@pytest.mark.simulator_options(latency=0.25)
async def test_a_hundred_calls_with_an_expired_token_renew_it_once(
    make: Make, simulator: Simulator, code: Any, mode: Any
) -> None:
    source = Source(takes=2.0)
    async with make(source, mode=mode, max_connections=10) as api:
        source.expire(simulator, code=code)
        outcomes = await outcomes_of(api, 100, "test.post")
    assert sorted(outcomes) == [*range(100)]
    assert source.asked == [None, "vk1.a.the-secret-token-1"]
    refused = codes_of(simulator)
    assert 1 <= len(refused) <= 10  # those that were in flight
    assert set(refused) == {code}
    done = [each.params["id"] for each in simulator.ledger.carried_out("test.post")]
    assert len(done) == len(set(done)) == 100


async def test_the_lane_is_held_during_a_renewal_for_calls_that_read_too(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    async with make(source) as api, anyio.create_task_group() as tg:
        source.expire(simulator)
        tg.start_soon(api.call, "test.get", {"id": 1})
        await anyio.sleep(1)
        before = simulator.ledger.requests
        tg.start_soon(api.call, "test.get", {"id": 2})
        await anyio.sleep(3)
        assert simulator.ledger.requests == before == 1
    assert simulator.ledger.requests == 3


async def test_calls_of_other_tokens_go_on_during_a_renewal(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    async with make(source) as api, anyio.create_task_group() as tg:
        source.expire(simulator)
        tg.start_soon(api.call, "test.get", {"id": 1})
        await anyio.sleep(1)
        with anyio.fail_after(1):
            assert await api.call("test.get", {"id": 2, "access_token": "other"}) == 2


@pytest.mark.simulator_options(latency=1.0)
async def test_what_was_sent_with_a_token_replaced_since_goes_again_without_asking(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    async with make(source) as api, anyio.create_task_group() as tg:
        source.expire(simulator)
        tg.start_soon(api.call, "test.get", {"id": 1})
        await anyio.sleep(0.5)
        tg.start_soon(api.call, "test.post", {"id": 2})  # refused after the renewal
    assert source.renewals == 1
    assert codes_of(simulator) == [5, 5]
    assert len(simulator.ledger.carried_out("test.post")) == 1


async def test_a_batch_that_is_refused_as_a_whole_asks_as_a_whole(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=1.0)
    async with make(source, mode="parallel") as api:
        source.expire(simulator)
        outcomes = await outcomes_of(api, 25, "test.post")
        assert sorted(outcomes) == [*range(25)]
        assert api.statistics().batches == {25: 2}
        assert api.statistics().split == 0
    assert source.renewals == 1


async def test_a_call_refused_inside_a_batch_renews_the_token_and_goes_alone(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=1.0)
    async with make(source, mode="parallel") as api:
        simulator.fault(faults.expired_token(), "test.post", nth=3)
        outcomes = await outcomes_of(api, 5, "test.post")
    assert sorted(outcomes) == [*range(5)]
    assert source.renewals == 1
    assert len(simulator.ledger.carried_out("test.post")) == 5


async def test_a_token_expires_again_and_again(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    async with make(source) as api:
        for i in range(20):
            source.expire(simulator)
            assert await api.call("test.post", {"id": i}) == i
    assert source.renewals == 20


async def test_error_5_of_another_kind_asks_nobody(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    async with make(source) as api:
        simulator.revoke(source.current)
        with pytest.raises(AuthError, match="revoke"):
            await api.call("test.get", {"id": 1})
    assert source.renewals == 0


STEPS: dict[str, dict[str, Any]] = {
    "queued": {"limit": 5},
    "in flight": {},
    "packed": {"mode": "parallel", "execute_count": 4},
    "retried": {"wait": 2.0},
    "in a captcha": {},
    "while a renewal is on": {"limit": 5},
    "closing": {"limit": 5},
}


@CODES
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.simulator_options(latency=0.5)
async def test_a_token_may_expire_at_any_step(
    make: Make, simulator: Simulator, code: Any, step: str
) -> None:
    source = Source(takes=1.0)
    outcomes: list[Any] = []

    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(3)
        await solve_by(simulator, captcha)

    if step == "retried":
        simulator.fault(faults.drop_before(), "test.get", times=4)
    if step == "in a captcha":
        simulator.fault(faults.captcha(), "test.post")
    async with anyio.create_task_group() as tg:  # noqa: SIM117
        async with make(source, **STEPS[step], on_captcha=solve) as api:
            for i in range(12):
                method = "test.get" if i % 2 else "test.post"
                tg.start_soon(note, outcomes, api.call, method, {"id": i})
            await anyio.sleep(0.6 if step == "in a captcha" else 0.1)
            source.expire(simulator, code=code)
            if step == "while a renewal is on":
                await anyio.sleep(1)
                assert source.in_progress == 1
                for i in range(12, 15):
                    tg.start_soon(note, outcomes, api.call, "test.get", {"id": i})
            if step != "closing":
                await anyio.sleep(60)
    assert sorted(outcomes) == [*range(15 if "renewal" in step else 12)]
    assert source.renewals == 1
    posts = [each.params["id"] for each in simulator.ledger.carried_out("test.post")]
    assert len(posts) == len(set(posts)) == 6
    assert_gone(api)


# Renewals that fail.


def fail_with(error: Exception) -> Callable[[], Any]:
    def fail() -> None:
        raise error

    return fail


@MODES
async def test_a_renewal_that_fails_fails_each_call_and_is_remembered(
    make: Make, simulator: Simulator, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cause = LookupError("the refresh token is spent")
    source = Source(takes=1.0, fail=fail_with(cause))
    async with make(source, mode=mode, max_connections=3) as api:
        source.expire(simulator)
        outcomes = await outcomes_of(api, 50, "test.post")
        refused = simulator.ledger.requests
        assert refused <= 3
        await anyio.sleep(3600)
        outcomes += await outcomes_of(api, 5)
        assert simulator.ledger.requests == refused  # nothing was sent any more
    assert len({id(each) for each in outcomes}) == 55
    for each in outcomes:
        assert isinstance(each, TokenRenewalError)
        assert each.__cause__ is cause
        assert not each.is_transient
        assert "LookupError: the refresh token is spent" in str(each)
        assert "access_token has expired" in str(each)
    assert source.renewals == 1
    assert caplog.text.count("the refresh token is spent") == 1
    assert "vk1.a." not in caplog.text
    assert_gone(api)


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (None, "got NoneType"),
        ("two words", "got a string with a space"),
        ("vk1.a.the-secret-token-1", "the token that has to be replaced"),
    ],
)
async def test_a_renewal_that_returns_no_other_token_has_failed(
    make: Make, simulator: Simulator, returned: Any, text: str
) -> None:
    asked: list[str | None] = []

    async def source(refused: str | None) -> Any:
        asked.append(refused)
        return "vk1.a.the-secret-token-1" if refused is None else returned

    async with make(source) as api:
        simulator.expire("vk1.a.the-secret-token-1")
        outcomes = await outcomes_of(api, 3)
    assert [type(each) for each in outcomes] == [TokenRenewalError] * 3
    assert all(text in str(each) for each in outcomes)
    assert not any("vk1.a." in str(each) for each in outcomes)
    assert len(asked) == 2


async def test_a_new_token_that_vk_refuses_at_once_is_not_renewed_again(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    simulator.fault(
        faults.error(
            5,
            "User authorization failed: access_token was given to another ip address.",
            error_subcode=1130,
        ),
        rate=1,
    )
    async with make(source) as api:
        outcomes = await outcomes_of(api, 3)
        requests = simulator.ledger.requests
        outcomes += await outcomes_of(api, 3)
        assert simulator.ledger.requests == requests
    assert source.renewals == 1
    for each in outcomes:
        assert isinstance(each, TokenRenewalError)
        assert isinstance(each.__cause__, AuthError)
        assert each.__cause__.subcode == 1130
        assert "by the proxy, that calls leave from" in str(each)


async def test_a_transient_failure_is_tried_again_after_a_while(
    make: Make, simulator: Simulator
) -> None:
    source = Source(fail=fail_with(ConnectionFailedError("id.vk.ru is away")))
    async with make(source, retry_limit=0) as api:
        source.expire(simulator)
        outcomes = await outcomes_of(api, 3)
        assert [type(each) for each in outcomes] == [TokenRenewalError] * 3
        assert all(each.is_transient for each in outcomes)
        assert (await outcomes_of(api, 1))[0].is_transient
        assert source.renewals == 1
        await anyio.sleep(10)
        source.fail = None
        assert await api.call("test.post", {"id": 1}) == 1
    assert source.renewals == 2


async def test_a_call_survives_a_short_outage_by_its_own_retries(
    make: Make, simulator: Simulator
) -> None:
    source = Source(fail=fail_with(ConnectionFailedError("id.vk.ru is away")))
    async with make(source, wait=20.0, retry_limit=10) as api:
        source.expire(simulator)
        async with anyio.create_task_group() as tg:
            tg.start_soon(api.call, "test.post", {"id": 1})
            await anyio.sleep(5)
            source.fail = None
    assert source.renewals == 2


async def test_a_renewal_that_hangs_holds_only_those_who_wait(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=float("inf"))
    async with make(source) as api:
        source.expire(simulator)
        with anyio.move_on_after(5) as scope:
            await api.call("test.get", {"id": 1})
        assert scope.cancelled_caught
        assert source.in_progress == 1
        source.takes = 0.0
        with anyio.move_on_after(5):
            await api.call("test.get", {"id": 2})
        assert source.renewals == 1  # nobody is asked beside it
    assert source.in_progress == 0
    assert_gone(api)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_the_function_waits_for_may_be_cancelled_natively(
    make: Make, simulator: Simulator
) -> None:
    import asyncio

    async def source(refused: str | None) -> str:
        if refused is not None:
            task = asyncio.ensure_future(asyncio.sleep(10))
            asyncio.get_running_loop().call_soon(task.cancel)
            await task
        return "vk1.a.the-secret-token-1"

    async with make(source) as api:
        simulator.expire("vk1.a.the-secret-token-1")
        [error] = await outcomes_of(api, 1)
        assert isinstance(error, TokenRenewalError)
        assert isinstance(error.__cause__, asyncio.CancelledError)


# Callers that leave.


@MODES
async def test_cancelled_callers_leave_at_once_and_the_renewal_goes_on(
    make: Make, simulator: Simulator, mode: Any
) -> None:
    source = Source(takes=5.0)
    outcomes: list[Any] = []
    async with make(source, mode=mode) as api, anyio.create_task_group() as tg:
        source.expire(simulator)
        for i in range(3):
            tg.start_soon(note, outcomes, api.call, "test.post", {"id": i})
        began = anyio.current_time()
        with anyio.move_on_after(1):
            await api.call("test.post", {"id": 9})
        assert anyio.current_time() == began + 1
    assert sorted(outcomes) == [0, 1, 2]
    assert source.renewals == 1
    assert {
        each.params["id"] for each in simulator.ledger.carried_out("test.post")
    } == {*"012"}


async def test_a_renewal_goes_on_when_every_caller_has_left(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    async with make(source) as api:
        source.expire(simulator)
        with anyio.move_on_after(1):
            await api.call("test.get", {"id": 1})
        await anyio.sleep(10)
        assert source.asked == [None, "vk1.a.the-secret-token-1"]
        assert await api.call("test.get", {"id": 2}) == 2
    assert source.renewals == 1


# Closing.


async def test_leaving_waits_for_the_calls_that_wait_for_a_renewal(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    outcomes: list[Any] = []
    async with anyio.create_task_group() as tg:
        async with make(source) as api:
            source.expire(simulator)
            tg.start_soon(note, outcomes, api.call, "test.post", {"id": 1})
            await anyio.sleep(1)
        assert api.statistics().calls == 1
    assert outcomes == [1]
    assert source.renewals == 1
    assert_gone(api)


async def test_leaving_by_an_error_cancels_the_renewal(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=5.0)
    outcomes: list[Any] = []
    async with anyio.create_task_group() as tg:
        with pytest.raises(KeyError):  # noqa: PT012
            async with make(source) as api:
                source.expire(simulator)
                tg.start_soon(note, outcomes, api.call, "test.post", {"id": 1})
                await anyio.sleep(1)
                raise KeyError
        assert source.in_progress == 0
    [error] = outcomes
    assert isinstance(error, ClientClosedError)
    assert not error.maybe_carried_out
    assert_gone(api)


# Ahead of time.


@pytest.mark.simulator_options(latency=0.1)
async def test_a_token_is_renewed_ahead_of_time_and_nothing_is_held_up_or_refused(
    make: Make, simulator: Simulator
) -> None:
    source = Source(life=100.0, takes=5.0)

    async def end_of(token: str, seconds: float) -> None:
        await anyio.sleep(seconds)
        simulator.expire(token)

    async with make(source) as api, anyio.create_task_group() as tg:
        for i in range(1, 7):
            # Each was renewed after 90 s, which took 5 s.
            ends = 95.0 * (i - 1) + 100.0 + i
            tg.start_soon(end_of, f"vk1.a.the-secret-token-{i}", ends)
        for i in range(100):
            began = anyio.current_time()
            await api.call("test.get", {"id": i})
            assert anyio.current_time() - began < 0.2
            await anyio.sleep(4.9)
        tg.cancel_scope.cancel()
    assert codes_of(simulator) == []
    assert source.renewals == 5
    assert source.asked[1] == "vk1.a.the-secret-token-1"


async def test_a_renewal_that_takes_longer_than_the_token_lives_holds_calls_then(
    make: Make, simulator: Simulator
) -> None:
    source = Source(life=100.0, takes=20.0)
    async with make(source) as api:
        end = anyio.current_time() + 100
        await anyio.sleep(91)
        await api.call("test.get", {"id": 1})  # the renewal begins
        assert source.in_progress == 1
        await anyio.sleep(10)
        simulator.expire("vk1.a.the-secret-token-1")
        assert await api.call("test.get", {"id": 2}) == 2
        assert anyio.current_time() == pytest.approx(end + 11)
    assert codes_of(simulator) == []
    assert source.renewals == 1


async def test_an_idle_client_asks_when_it_is_used_again(
    make: Make, simulator: Simulator
) -> None:
    source = Source(life=3600.0)
    async with make(source) as api:
        await anyio.sleep(24 * 3600)
        assert source.renewals == 0
        source.expire(simulator)
        assert await api.call("test.get", {"id": 1}) == 1
        assert codes_of(simulator) == []  # its end had come: it was not sent any more
    assert source.renewals == 1


async def test_a_renewal_begins_five_minutes_before_the_end_at_the_earliest(
    make: Make,
) -> None:
    source = Source(life=24 * 3600.0)
    async with make(source) as api:
        await anyio.sleep(24 * 3600 - 301)
        await api.call("test.get", {"id": 1})
        await settle()
        assert source.renewals == 0
        await anyio.sleep(2)
        await api.call("test.get", {"id": 1})
        await settle()
        assert source.renewals == 1


async def test_a_failure_ahead_of_time_matters_only_when_the_token_ends(
    make: Make,
) -> None:
    source = Source(life=100.0, fail=fail_with(LookupError("spent")))
    async with make(source) as api:
        await anyio.sleep(95)
        for i in range(3):
            assert await api.call("test.get", {"id": i}) == i
            await anyio.sleep(1)
        await anyio.sleep(5)
        [error] = await outcomes_of(api, 1)
        assert isinstance(error, TokenRenewalError)
        assert "its end has come" in str(error)
    assert source.renewals == 1


async def test_a_token_whose_end_is_past_is_used_until_vk_refuses_it(
    make: Make, simulator: Simulator
) -> None:
    source = Source(life=-5.0)
    async with make(source) as api:
        assert await api.call("test.get", {"id": 1}) == 1
        assert source.renewals == 0
        source.expire(simulator)
        assert await api.call("test.get", {"id": 1}) == 1
        assert source.renewals == 1


# Captchas, and calls that the functions make.


async def test_a_captcha_handler_may_call_vk_while_a_renewal_is_on(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=2.0)

    async def solve(captcha: Captcha) -> None:
        source.expire(simulator)
        assert await api.call("test.get", {"id": 7}) == 7
        source.expire(simulator)
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "test.post")
    async with make(source, on_captcha=solve) as api:
        with anyio.fail_after(10):
            assert await api.call("test.post", {"id": 1}) == 1
    assert source.renewals == 2


async def test_a_token_function_may_call_vk_with_another_token_during_a_captcha(
    make: Make, simulator: Simulator
) -> None:
    outcomes: list[Any] = []

    async def source(refused: str | None) -> str:
        if refused is None:
            return "vk1.a.the-secret-token-1"
        await note(outcomes, api.call, "test.post", {"id": 5, "access_token": "other"})
        return "vk1.a.the-secret-token-2"

    async def solve(captcha: Captcha) -> None:
        simulator.expire("vk1.a.the-secret-token-1")
        simulator.fault(faults.captcha(), "test.post")  # for the token function
        await api.call("test.get", {"id": 7})
        await solve_by(simulator, captcha)

    simulator.fault(faults.captcha(), "test.post")
    async with make(source, on_captcha=solve) as api:
        with anyio.fail_after(10):
            assert await api.call("test.post", {"id": 1}) == 1
    assert [type(each).__name__ for each in outcomes] == ["CaptchaError"]


async def test_a_token_function_that_waits_for_itself_gets_an_error(
    make: Make, simulator: Simulator
) -> None:
    async def source(refused: str | None) -> str:
        if refused is not None:
            await api.call("test.get", {"id": 1})
        return "vk1.a.the-secret-token-1"

    async with make(source) as api:
        simulator.expire("vk1.a.the-secret-token-1")
        with anyio.fail_after(5):
            [error] = await outcomes_of(api, 1)
        assert isinstance(error, TokenRenewalError)
        assert isinstance(error.__cause__, ClientUseError)
        assert "the token function cannot make calls" in str(error)


async def test_a_validation_replaces_the_token_of_a_function(
    make: Make, simulator: Simulator
) -> None:
    source = Source()

    async def validate(_: Validation) -> str:
        return "vk1.a.validated"

    async with make(source, on_validation=validate) as api:
        simulator.fault(faults.validation())
        await api.call("test.get", {"id": 1})
        simulator.expire("vk1.a.validated")
        await api.call("test.get", {"id": 2})
    assert source.asked == [None, "vk1.a.validated"]


async def test_the_function_sees_the_context_of_the_block_and_no_task_is_left(
    make: Make, simulator: Simulator
) -> None:
    source = Source(takes=1.0)
    async with make(source) as api:
        source.expire(simulator)
        values = await gather(*[partial(api.call_with_request, get(i)) for i in (1, 2)])
        assert values == [1, 2]
        assert not [name for name in own_tasks() if "token" in name]


@pytest.mark.simulator_options(latency=0.25)
async def test_old_and_new_token_are_hidden_in_errors(
    make: Make, simulator: Simulator
) -> None:
    source = Source()
    async with make(source) as api:
        source.expire(simulator)
        await api.call("test.get", {"id": 1})
        quoted = "no access for vk1.a.the-secret-token-1 and vk1.a.the-secret-token-2"
        simulator.fault(faults.error(15, quoted))
        with pytest.raises(Exception, match=r"no access for \*\*\* and \*\*\*"):
            await api.call("test.get", {"id": 1})


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    async def __call__(self, refused: str | None) -> str:
        return "vk1.a.token"


def test_tokens_are_checked_and_masked() -> None:
    token = Token("vk1.a.the-secret")
    assert repr(token) == "Token('***')"
    assert token.value == "vk1.a.the-secret"
    with pytest.raises(TypeError, match="value must be a VK access token"):
        Token(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expires_at must be a datetime with a time"):
        Token("vk1.a.x", datetime(2026, 1, 1))
    with pytest.raises(TypeError, match="expires_at must be a datetime with a time"):
        Token("vk1.a.x", 3600)  # type: ignore[arg-type]


@pytest.mark.parametrize("token", [VK, dict, Unhashable()])
def test_a_class_or_what_has_no_hash_is_no_token_function(token: Any) -> None:
    with pytest.raises(TypeError, match="async function that returns one"):
        VK(token)
