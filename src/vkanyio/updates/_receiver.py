"""The receiver of the Callback API, an ASGI application.

It owns what VK is answered: whether a request is genuine, and when it gets "ok". It
owns no task: the handlers run in those of the program, so a broken connection cancels
none.
"""

from __future__ import annotations

import hmac
import json
import logging
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, final

import anyio
from anyio import current_time, move_on_after

from .._errors import VKError
from .._masking import SecretStr
from .._typeguards import is_dict, is_list
from .._wire_checks import check_whole, shown
from ._asgi_http import PlainResponse, answer_lifespan, header, read_body
from ._callback import CallbackUpdates
from ._inbox import Inbox
from ._parse import parse_update

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from ._asgi_http import ASGIMessage, ASGIReceive, ASGISend

logger = logging.getLogger("vkanyio")

MAX_DEPTH: Final = 100
"""Levels of JSON in an update. VK's have less than ten."""

BODY_SECONDS: Final = 10.0
CODE_SECONDS: Final = 60.0
"""For how long a confirmation code is used again."""

OK: Final = PlainResponse(200, "ok")
FORBIDDEN: Final = PlainResponse(403, "forbidden")
UNREADABLE: Final = PlainResponse(400, "not an update")
NO_CODE = "the confirmation code of community %d is unknown: %s"


class ConfirmationCaller(Protocol):
    """A client, as far as a receiver needs it."""

    def call(self, method: str, params: Mapping[str, Any], /) -> Awaitable[Any]:
        """Make a call, and return its value."""
        ...


@final
class CallbackReceiver:
    """Receives updates by VK's Callback API, as an ASGI 3 application.

    ::

        receiver = CallbackReceiver(secrets={1: "secret"}, confirmations={1: "1a2b3c"})
        app = Starlette(routes=[Route("/vk", receiver)], lifespan=lifespan)

    (``Mount("/vk", receiver)`` would redirect "/vk" to "/vk/", and VK does not follow.)

    A request waits until its update was handled, in the block of :meth:`updates`, and
    then gets "ok". If that takes longer than ``answer_within``, or nobody takes
    updates, it gets status 503 and VK delivers the update again later; one that was
    handled meanwhile is not handled again. VK does not say whether such a response
    counts as one of the errors after which it pauses; ``late="ok"`` avoids the
    question.

    :param secrets: the secret key of each community, by the id of the community; other
        requests get status 403
    :param confirmations: the confirmation code of each community, for which VK asks
        when the server is set up
    :param api: an open client, in place of ``confirmations``: it gets the codes by
        ``groups.getCallbackConfirmationCode``
    :param path: the only path to accept, such as "/vk"; None accepts any
    :param answer_within: seconds after which VK is answered although the update is not
        handled; VK was seen to repeat after some seconds more
    :param late: "repeat" answers with status 503 then; "ok" acknowledges it before it
        was handled, so an update is lost if its handler fails later, or the program
        ends
    :param retry_after: seconds after which VK is asked to repeat, at most three hours
    :param max_pending: maximum number of updates that wait or are being handled; VK is
        asked to repeat others
    :param max_body: bytes of a request; a larger one gets status 413
    :param remembered: how many handled updates are remembered, to answer repetitions
    """

    __module__ = "vkanyio.updates"

    def __init__(
        self,
        *,
        secrets: Mapping[int, str],
        confirmations: Mapping[int, str] | None = None,
        api: ConfirmationCaller | None = None,
        path: str | None = None,
        answer_within: float = 4.0,
        late: Literal["repeat", "ok"] = "repeat",
        retry_after: int = 10,
        max_pending: int = 1000,
        max_body: int = 2**20,
        remembered: int = 10_000,
    ) -> None:
        self._secrets = _texts("secrets", secrets)
        if not self._secrets:
            raise ValueError("secrets must have the secret key of a community, got {}")
        self._codes = _texts("confirmations", confirmations or {})
        for group_id in self._codes.keys() - self._secrets.keys():
            message = f"confirmations has community {group_id}, but secrets has not"
            raise ValueError(message)
        if path is not None and not path.startswith("/"):
            raise ValueError(f"path must begin with '/', got {shown(path)}")
        if answer_within <= 0:
            message = f"answer_within must be positive, got {shown(answer_within)}"
            raise ValueError(message)
        if late not in ("repeat", "ok"):
            raise ValueError(f"late must be 'repeat' or 'ok', got {shown(late)}")
        check_whole("retry_after", retry_after, 1, 3 * 3600)
        check_whole("max_pending", max_pending, 1)
        check_whole("max_body", max_body, 1)
        check_whole("remembered", remembered, 1)
        self._api = api
        self._path = path
        self._answer_within = answer_within
        self._late = late
        self._retry_after = retry_after
        self._max_body = max_body
        self._inbox = Inbox(max_pending, remembered)
        self._codes_of_api: dict[int, tuple[float, str]] = {}

    def __repr__(self) -> str:
        return f"<CallbackReceiver of communities {sorted(self._secrets)}>"

    def updates(self) -> CallbackUpdates:
        """Return the updates, to be used as an asynchronous context manager.

        There is one block at a time. It runs in the event loop of the server.
        """
        return CallbackUpdates(self._inbox)

    async def __call__(
        self, scope: ASGIMessage, receive: ASGIReceive, send: ASGISend
    ) -> None:
        """Process one ASGI 3 scope."""
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif response := await self._respond(scope, receive):
            await response.send(send)

    async def _respond(
        self, scope: ASGIMessage, receive: ASGIReceive
    ) -> PlainResponse | None:
        """Return the response to a request, None if the client has gone."""
        if not self._is_here(scope):
            return PlainResponse(404, "not found")
        if scope["method"] != "POST":
            return PlainResponse(405, "use POST", {"allow": "POST"})
        body: bytes | None = None
        try:
            with move_on_after(BODY_SECONDS) as timeout:
                body = await read_body(scope, receive, self._max_body)
        except ConnectionError:
            return None
        if timeout.cancelled_caught:
            return PlainResponse(408, "the body takes too long")
        if body is None:
            return PlainResponse(413, "too large")
        raw = _parsed(body)
        if raw is None:
            return UNREADABLE
        group_id: Any = raw.get("group_id")
        if not self._is_genuine(group_id, raw):
            logger.info("refused a request to the Callback API with a wrong secret")
            return FORBIDDEN
        if raw.get("type") == "confirmation":
            return await self._confirm(group_id)
        return await self._deliver(group_id, raw, header(scope, b"x-retry-counter"))

    def _is_here(self, scope: ASGIMessage) -> bool:
        if self._path is None:
            return True
        # Some frameworks remove the prefix of a mounted application, and some do not.
        path: str = scope["path"]
        paths = {path, scope.get("root_path", "") + path}
        return self._path.rstrip("/") in {each.rstrip("/") for each in paths}

    def _is_genuine(self, group_id: Any, raw: dict[str, Any]) -> bool:
        """Return whether a request has the secret of its community.

        VK may ask for the confirmation code without it.
        """
        given = raw.pop("secret", None)
        known = type(group_id) is int and group_id in self._secrets
        if known and given is None and raw.get("type") == "confirmation":
            return True
        text = given if isinstance(given, str) else ""
        secret = self._secrets[group_id] if known else SecretStr("unknown")
        same = hmac.compare_digest(_bytes(text), _bytes(secret))
        return same and known

    async def _confirm(self, group_id: int) -> PlainResponse:
        if code := self._codes.get(group_id):
            return PlainResponse(200, code)
        if self._api is None:
            logger.error(NO_CODE, group_id, "pass confirmations={...} or api=")
            return FORBIDDEN
        then, text = self._codes_of_api.get(group_id, (0.0, ""))
        if not text or current_time() - then > CODE_SECONDS:
            method = "groups.getCallbackConfirmationCode"
            try:
                value = await self._api.call(method, {"group_id": group_id})
            except VKError as error:
                logger.error(NO_CODE, group_id, error)  # noqa: TRY400, it says it all
                return self._repeat_later()
            text = str(value["code"])
            self._codes_of_api[group_id] = current_time(), text
        return PlainResponse(200, text)

    async def _deliver(
        self, group_id: int, raw: dict[str, Any], counter: str
    ) -> PlainResponse:
        """Have an update handled, once for all requests that bring it."""
        self._inbox.check_loop()
        attempt = int(counter) if counter.isascii() and counter.isdecimal() else 0
        update = parse_update(raw, group_id, attempt)
        key = group_id, update.event_id
        if self._inbox.was_handled(key):
            return OK
        delivery = self._inbox.find(key) or self._inbox.accept(key, update)
        if delivery is None:
            return self._repeat_later()
        with anyio.move_on_after(self._answer_within) as waiting:
            await delivery.ended.wait()
        if delivery.is_handled or (waiting.cancelled_caught and self._late == "ok"):
            return OK
        return self._repeat_later()

    def _repeat_later(self) -> PlainResponse:
        # VK reads dates, not seconds.
        date = formatdate(time.time() + self._retry_after, usegmt=True)
        return PlainResponse(503, "later", {"retry-after": date})


def _texts(name: str, given: Mapping[int, str]) -> dict[int, SecretStr]:
    """Check the texts of communities, and return them as secrets."""
    secrets = {group_id: SecretStr(text) for group_id, text in given.items()}
    for group_id, secret in secrets.items():
        if type(group_id) is not int or group_id <= 0:
            message = f"{name} must have ids of communities, got {shown(group_id)}"
            raise ValueError(message)
        if not secret:
            raise ValueError(f"{name} has an empty text for community {group_id}")
    return secrets


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _parsed(body: bytes) -> dict[str, Any] | None:
    """Return the object in a body, None for anything else or one that is too deep."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not is_dict(value):
        return None
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for each in level
            for child in (each.values() if is_dict(each) else each)
            if is_dict(child) or is_list(child)
        ]
        if not level:
            return value
    return None
