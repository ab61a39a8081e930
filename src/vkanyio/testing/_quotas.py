"""Limits over longer periods than a second: quotas and flood control."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeAlias, final

import attrs

from ._errors import VKFault

if TYPE_CHECKING:
    from ._call import Call

DAY: Final = 86_400.0

CHANGING: Final = frozenset(
    {
        *("access_token", "captcha_attempt", "captcha_key", "captcha_sid"),
        *("captcha_ts", "confirm", "guid", "lang", "random_id", "success_token", "v"),
    }
)
"""Parameters that may differ between calls of the same action."""

Action: TypeAlias = tuple[object, ...]


@attrs.define(eq=False, kw_only=True)
class _Quota:
    method: str
    calls: int
    seconds: float
    code: int
    message: str | None
    _spent: dict[int | None, tuple[float, int]] = attrs.field(
        factory=dict[int | None, tuple[float, int]]
    )

    def spend(self, call: Call, token: int | None) -> None:
        if call.method != self.method:
            return
        start, spent = self._spent.get(token, (call.time, 0))
        if call.time - start >= self.seconds:
            start, spent = call.time, 0
        if spent >= self.calls:
            raise VKFault(self.code, self.message)
        self._spent[token] = start, spent + 1


@attrs.define(eq=False, kw_only=True)
class _FloodControl:
    method: str | None
    times: int
    seconds: float
    _recent: dict[Action, deque[float]] = attrs.field(
        factory=dict[Action, deque[float]]
    )

    def spend(self, call: Call, token: int | None) -> None:
        if self.method not in (None, call.method):
            return
        given = (pair for pair in call.params.items() if pair[0] not in CHANGING)
        action = token, call.method, *sorted(given)
        recent = self._recent.setdefault(action, deque())
        while recent and call.time - recent[0] >= self.seconds:
            recent.popleft()
        if len(recent) >= self.times:
            raise VKFault(9)
        recent.append(call.time)


@final
class Quotas:
    """The quotas and flood controls that a test has set."""

    def __init__(self) -> None:
        self._limits: list[_Quota | _FloodControl] = []

    def add_quota(
        self, method: str, calls: int, seconds: float, code: int, message: str | None
    ) -> None:
        """Add a quota, as ``Simulator.quota`` describes it."""
        if calls < 0:
            raise ValueError(f"calls must be 0 or more, not {calls}")
        _require_positive("seconds", seconds)
        quota = _Quota(
            method=method, calls=calls, seconds=seconds, code=code, message=message
        )
        self._limits.append(quota)

    def add_flood_control(self, method: str | None, times: int, seconds: float) -> None:
        """Add flood control, as ``Simulator.flood_control`` describes it."""
        _require_positive("times", times)
        _require_positive("seconds", seconds)
        self._limits.append(_FloodControl(method=method, times=times, seconds=seconds))

    def spend(self, call: Call, token: int | None) -> None:
        """Count a call, or refuse it.

        :param call: the call
        :param token: the number of its token
        :raises VKFault: 9, or the code of a quota, usually 29; the call then does not
            count against the limits that were added later
        """
        for limit in self._limits:
            limit.spend(call, token)


def _require_positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name} must be positive, not {value}")
