"""What vkanyio requires of a user's HTTP client, and what it refuses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterable
    from typing import Any


class HTTPResponse(Protocol):
    """What vkanyio requires of an HTTP response.

    If it also has ``headers``, a mapping, their ``Retry-After`` is respected.
    """

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def content(self) -> bytes:
        """The whole body."""
        ...


class HTTPClient(Protocol):
    """What vkanyio requires of an HTTP client: one method.

    ``httpx.AsyncClient`` has it, and so has ``httpx2.AsyncClient``.
    """

    async def post(
        self,
        url: str,
        *,
        content: bytes | AsyncIterable[bytes],
        headers: dict[str, str],
        follow_redirects: bool,
        timeout: None,  # noqa: ASYNC109 - a parameter of httpx, switched off
        extensions: dict[str, Any],
    ) -> HTTPResponse:
        """Send a POST request and read the whole response."""
        ...


_LIBRARIES = ("httpx", "httpx2")
_REFUSED_HEADERS = ("content-length", "cookie", "host", "transfer-encoding")


def check_http_client(name: str, client: Any) -> None:
    """Refuse a client of httpx that would change each request silently.

    Not refused: what it does to requests explicitly, by its transport and its event
    hooks, and what the headers and the URL of a request override.

    :param name: the option that holds it
    :param client: any object; only clients of httpx and httpx2 are checked
    :raises ValueError: if it would
    """
    found = [getattr(sys.modules.get(each), "AsyncClient", None) for each in _LIBRARIES]
    # A client exists only if its library is loaded.
    classes = tuple(each for each in found if isinstance(each, type))
    if not isinstance(client, classes):
        return
    problem = _addition(client)
    if problem is not None:
        message = f"{name} must be a client without {problem}"
        raise ValueError(message)


def _addition(client: Any) -> str | None:
    if client.auth is not None:
        return (
            "auth: it would replace the token. Remove it from the client; put the"
            " login for a proxy into its URL"
        )
    if client.params:
        return (
            "params: they would be added to the URL of each request. Remove them from"
            " the client, and pass parameters to the calls"
        )
    # Those of a server, which has set them for itself, have its domain.
    if any(not cookie.domain for cookie in client.cookies.jar):
        return (
            "cookies: they would be sent with each request. Remove them from the"
            " client, or pass them to VK by headers="
        )
    for header in _REFUSED_HEADERS:
        if header in client.headers:
            return (
                f"the header {header!r}, which would be sent with each request. Remove"
                " it from the client"
            )
    return None
