"""Events that a client reports while it works: names and times, never values."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Ending: TypeAlias = Literal["value", "error", "cancelled"]
"""How a call or a request ended."""


class CallStarted(NamedTuple):
    """A call was made.

    :ivar call: its number, unique in this process
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
    :ivar requests: how many HTTP requests carried it
    :ivar packed: whether it shared one of them with other calls
    :ivar ending: "value", "error" or "cancelled"
    :ivar error: the name of the error's class
    :ivar code: VK's error code, if VK returned the error
    """

    call: int
    method: str
    at: float
    duration: float
    waited: float | None
    requests: int
    packed: bool
    ending: Ending
    error: str | None = None
    code: int | None = None


class RequestStarted(NamedTuple):
    """An HTTP request is being sent; a retry is a request with its own number.

    :ivar request: its number, unique in this process
    :ivar method: the method in its URL: "execute" for calls that are packed
    :ivar calls: the numbers of the calls that it carries
    :ivar at: when, by the event loop's clock
    """

    request: int
    method: str
    calls: tuple[int, ...]
    at: float


class RequestEnded(NamedTuple):
    """An HTTP request got a response, failed, or was cancelled with its last caller.

    The calls in it may have failed even if it did not: each has a :class:`CallEnded`.

    :ivar request: the number of the request
    :ivar method: the method in its URL
    :ivar calls: the numbers of the calls that it carried
    :ivar at: when it ended, by the event loop's clock
    :ivar duration: seconds since it was sent
    :ivar ending: "value", "error" or "cancelled"
    :ivar error: the name of the error's class
    :ivar code: VK's error code, if VK returned the error
    """

    request: int
    method: str
    calls: tuple[int, ...]
    at: float
    duration: float
    ending: Ending
    error: str | None = None
    code: int | None = None


class PollStarted(NamedTuple):
    """A request for updates is being sent: it lasts until there are some, or for
    ``wait``.

    :ivar poll: its number, unique in this process
    :ivar group_id: the community, 0 for the mailbox of the token
    :ivar at: when, by the event loop's clock
    """

    poll: int
    group_id: int
    at: float


class PollEnded(NamedTuple):
    """VK answered a request for updates, or it failed or was cancelled.

    :ivar poll: the number of the request
    :ivar group_id: the community, 0 for the mailbox of the token
    :ivar at: when it ended, by the event loop's clock
    :ivar duration: seconds since it was sent
    :ivar ending: "value", "error" or "cancelled"
    :ivar updates: how many updates VK sent
    :ivar error: the name of the error's class; None, too, where VK asked for a new key
    """

    poll: int
    group_id: int
    at: float
    duration: float
    ending: Ending
    updates: int = 0
    error: str | None = None


Event: TypeAlias = (
    CallStarted | CallEnded | RequestStarted | RequestEnded | PollStarted | PollEnded
)
"""What ``on_event`` gets."""
