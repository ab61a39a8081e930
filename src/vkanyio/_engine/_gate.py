"""Which calls of a token may be sent while a captcha is open.

It owns the list of methods with an open captcha. It does not know what is waiting: it
answers for one call at a time, and reports when waiting calls may go.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from anyio import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .._request import APIRequest

logger = logging.getLogger("vkanyio")


@final
class Gate:
    """Holds back calls that VK would count as a flood while a captcha is open.

    :param on_change: called, synchronously, when a question has been asked or answered,
        so that calls that were held back may go
    :ivar is_closed: whether a captcha is open, so that some calls are held back
    :ivar questions: how many questions are open, those that hold back nothing included
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.is_closed: bool = False
        self.questions: int = 0
        self._on_change = on_change
        self._closed_for: Counter[str] = Counter()
        self._opened: Event | None = None  # made when a call waits for it

    def is_open_to(self, request: APIRequest) -> bool:
        """Return whether no captcha holds a call back."""
        if not self.is_closed or request._pending.urgent:
            return True
        return request.method not in self._closed_for and request.reads()

    async def wait(self, request: APIRequest) -> None:
        """Wait until a call may be sent."""
        while not self.is_open_to(request):
            if self._opened is None:
                self._opened = Event()
            await self._opened.wait()

    @contextmanager
    def closed(self, method: str) -> Generator[None]:
        """Hold back writes, and further calls of the method that met the captcha."""
        self._closed_for[method] += 1
        self.is_closed = True
        logger.info(
            "captcha for %s: calls that write are held until it is answered", method
        )
        with self.asked():
            try:
                yield
            finally:
                self._closed_for[method] -= 1
                self._closed_for += Counter()  # removes methods whose count is zero
                self.is_closed = bool(self._closed_for)
                if self._opened is not None:
                    self._opened.set()
                    self._opened = None

    @contextmanager
    def asked(self) -> Generator[None]:
        """Note that a question is open, which holds back no other calls."""
        self.questions += 1
        self._on_change()
        try:
            yield
        finally:
            self.questions -= 1
            self._on_change()
