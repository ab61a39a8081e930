"""Questions to a person, and whether their answers are right."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Literal, TypeAlias, final

import attrs

from ._errors import VKFault

if TYPE_CHECKING:
    from collections.abc import Mapping

CaptchaKind: TypeAlias = Literal["new", "old"]
Verdict: TypeAlias = Literal["no answer", "right", "wrong"]

LIFETIME = 300.0
"""Seconds for which a session of the new captcha lives
(https://dev.vk.ru/ru/api/captcha-error)."""


@attrs.frozen(kw_only=True)
class _Challenge:
    kind: CaptchaKind
    sid: str
    session: str
    answer: str
    expires: float

    @property
    def img(self) -> str:
        return f"https://api.vk.ru/captcha.php?sid={self.sid}"

    @property
    def redirect_uri(self) -> str:
        return (
            "https://id.vk.ru/not_robot_captcha?domain=vk.ru&variant=popup&blank=1"
            f"&session_token={self.session}"
        )


@final
class Captchas:
    """The captchas that wait for an answer.

    :param seed: makes their numbers and answers the same in every run
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"captcha {seed}")
        self._open: list[_Challenge] = []
        self._asked = 0

    def ask(self, kind: CaptchaKind, now: float) -> VKFault:
        """Make a new captcha.

        The fields are those that clients have met: the old kind has an image, the new
        one a page to visit, and the remains of the old one beside it.

        :param kind: "new" or "old"
        :param now: the time
        :return: the error 14 that asks for it
        """
        digits = self._random.randrange(10**11, 10**12)
        challenge = _Challenge(
            kind=kind,
            sid=str(digits),
            session=f"{self._random.getrandbits(128):032x}",
            answer=f"{self._random.getrandbits(32):08x}",
            expires=now + LIFETIME,
        )
        self._open.append(challenge)
        self._asked += 1
        old = {"captcha_sid": challenge.sid, "captcha_img": challenge.img}
        if kind == "old":
            return VKFault(14, **old)
        return VKFault(
            14,
            **old,
            redirect_uri=challenge.redirect_uri,
            remixstlid=digits % 10**9,
            captcha_ts=round(1_750_000_000 + now, 3),
            captcha_attempt=self._asked,
            captcha_ratio=2.6,
            is_refresh_enabled=True,
            is_sound_captcha_available=True,
        )

    def solve(self, question: str, now: float) -> str:
        """Answer as a person would.

        :param question: the ``redirect_uri``, ``captcha_img`` or ``captcha_sid``
        :param now: the time
        :return: the ``success_token`` of a new captcha, the ``captcha_key`` of an old
        :raises ValueError: if there is no such captcha, or no longer
        """
        for challenge in self._alive(now):
            known = {challenge.sid, challenge.img, challenge.redirect_uri}
            if question in known:
                return challenge.answer
        raise ValueError(f"no captcha waits for an answer at {question!r}")

    def judge(self, params: Mapping[str, str], now: float) -> Verdict:
        """Look at the answer that a call brings.

        A right answer is good for one call.

        :param params: the parameters of the call
        :param now: the time
        :return: what is to be thought of it
        """
        token, key = params.get("success_token"), params.get("captcha_key")
        if not token and not key:
            return "no answer"
        for challenge in self._alive(now):
            if challenge.kind == "new":
                right = token == challenge.answer
            else:
                given = params.get("captcha_sid"), key
                right = given == (challenge.sid, challenge.answer)
            if right:
                self._open.remove(challenge)
                return "right"
        return "wrong"

    def kind_to_ask_next(self, params: Mapping[str, str], now: float) -> CaptchaKind:
        """Choose the captcha that follows a wrong answer: one like that before.

        :param params: the parameters of the call that brought the answer
        :param now: the time
        :return: the kind of the captcha that was answered, as far as that is known
        """
        for challenge in self._alive(now):
            if challenge.sid == params.get("captcha_sid"):
                return challenge.kind
        return "new" if params.get("success_token") else "old"

    def _alive(self, now: float) -> list[_Challenge]:
        self._open = [each for each in self._open if now < each.expires]
        return self._open
