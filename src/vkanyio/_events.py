"""What a client tells of its work while it is at it: names and times, never values."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Outcome: TypeAlias = Literal["value", "error", "cancelled"]


class CallStarted(NamedTuple):
    """A call was made.

    :ivar call: its number, which no other call of this process has
    :ivar method: VK's name of the method
    :ivar at: when, by the event loop's clock (``anyio.current_time()``)
    """

    call: int
    method: str
    at: float


class CallEnded(NamedTuple):
    """A call has its outcome, or its caller was cancelled.

    :ivar call: the number of the call
    :ivar method: VK's name of the method
    :ivar at: when it ended, by the event loop's clock
    :ivar duration: seconds since it was made
    :ivar waited: seconds until it was first sent, None if it never was
    :ivar requests: how many HTTP requests have carried it
    :ivar packed: whether it shared one of them with other calls
    :ivar outcome: "value", "error" or "cancelled"
    :ivar error: the name of the class of the error
    :ivar code: VK's code of the error, if it was VK's
    """

    call: int
    method: str
    at: float
    duration: float
    waited: float | None
    requests: int
    packed: bool
    outcome: Outcome
    error: str | None = None
    code: int | None = None


class RequestStarted(NamedTuple):
    """An HTTP request is being sent: a repetition is one of its own.

    :ivar request: its number, which no other request of this process has
    :ivar method: the method in its address: "execute", for calls that are packed
    :ivar calls: the numbers of the calls that it carries
    :ivar at: when, by the event loop's clock
    """

    request: int
    method: str
    calls: tuple[int, ...]
    at: float


class RequestEnded(NamedTuple):
    """An HTTP request was answered, failed, or was cancelled as nobody waited for it.

    The calls in it may have failed where it did not: each has a :class:`CallEnded`.

    :ivar request: the number of the request
    :ivar method: the method in its address
    :ivar calls: the numbers of the calls that it carried
    :ivar at: when it ended, by the event loop's clock
    :ivar duration: seconds since it was sent
    :ivar outcome: "value", "error" or "cancelled"
    :ivar error: the name of the class of the error
    :ivar code: VK's code of the error, if it was VK's
    """

    request: int
    method: str
    calls: tuple[int, ...]
    at: float
    duration: float
    outcome: Outcome
    error: str | None = None
    code: int | None = None


Event: TypeAlias = CallStarted | CallEnded | RequestStarted | RequestEnded
"""What ``on_event`` gets."""
