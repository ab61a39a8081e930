"""The only way to the simulator, where all that passes is written down."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, final
from urllib.parse import unquote_plus

import attrs
import httpx
from anyio import current_time

from ._kinds import marks_in

if TYPE_CHECKING:
    from vkanyio.testing import Simulator


@final
@attrs.define(eq=False, kw_only=True)
class Passage:
    """One HTTP request, as its client saw it.

    :ivar number: which one it is, from 1 on
    :ivar method: the method in its address
    :ivar began: when it left
    :ivar ended: when its answer came, or it was clear that none would
    :ivar first: how many entries the ledger had before it
    :ivar last: how many it has after it
    :ivar refused: whether no connection could be made
    :ivar status: the status of the answer, None if there was no whole one
    :ivar code: the error that was VK's answer to all of it
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
    """A client of HTTP that writes down what passes.

    The simulator behind it can be exchanged while nothing is on its way.

    :ivar passages: the requests that carried a call, by its mark
    :ivar requests: how many there have been of all
    :ivar refused: how many could not connect
    :ivar in_flight: how many are on their way
    :ivar worst: the most of a token that left within a second
    """

    def __init__(self) -> None:
        self.passages: defaultdict[str, list[Passage]] = defaultdict(list)
        self.requests = 0
        self.refused = 0
        self.in_flight = 0
        self.worst = 0
        self._starts: defaultdict[str, deque[float]] = defaultdict(deque)
        self._client: httpx.AsyncClient | None = None
        self._simulator: Simulator | None = None

    async def lead_to(self, simulator: Simulator | None) -> None:
        """Send all that passes from now on to another simulator."""
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
        content: bytes,
        headers: dict[str, str],
        follow_redirects: bool,
        timeout: None,  # noqa: ASYNC109 - httpx's own parameter
        extensions: dict[str, Any],
    ) -> httpx.Response:
        """Let a request through."""
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
        for mark in marks_in(unquote_plus(content.decode())):
            self.passages[mark].append(passage)
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
