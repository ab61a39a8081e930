"""What is followed by long poll: the interface of a community and of a mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .._address import parse_address
from .._errors import APIError
from .._typeguards import is_dict
from ._answer import LongPollServer, number
from ._errors import UpdatesError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._caller import Caller
    from .._request import APIRequest
    from ._update import Update


class Start(NamedTuple):
    """A server, and where a program begins that has no position.

    :ivar ts: the number of the last update
    :ivar pts: its place in the history, empty where there is no history
    """

    server: LongPollServer
    ts: str
    pts: str = ""


class HistoryPage(NamedTuple):
    """A part of what happened while nobody listened.

    :ivar updates: the updates in it
    :ivar pts: the place in the history after them
    :ivar start: where to go on polling, None if more of the history follows
    """

    updates: Sequence[Update[Any]]
    pts: str
    start: Start | None


class Channel(Protocol):
    """What is followed."""

    @property
    def name(self) -> str:
        """What the log calls it: "community 9"."""
        ...

    @property
    def group_id(self) -> int:
        """The community, 0 for the mailbox of the token."""
        ...

    @property
    def query(self) -> Mapping[str, int]:
        """What a poll says besides its number and its key."""
        ...

    @property
    def has_history(self) -> bool:
        """Whether VK tells what happened while nobody listened."""
        ...

    async def prepare(self) -> None:
        """Find out what is to be followed, and change its settings.

        :raises VKError: if that is not possible
        """
        ...

    async def find_server(self) -> Start:
        """Request a server.

        :raises VKError: as a call does; an APIError says what to do
        """
        ...

    async def read_history(self, ts: str, pts: str) -> HistoryPage | None:
        """Request what happened after a position.

        :return: None if VK does not keep it
        :raises VKError: as a call does
        """
        ...

    def parse(self, raw: Any, place: str) -> Update[Any]:
        """Create an update from what VK sent.

        :param place: distinguishes updates with the same contents
        """
        ...


def read_start(value: object, method: str) -> Start:
    """Read what VK says about a long poll server.

    :param method: what was called, for the error
    :raises UpdatesError: if it is not usable
    """
    found = value if is_dict(value) else {}
    server, key = found.get("server"), found.get("key")
    ts, pts = number(found.get("ts")), number(found.get("pts"))
    if isinstance(server, str) and isinstance(key, str) and ts is not None:
        where = LongPollServer(server, key)
        address = parse_address(where.url)
        if address is not None and address.scheme in ("http", "https"):
            return Start(where, ts, pts or "")
    raise UpdatesError(f"{method} returned no server, or no key")


async def perform(
    caller: Caller, request: APIRequest, advice: Mapping[int, str]
) -> Any:
    """Make a call.

    :param advice: by code, what to do if it fails
    """
    try:
        return await caller.perform(request)
    except APIError as error:
        error.advice = advice.get(error.code, error.advice)
        raise
