"""Create captchas and check the answers to them."""

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
"""Seconds until a session of the new captcha expires
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
    """The captchas that have not been solved yet.

    :param seed: makes their ids and answers the same in every run
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"captcha {seed}")
        self._open: list[_Challenge] = []
        self._asked = 0

    def ask(self, kind: CaptchaKind, now: float) -> VKFault:
        """Create a captcha.

        Its fields are those that clients have reported: the old kind has an image, the
        new one has a page to visit as well as the fields of the old kind.

        :param kind: "new" or "old"
        :param now: the time
        :return: the error 14 that asks the client to solve it
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
        """Return the answer that a person would give.

        :param question: the ``redirect_uri``, ``captcha_img`` or ``captcha_sid``
        :param now: the time
        :return: the ``success_token`` of a new captcha, or the ``captcha_key`` of an
            old one
        :raises ValueError: if there is no such captcha, or it has expired
        """
        for challenge in self._alive(now):
            known = {challenge.sid, challenge.img, challenge.redirect_uri}
            if question in known:
                return challenge.answer
        raise ValueError(f"there is no unsolved captcha {question!r}")

    def judge(self, params: Mapping[str, str], now: float) -> Verdict:
        """Check the answer in the parameters of a call.

        A right answer is valid for one call.

        :param params: the parameters of the call
        :param now: the time
        :return: whether there is an answer, and whether it is right
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
        """Choose the kind of captcha to ask for after a wrong answer.

        :param params: the parameters of the call with the wrong answer
        :param now: the time
        :return: the kind of the captcha that was answered, or a guess from the
            parameters if its id is unknown
        """
        for challenge in self._alive(now):
            if challenge.sid == params.get("captcha_sid"):
                return challenge.kind
        return "new" if params.get("success_token") else "old"

    def _alive(self, now: float) -> list[_Challenge]:
        self._open = [each for each in self._open if now < each.expires]
        return self._open
