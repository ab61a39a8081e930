"""The table of scenarios: the calls, their faults, and the victims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import attrs

from vkanyio import CaptchaError, ClientUseError, OutcomeUnknownError, VKError
from vkanyio.testing import Simulator, faults

from ._answers import (
    SOLVER,
    Answers,
    cancelled_solver,
    confirmer,
    curious_solver,
    helped_solver,
    solver,
    validator,
)
from ._calls import ALONE, EXECUTE, MESSAGE, OTHER, PROCEDURE, READ, WRITE, Kind
from ._play import BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from ._play import Play


class Renewing(Protocol):
    """A token function that counts how often it is asked for another token."""

    renewals: int

    async def __call__(self, refused: str | None) -> str:
        """Return a token."""
        ...


@attrs.frozen
class Scenario:
    """Calls that are made at once, their faults, and which of them are cancelled.

    :ivar calls: the calls, each made by a separate task
    :ivar victims: each a set of calls that are cancelled together
    :ivar options: of the client; they override those of ``_play.py``
    :ivar faults: injects the faults
    :ivar answers: makes the functions that answer VK's questions
    :ivar token: makes a token function that expects to be asked for one renewal
    :ivar errors: that the calls may raise
    :ivar shared: whether all others wait for the request of the first call
    :ivar leaves: how the client is left: "normally", "by an error" or "never"
    :ivar everywhere: whether a short run plays it on every backend
    """

    name: str
    calls: tuple[Kind, ...]
    victims: tuple[AbstractSet[int], ...] = attrs.field(kw_only=True)
    options: Mapping[str, Any] = attrs.field(kw_only=True, factory=dict)
    faults: Callable[[Simulator], None] | None = attrs.field(kw_only=True, default=None)
    answers: Callable[[Play], Answers] | None = attrs.field(kw_only=True, default=None)
    token: Callable[[], Renewing] | None = attrs.field(kw_only=True, default=None)
    errors: tuple[type[VKError], ...] = attrs.field(kw_only=True, default=())
    shared: bool = attrs.field(kw_only=True, default=False)
    leaves: str | None = attrs.field(kw_only=True, default=None)
    everywhere: bool = attrs.field(kw_only=True, default=False)

    def __str__(self) -> str:
        return self.name


PACKED = {"mode": "parallel"}
ONE = frozenset({0})
SECOND = frozenset({1})
TWO = frozenset({0, 1})


def _first(fault: Any, method: str | None = None, **how: Any) -> Any:
    return lambda simulator: simulator.fault(fault, method, **how)


def _both(*orders: Callable[[Simulator], None]) -> Callable[[Simulator], None]:
    def order(simulator: Simulator) -> None:
        for each in orders:
            each(simulator)

    return order


# Plain calls

PLAIN = [
    Scenario(
        "a queue",
        (READ, WRITE, READ, WRITE),
        victims=({2}, {0, 1, 2, 3}, ONE),
        everywhere=True,
    ),
    Scenario(
        "waiting for room",
        (READ, WRITE, READ),
        victims=(SECOND, {0, 1, 2}),
        options={"max_waiting": 1},
    ),
    Scenario(
        "waiting for a connection",
        (READ, WRITE, READ),
        victims=(ONE, TWO),
        options={"max_connections": 1},
    ),
    Scenario(
        "evenly spaced",
        (READ, WRITE, READ),
        victims=(SECOND,),
        options={"request_mode": "sequential"},
    ),
    Scenario("two tokens", (READ, OTHER, OTHER), victims=(SECOND, {0, 1, 2})),
    Scenario("execute", (EXECUTE, EXECUTE, READ), victims=(ONE, TWO)),
    Scenario("a procedure", (PROCEDURE, PROCEDURE, READ), victims=(ONE, TWO)),
    Scenario(
        "a request that others wait for",
        (WRITE, WRITE, WRITE),
        victims=(ONE, SECOND, {0, 1, 2}),
        errors=(ClientUseError,),
        shared=True,
    ),
]

# Calls that are retried

AGAIN = [
    Scenario(
        "refused",
        (READ, WRITE),
        victims=(ONE, TWO),
        faults=_first(faults.refuse(), times=3),
    ),
    Scenario(
        "a late response",
        (READ, WRITE),
        victims=(ONE,),
        options={"timeout": 0.75},
        faults=_first(faults.hang_before(), "test.get"),
    ),
    Scenario(
        "lost",
        (READ, WRITE, MESSAGE),
        victims=({0, 1}, {2}),
        faults=_both(
            _first(faults.drop_after(), "test.get"),
            _first(faults.html(502, after=True), "messages.send"),
            _first(faults.truncated(after=True), "test.post"),
        ),
        errors=(OutcomeUnknownError,),
    ),
    Scenario(
        "too many requests",
        (READ, WRITE, READ),
        victims=(ONE, {0, 1, 2}),
        faults=_first(faults.error(6), times=3),
    ),
]

# Questions

ASKED = [
    Scenario(
        "a captcha",
        (WRITE, WRITE, READ),
        victims=(ONE, TWO),
        faults=_first(faults.captcha(), "test.post"),
        answers=solver,
    ),
    Scenario(
        "captchas at once",
        (WRITE, WRITE),
        victims=(ONE, TWO),
        faults=_first(faults.captcha(), "test.post", times=2),
        answers=solver,
    ),
    Scenario(
        "a captcha whose solver makes calls",
        (WRITE, READ),
        victims=(ONE,),
        options={"max_waiting": 1},
        faults=_first(faults.captcha(), "test.post"),
        answers=curious_solver,
    ),
    Scenario(
        "an answer that another task sends",
        (WRITE, WRITE),
        victims=(ONE, TWO),
        faults=_first(faults.captcha(), "test.post", times=2),
        answers=helped_solver,
    ),
    Scenario(
        "an answer to a captcha",
        (WRITE, WRITE),
        victims=({SOLVER},),
        faults=_first(faults.captcha(), "test.post"),
        answers=cancelled_solver,
        errors=(CaptchaError, OutcomeUnknownError),
    ),
    Scenario(
        "a confirmation",
        (WRITE, WRITE),
        victims=(ONE, TWO),
        faults=_first(faults.confirmation(), "test.post", times=2),
        answers=confirmer,
    ),
    Scenario(
        "a validation",
        (WRITE, READ),
        victims=(ONE, TWO),
        faults=_both(
            _first(faults.validation(), "test.post"),
            _first(faults.validation(), "test.get"),
        ),
        answers=validator,
    ),
]

# Calls in batches

TOGETHER = [
    Scenario(
        "a batch",
        (READ, WRITE, MESSAGE),
        victims=(ONE, {0, 1, 2}),
        options=PACKED,
        everywhere=True,
    ),
    Scenario(
        "several batches",
        (READ, WRITE, READ, WRITE, ALONE),
        victims=(TWO, {4}, {0, 1, 2, 3, 4}),
        options={**PACKED, "execute_count": 2, "max_connections": 1},
    ),
    Scenario(
        "selected calls",
        (WRITE, READ, WRITE),
        victims=(ONE, {1, 2}),
        options={"mode": "parallel_selected", "execute_methods": ["test.post"]},
    ),
    Scenario(
        "batches behind too little room",
        (READ, WRITE, READ, WRITE),
        victims=(TWO, {3}),
        options={**PACKED, "max_waiting": 2},
    ),
    Scenario(
        "a batch that is refused",
        (READ, WRITE, READ),
        victims=(ONE, {0, 1, 2}),
        options=PACKED,
        faults=_first(faults.refuse(), "execute", times=2),
    ),
    Scenario(
        "a batch that is lost",
        (READ, WRITE, READ, MESSAGE),
        victims=(ONE, {1, 2}),
        options=PACKED,
        faults=_first(faults.drop_after(), "execute"),
        errors=(OutcomeUnknownError,),
    ),
    Scenario(
        "a batch that meets error 6",
        (READ, WRITE),
        victims=(ONE, TWO),
        options=PACKED,
        faults=_first(faults.error(6), "execute", times=2),
    ),
    Scenario(
        "a batch in halves",
        (READ, WRITE, READ, WRITE),
        victims=(ONE, TWO),
        options=PACKED,
        faults=_first(faults.error(12), "execute", times=2),
    ),
    Scenario(
        "a batch that is too large",
        (READ, READ, MESSAGE),
        victims=(ONE, TWO),
        options=PACKED,
        faults=_first(faults.error(13), "execute"),
    ),
    Scenario(
        "a token without execute",
        (READ, WRITE, READ),
        victims=(ONE, {0, 1, 2}),
        options=PACKED,
        faults=_first(faults.error(15), "execute"),
    ),
]

# Calls that leave their batch

LEAVING = [
    Scenario(
        "a call leaves its batch for a retry",
        (READ, WRITE, WRITE),
        victims=(ONE, {0, 1, 2}),
        everywhere=True,
        options=PACKED,
        faults=_both(
            _first(faults.error(10), "test.get", times=2),
            _first(faults.error(6), "test.post"),
        ),
    ),
    Scenario(
        "a call leaves its batch with a captcha",
        (WRITE, WRITE, READ),
        victims=(ONE, TWO),
        options=PACKED,
        faults=_first(faults.captcha(), "test.post", times=2),
        answers=solver,
    ),
    Scenario(
        "a call leaves its batch with a confirmation",
        (WRITE, READ),
        victims=(ONE, TWO),
        options=PACKED,
        faults=_first(faults.confirmation(), "test.post"),
        answers=confirmer,
    ),
    Scenario(
        "a batch meets a captcha itself",
        (WRITE, WRITE, READ),
        victims=(ONE, {0, 1, 2}),
        options=PACKED,
        faults=_first(faults.captcha(), "execute"),
        answers=solver,
    ),
]

# The client itself

CLIENT = [
    Scenario(
        "entering",
        (),
        victims=({BODY},),
        options={"http_client": None, "base_url": "http://127.0.0.1:9/method"},
        leaves="normally",
    ),
    Scenario(
        "a body that stays", (READ, WRITE, READ), victims=({BODY},), leaves="never"
    ),
    Scenario(
        "leaving normally",
        (READ, WRITE, READ, WRITE),
        victims=({BODY},),
        leaves="normally",
        everywhere=True,
    ),
    Scenario(
        "leaving by an error",
        (READ, WRITE, READ),
        victims=({BODY},),
        leaves="by an error",
    ),
    Scenario(
        "leaving with batches",
        (READ, WRITE, READ, ALONE, EXECUTE),
        victims=({BODY},),
        options={**PACKED, "execute_count": 2},
        faults=_first(faults.refuse(), "execute"),
        leaves="normally",
    ),
    Scenario(
        "leaving batches by an error",
        (READ, WRITE, READ, WRITE),
        victims=({BODY},),
        options={**PACKED, "max_waiting": 2},
        leaves="by an error",
    ),
    Scenario(
        "leaving with a captcha",
        (WRITE, WRITE, READ),
        victims=({BODY},),
        options=PACKED,
        faults=_first(faults.captcha(), "test.post"),
        answers=solver,
        leaves="normally",
    ),
    Scenario(
        "leaving while another task answers a captcha",
        (WRITE, WRITE),
        victims=({BODY},),
        options={"limit": 1},
        faults=_first(faults.captcha(), "test.post", times=2),
        answers=helped_solver,
        leaves="by an error",
    ),
    Scenario(
        "leaving before another try",
        (READ, OTHER),
        victims=({BODY},),
        faults=_first(faults.refuse(), times=2),
        leaves="normally",
    ),
]

SCENARIOS = [*CLIENT, *PLAIN, *AGAIN, *ASKED, *TOGETHER, *LEAVING]
