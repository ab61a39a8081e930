"""Many calls, without a task for each: ``api.stream``.

It owns the task that takes calls from the user's iterable, and the calls until their
results are taken. When they are sent, and what becomes of them, is decided by the
engine, as for any other call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Iterable
from contextlib import nullcontext
from functools import partial
from inspect import isasyncgen
from typing import TYPE_CHECKING, Any, Protocol, Self, final

from anyio import CancelScope, Event, create_task_group, get_cancelled_exc_class
from anyio.lowlevel import checkpoint

from .._async_use import EnteredByAsyncWith, ReadByAsyncFor
from .._errors import ClientClosedError, ClientCrashedError, ClientUseError
from .._masking import mask
from .._typeguards import is_group
from .._wire_checks import shown
from ._settled import (
    SettledCall,
    check_calls,
    check_flag,
    refused,
    to_request,
    without_own_frames,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from .._request import APIRequest
    from ._settled import AnyCall

MAX_PENDING = 1000
"""The largest default of ``max_pending``."""
PENDING_SECONDS = 2.0
"""How long VK needs for as many calls as ``max_pending`` allows by default."""
MAX_IN_A_ROW = 25
"""How many calls are submitted, or results taken, between two checkpoints."""

_NOT_ENTERED = "use the stream inside `async with api.stream(...) as settled:`"
_LEFT = "the block of the stream has been left, so its calls are abandoned"


class StreamCaller(Protocol):
    """What makes the calls of a stream: a part of :class:`Caller`."""

    def submit(
        self, request: APIRequest, on_end: Callable[[APIRequest], None], /
    ) -> None:
        """Accept a request without a task that waits for it."""
        ...

    def give_up(self, request: APIRequest, /) -> None:
        """Abandon a request that was submitted."""
        ...

    def check_usable(self) -> None:
        """Raise unless calls can be made here and now."""
        ...

    @property
    def calls_a_second(self) -> float:
        """How many calls VK takes in a second."""
        ...


@final
class CallStream(EnteredByAsyncWith, ReadByAsyncFor):
    """Calls in flight, and their results: ``async with api.stream(calls) as settled:``.

    Iterate over it inside its block, in one task or in several. A task that is
    cancelled while it waits loses no result: the next task that asks gets it.
    """

    __module__ = "vkanyio"

    def __init__(
        self,
        caller: StreamCaller,
        calls: Iterable[AnyCall] | AsyncIterable[AnyCall],
        *,
        ordered: bool,
        max_pending: int | None,
        tokens: int = 1,
        block: AbstractContextManager[object] | None = None,
    ) -> None:
        calls = mask(calls)  # elements may have a secret
        check_calls("calls", calls, Iterable, AsyncIterable)
        check_flag("ordered", ordered)
        _check_max_pending(max_pending)
        self._caller = caller
        self._max_default = MAX_PENDING * tokens
        self._block = nullcontext() if block is None else block
        self._calls: Any = calls
        self._max_pending = max_pending
        self._why_not: str | None = _NOT_ENTERED  # it cannot be iterated over
        self._feeder = CancelScope(shield=True)  # it ends with the block
        self._is_fed = False
        self._feeding_error: Exception | None = None
        self._count = 0  # of the elements that were taken
        self._room = 0  # for calls in flight and results that are not taken yet
        self._refill = 1
        self._more_room: Event | None = None
        self._under_way: dict[int, APIRequest] = {}
        self._out_of_turn: dict[int, SettledCall] | None = {} if ordered else None
        self._next_index = 0
        self._ready: deque[SettledCall] = deque()
        self._more_ready: Event | None = None
        self._taken_in_a_row = 0

    async def __aenter__(self) -> Self:
        if self._why_not is not _NOT_ENTERED:
            message = (
                "a stream can be entered only once: create a new one with"
                " `api.stream(...)`"
            )
            raise ClientUseError(message)
        self._caller.check_usable()
        taken = round(PENDING_SECONDS * self._caller.calls_a_second)
        self._room = self._max_pending or min(self._max_default, max(1, taken))
        # Whole batches, but not so large that VK has to wait for them.
        self._refill = max(1, min(MAX_IN_A_ROW, self._room // 4))
        self._tasks = await create_task_group().__aenter__()
        self._block.__enter__()
        self._tasks.start_soon(self._feed, name="vkanyio CallStream")
        self._why_not = None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """Give up what has not settled.

        1. The body ended or raised: the task group does not see that, so an exception
           propagates unchanged.
        2. It was cancelled: through the task group, whose scopes keep count of
           cancellations.
        """
        __tracebackhide__ = True  # pytest shows the user's own line instead
        self._why_not = _LEFT
        self._wake_consumers()
        self._feeder.cancel()
        is_cancelled = isinstance(error, get_cancelled_exc_class())
        seen = (kind, error, traceback) if is_cancelled else (None, None, None)
        is_caught = False
        try:
            is_caught = bool(await self._tasks.__aexit__(*seen)) and is_cancelled
        except BaseExceptionGroup as group:
            raise _innermost(group) from error
        except get_cancelled_exc_class():
            # On asyncio the end of a task group is a checkpoint: it would replace the
            # error of the body.
            if error is None or is_cancelled:
                raise
        finally:
            self._give_up()  # after the feeder has ended: it may have been submitting
            self._block.__exit__(None, None, None)
        if not self._is_fed and (error is None or is_caught):
            # On asyncio, a task cancelled before its first step never runs, and the
            # task group takes that for the end of the body.
            raise _cancelled_from_outside()
        return is_caught

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SettledCall:
        if self._taken_in_a_row == MAX_IN_A_ROW:
            await checkpoint()
            self._taken_in_a_row = 0
        while True:
            if self._why_not is not None:
                raise ClientUseError(self._why_not)
            if self._ready:
                return self._take()
            if self._is_fed and not self._under_way:
                self._end()
            if self._more_ready is None:
                self._more_ready = Event()
            await self._more_ready.wait()
            self._taken_in_a_row = 0

    def _take(self) -> SettledCall:
        self._taken_in_a_row += 1
        self._room += 1
        if self._more_room is not None and self._room >= self._refill:
            self._more_room.set()
            self._more_room = None
        return self._ready.popleft()

    def _end(self) -> None:
        """End the iteration, or raise the error that ended the feeding, once."""
        error, self._feeding_error = self._feeding_error, None
        if error is None:
            raise StopAsyncIteration
        raise error

    async def _feed(self) -> None:
        """Submit calls for as long as there are any; an error waits for the results."""
        try:
            with self._feeder:
                await self._submit_all()
        except Exception as error:
            self._feeding_error = without_own_frames(error)
        except get_cancelled_exc_class():
            # asyncio's `Task.cancel` on this task, or on one that `calls` waits for.
            self._feeding_error = _cancelled_from_outside()
        finally:
            self._is_fed = True
            self._wake_consumers()
        if self._why_not is not None:  # its clean-up may take long
            self._give_up()
        if isasyncgen(self._calls.reveal()):  # else the garbage collector closes it
            await self._calls.reveal().aclose()

    async def _submit_all(self) -> None:
        await checkpoint()  # the block may have been left by now
        if isinstance(self._calls.reveal(), AsyncIterable):
            async for element in self._calls.reveal():
                self._submit(element)
                if self._must_pause:
                    await self._pause()
        else:
            for element in self._calls.reveal():
                self._submit(element)
                if self._must_pause:
                    await self._pause()

    def _submit(self, element: Any) -> None:
        index, self._count = self._count, self._count + 1
        self._room -= 1
        try:
            request = self._under_way[index] = to_request(element)
            self._caller.submit(request, partial(self._note_end, index))
        except (ClientClosedError, ClientCrashedError):
            del self._under_way[index]
            raise
        except Exception as error:  # of `to_vk()`, it may be any
            self._under_way.pop(index, None)
            self._deliver(refused(index, element, error))

    @property
    def _must_pause(self) -> bool:
        return not self._room or self._count % MAX_IN_A_ROW == 0

    async def _pause(self) -> None:
        """Wait for room, or let the first calls be sent."""
        if self._room:
            await checkpoint()
        else:
            self._more_room = Event()
            await self._more_room.wait()

    def _note_end(self, index: int, request: APIRequest) -> None:
        if self._under_way.pop(index, None) is not None:  # else it was given up
            self._deliver(SettledCall(index, request, request.method, request.params))

    def _deliver(self, call: SettledCall) -> None:
        """Put a result where the next consumer takes it, if it is its turn."""
        if self._out_of_turn is None:
            self._ready.append(call)
        else:
            self._out_of_turn[call.index] = call
            while self._next_index in self._out_of_turn:
                self._ready.append(self._out_of_turn.pop(self._next_index))
                self._next_index += 1
        if self._ready:
            self._wake_consumers()

    def _wake_consumers(self) -> None:
        if self._more_ready is not None:  # once, whatever else settles in this step
            self._more_ready.set()
            self._more_ready = None

    def _give_up(self) -> None:
        given_up, self._under_way = self._under_way, {}
        for request in given_up.values():
            self._caller.give_up(request)


def _check_max_pending(value: object) -> None:
    if value is None:
        return
    message = f"max_pending must be a whole number of at least 1, got {shown(value)}"
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(message)
    if value < 1:
        raise ValueError(message)


def _cancelled_from_outside() -> ClientUseError:
    message = (
        "the task that takes calls from `calls` was cancelled from outside, so the"
        " stream is not complete: cancel the task that reads the stream instead"
    )
    return ClientUseError(message)


def _innermost(error: BaseException) -> BaseException:
    """Unwrap what ended the feeder: KeyboardInterrupt, or an error of a clean-up."""
    return _innermost(error.exceptions[0]) if is_group(error) else error
