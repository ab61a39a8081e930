"""The tasks of a client, kept apart from the body of its ``async with``."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVarTuple, Unpack, final

from anyio import (
    AsyncContextManagerMixin,
    CancelScope,
    create_task_group,
    get_cancelled_exc_class,
)

from ._errors import ClientCrashedError
from ._guards import is_group

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable


Args = TypeVarTuple("Args")


def crash_error(cause: Exception) -> ClientCrashedError:
    """Make an error about the crash of a task: one for each who hears of it."""
    error = ClientCrashedError(
        f"a task of the client has crashed, which is a bug in vkanyio: {cause!r}"
    )
    error.__cause__ = cause
    return error


@final
class Services(AsyncContextManagerMixin):
    """A task group for services: its tasks and its body do not touch each other.

    What is raised in the body leaves as itself, never in an exception group, while the
    tasks end with the body. A crash of a task never cancels the body: it is told by
    ``on_crash``, and raised when the body has ended well.

    :param on_crash: called once, synchronously, with the first crash of a task
    :ivar crash: the first crash of a task
    """

    def __init__(self, on_crash: Callable[[Exception], None]) -> None:
        self._on_crash = on_crash
        self.crash: Exception | None = None
        self._scopes: set[CancelScope] = set()

    def start_soon(
        self,
        function: Callable[[Unpack[Args]], Awaitable[None]],
        *args: *Args,
        scope: CancelScope,
        endless: bool = False,
    ) -> None:
        """Start a task.

        :param scope: what to cancel it by; shielded, so that calls still work in the
            clean-up of a cancelled body
        :param endless: whether it may not end by itself
        """
        # Noted here, since the body may leave before the task takes its first step.
        self._scopes.add(scope)
        name = f"vkanyio {function.__qualname__}"
        self._tasks.start_soon(self._run, scope, function, args, endless, name=name)

    async def _run(
        self,
        scope: CancelScope,
        function: Callable[..., Awaitable[None]],
        args: tuple[Any, ...],
        endless: bool,
    ) -> None:
        try:
            with scope:
                await function(*args)
                if endless:
                    self._note_crash(RuntimeError(f"{function.__qualname__} has ended"))
        except Exception as error:  # whatever it is, it is a crash
            self._note_crash(error)
        except get_cancelled_exc_class():
            # asyncio's `Task.cancel` on a task of ours: the group would take it for
            # the end of the body, and the client would stop without a word.
            message = f"{function.__qualname__} was cancelled from outside"
            self._note_crash(RuntimeError(message))
        finally:
            self._scopes.discard(scope)

    def _note_crash(self, cause: Exception) -> None:
        if self.crash is None:
            self.crash = cause
            self._on_crash(cause)

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        """Run the tasks until the body ends."""
        body: BaseException | None = None
        try:
            async with create_task_group() as self._tasks:
                try:
                    yield self
                except get_cancelled_exc_class():
                    raise  # through the group, which keeps the accounts of its scopes
                except BaseException as error:
                    body = error
                finally:
                    for scope in tuple(self._scopes):
                        scope.cancel()
                    self._tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if body is None:
                raise _lone(group) from None
        except get_cancelled_exc_class():
            # On asyncio the end of a task group is a checkpoint: an error that was
            # raised in the clean-up of a cancelled body would be lost to it.
            if body is None:
                raise
        if self._scopes:
            # asyncio again: cancelled before its first step, a task leaves no trace but
            # this, and the group takes it for the end of the body.
            self._note_crash(RuntimeError("a task was cancelled before it began"))
        self._leave(body)

    def _leave(self, body: BaseException | None) -> None:
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
            del body  # it holds this frame by its traceback, and would hold itself


def _lone(error: BaseException) -> BaseException:
    """Take what is no error of a task's, such as Ctrl-C, out of its group."""
    return _lone(error.exceptions[0]) if is_group(error) else error
