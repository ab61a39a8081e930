"""The answers to one captcha, and what VK says to them.

It owns the captcha that is open now, and the outcome of the call once VK has accepted
an answer. ``_questions`` decides who is asked, and when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, final

from anyio import Event

from .._errors import (
    CaptchaError,
    ClientUseError,
    OutcomeUnknownError,
    TransportError,
    copy_error,
)
from .._masking import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from .._outcome import Outcome
    from .._request import APIRequest

MAX_ANSWERS = 5
"""Answers to captchas that one call may send."""

_NOT_OPEN = "this captcha is not open: answer it once, inside `on_captcha`"
_ECHOED = ("captcha_sid", "captcha_ts", "captcha_attempt", "remixstlid")


class QuestionedCall(Protocol):
    """A call that VK has a question about, or several in one ``execute``.

    :ivar captcha_answers: how many answers to captchas were sent with it
    :ivar extra: parameters that are sent with every further attempt
    :ivar answered_at_send: how many of VK's questions had been answered when the call
        was last sent
    """

    captcha_answers: int
    answered_at_send: int

    @property
    def request(self) -> APIRequest:
        """The call itself, or the ``execute``."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether somebody waits for it."""
        ...

    @property
    def is_urgent(self) -> bool:
        """Whether it helps to answer another question of VK."""
        ...

    @property
    def extra(self) -> dict[str, Any]:
        """The parameters."""
        ...

    def holding_back(self) -> AbstractContextManager[None]:
        """Hold back calls that VK would count as a flood now."""
        ...

    def asked(self) -> AbstractContextManager[None]:
        """Note that a question is open which holds back nothing."""
        ...

    def answering(self) -> AbstractContextManager[object]:
        """Return a scope for sending an answer, which ends with the call."""
        ...

    async def send_again(self, extra: Mapping[str, Any]) -> Outcome:
        """Send the call again, with parameters that answer the question."""
        ...

    def conclude(self, outcome: Outcome) -> bool:
        """Settle the call.

        :return: whether the call has ended; packed calls may go on in other requests
        """
        ...

    def is_in_doubt(self) -> bool:
        """Return whether VK may have carried out what it may not get twice."""
        ...

    def is_cancelled(self) -> bool:
        """Return whether the call is being given up."""
        ...

    def replace_token(self, token: str) -> None:
        """Use another token from now on."""
        ...


@final
class CaptchaSession:
    """What happens behind a :class:`Captcha`.

    :param call: the call that met the captcha
    :param error: VK's captcha
    :param is_question: whether an outcome is another question of VK about the call
    :ivar error: VK's captcha: after a refusal, the new one
    :ivar outcome: the outcome of the call, once VK has accepted an answer
    """

    def __init__(
        self,
        call: QuestionedCall,
        error: CaptchaError,
        is_question: Callable[[Outcome], bool],
    ) -> None:
        self.error: CaptchaError = error
        self.outcome: Outcome | None = None
        self._call = call
        self._is_question = is_question
        self._closed = False
        self._sending: Event | None = None

    @property
    def request(self) -> APIRequest:
        """The call."""
        return self._call.request

    @property
    def attempt(self) -> int:
        """The number of the next answer."""
        return self._call.captcha_answers + 1

    async def send(self, answer: str, cookie: str | None) -> None:
        """Send the call again with an answer; see :meth:`Captcha.retry`."""
        _check_answer(answer)
        self._check_open()
        self._call.captcha_answers += 1
        self._sending = Event()
        outcome: Outcome | None = None
        try:
            with self._call.answering():
                params = self._to_params(answer, cookie)
                outcome = await self._call.send_again(params)
            if outcome is None:
                raise ClientUseError(_NOT_OPEN)
            if isinstance(outcome, CaptchaError):
                self.error = outcome
                raise copy_error(outcome)
            self.outcome = outcome
            has_ended = not self._is_question(outcome) and self._call.conclude(outcome)
        finally:
            self._sending.set()
            self._sending = None
            if outcome is None and self._call.is_in_doubt():
                self._closed = True  # cancelled: another answer could do it twice
        if isinstance(outcome, TransportError | OutcomeUnknownError) and has_ended:
            raise copy_error(outcome)

    async def close(self) -> None:
        """Take no more answers, and wait for one that is in flight."""
        self._closed = True
        if self._sending is not None:
            await self._sending.wait()

    def _check_open(self) -> None:
        is_busy = self._sending is not None
        is_over = self.outcome is not None or not self._call.is_live
        if self._closed or is_busy or is_over:
            raise ClientUseError(_NOT_OPEN)
        if self._call.captcha_answers >= MAX_ANSWERS:
            message = (
                f"VK refused {MAX_ANSWERS} answers to this captcha: no more can be sent"
            )
            raise ClientUseError(message)

    def _to_params(self, answer: str, cookie: str | None) -> dict[str, Any]:
        # Clients that work with the captcha of 2025 send back whatever VK sent.
        echoed = {key: self.error.raw.get(key) for key in _ECHOED}
        params = {key: value for key, value in echoed.items() if value is not None}
        if cookie is not None:
            params["remixstlid"] = cookie
        is_new_kind = bool(self.error.raw.get("redirect_uri"))
        params["success_token" if is_new_kind else "captcha_key"] = answer
        return params


def _check_answer(answer: object) -> None:
    if not isinstance(answer, str):
        message = f"answer must be a str, got {kind_of(answer)}"
        raise TypeError(message)
    if not answer:
        message = "answer must not be empty"
        raise ValueError(message)
