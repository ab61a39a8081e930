"""The values that the functions for captchas, confirmations and validations get.

Who sends an answer, and when, is the subject of ``_engine/_captcha_session.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, final

import attrs

from ._masking import mask
from ._repr import repr_of_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._errors import CaptchaError
    from ._request import APIRequest


class AnswerSender(Protocol):
    """What sends the answers to a captcha."""

    @property
    def request(self) -> APIRequest:
        """The call."""
        ...

    @property
    def error(self) -> CaptchaError:
        """VK's captcha: after a refusal, the new one."""
        ...

    @property
    def attempt(self) -> int:
        """The number of the next answer."""
        ...

    async def send(self, answer: str, cookie: str | None) -> None:
        """Send the call again with an answer; see :meth:`Captcha.retry`."""
        ...


@final
class Captcha:
    """A captcha that must be solved before VK carries out a call.

    An ``on_captcha`` function gets it, and answers with :meth:`retry`. All fields that
    VK sends are optional (https://dev.vk.com/api/captcha-error): since 2025 there is a
    ``redirect_uri`` to open in a browser, before that there were ``sid`` and ``img``.

    Until it is answered, calls of the token that change anything wait, since VK would
    count them as a flood; calls that read continue. Calls that the function itself
    makes, and those of tasks that it starts, do not wait.

    :ivar attempt: 1 for the first answer to this call, at most 5
    :ivar request: the call, or the ``execute`` if VK asks about packed calls as a whole
    """

    def __init__(self, sender: AnswerSender) -> None:
        self._sender = sender
        self.request: APIRequest = sender.request

    def __repr__(self) -> str:
        if not hasattr(self, "request"):
            return "<Captcha, not complete>"
        return f"<Captcha for {self.request.method}, attempt {self.attempt}>"

    @property
    def raw(self) -> Mapping[str, Any]:
        """VK's whole error object: after a refusal, that of the new captcha."""
        return self._sender.error.raw

    @property
    def redirect_uri(self) -> str | None:
        """The page to open; it returns the ``success_token`` that is the answer."""
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
        """The number of the next answer to this call."""
        return self._sender.attempt

    async def retry(self, answer: str, *, cookie: str | None = None) -> None:
        """Send the call again with an answer, and return when VK has accepted it.

        :param answer: the ``success_token``, or the text of the picture
        :param cookie: the cookie ``remixstlid`` of the page, if it set one
        :raises CaptchaError: if VK refused the answer; there is a new captcha then,
            which can be answered again
        :raises VKError: if VK's response did not arrive
        :raises ClientUseError: if this captcha is no longer open, for example because
            its call has ended, or because five answers were refused
        """
        answer, cookie = mask(answer), mask(cookie)
        await self._sender.send(answer, cookie)


@final
@attrs.frozen(kw_only=True)
class Confirmation:
    """A call that VK wants confirmed (error 24).

    An ``on_confirmation`` function gets it, and returns whether the call is wanted.

    :ivar text: VK's question
    :ivar request: the call, or the ``execute`` if VK asks about packed calls as a whole
    :ivar raw: VK's whole error object
    """

    text: str
    request: APIRequest
    raw: Mapping[str, Any] = attrs.field(repr=False)

    __repr__ = repr_of_fields


@final
@attrs.frozen(kw_only=True)
class Validation:
    """VK requires the owner of the token to validate their identity (error 17).

    An ``on_validation`` function gets it, opens the page, and returns the new token
    that the page ends with (``blank.html#success=1&access_token=...``).

    :ivar redirect_uri: the page to open
    :ivar request: the call, or the ``execute`` if VK asks about packed calls as a whole
    :ivar raw: VK's whole error object
    """

    redirect_uri: str | None
    request: APIRequest
    raw: Mapping[str, Any] = attrs.field(repr=False)

    __repr__ = repr_of_fields
