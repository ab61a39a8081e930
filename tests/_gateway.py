"""A gateway between a client and the simulator, which meddles with requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, final
from urllib.parse import parse_qs

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio.testing import Simulator


class Page(NamedTuple):
    """A response of the gateway, instead of VK's.

    :ivar after: whether VK gets the request nevertheless
    """

    status_code: int
    content: bytes
    after: bool = False


NEVER = Page(0, b"")
"""No response at all."""
BAD_GATEWAY = Page(502, b"<html>Bad Gateway</html>")
TOO_LARGE = Page(413, b"<html>Request Entity Too Large</html>")
FORBIDDEN = Page(403, b"<html>Forbidden</html>")
NOT_FOUND = Page(404, b"<html>Not Found</html>")
NOT_JSON = Page(200, b"ERROR")
CUT = Page(200, b'{"response":[{"id":1')
ERROR_1 = Page(200, b'{"error":{"error_code":1,"error_msg":"Unknown error"}}')
ERROR_10 = Page(200, b'{"error":{"error_code":10,"error_msg":"Internal error"}}')


@final
class Gateway:
    """An HTTP client for the simulator, with a gateway on the way.

    :param page_for: returns what the gateway responds itself to a request, None to pass
        it on; called with the code of a script, or the form of a plain call
    :ivar requests: how many requests there were
    """

    def __init__(
        self, simulator: Simulator, page_for: Callable[[str], Page | None]
    ) -> None:
        self.requests = 0
        self._client = simulator.http_client()
        self._page_for = page_for

    async def post(self, url: str, *, content: bytes, **options: Any) -> Any:
        self.requests += 1
        form = content.decode()
        page = self._page_for(parse_qs(form).get("code", [form])[0])
        if page is None or page.after:
            response = await self._client.post(url, content=content, **options)
        if page is not None and not page.status_code:
            await anyio.sleep_forever()
        return response if page is None else page


def size_of(code: str) -> int:
    """Return the number of calls in a script, 1 for a plain call."""
    return max(code.count("API."), 1)
