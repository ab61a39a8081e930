"""How a call ends with each fault of the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from vkanyio import (
    APIError,
    AuthError,
    CaptchaError,
    ConfirmationError,
    FloodControlError,
    OutcomeUnknownError,
    ParameterError,
    TokenExpiredError,
    ValidationError,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio import Captcha, Confirmation, Validation

pytestmark = pytest.mark.anyio

VALUE = None
"""The call returns its value: a fault that strikes once does no harm."""

# The fault, and the outcomes of a read, of a write with a key against repetition, and
# of a write that is not repeatable.
CASES: list[tuple[Any, ...]] = [
    # Never carried out: all are retried.
    ("refuse", faults.refuse(), VALUE, VALUE, VALUE),
    ("error", faults.error(6), VALUE, VALUE, VALUE),
    ("html", faults.html(429), VALUE, VALUE, VALUE),
    ("html", faults.html(429, headers={"retry-after": "5"}), VALUE, VALUE, VALUE),
    # Maybe carried out: repeatable calls are retried.
    ("drop_before", faults.drop_before(), VALUE, VALUE, OutcomeUnknownError),
    ("drop_after", faults.drop_after(), VALUE, VALUE, OutcomeUnknownError),
    ("drop_midway", faults.drop_midway(), VALUE, VALUE, OutcomeUnknownError),
    ("hang_before", faults.hang_before(), VALUE, VALUE, OutcomeUnknownError),
    ("hang_after", faults.hang_after(), VALUE, VALUE, OutcomeUnknownError),
    ("html", faults.html(502), VALUE, VALUE, OutcomeUnknownError),
    ("html", faults.html(502, after=True), VALUE, VALUE, OutcomeUnknownError),
    ("truncated", faults.truncated(), VALUE, VALUE, OutcomeUnknownError),
    ("truncated", faults.truncated(after=True), VALUE, VALUE, OutcomeUnknownError),
    ("body", faults.body(b"<!--"), VALUE, VALUE, OutcomeUnknownError),
    ("body", faults.body(b"[]", after=True), VALUE, VALUE, OutcomeUnknownError),
    ("delay", faults.delay(60, after=True), VALUE, VALUE, OutcomeUnknownError),
    ("slow_body", faults.slow_body(60), VALUE, VALUE, OutcomeUnknownError),
    ("error", faults.error(1), VALUE, VALUE, OutcomeUnknownError),
    ("error", faults.error(10), VALUE, VALUE, OutcomeUnknownError),
    ("error", faults.error(36), VALUE, VALUE, OutcomeUnknownError),
    # Late, but within the timeout of an attempt.
    ("delay", faults.delay(5), VALUE, VALUE, VALUE),
    ("slow_body", faults.slow_body(5), VALUE, VALUE, VALUE),
    # Errors of VK that a retry does not change.
    ("error", faults.error(9), *[FloodControlError] * 3),
    ("error", faults.error(100), *[ParameterError] * 3),
    ("error", faults.error(901), *[APIError[901]] * 3),
    ("expired_token", faults.expired_token(), *[AuthError] * 3),
    ("expired_token", faults.expired_token(1117), *[TokenExpiredError] * 3),
    # Questions without a handler.
    ("captcha", faults.captcha("new"), *[CaptchaError] * 3),
    ("captcha", faults.captcha("old"), *[CaptchaError] * 3),
    ("confirmation", faults.confirmation(), *[ConfirmationError] * 3),
    ("validation", faults.validation(), *[ValidationError] * 3),
]
UPLOADS_AND_POLLS = {
    *("drop_upload", "stall_upload", "slow_upload", "early_refusal", "too_fast"),
    *("failed", "repeated", "silent"),
}
"""Faults of other servers than VK's API."""
READ: tuple[str, dict[str, Any]] = ("users.get", {"user_ids": 5})
KEYED: tuple[str, dict[str, Any]] = ("messages.send", {"peer_id": 5, "message": "m"})
WRITE: tuple[str, dict[str, Any]] = ("wall.post", {"message": "hello"})


def fault_functions() -> set[str]:
    return {
        name
        for name, value in vars(faults).items()
        if callable(value)
        and not isinstance(value, type)
        and getattr(value, "__module__", "") == faults.__name__
        and not name.startswith("_")
    }


def test_every_fault_of_the_simulator_is_covered() -> None:
    assert {name for name, *_ in CASES} == fault_functions() - UPLOADS_AND_POLLS


@pytest.mark.parametrize("kind", ["read", "keyed", "write"])
@pytest.mark.parametrize(
    "case", CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)]
)
async def test_a_fault_that_strikes_once_ends_as_it_should(
    simulator: Simulator, make_client: MakeClient, case: Any, kind: str
) -> None:
    _, fault, *expected = case
    outcome = expected[["read", "keyed", "write"].index(kind)]
    method, params = {"read": READ, "keyed": KEYED, "write": WRITE}[kind]
    simulator.fault(fault, method)
    async with make_client(timeout=10) as api:
        with anyio.fail_after(60):
            if outcome is VALUE:
                assert await api.call(method, params)
            else:
                with pytest.raises(outcome):
                    await api.call(method, params)
    done = len(simulator.ledger.carried_out(method))
    if kind != "read":
        assert done <= 1  # nothing twice
    if outcome is VALUE:
        assert done >= 1  # nothing lost


async def test_a_captcha_of_each_kind_is_answered_and_the_call_goes_on(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        question = captcha.redirect_uri or captcha.sid or ""
        await captcha.retry(simulator.solve(question))

    async with make_client(on_captcha=solve) as api:
        for kind in ("new", "old"):
            simulator.fault(faults.captcha(kind), "wall.post")
            assert await api.wall.post(message=kind)
    assert len(simulator.ledger.carried_out("wall.post")) == 2


async def test_a_confirmation_is_given_and_the_call_goes_on(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def agree(_: Confirmation) -> bool:
        return True

    simulator.fault(faults.confirmation(), "wall.post")
    async with make_client(on_confirmation=agree) as api:
        assert await api.wall.post(message="hello")
    assert len(simulator.ledger.carried_out("wall.post")) == 1


async def test_a_validation_brings_a_new_token_and_the_call_goes_on(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def open_page(_: Validation) -> str:
        return "a-new-token"

    simulator.fault(faults.validation(), "wall.post")
    async with make_client(on_validation=open_page) as api:
        assert await api.wall.post(message="hello")
    [entry] = simulator.ledger.carried_out("wall.post")
    assert entry.token == 1


async def test_a_spent_quota_is_not_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.quota("wall.get", 2)
    async with make_client() as api:
        for _ in range(2):
            await api.wall.get()
        with pytest.raises(APIError[29]):
            await api.wall.get()
    assert simulator.ledger.requests == 3


async def test_flood_control_is_not_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.flood_control("wall.post", times=1)
    async with make_client() as api:
        await api.wall.post(message="hello")
        with pytest.raises(FloodControlError):
            await api.wall.post(message="hello")
    assert simulator.ledger.requests == 2
