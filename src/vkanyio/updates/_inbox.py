"""Updates that VK delivers by the Callback API, until they are handled.

VK sends an update again until it is answered with "ok", perhaps while it is still
being handled. Here, it is one :class:`CallbackDelivery` for all these requests. The
inbox knows neither HTTP nor handlers.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias, final

from anyio import Event
from anyio.lowlevel import current_token

from .._errors import ClientUseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anyio.lowlevel import EventLoopToken

    from ._update import Update

DeliveryKey: TypeAlias = tuple[int, str]
"""A community and an event id."""


@final
class CallbackDelivery:
    """An update that was delivered and not handled yet.

    :ivar ended: set when it was handled, or when it is clear that it will not be
    :ivar is_handled: which of the two
    """

    __slots__ = ("ended", "is_handled", "key", "update")

    def __init__(self, key: DeliveryKey, update: Update[Any]) -> None:
        self.key: DeliveryKey = key
        self.update: Update[Any] = update
        self.ended: Event = Event()
        self.is_handled: bool = False


@final
class Inbox:
    """The deliveries that wait or are being handled, and the ids of those handled.

    :param max_pending: how many may wait or be handled at once
    :param remembered: how many ids to remember
    """

    def __init__(self, max_pending: int, remembered: int) -> None:
        self._max_pending = max_pending
        self._remembered = remembered
        self._pending: dict[DeliveryKey, CallbackDelivery] = {}
        self._waiting: deque[CallbackDelivery] = deque()
        self._handled: dict[DeliveryKey, None] = {}
        self._change = Event()
        self._loop_token: EventLoopToken | None = None
        self._accepts = False

    def open(self) -> None:
        """Accept deliveries from now on.

        :raises ClientUseError: if it is open
        """
        if self._loop_token is not None:
            message = "the receiver's updates are in use: leave their block first"
            raise ClientUseError(message)
        self._loop_token = current_token()
        self._accepts = True

    def stop(self) -> None:
        """Accept nothing more, and refuse what waits; what was taken goes on."""
        self._accepts = False
        while self._waiting:
            self.end(self._waiting[-1], is_handled=False)
        self._change.set()

    def close(self) -> None:
        """Accept nothing more, and refuse all that was not handled."""
        self.stop()
        for delivery in [*self._pending.values()]:
            self.end(delivery, is_handled=False)
        self._loop_token = None

    def check_loop(self) -> None:
        """Raise if updates are taken in another event loop.

        :raises ClientUseError: if so
        """
        if self._loop_token not in (None, current_token()):
            raise ClientUseError(
                "the receiver is served in another event loop than the one that handles"
                " its updates: run both in one"
            )

    def was_handled(self, key: DeliveryKey) -> bool:
        """Return whether an update was handled, as far as that is remembered."""
        return key in self._handled

    def find(self, key: DeliveryKey) -> CallbackDelivery | None:
        """Return the delivery of an update that is not handled yet."""
        return self._pending.get(key)

    def accept(self, key: DeliveryKey, update: Update[Any]) -> CallbackDelivery | None:
        """Accept an update, unless nobody takes updates or there is no room."""
        if not self._accepts or len(self._pending) >= self._max_pending:
            return None
        delivery = self._pending[key] = CallbackDelivery(key, update)
        self._waiting.append(delivery)
        self._change.set()
        return delivery

    async def take(self) -> CallbackDelivery:
        """Wait for the next delivery; a cancelled wait loses nothing.

        :raises StopAsyncIteration: if no more is accepted
        """
        while self._accepts:
            if self._waiting:
                return self._waiting.popleft()
            self._change = Event()
            await self._change.wait()
        raise StopAsyncIteration

    def put_back(self, deliveries: Iterable[CallbackDelivery]) -> None:
        """Let deliveries be taken again, in order, or refuse them after a stop."""
        self._waiting.extendleft(reversed([*deliveries]))
        if not self._accepts:
            self.stop()

    def end(self, delivery: CallbackDelivery, *, is_handled: bool) -> None:
        """End a delivery; one that was handled is remembered."""
        if self._pending.pop(delivery.key, None) is None:
            return
        if not is_handled and delivery in self._waiting:
            self._waiting.remove(delivery)
        delivery.is_handled = is_handled
        delivery.ended.set()
        if is_handled:
            self._handled[delivery.key] = None
            if len(self._handled) > self._remembered:
                del self._handled[next(iter(self._handled))]
