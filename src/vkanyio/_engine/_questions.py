"""VK's questions to a person, passed to the user's functions one at a time.

It owns the turn to ask, and counts the answers. It does not send: the call that VK
asks about does.
"""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, final

from anyio import Lock

from .._captcha import Captcha, Confirmation, Validation
from .._errors import (
    CaptchaError,
    ConfirmationError,
    TransportError,
    ValidationError,
)
from .._masking import mask
from .._typeguards import is_group
from .._wire_checks import check_token
from ._captcha_session import MAX_ANSWERS, CaptchaSession
from ._handling import HandlerFailed, consult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._config import Config
    from .._outcome import Outcome
    from ._captcha_session import QuestionedCall


@final
class Questions:
    """Passes VK's questions to the functions of the configuration, one at a time.

    :ivar answered: how many captchas and validations have been answered. A call that
        was sent before the last answer is sent again without asking: the answer may
        apply to it, too
    :ivar are_answered: whether there is a function for any of them
    """

    def __init__(self, config: Config) -> None:
        self.answered: int = 0
        self._turn = Lock()
        self._ask: dict[type, Callable[[QuestionedCall, Any], Awaitable[Outcome]]] = {}
        if config.on_captcha is not None:
            self._ask[CaptchaError] = partial(self._captcha, config.on_captcha)
        if config.on_confirmation is not None:
            ask = partial(self._confirmation, config.on_confirmation)
            self._ask[ConfirmationError] = ask
        if config.on_validation is not None:
            self._ask[ValidationError] = partial(self._validation, config.on_validation)
        self.are_answered: bool = bool(self._ask)
        self._functions = _functions_of(config)

    def have_functions_of(self, config: Config) -> bool:
        """Return whether these are the functions of a configuration."""
        return self._functions == _functions_of(config)

    async def resolve(self, call: QuestionedCall, outcome: Outcome) -> Outcome:
        """Have VK's questions about a call answered, and return its final outcome.

        The cases, in each round:

        1. The outcome is not a question that a function answers, or it is a question of
           a kind that was answered before: it is final.
        2. Another call's question was answered after this call was sent: the call is
           sent again, without asking.
        3. Otherwise the function is asked. If VK repeats the question, the answer did
           not help, and the question is the final outcome.

        Captchas count their answers themselves, so a call may meet one again later.
        """
        if call.is_urgent:
            return outcome  # a question about the answer to a question
        asked: set[type] = set()
        while self._is_question(outcome) and type(outcome) not in asked:
            kind = type(outcome)
            is_captcha = kind is CaptchaError
            with call.holding_back() if is_captcha else call.asked():
                async with self._turn:
                    is_new = call.answered_at_send == self.answered
                    if is_new:
                        outcome = await self._ask[kind](call, outcome)
                if not is_new:
                    outcome = await call.send_again({})
            if is_new and type(outcome) is kind:
                break
            if is_new and not is_captcha:
                asked.add(kind)
        return outcome

    def _is_question(self, outcome: Outcome) -> bool:
        return type(outcome) in self._ask

    async def _captcha(
        self,
        on_captcha: Callable[[Captcha], Awaitable[None]],
        call: QuestionedCall,
        error: CaptchaError,
    ) -> Outcome:
        """Ask for answers to a captcha until VK accepts one.

        The cases, after each run of the function:

        1. VK accepted an answer: the outcome of the call is returned.
        2. The function sent no answer, or raised something of its own: the captcha is
           raised, with the function's exception as its cause.
        3. VK refused the answer, and the function let that pass or raised it: there is
           a new captcha, and the function is asked again, up to five answers.
        """
        while call.captcha_answers < MAX_ANSWERS:
            session = CaptchaSession(call, error, self._is_question)
            problem: BaseException | None = None
            try:
                await _consult(call, on_captcha, Captcha(session))
            except HandlerFailed as failed:
                problem = failed.problem
            await session.close()
            if session.outcome is not None:
                if not isinstance(session.outcome, TransportError):
                    self.answered += 1
                    call.answered_at_send = self.answered
                return session.outcome
            refused = session.error is not error
            if not refused or not (problem is None or _is_refusal(problem)):
                session.error.__cause__ = problem
                return session.error
            error = session.error
        return error

    async def _confirmation(
        self,
        on_confirmation: Callable[[Confirmation], Awaitable[bool]],
        call: QuestionedCall,
        error: ConfirmationError,
    ) -> Outcome:
        text = str(error.raw.get("confirmation_text", ""))
        question = Confirmation(text=text, request=call.request, raw=error.raw)
        try:
            agreed = await _consult(call, on_confirmation, question)
        except HandlerFailed as failed:
            error.__cause__ = failed.problem
            return error
        if not agreed:
            return error
        call.extra["confirm"] = 1
        return await call.send_again({})

    async def _validation(
        self,
        on_validation: Callable[[Validation], Awaitable[str]],
        call: QuestionedCall,
        error: ValidationError,
    ) -> Outcome:
        uri = error.raw.get("redirect_uri")
        question = Validation(redirect_uri=uri, request=call.request, raw=error.raw)
        try:
            token = mask(await _consult(call, on_validation, question))
            check_token("the result of on_validation", token)
        except HandlerFailed as failed:
            error.__cause__ = failed.problem
            return error
        except (TypeError, ValueError) as problem:
            error.__cause__ = problem
            return error
        call.replace_token(token)
        self.answered += 1
        return await call.send_again({})


def _functions_of(config: Config) -> tuple[object, ...]:
    return config.on_captcha, config.on_validation, config.on_confirmation


async def _consult(
    call: QuestionedCall, function: Callable[[Any], Awaitable[Any]], question: Any
) -> Any:
    """Call a user's function, with the context variables of the caller.

    :raises HandlerFailed: if it raised, unless that is the cancellation of the call
    """
    context = call.request._pending.context or copy_context()
    name = f"vkanyio {type(question).__name__}"
    return await consult(function, question, context=context, name=name)


def _is_refusal(problem: BaseException) -> bool:
    """Return whether an exception is VK's refusal of an answer, and nothing else."""
    if is_group(problem):
        return all(_is_refusal(inner) for inner in problem.exceptions)
    return isinstance(problem, CaptchaError)
