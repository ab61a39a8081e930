"""Updates that VK delivers by the Callback API, until they are handled.

VK sends an update again until it is answered with "ok", perhaps while it is still
being handled. Here, it is one :class:`CallbackDelivery` for all these requests. The
inbox knows neither HTTP nor handlers, and no store but its memory.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

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

    :ivar is_checked: whether it may be taken: a store was asked whether it was handled
        before
    :ivar is_handled: whether it was handled
    :ivar ended: set once VK may be answered, with "ok" if it was handled
    """

    __slots__ = ("ended", "is_checked", "is_handled", "key", "update")

    def __init__(self, key: DeliveryKey, update: Update[Any]) -> None:
        self.key: DeliveryKey = key
        self.update: Update[Any] = update
        self.is_checked: bool = False
        self.is_handled: bool = False
        self.ended: Event = Event()


@final
class Inbox:
    """The deliveries that wait or are being handled, and the ids of those handled.

    :param max_pending: how many may wait or be handled at once
    :param remembered: how many ids to remember
    :ivar received: how many updates may be, or were taken
    :ivar handled: how many of them were handled
    """

    def __init__(self, max_pending: int, remembered: int) -> None:
        self.received: int = 0
        self.handled: int = 0
        self._max_pending = max_pending
        self._remembered = remembered
        self._pending: dict[DeliveryKey, CallbackDelivery] = {}
        self._waiting: deque[CallbackDelivery] = deque()
        self._known: dict[DeliveryKey, None] = {}
        self._change = Event()
        self._loop_token: EventLoopToken | None = None
        self._accepts = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        """Return how many deliveries wait or are being handled."""
        return len(self._pending)

    def open(self) -> None:
        """Accept deliveries from now on.

        :raises ClientUseError: if it is open
        """
        if self._loop_token is not None:
            message = (
                "the receiver's updates are already in use: leave their block first"
            )
            raise ClientUseError(message)
        self._loop_token = current_token()
        self._accepts = True
        self._error = None

    def stop(self) -> None:
        """Accept nothing more, and refuse what waits; what was taken goes on."""
        self._accepts = False
        while self._waiting:
            self.dismiss(self._waiting[-1])
        self._change.set()

    def close(self) -> None:
        """Accept nothing more, and refuse all that was not handled."""
        self.stop()
        for delivery in [*self._pending.values()]:
            self.dismiss(delivery)
        self._loop_token = None

    def fail(self, error: Exception) -> None:
        """Raise an error where the next update is taken."""
        self._error = error
        self._change.set()

    def check_loop(self) -> None:
        """Raise if updates are taken in another event loop.

        :raises ClientUseError: if so
        """
        if self._loop_token not in (None, current_token()):
            raise ClientUseError(
                "the receiver is served in another event loop than its updates are"
                " handled in: run both in one event loop"
            )

    def was_handled(self, key: DeliveryKey) -> bool:
        """Return whether an update was handled, as far as that is remembered."""
        return key in self._known

    def find(self, key: DeliveryKey) -> CallbackDelivery | None:
        """Return the delivery of an update that is not handled yet."""
        return self._pending.get(key)

    @property
    def refusal(self) -> Literal["closed", "full"] | None:
        """Why no update is accepted now: nobody takes them, or there is no room."""
        if not self._accepts:
            return "closed"
        return "full" if len(self._pending) >= self._max_pending else None

    def accept(
        self, key: DeliveryKey, update: Update[Any], *, is_checked: bool = True
    ) -> CallbackDelivery:
        """Accept an update, unless there is a :attr:`refusal`.

        :param is_checked: whether it may be taken before :meth:`check`; the updates
            behind it wait for that, too, since their order counts
        """
        delivery = CallbackDelivery(key, update)
        self._pending[key] = delivery
        self._waiting.append(delivery)
        if is_checked:
            self.check(delivery)
        return delivery

    def check(self, delivery: CallbackDelivery) -> None:
        """Let a delivery be taken: it was not handled before."""
        delivery.is_checked = True
        self.received += 1
        self._change.set()

    async def take(self) -> CallbackDelivery:
        """Wait for the next delivery; a cancelled wait loses nothing.

        :raises StopAsyncIteration: if no more is accepted
        :raises Exception: what :meth:`fail` got
        """
        while self._accepts:
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._waiting and self._waiting[0].is_checked:
                return self._waiting.popleft()
            self._change = Event()
            await self._change.wait()
        raise StopAsyncIteration

    def put_back(self, deliveries: Iterable[CallbackDelivery]) -> None:
        """Let deliveries be taken again, in order, or refuse them after a stop."""
        given = [*deliveries]
        for delivery in given:
            if delivery.is_handled:
                self.end(delivery)
        self._waiting.extendleft(d for d in reversed(given) if not d.is_handled)
        if not self._accepts:
            self.stop()

    def note(self, delivery: CallbackDelivery) -> None:
        """Note that a delivery was handled: from now on nobody handles it again."""
        self.handled += 1
        self._remember(delivery)

    def recognize(self, delivery: CallbackDelivery) -> None:
        """End a delivery that was handled in a former life, or by another process."""
        self._remember(delivery)
        self.dismiss(delivery)

    def end(self, delivery: CallbackDelivery) -> None:
        """Let VK be answered about a delivery that was taken."""
        if self._pending.get(delivery.key) is delivery:
            del self._pending[delivery.key]
        delivery.ended.set()

    def dismiss(self, delivery: CallbackDelivery) -> None:
        """Let VK be answered about a delivery, whether or not it was taken."""
        if delivery in self._waiting:
            self._waiting.remove(delivery)
        self.end(delivery)
        self._change.set()  # the one behind it may be the first now

    def _remember(self, delivery: CallbackDelivery) -> None:
        delivery.is_handled = True
        self._known[delivery.key] = None
        if len(self._known) > self._remembered:
            del self._known[next(iter(self._known))]
