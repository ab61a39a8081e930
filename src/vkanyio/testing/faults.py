"""What can go wrong between a client and VK, for ``Simulator.fault``.

Faults that strike *before* prevent the call from being carried out. Those that strike
*after* let it take effect, and then prevent the client from learning about it.

Inside an ``execute``, errors affect the call alone, and faults of the connection or the
response affect the whole request: see ``Simulator.fault``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias, final

import anyio
import attrs

from ._errors import JSON, ConnectionDropped, VKFault
from ._wire import SimulatedResponse, html_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ._captcha import CaptchaKind, Captchas
    from ._state.long_poll import PollRequest


@final
@attrs.frozen
class Refusal:
    """VK refuses the call, whether it is a plain call or inside an ``execute``."""

    name: str
    refuse: Callable[[Captchas, float], VKFault] = attrs.field(repr=False)


@final
@attrs.frozen
class Mishap:
    """Something happens to the HTTP request or to its response.

    :ivar lag: seconds that pass before the call is carried out
    :ivar instead: what happens instead of carrying it out: it returns a response,
        raises :exc:`ConnectionFault`, or does not return
    :ivar then: what becomes of the response once it was carried out, likewise
    """

    name: str
    lag: float = 0.0
    instead: Callable[[], Awaitable[SimulatedResponse]] | None = attrs.field(
        default=None, repr=False
    )
    then: Callable[[SimulatedResponse], Awaitable[SimulatedResponse]] | None = (
        attrs.field(default=None, repr=False)
    )


@final
@attrs.frozen
class Refuse:
    """Nobody is listening, so the request never arrives."""

    name: str = "refuse"


@final
@attrs.frozen
class Interruption:
    """Something happens while the body of an upload arrives.

    :ivar at: the part of the body that arrives before, from 0 to 1
    :ivar happen: what happens then: it returns a response, raises
        :exc:`ConnectionFault`, or does not return
    :ivar lasting: seconds in which the whole body is taken, if nothing else happens
    """

    name: str
    at: float = 0.0
    happen: Callable[[], Awaitable[SimulatedResponse]] | None = attrs.field(
        default=None, repr=False
    )
    lasting: float = 0.0


@final
@attrs.frozen
class PollFault:
    """A long poll server answers as it sometimes does."""

    name: str
    answer: Callable[[PollRequest], Awaitable[JSON]] = attrs.field(repr=False)


Fault: TypeAlias = Refusal | Mishap | Refuse | Interruption | PollFault

_TITLES = {
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


def error(code: int, message: str | None = None, **extra: JSON) -> Fault:
    """Return a VK error.

    :param code: the error code
    :param message: the text, by default VK's usual text for the code
    :param extra: further fields of the error object
    :return: the fault
    """
    return Refusal("error", lambda _captchas, _now: VKFault(code, message, **extra))


def captcha(kind: CaptchaKind = "new") -> Fault:
    """Ask for a captcha, error 14.

    A call with the right answer, which ``Simulator.solve`` returns, is accepted. A call
    with a wrong answer gets a new captcha.

    :param kind: "new" has a page to visit (``redirect_uri``) and expects
        ``success_token``; "old" has an image (``captcha_img``) and expects
        ``captcha_sid`` and ``captcha_key``
    :return: the fault
    """
    return Refusal("captcha", lambda captchas, now: captchas.ask(kind, now))


def confirmation(text: str = "Are you sure?") -> Fault:
    """Ask for confirmation, error 24; a call with ``confirm=1`` is accepted.

    :param text: the question to the person
    :return: the fault
    """
    return _ask(24, "confirmation", confirmation_text=text)


def validation(redirect_uri: str = "https://oauth.vk.ru/validate?hash=1") -> Fault:
    """Ask the person to validate their identity, error 17.

    :param redirect_uri: the page that the person has to visit
    :return: the fault
    """
    return _ask(17, "validation", redirect_uri=redirect_uri)


def refuse() -> Fault:
    """Refuse the connection: the request neither arrives nor counts.

    The client sees ``httpx.ConnectError``. Over a real socket the connection is closed
    without a response instead, because the method is not known until there is a
    connection. Inside an ``execute``, whose request has arrived, it is like
    :func:`drop_before`.

    :return: the fault
    """
    return Refuse()


def drop_before() -> Fault:
    """Lose the connection before the call is carried out.

    The client sees ``httpx.ReadError`` in process and ``httpx.RemoteProtocolError``
    over a socket, as with :func:`drop_after`.

    :return: the fault
    """
    return Mishap("drop_before", instead=_drop)


def drop_after() -> Fault:
    """Carry out the call, then lose the connection instead of responding.

    The client cannot distinguish this from :func:`drop_before`.

    :return: the fault
    """
    return Mishap("drop_after", then=lambda _: _drop())


def hang_before() -> Fault:
    """Neither carry out the call nor respond, until the client disconnects.

    The client sees nothing until its own timeout.

    :return: the fault
    """
    return Mishap("hang_before", instead=_forever)


def hang_after() -> Fault:
    """Carry out the call, but do not respond, until the client disconnects.

    The client sees nothing until its own timeout.

    :return: the fault
    """
    return Mishap("hang_after", then=lambda _: _forever())


def html(
    status: int = 502,
    *,
    after: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Fault:
    """Respond with an error page of the web server in front of VK.

    :param status: the HTTP status
    :param after: whether the call is carried out first
    :param headers: further headers of the response, such as ``{"retry-after": "2"}``
    :return: the fault
    """
    page = html_response(status, _TITLES.get(status, "Error"))
    more = {name.lower(): value for name, value in (headers or {}).items()}
    return _instead("html", attrs.evolve(page, more_headers=more), after=after)


def body(content: bytes, status: int = 200, *, after: bool = False) -> Fault:
    """Respond with the given bytes, declared as JSON.

    :param content: the body, such as incomplete JSON
    :param status: the HTTP status
    :param after: whether the call is carried out first
    :return: the fault
    """
    return _instead("body", SimulatedResponse(content, status), after=after)


def delay(seconds: float, *, after: bool = False) -> Fault:
    """Respond correctly, but late.

    :param seconds: how much later than usual
    :param after: whether the call is carried out before the delay
    :return: the fault
    """
    if not after:
        return Mishap("delay", lag=seconds)

    async def respond_late(response: SimulatedResponse) -> SimulatedResponse:
        await anyio.sleep(seconds)
        return response

    return Mishap("delay", then=respond_late)


def expired_token(code: Literal[5, 1117] = 5) -> Fault:
    """Report an expired token although it is valid: a further call may succeed.

    The client sees error 5 with the text "access_token has expired.", or error 1117.
    ``Simulator.expire`` makes a token expire permanently.

    :param code: 5 as for most tokens, or 1117 as for the tokens of apps by VK
    :return: the fault
    """
    text = "User authorization failed: access_token has expired."
    message = text if code == 5 else None
    return Refusal("expired_token", lambda _captchas, _now: VKFault(code, message))


def truncated(*, after: bool = False) -> Fault:
    """Respond with half of a JSON document, as if a proxy had lost the rest.

    The client sees a complete HTTP response with status 200 whose body is not valid
    JSON.

    :param after: whether the call is carried out first; then the body is the first half
        of its response
    :return: the fault
    """
    if not after:
        half = SimulatedResponse(b'{"response":{"items":[{"id":1')
        return _instead("truncated", half, after=False)

    async def halve(response: SimulatedResponse) -> SimulatedResponse:
        return attrs.evolve(response, body=response.body[: len(response.body) // 2])

    return Mishap("truncated", then=halve)


def drop_midway() -> Fault:
    """Carry out the call, then lose the connection in the middle of the response.

    The client sees the headers, half of the body, and then a closed connection:
    ``httpx.RemoteProtocolError``.

    :return: the fault
    """

    async def cut(response: SimulatedResponse) -> SimulatedResponse:
        return attrs.evolve(response, cut=len(response.body) // 2)

    return Mishap("drop_midway", then=cut)


def slow_body(seconds: float) -> Fault:
    """Carry out the call, then respond correctly, but a few bytes at a time.

    The client sees the headers at once. A timeout for the next bytes, such as the one
    in httpx, does not notice such a response; a timeout for the whole response does.

    :param seconds: how long the body takes
    :return: the fault
    """

    async def slow_down(response: SimulatedResponse) -> SimulatedResponse:
        return attrs.evolve(response, lasting=seconds)

    return Mishap("slow_body", then=slow_down)


def failed(number: int) -> Fault:
    """Let a long poll server answer ``failed``, and let it be true.

    It affects requests to long poll servers only.

    :param number: 1 if the updates up to now are lost, 2 if the key has expired, 3 for
        both; 4 for a wrong version, or any number that VK may invent
    :return: the fault
    """

    async def answer(poll: PollRequest) -> JSON:
        return poll.fail(number)

    return PollFault("failed", answer)


def repeated(count: int = 3) -> Fault:
    """Let a long poll server send the last updates once more, before new ones.

    It affects requests to long poll servers only. VK does so after a connection was
    lost (https://github.com/vkbottle/vkbottle/issues/1045).

    :param count: how many updates to repeat, as far as they are still kept
    :return: the fault
    """

    async def answer(poll: PollRequest) -> JSON:
        return await poll.answer_again(count)

    return PollFault("repeated", answer)


def silent() -> Fault:
    """Let a long poll server send nothing any more, although there are updates.

    It affects requests to long poll servers only: the one that gets the fault, and all
    later ones with the same key, as some users of VK saw for hours
    (https://github.com/python273/vk_api/issues/285). A new key ends it.

    :return: the fault
    """

    async def answer(poll: PollRequest) -> JSON:
        return await poll.answer_nothing()

    return PollFault("silent", answer)


def drop_upload(at: float = 0.5) -> Fault:
    """Lose the connection while a file is being uploaded; nothing is kept of it.

    :param at: the part of the body that arrives before, from 0 to 1
    :return: the fault, for the method "upload"
    """
    return Interruption("drop_upload", _part(at), _drop)


def stall_upload(at: float = 0.5) -> Fault:
    """Take no more of a file that is being uploaded, without closing the connection.

    :param at: the part of the body that is taken before, from 0 to 1
    :return: the fault, for the method "upload"
    """
    return Interruption("stall_upload", _part(at), _forever)


def slow_upload(seconds: float) -> Fault:
    """Take a file that is being uploaded slowly, a chunk at a time.

    :param seconds: how long the whole body takes
    :return: the fault, for the method "upload"
    """
    return Interruption("slow_upload", lasting=seconds)


def early_refusal(status: int = 413, *, at: float = 0.0) -> Fault:
    """Respond to an upload with an error page before the whole body has arrived.

    :param status: the HTTP status
    :param at: the part of the body that arrives before, from 0 to 1
    :return: the fault, for the method "upload"
    """
    page = html_response(status, _TITLES.get(status, "Error"))
    return Interruption("early_refusal", _part(at), _respond(page))


def too_fast() -> Fault:
    """Refuse an upload because files come too fast, as VK does for videos.

    :return: the fault, for the method "upload"
    """
    return body(b'{"error":"too fast","error_code":-12}')


def _part(at: float) -> float:
    if not 0 <= at <= 1:
        raise ValueError(f"at must be between 0 and 1, not {at}")
    return at


def _ask(code: int, name: str, **extra: JSON) -> Fault:
    return Refusal(name, lambda _captchas, _now: VKFault(code, **extra))


def _instead(name: str, response: SimulatedResponse, *, after: bool) -> Fault:
    respond = _respond(response)
    if after:
        return Mishap(name, then=lambda _: respond())
    return Mishap(name, instead=respond)


def _respond(
    response: SimulatedResponse,
) -> Callable[[], Awaitable[SimulatedResponse]]:
    async def respond() -> SimulatedResponse:
        return response

    return respond


async def _drop() -> NoReturn:
    raise ConnectionDropped


async def _forever() -> NoReturn:
    while True:
        await anyio.sleep_forever()
