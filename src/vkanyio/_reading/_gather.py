"""A few calls at once: ``api.gather``.

It owns the calls until each has its outcome, or one has failed. It starts no task.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, final

from anyio import Event, get_cancelled_exc_class
from anyio.lowlevel import checkpoint

from .._errors import VKError
from .._masking import mask
from .._pending import is_in_cancelled_scope
from ._settled import check_calls, check_flag, to_request, without_own_frames

if TYPE_CHECKING:
    from .._caller import Caller
    from .._request import APIRequest
    from ._settled import AnyCall

SUBMITTED_AT_ONCE = 25
"""Calls between two checkpoints: the first are sent before the last are submitted."""


async def gather(
    caller: Caller, requests: Iterable[AnyCall], *, return_exceptions: bool
) -> list[Any]:
    """Make calls at once; see :meth:`vkanyio.API.gather`."""
    requests = mask(requests)  # elements may have a secret
    check_calls("requests", requests, Iterable)
    check_flag("return_exceptions", return_exceptions)
    made = _to_requests(requests)
    caller.check_usable()
    gathering = _Gathering(len(made), ends_early=not return_exceptions)
    submitted: list[APIRequest] = []
    try:
        for request in made:
            caller.submit(request, gathering.note_end)
            submitted.append(request)
            if len(submitted) % SUBMITTED_AT_ONCE == 0:
                await checkpoint()
            if gathering.has_ended:
                break
        await gathering.wait()
    finally:
        for request in submitted:
            caller.give_up(request)
    if gathering.error is not None:
        raise gathering.error
    return [_outcome_of(request) for request in made]


def _to_requests(masked: Any) -> list[APIRequest]:
    made: list[APIRequest] = []
    try:
        made.extend(map(to_request, masked.reveal()))
    except (TypeError, ValueError) as error:
        without_own_frames(error).add_note(f"in requests[{len(made)}]")
        raise
    return made


def _outcome_of(request: APIRequest) -> Any:
    try:
        return request.result()
    except VKError as error:
        # Its frames hold the list that it goes into.
        return error.with_traceback(None)


@final
class _Gathering:
    """Waits until calls have ended.

    :param left: how many calls there are
    :param ends_early: whether the first error is the end
    :ivar error: the first error, if that is the end
    """

    def __init__(self, left: int, *, ends_early: bool) -> None:
        self.error: VKError | None = None
        self._left = left
        self._ends_early = ends_early
        self._ended = Event()
        if not left:
            self._ended.set()

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set()

    def note_end(self, request: APIRequest) -> None:
        self._left -= 1
        if self._ends_early and not self.has_ended:
            try:
                request.result()
            except VKError as error:
                self.error, self._left = error, 0
        if self._left == 0:
            self._ended.set()

    async def wait(self) -> None:
        """Wait for the end; it wins over a scope cancelled in the same step."""
        try:
            await self._ended.wait()
        except get_cancelled_exc_class():
            if not self.has_ended or not is_in_cancelled_scope():
                raise
