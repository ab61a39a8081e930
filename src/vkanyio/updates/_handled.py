"""A store of the user's that remembers which updates were handled.

It bounds how long the store may take, and never hides that it fails. The memory of the
process is the business of the :class:`Inbox`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

from anyio import CancelScope, current_time, fail_after, get_cancelled_exc_class

from .._wire_checks import shown
from ._errors import UpdatesError

if TYPE_CHECKING:
    from ._inbox import CallbackDelivery, Inbox

SAVE_SECONDS = 5.0
"""For saving an id: a worker waits for that, also if it is cancelled."""
MAX_FAILING_SECONDS = 180.0
"""For how long a store may fail: what is handled meanwhile may be handled again."""

_NOT_FOUND_OUT = (
    "%s could not say whether an update was handled, and VK is asked to repeat it: %s"
)
_NOT_SAVED = (
    "%s could not remember an update that was handled; if VK repeats it to another"
    " process, it is handled again: %s"
)

logger = logging.getLogger("vkanyio")


@runtime_checkable
class HandledStore(Protocol):
    """Remembers which updates were handled, such as in a table of a database.

    Calls may overlap. Entries may be removed after some hours, since VK does not repeat
    an update for ever.
    """

    async def contains(self, group_id: int, event_id: str, /) -> bool:
        """Return whether an update was handled."""
        ...

    async def add(self, group_id: int, event_id: str, /) -> None:
        """Remember that an update was handled; it may be remembered already."""
        ...


@final
class HandledKeeper:
    """Keeps a store and an inbox in agreement.

    :ivar failures: how often the store has failed
    """

    def __init__(self, store: HandledStore, inbox: Inbox) -> None:
        self.failures: int = 0
        self._store = store
        self._inbox = inbox
        self._failing_since: float | None = None

    async def look_up(self, delivery: CallbackDelivery, seconds: float) -> bool:
        """Find out whether a delivery that was accepted was handled before.

        It is refused if the store fails or this task is cancelled, so that VK sends it
        again.

        :param seconds: for how long the store may take
        :return: whether the store has answered
        """
        is_known: bool | None = None
        try:
            with fail_after(seconds):
                is_known = await self._store.contains(*delivery.key)
        except Exception as error:
            self._note_failure(_NOT_FOUND_OUT, error)
        finally:
            if is_known is None:
                self._inbox.dismiss(delivery)
        if is_known is None:
            return False
        self._failing_since = None
        settle = self._inbox.recognize if is_known else self._inbox.check
        settle(delivery)
        return True

    async def save(self, delivery: CallbackDelivery) -> None:
        """Save that a delivery was handled; only a native cancellation is raised.

        It is shielded, since the update has taken effect.
        """
        try:
            with CancelScope(shield=True), fail_after(SAVE_SECONDS):
                await self._store.add(*delivery.key)
        except Exception as error:
            self._note_failure(_NOT_SAVED, error)
        except get_cancelled_exc_class() as error:  # by Task.cancel() of asyncio
            self._note_failure(_NOT_SAVED, error)
            raise
        else:
            self._failing_since = None

    def _note_failure(self, text: str, error: BaseException) -> None:
        self.failures += 1
        now = current_time()
        if self._failing_since is None:
            self._failing_since = now
        store, reason = shown(self._store), str(error) or type(error).__name__
        logger.warning(text, store, reason)
        if now - self._failing_since >= MAX_FAILING_SECONDS:
            minutes = MAX_FAILING_SECONDS / 60
            problem = UpdatesError(
                f"the store of handled updates, {store}, has failed for {minutes:g}"
                f" minutes: {reason}"
            )
            problem.__cause__ = error
            self._inbox.fail(problem)
