"""What the functions that answer VK's questions are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import attrs
from anyio import Event

from ._errors import APIError, CaptchaError, ClientUseError, VKError, copy_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._dispatch import Exchange
    from ._request import APIRequest
    from ._response import Outcome

MOST_ATTEMPTS = 5
"""Answers to captchas that one call may send."""

_NOT_OPEN = "this captcha is not open: answer it once, inside `on_captcha`"
_ECHOED = ("captcha_sid", "captcha_ts", "captcha_attempt", "remixstlid")


@final
class Captcha:
    """A captcha that VK wants solved before it carries a call out.

    An ``on_captcha`` function gets it and answers by :meth:`retry`. All fields of VK's
    are optional (https://dev.vk.com/api/captcha-error): since 2025 there is a
    ``redirect_uri`` to open in a browser, before that there were ``sid`` and ``img``.

    Until it is answered, calls of the token that change anything wait, since VK takes
    them for a flood; reads go on. What the function itself calls, and the tasks that it
    starts, does not wait.

    :ivar attempt: 1 for the first answer to this call, at most 5
    :ivar request: the call
    """

    def __init__(self, trial: CaptchaTrial) -> None:
        self._trial = trial
        self.request: APIRequest = trial.exchange.request

    def __repr__(self) -> str:
        return f"<Captcha for {self.request.method}, attempt {self.attempt}>"

    @property
    def raw(self) -> Mapping[str, Any]:
        """VK's whole error object: after a refusal, that of the new captcha."""
        return self._trial.error.raw

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
        return self._trial.exchange.captcha_answers + 1

    async def retry(self, answer: str, *, cookie: str | None = None) -> None:
        """Send the call again with an answer, and return when VK has accepted it.

        :param answer: the ``success_token``, or the text of the picture
        :param cookie: the cookie ``remixstlid`` of the page, where that set one
        :raises CaptchaError: if VK refused the answer; the captcha is a new one then,
            and can be answered again
        :raises VKError: if VK's verdict did not arrive
        :raises ClientUseError: if this captcha is no longer open, since its call has
            ended say, or five answers to it were refused
        """
        await self._trial.send(answer, cookie)


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


@final
class CaptchaTrial:
    """What goes on behind a :class:`Captcha`: the answers, and what VK says to them.

    :ivar exchange: the call
    :ivar error: VK's captcha: after a refusal, the new one
    :ivar outcome: what became of the call, once VK has accepted an answer
    :param is_question: whether VK has another question about the call
    """

    def __init__(
        self,
        exchange: Exchange,
        error: CaptchaError,
        is_question: Callable[[Outcome], bool],
    ) -> None:
        self.exchange = exchange
        self.error: CaptchaError = error
        self.outcome: Outcome | None = None
        self._is_question = is_question
        self._closed = False
        self._sending: Event | None = None

    async def send(self, answer: str, cookie: str | None) -> None:
        """Send the call again with an answer; see :meth:`Captcha.retry`."""
        _check_answer(answer)
        self._check_open()
        self.exchange.captcha_answers += 1
        self._sending = Event()
        outcome: Outcome | None = None
        try:
            with self.exchange.answering():
                params = self._to_params(answer, cookie)
                outcome = await self.exchange.send_again(params)
            if outcome is None:
                raise ClientUseError(_NOT_OPEN)
            if isinstance(outcome, CaptchaError):
                self.error = outcome
                raise copy_error(outcome)
            self.outcome = outcome
            if not self._is_question(outcome):
                self.exchange.settle(outcome)
        finally:
            self._sending.set()
            self._sending = None
        if isinstance(outcome, VKError) and not isinstance(outcome, APIError):
            raise copy_error(outcome)

    async def close(self) -> None:
        """Take no more answers, and wait for one that is on its way."""
        self._closed = True
        if self._sending is not None:
            await self._sending.wait()

    def _check_open(self) -> None:
        is_busy = self._sending is not None
        is_over = self.outcome is not None or not self.exchange.request.slot.is_live
        if self._closed or is_busy or is_over:
            raise ClientUseError(_NOT_OPEN)
        if self.exchange.captcha_answers >= MOST_ATTEMPTS:
            message = f"VK refused {MOST_ATTEMPTS} answers, and gets no more"
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
        message = f"answer must be a str, got {type(answer).__name__}"
        raise TypeError(message)
    if not answer:
        message = "answer must not be empty"
        raise ValueError(message)
