"""What can go wrong between a client and VK, to be handed to ``Simulator.fault``.

Faults that strike *before* keep the call from being carried out; those that strike
*after* let it have its effect, and then keep the client from learning about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias, final

import anyio
import attrs

from ._errors import JSON, ConnectionDropped, VKFault
from ._wire import Answer, html_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._attempt import Attempt
    from ._captcha import CaptchaKind, Captchas


@final
@attrs.frozen
class Refusal:
    """VK says no. Strikes plain calls, and calls inside an ``execute`` as well."""

    name: str
    refuse: Callable[[Captchas, float], VKFault] = attrs.field(repr=False)


@final
@attrs.frozen
class Mishap:
    """Something happens to the HTTP request or to its answer."""

    name: str
    strike: Callable[[Attempt], Awaitable[Answer]] = attrs.field(repr=False)


@final
@attrs.frozen
class Refuse:
    """Nobody listens, so that the request never arrives."""

    name: str = "refuse"


Fault: TypeAlias = Refusal | Mishap | Refuse


def error(code: int, message: str | None = None, **extra: JSON) -> Fault:
    """Answer with one of VK's errors.

    :param code: the error code
    :param message: the text; without one, VK's usual text for the code
    :param extra: further fields of the error object
    :return: the fault
    """
    return Refusal("error", lambda _captchas, _now: VKFault(code, message, **extra))


def captcha(kind: CaptchaKind = "new") -> Fault:
    """Ask for a captcha, error 14.

    A call that brings the right answer, as ``Simulator.solve`` tells it, is accepted;
    one that brings a wrong answer is asked afresh.

    :param kind: "new" has a page to visit (``redirect_uri``) and wants
        ``success_token``; "old" has an image (``captcha_img``) and wants
        ``captcha_sid`` and ``captcha_key``
    :return: the fault
    """
    return Refusal("captcha", lambda captchas, now: captchas.ask(kind, now))


def confirmation(text: str = "Are you sure?") -> Fault:
    """Ask for confirmation, error 24; a call with ``confirm=1`` is accepted.

    :param text: what the person is asked
    :return: the fault
    """
    return _ask(24, "confirmation", confirmation_text=text)


def validation(redirect_uri: str = "https://oauth.vk.ru/validate?hash=1") -> Fault:
    """Ask for the person's identity, error 17.

    :param redirect_uri: the page that the person has to visit
    :return: the fault
    """
    return _ask(17, "validation", redirect_uri=redirect_uri)


def refuse() -> Fault:
    """Refuse the connection: the request neither arrives nor counts.

    The client sees ``httpx.ConnectError``. Over a real socket the connection is closed
    without an answer instead, since which method is meant is not known before a
    connection is there.

    :return: the fault
    """
    return Refuse()


def drop_before() -> Fault:
    """Lose the connection before the call is carried out.

    The client sees ``httpx.ReadError`` in process, and over a socket
    ``httpx.RemoteProtocolError``, as it does with :func:`drop_after`.

    :return: the fault
    """

    async def strike(attempt: Attempt) -> Answer:
        attempt.lose()
        raise ConnectionDropped

    return Mishap("drop_before", strike)


def drop_after() -> Fault:
    """Carry out the call, then lose the connection instead of answering.

    The client sees what it does with :func:`drop_before`, and cannot tell them apart.

    :return: the fault
    """

    async def strike(attempt: Attempt) -> Answer:
        await attempt.carry_out()
        raise ConnectionDropped

    return Mishap("drop_after", strike)


def hang_before() -> Fault:
    """Neither carry out the call nor answer, until the client goes away.

    The client sees nothing, until its own patience ends.

    :return: the fault
    """

    async def strike(attempt: Attempt) -> Answer:
        attempt.lose()
        await _forever()

    return Mishap("hang_before", strike)


def hang_after() -> Fault:
    """Carry out the call, then never answer, until the client goes away.

    The client sees nothing, until its own patience ends.

    :return: the fault
    """

    async def strike(attempt: Attempt) -> Answer:
        await attempt.carry_out()
        await _forever()

    return Mishap("hang_after", strike)


def html(status: int = 502, *, after: bool = False) -> Fault:
    """Answer with a page of the web server in front of VK.

    :param status: the HTTP status
    :param after: whether the call is carried out first
    :return: the fault
    """
    titles = {500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Time-out"}
    page = html_answer(status, titles.get(status, "Error"))
    return _instead("html", page, after=after)


def body(content: bytes, status: int = 200, *, after: bool = False) -> Fault:
    """Answer with any bytes, under the name of JSON.

    :param content: the body, such as JSON that ends half-way
    :param status: the HTTP status
    :param after: whether the call is carried out first
    :return: the fault
    """
    return _instead("body", Answer(content, status), after=after)


def delay(seconds: float, *, after: bool = False) -> Fault:
    """Answer properly, but late.

    :param seconds: how much later than usual
    :param after: whether the call is carried out before the delay
    :return: the fault
    """

    async def strike(attempt: Attempt) -> Answer:
        if not after:
            await anyio.sleep(seconds)
        answer = await attempt.carry_out()
        if after:
            await anyio.sleep(seconds)
        return answer

    return Mishap("delay", strike)


def expired_token(code: Literal[5, 1117] = 5) -> Fault:
    """Say that the token's time is over, though it is not: a new call may pass.

    The client sees error 5 with the text "access_token has expired.", or error 1117.
    ``Simulator.expire`` lets a token expire for good.

    :param code: 5 as most tokens bring it, or 1117 as those of VK's own apps do
    :return: the fault
    """
    text = "User authorization failed: access_token has expired."
    message = text if code == 5 else None
    return Refusal("expired_token", lambda _captchas, _now: VKFault(code, message))


def truncated(*, after: bool = False) -> Fault:
    """Answer with JSON that ends half-way, as if a proxy had lost the rest.

    The client sees a complete response of HTTP with status 200, whose body is no JSON.

    :param after: whether the call is carried out first, so that the half is the first
        half of its answer
    :return: the fault
    """

    async def strike(attempt: Attempt) -> Answer:
        if not after:
            attempt.lose()
            return Answer(b'{"response":{"items":[{"id":1')
        answer = await attempt.carry_out()
        return attrs.evolve(answer, body=answer.body[: len(answer.body) // 2])

    return Mishap("truncated", strike)


def drop_midway() -> Fault:
    """Carry out the call, then lose the connection in the middle of the answer.

    The client sees the headers and half of the body, and then that the connection was
    closed: ``httpx.RemoteProtocolError``.

    :return: the fault
    """

    async def strike(attempt: Attempt) -> Answer:
        answer = await attempt.carry_out()
        return attrs.evolve(answer, cut=len(answer.body) // 2)

    return Mishap("drop_midway", strike)


def slow_body(seconds: float) -> Fault:
    """Carry out the call, then answer properly, but a few bytes at a time.

    The client sees the headers at once. A limit on the wait for the next bytes, as
    httpx's own timeout is, does not notice such an answer; one on the whole does.

    :param seconds: how long the body takes
    :return: the fault
    """

    async def strike(attempt: Attempt) -> Answer:
        return attrs.evolve(await attempt.carry_out(), lasting=seconds)

    return Mishap("slow_body", strike)


def _ask(code: int, name: str, **extra: JSON) -> Fault:
    return Refusal(name, lambda _captchas, _now: VKFault(code, **extra))


def _instead(name: str, answer: Answer, *, after: bool) -> Fault:
    async def strike(attempt: Attempt) -> Answer:
        if after:
            await attempt.carry_out()
        else:
            attempt.lose()
        return answer

    return Mishap(name, strike)


async def _forever() -> NoReturn:
    while True:
        await anyio.sleep_forever()
