"""What the response of a long poll server means. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final
from urllib.parse import urlencode

from .._errors import InvalidResponseError
from .._masking import Secrets, SecretStr, mask
from .._response import read_json, shown_bytes
from .._typeguards import is_dict, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._response import Response

OUTDATED = 1
"""``failed``: VK does not keep what came after the number that it was asked after."""
KEY_EXPIRED = 2
"""``failed``: the key is no longer valid; nothing is lost."""
INFORMATION_LOST = 3
"""``failed``: VK has lost what it knew of the session."""

_HTTP_OK = 200
_MAX_DIGITS = 20
_MAX_SHOWN = 60


@final
class LongPollServer:
    """Where VK hands out updates, and the key that opens it, a secret.

    :param url: VK may leave out its scheme
    """

    __slots__ = ("key", "url")

    def __init__(self, url: str, key: str) -> None:
        self.url: str = url if "://" in url else f"https://{url}"
        self.key: str = mask(key)

    def poll_url(self, ts: str, wait: int, query: Mapping[str, int]) -> str:
        """Return the URL of a request for the updates after a number.

        :param wait: for how many seconds VK holds the request if there are none
        :param query: other parameters
        """
        params = {"act": "a_check", "key": self.key, "ts": ts, "wait": wait, **query}
        separator = "&" if "?" in self.url else "?"
        return SecretStr(f"{self.url}{separator}{urlencode(params)}")


class Arrived(NamedTuple):
    """Updates, or none within the time.

    :ivar ts: the number that VK is to be asked after next
    :ivar pts: its place in the history, empty if VK does not name it
    """

    ts: str
    updates: list[Any]
    pts: str = ""


class Refused(NamedTuple):
    """VK cannot answer.

    :ivar failed: VK's number of the reason
    :ivar ts: the number to go on after, if VK names one
    """

    failed: int
    ts: str | None


Answer: TypeAlias = "Arrived | Refused | InvalidResponseError"


def read_answer(response: Response, key: str) -> Answer:
    """Read the response to a poll, whatever its bytes are.

    :param key: hidden if the response repeats it
    :return: an error, which is not raised, if it is not a response of a long poll
        server
    """
    status, body = response.status_code, response.content
    try:
        value: Any = read_json(body) if status == _HTTP_OK else None
    except (ValueError, RecursionError):
        value = None
    if is_dict(value):
        ts = number(value.get("ts"))
        failed = number(value.get("failed"))
        if failed is not None and (int(failed) != OUTDATED or ts is not None):
            return Refused(int(failed), ts)
        updates = value.get("updates")
        if failed is None and ts is not None and is_list(updates):
            return Arrived(ts, updates, number(value.get("pts")) or "")
    shown = shown_bytes(body, Secrets(key))
    message = (
        "the response is not that of a long poll server"
        f" (HTTP status {status}, begins with {shown[:_MAX_SHOWN]!r})"
    )
    return InvalidResponseError(message, status=status, body=shown)


def number(value: object) -> str | None:
    """Return a number of VK as a text: it sends both numbers and texts."""
    text = str(value) if type(value) in (int, str) else ""
    is_number = text.isdecimal() and text.isascii() and len(text) <= _MAX_DIGITS
    return text if is_number else None
