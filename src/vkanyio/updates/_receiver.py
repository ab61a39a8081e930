"""The receiver of the Callback API, an ASGI application.

It owns what VK is answered: whether a request is genuine, and when it gets "ok". It
owns no task: the handlers run in those of the program, so a broken connection cancels
none.
"""

from __future__ import annotations

import hmac
import logging
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final, Literal, final

from anyio import CancelScope, current_time, move_on_after

from .._masking import SecretStr
from .._wire_checks import check_whole, shown
from ._asgi_http import PlainResponse, answer_lifespan, header, read_body
from ._callback import CallbackUpdates
from ._confirmation import ConfirmationCodes
from ._handled import HandledKeeper, HandledStore
from ._inbox import Inbox
from ._numbers import CallbackCounters, CallbackStatistics
from ._parse import parse_body, parse_update

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._asgi_http import ASGIMessage, ASGIReceive, ASGISend
    from ._confirmation import ConfirmationCaller
    from ._inbox import CallbackDelivery

logger = logging.getLogger("vkanyio")

BODY_SECONDS: Final = 10.0

OK: Final = PlainResponse(200, "ok")
FORBIDDEN: Final = PlainResponse(403, "forbidden")
UNREADABLE: Final = PlainResponse(400, "not an update")


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
    :param handled: remembers them beyond this process, such as in a database; VK then
        gets "ok" for an update that was handled once the store has it, or has failed
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
        handled: HandledStore | None = None,
    ) -> None:
        self._secrets = _texts("secrets", secrets)
        if not self._secrets:
            raise ValueError("secrets must have the secret key of a community, got {}")
        codes = _texts("confirmations", confirmations or {})
        for group_id in codes.keys() - self._secrets.keys():
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
        if handled is not None and not isinstance(handled, HandledStore):
            message = (
                "handled must be a store with the async methods `contains` and `add`,"
                f" got {shown(handled)}"
            )
            raise TypeError(message)
        self._codes = ConfirmationCodes(codes, api)
        self._path = path
        self._answer_within = answer_within
        self._late = late
        self._retry_after = retry_after
        self._max_body = max_body
        self._counters = CallbackCounters()
        self._inbox = Inbox(max_pending, remembered)
        self._keeper = None if handled is None else HandledKeeper(handled, self._inbox)

    def __repr__(self) -> str:
        return f"<CallbackReceiver of communities {sorted(self._secrets)}>"

    def updates(self) -> CallbackUpdates:
        """Return the updates, to be used as an asynchronous context manager.

        There is one block at a time. It runs in the event loop of the server.
        """
        return CallbackUpdates(self._inbox, self._keeper)

    def statistics(self) -> CallbackStatistics:
        """Return what VK has delivered since the receiver was made."""
        counters, updated = self._counters, self._counters.updated_at
        return CallbackStatistics(
            received=self._inbox.received,
            handled=self._inbox.handled,
            waiting=len(self._inbox),
            repeated=counters.repeated,
            late=counters.late,
            refused=dict(counters.refused),
            store_failures=0 if self._keeper is None else self._keeper.failures,
            since_update=None if updated is None else current_time() - updated,
        )

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
            return self._refuse("path", PlainResponse(404, "not found"))
        if scope["method"] != "POST":
            response = PlainResponse(405, "use POST", {"allow": "POST"})
            return self._refuse("method", response)
        body: bytes | None = None
        try:
            with move_on_after(BODY_SECONDS) as timeout:
                body = await read_body(scope, receive, self._max_body)
        except ConnectionError:
            return None
        if timeout.cancelled_caught:
            return self._refuse("slow", PlainResponse(408, "the body takes too long"))
        if body is None:
            return self._refuse("length", PlainResponse(413, "too large"))
        raw = parse_body(body)
        if raw is None:
            return self._refuse("not an update", UNREADABLE)
        group_id: Any = raw.get("group_id")
        if not self._is_genuine(group_id, raw):
            logger.info("refused a request to the Callback API with a wrong secret")
            return self._refuse("secret", FORBIDDEN)
        if raw.get("type") == "confirmation":
            return await self._confirm(group_id)
        return await self._deliver(group_id, raw, header(scope, b"x-retry-counter"))

    def _refuse(self, reason: str, response: PlainResponse) -> PlainResponse:
        self._counters.refused[reason] += 1
        return response

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
        if code := await self._codes.find(group_id):
            return PlainResponse(200, code)
        if self._codes.may_change:
            return self._repeat_later("confirmation")
        return self._refuse("confirmation", FORBIDDEN)

    async def _deliver(
        self, group_id: int, raw: dict[str, Any], counter: str
    ) -> PlainResponse:
        """Have an update handled, once for all requests that bring it."""
        self._inbox.check_loop()
        start = self._counters.updated_at = current_time()
        attempt = int(counter) if counter.isascii() and counter.isdecimal() else 0
        update = parse_update(raw, group_id, attempt)
        key = group_id, update.event_id
        delivery = self._inbox.find(key)
        if delivery is not None or self._inbox.was_handled(key):
            self._counters.repeated += 1
        elif refusal := self._inbox.refusal:
            return self._repeat_later(refusal)
        elif self._keeper is None:
            delivery = self._inbox.accept(key, update)
        else:
            delivery = self._inbox.accept(key, update, is_checked=False)
            if not await self._keeper.look_up(delivery, self._answer_within):
                return self._repeat_later("store")
            self._counters.repeated += delivery.is_handled
        if delivery is None:
            return OK
        return await self._outcome(delivery, start + self._answer_within)

    async def _outcome(
        self, delivery: CallbackDelivery, deadline: float
    ) -> PlainResponse:
        """Wait for what becomes of a delivery, but not for ever."""
        with CancelScope(deadline=deadline):
            await delivery.ended.wait()
        if delivery.ended.is_set():
            return OK if delivery.is_handled else self._repeat_later("not handled")
        self._counters.late += 1
        return OK if self._late == "ok" else self._repeat_later(None)

    def _repeat_later(self, reason: str | None) -> PlainResponse:
        if reason is not None:
            self._counters.refused[reason] += 1
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
