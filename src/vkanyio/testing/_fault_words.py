"""Faults as words of a command line, such as ``drop-after@wall.post=0.05``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

import attrs

from . import faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._simulator import Simulator
    from .faults import Fault

FORM = "NAME[@METHOD][=RATE]"
FAULTS: dict[str, Callable[[], Fault]] = {
    "refuse": faults.refuse,
    "drop-before": faults.drop_before,
    "drop-after": faults.drop_after,
    "drop-midway": faults.drop_midway,
    "hang-before": faults.hang_before,
    "hang-after": faults.hang_after,
    "html": faults.html,
    "truncated": faults.truncated,
    "captcha": faults.captcha,
    "confirmation": faults.confirmation,
    "validation": faults.validation,
    "expired-token": faults.expired_token,
    "repeated": faults.repeated,
    "silent": faults.silent,
    "drop-upload": faults.drop_upload,
    "stall-upload": faults.stall_upload,
    "early-refusal": faults.early_refusal,
    "too-fast": faults.too_fast,
}
NUMBERED: dict[str, Callable[[int], Fault]] = {
    "error": faults.error,
    "failed": faults.failed,
}
KNOWN = ", ".join([*FAULTS, *(f"{each}:NUMBER" for each in NUMBERED)])
_FAULT = re.compile(
    r"(?P<name>[a-z_-]+)(:?(?P<code>\d+))?(@(?P<method>[\w.]+))?(=(?P<rate>\d+(\.\d+)?))?"
)


@final
@attrs.frozen
class OrderedFault:
    """A fault with its method and its rate.

    :ivar method: the method that it affects, None for all
    :ivar rate: its probability, None if it occurs once
    """

    fault: Fault
    method: str | None
    rate: float | None

    def inject(self, simulator: Simulator) -> None:
        """Add it to a simulator."""
        simulator.fault(self.fault, self.method, rate=self.rate)


def read_fault(word: str) -> OrderedFault:
    """Parse one fault; underscores are hyphens, and ``error6`` is ``error:6``.

    :raises ValueError: if it is not a fault; the message has the reason
    """
    match = _FAULT.fullmatch(word)
    if match is None:
        message = f"{word!r} does not have the form {FORM}; known faults: {KNOWN}"
        raise ValueError(message)
    name, code, rate = match["name"].replace("_", "-"), match["code"], match["rate"]
    if name in NUMBERED and code is not None:
        fault = NUMBERED[name](int(code))
    elif name in FAULTS and code is None:
        fault = FAULTS[name]()
    else:
        raise ValueError(f"{word!r} is not a fault; known faults: {KNOWN}")
    if rate is not None and not 0 <= float(rate) <= 1:
        raise ValueError(f"the rate in {word!r} is not between 0 and 1")
    return OrderedFault(fault, match["method"], None if rate is None else float(rate))
