"""Questions that only a person can answer: captcha, validation and confirmation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, final

import attrs
from anyio import Event, Lock, get_cancelled_exc_class

from ._checks import check_token
from ._errors import (
    APIError,
    CaptchaError,
    ClientUseError,
    ConfirmationError,
    TransportError,
    ValidationError,
    VKError,
    copy_error,
)
from ._guards import is_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._answer import Answer
    from ._config import Config
    from ._request import APIRequest

MOST_ATTEMPTS = 5

answering = ContextVar("answering", default=False)
"""Whether this task answers a question of VK's: its calls must not wait for that."""

_ECHOED = ("captcha_sid", "captcha_ts", "captcha_attempt", "remixstlid")


class Exchange(Protocol):
    """The call that VK asks about.

    :ivar answers: how many answers to captchas were sent with it
    :ivar extra: parameters that go with every further attempt
    :ivar answered_before: :attr:`Questions.answered` when it was sent
    """

    request: APIRequest
    answers: int
    extra: dict[str, Any]
    answered_before: int

    async def send_again(self, answer: Mapping[str, Any]) -> Answer | VKError:
        """Send the call again, with an answer to VK's question."""
        ...

    def settle(self, outcome: Answer | VKError) -> None:
        """Give the outcome to those who wait for it."""
        ...

    def replace_token(self, token: str) -> None:
        """Use another token from now on."""
        ...

    def is_cancelled(self) -> bool:
        """Return whether the call is being given up."""
        ...


@final
class Captcha:
    """A captcha that VK wants solved before it carries a call out.

    An ``on_captcha`` function gets it and answers by :meth:`retry`. All fields of VK's
    are optional (https://dev.vk.com/api/captcha-error): since 2025 there is a
    ``redirect_uri`` to open in a browser, before that there were ``sid`` and ``img``.

    :ivar attempt: 1 for the first answer to this call, at most 5
    :ivar request: the call
    """

    def __init__(
        self,
        exchange: Exchange,
        error: CaptchaError,
        is_question: Callable[[Answer | VKError], bool],
    ) -> None:
        self._exchange = exchange
        self._is_question = is_question
        self._closed = False
        self._sending: Event | None = None
        self.error = error
        self.outcome: Answer | VKError | None = None
        self.request = exchange.request

    def __repr__(self) -> str:
        return f"<Captcha for {self.request.method}, attempt {self.attempt}>"

    @property
    def raw(self) -> Mapping[str, Any]:
        """VK's whole error object: after a refusal, that of the new captcha."""
        return self.error.raw

    @property
    def redirect_uri(self) -> str | None:
        """The page to open; it leads to the ``success_token`` that is the answer."""
        return self.raw.get("redirect_uri") or None

    @property
    def sid(self) -> str | None:
        """The number of a captcha of the old kind."""
        sid = self.raw.get("captcha_sid")
        return None if sid is None else str(sid)

    @property
    def img(self) -> str | None:
        """The picture of a captcha of the old kind; its text is the answer."""
        return self.raw.get("captcha_img") or None

    @property
    def attempt(self) -> int:
        """Which answer to this call the next one is."""
        return self._exchange.answers + 1

    async def retry(self, answer: str, *, cookie: str | None = None) -> None:
        """Send the call again with an answer, and return when VK has accepted it.

        :param answer: the ``success_token``, or the text of the picture
        :param cookie: the cookie ``remixstlid`` of the page, where that set one
        :raises CaptchaError: if VK refused the answer; the captcha is a new one then,
            and can be answered again
        :raises VKError: if VK's verdict did not arrive
        :raises ClientUseError: if this captcha is no longer open, or five answers to it
            were refused
        """
        self._check_open(answer)
        self._exchange.answers += 1
        self._sending = Event()
        try:
            outcome = await self._exchange.send_again(self._to_params(answer, cookie))
            if isinstance(outcome, CaptchaError):
                self.error = outcome
                raise copy_error(outcome)
            self.outcome = outcome
            if not self._is_question(outcome):  # VK may have another one
                self._exchange.settle(outcome)
        finally:
            self._sending.set()
            self._sending = None
        if isinstance(outcome, VKError) and not isinstance(outcome, APIError):
            raise copy_error(outcome)

    def _check_open(self, answer: object) -> None:
        if not isinstance(answer, str) or not answer:
            kind = type(answer).__name__ if answer != "" else "an empty one"
            message = f"answer must be a non-empty str, got {kind}"
            raise TypeError(message)
        if self._closed or self._sending is not None or self.outcome is not None:
            message = "this captcha is not open: answer it once, inside `on_captcha`"
            raise ClientUseError(message)
        if self._exchange.answers >= MOST_ATTEMPTS:
            message = f"VK refused {MOST_ATTEMPTS} answers, and gets no more"
            raise ClientUseError(message)

    async def close(self) -> None:
        """Take no more answers, and wait for one that is on its way."""
        self._closed = True
        if self._sending is not None:
            await self._sending.wait()

    def _to_params(self, answer: str, cookie: str | None) -> dict[str, Any]:
        # Clients that work with the captcha of 2025 send back whatever VK sent.
        echoed = {key: self.raw.get(key) for key in _ECHOED}
        params = {k: v for k, v in echoed.items() if v is not None}
        if cookie is not None:
            params["remixstlid"] = cookie
        params["success_token" if self.redirect_uri else "captcha_key"] = answer
        return params


@final
@attrs.frozen(kw_only=True)
class Confirmation:
    """VK asks whether a call is really wanted (error 24).

    An ``on_confirmation`` function gets it, and returns whether it is.

    :ivar text: VK's question
    :ivar request: the call
    :ivar raw: VK's whole error object
    """

    text: str
    request: APIRequest
    raw: Mapping[str, Any] = attrs.field(repr=False)


@final
@attrs.frozen(kw_only=True)
class Validation:
    """VK asks the token's owner to confirm who they are (error 17).

    An ``on_validation`` function gets it, opens the page, and returns the new token
    that the page ends with (``blank.html#success=1&access_token=...``).

    :ivar redirect_uri: the page to open
    :ivar request: the call
    :ivar raw: VK's whole error object
    """

    redirect_uri: str | None
    request: APIRequest
    raw: Mapping[str, Any] = attrs.field(repr=False)


class _HandlerFailed(Exception):
    """A function of the user's raised."""

    def __init__(self, problem: BaseException) -> None:
        super().__init__(problem)
        self.problem = problem


async def _consult(
    exchange: Exchange, function: Callable[[Any], Awaitable[Any]], question: Any
) -> Any:
    try:
        return await function(question)
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


_Ask = Callable[[Exchange, Any], Awaitable["Answer | VKError"]]


@final
class Questions:
    """Puts VK's questions to the functions of the configuration, one at a time.

    :ivar answered: how many captchas and validations were; a call that met one before
        the last was answered is tried again without asking
    """

    def __init__(self, config: Config) -> None:
        self.answered = 0
        self._turn = Lock()
        self._ask: dict[type, _Ask] = {}
        if config.on_captcha is not None:
            self._ask[CaptchaError] = partial(self._captcha, config.on_captcha)
        if config.on_confirmation is not None:
            ask = partial(self._confirmation, config.on_confirmation)
            self._ask[ConfirmationError] = ask
        if config.on_validation is not None:
            self._ask[ValidationError] = partial(self._validation, config.on_validation)

    async def resolve(
        self, exchange: Exchange, outcome: Answer | VKError
    ) -> Answer | VKError:
        """Have VK's questions about a call answered, and return what became of it."""
        if exchange.request.slot.urgent:
            return outcome  # a question about the answer to a question
        asked: set[type] = set()
        while self._is_question(outcome) and (kind := type(outcome)) not in asked:
            async with self._turn:
                if exchange.answered_before == self.answered:
                    asked.add(kind)
                    mark = answering.set(True)
                    try:
                        outcome = await self._ask[kind](exchange, outcome)
                    finally:
                        answering.reset(mark)
                    continue
            outcome = await exchange.send_again({})
        return outcome

    def _is_question(self, outcome: Answer | VKError) -> bool:
        return type(outcome) in self._ask

    async def _captcha(
        self,
        on_captcha: Callable[[Captcha], Awaitable[None]],
        exchange: Exchange,
        error: CaptchaError,
    ) -> Answer | VKError:
        while True:
            captcha = Captcha(exchange, error, self._is_question)
            problem: BaseException | None = None
            try:
                await _consult(exchange, on_captcha, captcha)
            except _HandlerFailed as failed:
                problem = failed.problem
            await captcha.close()
            if captcha.outcome is not None:
                accepted = not isinstance(captcha.outcome, TransportError)
                self.answered += accepted
                return captcha.outcome
            refused = captcha.error is not error
            if not refused or not (problem is None or _is_refusal(problem)):
                captcha.error.__cause__ = problem
                return captcha.error
            if exchange.answers >= MOST_ATTEMPTS:
                return captcha.error
            error = captcha.error

    async def _confirmation(
        self,
        on_confirmation: Callable[[Confirmation], Awaitable[bool]],
        exchange: Exchange,
        error: ConfirmationError,
    ) -> Answer | VKError:
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
    ) -> Answer | VKError:
        uri = error.raw.get("redirect_uri")
        question = Validation(redirect_uri=uri, request=exchange.request, raw=error.raw)
        try:
            token = await _consult(exchange, on_validation, question)
            check_token("the answer of on_validation", token)
        except _HandlerFailed as failed:
            error.__cause__ = failed.problem
            return error
        except (TypeError, ValueError) as problem:
            error.__cause__ = problem
            return error
        exchange.replace_token(token)
        self.answered += 1
        return await exchange.send_again({})
