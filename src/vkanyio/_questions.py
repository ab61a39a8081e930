"""VK's questions to a person, put to the user's functions one at a time."""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import ContextVar
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, final

from anyio import Lock, get_cancelled_exc_class

from ._captcha import (
    MOST_ATTEMPTS,
    Captcha,
    CaptchaTrial,
    Confirmation,
    Validation,
)
from ._checks import check_token
from ._errors import (
    CaptchaError,
    ConfirmationError,
    TransportError,
    ValidationError,
)
from ._guards import is_group

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._config import Config
    from ._dispatch import Exchange
    from ._response import Outcome

_handling: ContextVar[Handling | None] = ContextVar("handling", default=None)


def in_handler() -> bool:
    """Return whether this task runs one of the functions, or was started by one.

    A call that it makes goes ahead of those that wait until the function has answered.
    """
    handling = _handling.get()
    return handling is not None and handling.goes_on


@final
class Questions:
    """Puts VK's questions to the functions of the configuration, one at a time.

    :ivar answered: how many captchas and validations have been answered. A call that
        was sent before the last of these is sent again without asking: the answer may
        serve it, too
    """

    def __init__(self, config: Config) -> None:
        self.answered: int = 0
        self._turn = Lock()
        self._ask: dict[type, Callable[[Exchange, Any], Awaitable[Outcome]]] = {}
        if config.on_captcha is not None:
            self._ask[CaptchaError] = partial(self._captcha, config.on_captcha)
        if config.on_confirmation is not None:
            ask = partial(self._confirmation, config.on_confirmation)
            self._ask[ConfirmationError] = ask
        if config.on_validation is not None:
            self._ask[ValidationError] = partial(self._validation, config.on_validation)

    async def resolve(self, exchange: Exchange, outcome: Outcome) -> Outcome:
        """Have VK's questions about a call answered, and return what became of it."""
        if exchange.request.slot.urgent:
            return outcome  # a question about the answer to a question
        asked: set[type] = set()
        while self._is_question(outcome) and type(outcome) not in asked:
            kind = type(outcome)
            is_captcha = kind is CaptchaError
            with exchange.holding_back() if is_captcha else nullcontext():
                async with self._turn:
                    is_new = exchange.answered_at_send == self.answered
                    if is_new:
                        outcome = await self._put(exchange, outcome)
                if not is_new:
                    outcome = await exchange.send_again({})
            if is_new and type(outcome) is kind:
                break  # the answer did not help
            if is_new and not is_captcha:  # captchas are counted by their answers
                asked.add(kind)
        return outcome

    async def _put(self, exchange: Exchange, question: Outcome) -> Outcome:
        handling = Handling()
        mark = _handling.set(handling)
        try:
            return await self._ask[type(question)](exchange, question)
        finally:
            handling.goes_on = False  # for the tasks that it has left behind
            _handling.reset(mark)

    def _is_question(self, outcome: Outcome) -> bool:
        return type(outcome) in self._ask

    async def _captcha(
        self,
        on_captcha: Callable[[Captcha], Awaitable[None]],
        exchange: Exchange,
        error: CaptchaError,
    ) -> Outcome:
        while exchange.captcha_answers < MOST_ATTEMPTS:
            trial = CaptchaTrial(exchange, error, self._is_question)
            problem: BaseException | None = None
            try:
                await _consult(exchange, on_captcha, Captcha(trial))
            except _HandlerFailed as failed:
                problem = failed.problem
            await trial.close()
            if trial.outcome is not None:
                if not isinstance(trial.outcome, TransportError):
                    self.answered += 1
                    exchange.answered_at_send = self.answered
                return trial.outcome
            refused = trial.error is not error
            if not refused or not (problem is None or _is_refusal(problem)):
                trial.error.__cause__ = problem
                return trial.error
            error = trial.error
        return error

    async def _confirmation(
        self,
        on_confirmation: Callable[[Confirmation], Awaitable[bool]],
        exchange: Exchange,
        error: ConfirmationError,
    ) -> Outcome:
        text = str(error.raw.get("confirmation_text", ""))
        question = Confirmation(text=text, request=exchange.request, raw=error.raw)
        try:
            agreed = await _consult(exchange, on_confirmation, question)
        except _HandlerFailed as failed:
            error.__cause__ = failed.problem
            return error
        if not agreed:
            return error
        exchange.extra["confirm"] = 1
        return await exchange.send_again({})

    async def _validation(
        self,
        on_validation: Callable[[Validation], Awaitable[str]],
        exchange: Exchange,
        error: ValidationError,
    ) -> Outcome:
        uri = error.raw.get("redirect_uri")
        question = Validation(redirect_uri=uri, request=exchange.request, raw=error.raw)
        try:
            token = await _consult(exchange, on_validation, question)
            check_token("the answer of on_validation", token)
        except _HandlerFailed as failed:
            error.__cause__ = failed.problem
            return error
        except (TypeError, ValueError) as problem:
            error.__cause__ = problem.with_traceback(None)  # the token is in its frames
            return error
        exchange.replace_token(token)
        self.answered += 1
        return await exchange.send_again({})


@final
class Handling:
    """One run of a function that answers a question."""

    goes_on = True


class _HandlerFailed(Exception):
    """A function of the user's raised."""

    def __init__(self, problem: BaseException) -> None:
        super().__init__(problem)
        self.problem = problem


async def _consult(
    exchange: Exchange, function: Callable[[Any], Awaitable[Any]], question: Any
) -> Any:
    try:
        pending = function(question)
        if not isawaitable(pending):
            message = f"it must be an async function, and returned {pending!r}"
            raise TypeError(message)
        return await pending
    except Exception as problem:
        raise _HandlerFailed(problem) from problem
    except get_cancelled_exc_class() as problem:
        if exchange.is_cancelled():
            raise
        # asyncio: the function awaited something that was cancelled elsewhere.
        raise _HandlerFailed(problem) from problem


def _is_refusal(problem: BaseException) -> bool:
    """Return whether the function let VK's refusal through, and nothing else."""
    if is_group(problem):
        return all(_is_refusal(inner) for inner in problem.exceptions)
    return isinstance(problem, CaptchaError)
