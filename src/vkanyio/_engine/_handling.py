"""The user's async functions that the client asks, and the calls that they make.

It owns no task beyond one run of a function. What is asked, and what an answer means,
is decided by ``_questions`` and ``_credentials``.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, final

from anyio import create_task_group, get_cancelled_exc_class

from .._masking import kind_of
from .._pending import is_in_cancelled_scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextvars import Context

_handling: ContextVar[Handling | None] = ContextVar("handling", default=None)


@final
class Handling:
    """One run of a user's function.

    :param subject: what it is asked for
    """

    def __init__(self, subject: object) -> None:
        self.subject: object = subject
        self.goes_on: bool = True


class HandlerFailed(Exception):
    """A user's function raised."""

    def __init__(self, problem: BaseException) -> None:
        super().__init__(problem)
        self.problem = problem


def in_handler() -> bool:
    """Return whether this task is a user's handler, or was started by one.

    The calls that it makes go ahead of those that wait for the answer.
    """
    handling = _handling.get()
    return handling is not None and handling.goes_on


def handles(subject: object) -> bool:
    """Return whether this task is a handler that was asked for something."""
    handling = _handling.get()
    return handling is not None and handling.goes_on and handling.subject is subject


async def consult(
    function: Callable[[Any], Awaitable[Any]],
    argument: Any,
    *,
    context: Context,
    name: str,
    subject: object = None,
) -> Any:
    """Call a user's function in a separate task, and return what it returns.

    A task gets the context variables of the task that starts it, on trio and on
    asyncio.

    :param context: the context variables that it sees
    :param name: the name of its task
    :param subject: what it is asked for
    :raises HandlerFailed: if it raised, unless that is the cancellation of this task
    """
    answers: list[Any] = []

    async def run() -> None:
        handling = Handling(subject)
        _handling.set(handling)
        try:
            answers.append(await _answer_of(function, argument))
        finally:
            handling.goes_on = False  # for tasks that the function has left behind

    async with create_task_group() as tasks:
        context.copy().run(partial(tasks.start_soon, run, name=name))
    [answer] = answers
    if isinstance(answer, HandlerFailed):
        raise answer
    return answer


async def _answer_of(function: Callable[[Any], Awaitable[Any]], argument: Any) -> Any:
    """Return what a user's function returns, or why it failed."""
    try:
        answer = function(argument)
        if not isawaitable(answer):
            name = getattr(function, "__qualname__", type(function).__qualname__)
            message = (
                f"{name} must be an async function, but it returned {kind_of(answer)}"
            )
            raise TypeError(message)
        return await answer
    except Exception as problem:
        return HandlerFailed(problem)
    except get_cancelled_exc_class() as problem:
        if is_in_cancelled_scope():
            raise
        # asyncio: the function awaited something that was cancelled elsewhere.
        return HandlerFailed(problem)
