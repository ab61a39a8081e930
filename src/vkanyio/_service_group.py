"""A task group for services, whose tasks and body do not affect each other.

It owns the tasks of a client and their scopes. It knows nothing about what they do.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVarTuple, Unpack, final

from anyio import (
    AsyncContextManagerMixin,
    CancelScope,
    Event,
    create_task_group,
    get_cancelled_exc_class,
)

from ._errors import ClientCrashedError
from ._typeguards import is_group

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable


Args = TypeVarTuple("Args")


def crash_error(cause: Exception) -> ClientCrashedError:
    """Make an error about the crash of a task: a new one for each caller."""
    error = ClientCrashedError(
        f"a background task has crashed, which is a bug in vkanyio: {cause!r}"
    )
    error.__cause__ = cause
    return error


@final
class ServiceGroup(AsyncContextManagerMixin):
    """A task group for services: its tasks and its body do not affect each other.

    An exception raised in the body propagates unchanged, never in an exception group,
    and the tasks end with the body. A crash of a task never cancels the body: it is
    reported to ``on_crash``, and raised when the body has ended without an exception.

    :param on_crash: called once, synchronously, with the first crash of a task
    :ivar crash: the first crash of a task
    :ivar is_orphaned: whether the task that entered it has ended without leaving it:
        another one may leave it then
    """

    def __init__(self, on_crash: Callable[[Exception], None]) -> None:
        self._on_crash = on_crash
        self.crash: Exception | None = None
        self.is_orphaned: bool = False
        self._ended: Event | None = None
        self._is_ending = False
        self._scopes: set[CancelScope] = set()

    def start_soon(
        self,
        function: Callable[[Unpack[Args]], Awaitable[None]],
        *args: *Args,
        scope: CancelScope,
        endless: bool = False,
    ) -> None:
        """Start a task; one that starts when the body has ended is cancelled.

        :param scope: the scope to cancel it by; shielded, so that calls still work in
            the clean-up of a cancelled body
        :param endless: whether the task must not return
        """
        # Registered here, since the body may leave before the task's first step.
        self._scopes.add(scope)
        if self._is_ending:  # a task has taken a last step in the same turn
            scope.cancel()
        name = f"vkanyio {function.__qualname__}"
        self._tasks.start_soon(self._serve, scope, function, args, endless, name=name)

    async def _serve(
        self,
        scope: CancelScope,
        function: Callable[..., Awaitable[None]],
        args: tuple[Any, ...],
        endless: bool,
    ) -> None:
        """Run a task, which ends in one of these ways.

        1. It returns: a crash if it is endless.
        2. Its scope, or that of the group, cancels it: the normal end.
        3. It raises: a crash.
        4. It is cancelled from outside (asyncio's ``Task.cancel``): a crash.
        """
        try:
            with scope:
                await function(*args)
                if endless:
                    self.note_crash(RuntimeError(f"{function.__qualname__} has ended"))
        except Exception as error:
            self.note_crash(error)
        except get_cancelled_exc_class():
            # If somebody calls `Task.cancel()` on one of our tasks (asyncio only), the
            # task group cancels its host and swallows it: the client would stop
            # silently.
            message = f"{function.__qualname__} was cancelled from outside"
            self.note_crash(RuntimeError(message))
        finally:
            self._scopes.discard(scope)
            if self._ended is not None:
                self._ended.set()

    def note_crash(self, cause: Exception) -> None:
        """Note that a task, or what a task would have done, has crashed."""
        if self.crash is None:
            self.crash = cause
            self._on_crash(cause)

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Run the tasks until the body ends."""
        body: BaseException | None = None
        try:
            async with AsyncExitStack() as stack:
                self._tasks = await stack.enter_async_context(create_task_group())
                try:
                    yield self
                except get_cancelled_exc_class():
                    raise  # through the group, whose scopes keep count of cancellations
                except BaseException as error:
                    body = error
                finally:
                    self._is_ending = True
                    for scope in tuple(self._scopes):
                        scope.cancel()
                    if self.is_orphaned:
                        stack.pop_all()  # nobody can leave the task group any more
                        await self._wait_for_tasks()
                    else:
                        self._tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if body is None:
                raise _innermost(group) from None
        except get_cancelled_exc_class():
            # On asyncio the end of a task group is a checkpoint: it would replace an
            # error that was raised in the clean-up of a cancelled body.
            if body is None:
                raise
        if self._scopes:
            # On asyncio a task cancelled before its first step never runs; its scope,
            # still registered, is the only sign. The group takes it for the end of the
            # body.
            self.note_crash(RuntimeError("a task was cancelled before it began"))
        self._leave(body)

    async def _wait_for_tasks(self) -> None:
        while self._scopes:
            self._ended = Event()
            await self._ended.wait()

    def _leave(self, body: BaseException | None) -> None:
        """Raise what leaves the block.

        1. Neither the body nor a task failed: nothing.
        2. Only a task crashed: the crash.
        3. Only the body raised: its exception.
        4. Both: the body's exception, with a note about the crash.
        """
        crash = None if self.crash is None else crash_error(self.crash)
        if body is None:
            if crash is not None:
                raise crash
            return
        if crash is not None:
            body.add_note(str(crash))
        try:
            raise body
        finally:
            del body  # breaks the cycle of the exception, its traceback and this frame


def _innermost(error: BaseException) -> BaseException:
    """Unwrap an exception that is not a crash of a task, such as KeyboardInterrupt."""
    return _innermost(error.exceptions[0]) if is_group(error) else error
