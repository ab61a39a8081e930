"""What vkanyio needs of an HTTP client that a user brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import Any


class HTTPResponse(Protocol):
    """What vkanyio needs of an HTTP response.

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
    """What vkanyio needs of an HTTP client: one method.

    ``httpx.AsyncClient`` has it, and so has ``httpx2.AsyncClient``.
    """

    async def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: dict[str, str],
        follow_redirects: bool,
        timeout: None,  # noqa: ASYNC109 - a parameter of httpx, switched off
        extensions: dict[str, Any],
    ) -> HTTPResponse:
        """Send a POST request and read the whole response."""
        ...
