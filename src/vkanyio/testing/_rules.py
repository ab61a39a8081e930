"""The rules that decide which calls get a fault."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, final

import attrs

from .faults import Fault, Interruption, PollFault, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


LONG_POLL = "longpoll"
"""The method name of a request to a long poll server."""

UPLOAD = "upload"
"""The method name of an upload in faults and in the ledger."""

_ONLY: Mapping[type[Fault], str] = {PollFault: LONG_POLL, Interruption: UPLOAD}
"""The faults that other requests cannot have."""


@attrs.define(kw_only=True)
class _Rule:
    fault: Fault
    method: str | None
    nth: int
    times: float
    rate: float
    seen: int = 0
    struck: int = 0

    def concerns(self, method: str, excused: Collection[str], *, inner: bool) -> bool:
        if self.method is None and inner and not isinstance(self.fault, Refusal):
            return False  # it is for requests, and has been asked about this one
        return self.method in (None, method) and self.fault.name not in excused

    def strikes(self, chance: random.Random) -> bool:
        due = self.seen >= self.nth and self.struck < self.times
        return due and (self.rate == 1 or chance.random() < self.rate)


@final
class Rules:
    """The faults that a test has added, in order.

    :param seed: makes a rate pick the same calls in every run
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"faults {seed}")
        self._rules: list[_Rule] = []

    def add(
        self,
        fault: Fault,
        method: str | None,
        nth: int | None,
        times: int | None,
        rate: float | None,
    ) -> None:
        """Add a rule, as ``Simulator.fault`` describes it."""
        for name, number in (("nth", nth), ("times", times)):
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1, not {number}")
        if rate is not None and not 0 <= rate <= 1:
            raise ValueError(f"rate must be between 0 and 1, not {rate}")
        if not isinstance(fault, Fault):
            raise TypeError(
                "fault must be what a function of vkanyio.testing.faults returns, such "
                f"as faults.drop_after(), not {fault!r}"
            )
        if (only := _ONLY.get(type(fault))) is not None:
            if method not in (None, only):
                raise ValueError(
                    f"the fault {fault.name!r} affects only {only!r}, not {method!r}"
                )
            method = only
        default = 1 if rate is None else math.inf
        self._rules.append(
            _Rule(
                fault=fault,
                method=method,
                nth=nth or 1,
                times=default if times is None else times,
                rate=1 if rate is None else rate,
            )
        )

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def pick(
        self, method: str, excused: Collection[str], *, inner: bool
    ) -> Fault | None:
        """Return the fault that applies to a call, and count it as used.

        :param method: the method that is called
        :param excused: the names of faults that cannot apply to it
        :param inner: whether the call is inside an ``execute``
        :return: the fault of the first rule that applies
        """
        picked: _Rule | None = None
        for rule in self._rules:
            if not rule.concerns(method, excused, inner=inner):
                continue
            rule.seen += 1
            if picked is None and rule.strikes(self._random):
                rule.struck += 1
                picked = rule
        return picked.fault if picked else None
