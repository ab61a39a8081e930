"""The HTTP client of a soak: it records every request that the simulator gets."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, final
from urllib.parse import unquote_plus

import attrs
import httpx
from anyio import current_time

from ._kinds import marks_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio.testing import Simulator


@final
@attrs.define(eq=False, kw_only=True)
class Passage:
    """One HTTP request, as the client saw it.

    :ivar number: its number, counted from 1
    :ivar method: the method in its URL
    :ivar began: when it was sent
    :ivar ended: when its response arrived, or it failed
    :ivar first: number of entries in the ledger before it
    :ivar last: number of entries in the ledger after it
    :ivar refused: whether no connection could be made
    :ivar status: the status of the response, None if there was no complete one
    :ivar code: VK's error for the whole request
    """

    number: int
    method: str
    began: float
    first: int
    ended: float = 0.0
    last: int = 0
    refused: bool = False
    status: int | None = None
    code: int | None = None


@final
class Door:
    """An HTTP client that records the requests it passes on.

    The simulator behind it can be replaced while no request is in flight.

    :param note: called with one line for each request, when it is sent
    :ivar passages: the requests that carried a call, by the call's mark
    :ivar requests: number of requests so far
    :ivar refused: number of requests that could not connect
    :ivar in_flight: number of requests in flight
    :ivar worst: most requests with one token within a second
    """

    def __init__(self, note: Callable[[str], None] | None = None) -> None:
        self.passages: defaultdict[str, list[Passage]] = defaultdict(list)
        self.requests = 0
        self.refused = 0
        self.in_flight = 0
        self.worst = 0
        self._note = note
        self._starts: defaultdict[str, deque[float]] = defaultdict(deque)
        self._client: httpx.AsyncClient | None = None
        self._simulator: Simulator | None = None

    async def lead_to(self, simulator: Simulator | None) -> None:
        """Pass further requests on to another simulator."""
        assert not self.in_flight
        if self._client is not None:
            await self._client.aclose()
        self._simulator = simulator
        self._client = None if simulator is None else simulator.http_client()
        self.passages.clear()
        self._starts.clear()

    async def post(
        self,
        url: str,
        *,
        content: Any,
        headers: dict[str, str],
        follow_redirects: bool,
        timeout: None,  # noqa: ASYNC109 - httpx's own parameter
        extensions: dict[str, Any],
    ) -> httpx.Response:
        """Record a request and pass it on."""
        assert self._client is not None
        assert self._simulator is not None
        ledger = self._simulator.ledger
        self.requests += 1
        passage = Passage(
            number=self.requests,
            method=url.rpartition("/")[2],
            began=current_time(),
            first=len(ledger),
        )
        marks = marks_in(unquote_plus(content.decode()))
        for mark in marks:
            self.passages[mark].append(passage)
        if self._note is not None:
            self._note(f"{passage.began!r} {passage.method} {' '.join(marks)}")
        self._note_start(headers["authorization"], passage.began)
        self.in_flight += 1
        try:
            response = await self._client.post(
                url,
                content=content,
                headers=headers,
                follow_redirects=follow_redirects,
                timeout=timeout,
                extensions=extensions,
            )
            passage.status = response.status_code
            passage.code = _code_in(response)
        except httpx.ConnectError:
            passage.refused = True
            self.refused += 1
            raise
        finally:
            self.in_flight -= 1
            passage.ended = current_time()
            passage.last = len(ledger)
        return response

    def _note_start(self, token: str, now: float) -> None:
        starts = self._starts[token]
        starts.append(now)
        while now - starts[0] >= 1.0:
            starts.popleft()
        self.worst = max(self.worst, len(starts))


def _code_in(response: httpx.Response) -> int | None:
    try:
        code: int | None = response.json()["error"]["error_code"]
    except (ValueError, KeyError, TypeError):
        return None
    return code
