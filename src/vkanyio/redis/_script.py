"""The script in Redis: its keys, its arguments, and what it returns."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from ._share import max_gap, silence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._limiter import RequestMode
    from ._permits import SharedPermit

FORMAT = 1
"""The version of the data in Redis, and of what the script does with them."""
PARTS = ("permits", "state", "processes")
PROCESSES = 2
"""Which of the keys has the processes."""
OTHER_FORMAT = "VKANYIO"
"""Begins the error for data of another format."""
PERSON = b"vkanyio limit"
"""What the hash is for, so that it differs from other hashes of the same name."""


# Read once: an update of the package may replace it while the process runs.
_SCRIPT = Path(__file__).with_name("permits.lua").read_text(encoding="utf-8")


def read_script() -> str:
    """Return the text of the script."""
    return _SCRIPT


def keys_of(name: str) -> list[str]:
    """Return the keys of a limit: in Redis Cluster, all in the same slot.

    :param name: the name of the limit, which Redis does not get to see
    """
    hashed = blake2b(name.encode(), digest_size=16, person=PERSON).hexdigest()
    return [f"vkanyio:{FORMAT}:{{{hashed}}}:{part}" for part in PARTS]


@attrs.frozen(kw_only=True)
class Question:
    """What a process asks, and what it reports; times are those of Redis, in seconds.

    :ivar process: the name of the process
    :ivar margin: the part of the window that is kept free
    :ivar reset_since: if nobody can know which requests have started lately: what Redis
        has returned as `resume` before; another process may have seen to it since
    :ivar is_refused: whether VK has refused a request as one too many
    :ivar not_before: when the next request may start, by the event loop's clock
    :ivar pause: seconds until then
    :ivar wanted: the name for a new permit, or an empty string
    :ivar doubtful: the permit that is looked at again
    :ivar processes: how many processes there are, 0 if that is not known
    :ivar corrections: the names of permits, each with the time at which its request
        starts, or None if it was not used
    :ivar reported: the same, by the event loop's clock
    """

    process: str
    limit: int
    request_mode: RequestMode
    window: float
    margin: float
    reset_since: float | None
    is_refused: bool
    not_before: float
    pause: float
    wanted: str
    doubtful: SharedPermit | None
    processes: int
    corrections: Mapping[str, float | None]
    reported: Mapping[str, float | None]

    def arguments(self) -> list[str | int | float]:
        """Return the arguments of the script."""
        arguments: list[str | int | float] = [
            self.process,
            self.limit,
            _microseconds(self.window),
            self.margin,
            int(self.request_mode == "sequential"),
            _microseconds(silence(self.window)),
            "" if self.reset_since is None else _microseconds(self.reset_since),
            int(self.is_refused),
            _microseconds(self.pause),
            self.wanted,
            self.doubtful.name if self.doubtful else "",
            self.processes,
            _microseconds(max_gap(self.window)),
        ]
        for name, at in self.corrections.items():
            arguments += [name, "" if at is None else _microseconds(at)]
        return arguments


class ScriptAnswer(NamedTuple):
    """What the script returns; times are those of Redis, in seconds.

    :ivar now: when it ran
    :ivar resume: no permit is for an earlier time
    :ivar processes: how many processes were there in the last half minute
    :ivar penalty: the part of the window that is kept free, since VK refused requests
    :ivar at: when the request of the new permit may start
    :ivar is_granted: whether there is a new permit; it is too early to ask otherwise
    :ivar moved_to: when the request of the other permit may start, None if it is void
    :ivar other_limit: the limit that the process before this one had
    """

    now: float
    resume: float
    processes: int
    penalty: float
    at: float
    is_granted: bool
    moved_to: float | None
    other_limit: int


def read_answer(values: list[Any]) -> ScriptAnswer:
    """Read what the script has returned.

    :raises ValueError: if it is something else
    """
    try:
        now, resume, processes, penalty, at, granted, moved_to, other_limit = values
        return ScriptAnswer(
            now=int(now) / 1e6,
            resume=int(resume) / 1e6,
            processes=int(processes),
            penalty=float(penalty),
            at=int(at) / 1e6,
            is_granted=bool(granted),
            moved_to=None if int(moved_to) < 0 else int(moved_to) / 1e6,
            other_limit=int(other_limit),
        )
    except (TypeError, ValueError):
        message = "Redis returned something that the script never returns"
        raise ValueError(message) from None


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)
