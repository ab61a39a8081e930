"""The simulator itself: tokens, rate limits, and the way of a request through it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import anyio
import httpx

from ._asgi import Receive, Scope, Send, run_asgi
from ._attempt import Backend
from ._call import ANY_TOKEN, Account, Handler, SimulatedMethod, TokenKind
from ._callback import CallbackOptions, CallbackServer, CallbackSession, Timeout
from ._captcha import Captchas
from ._client import InProcessTransport
from ._declared import simulated_methods
from ._ledger import Ledger
from ._limit import WINDOWS, Window
from ._lists import SimulatedList
from ._quotas import DAY, Quotas
from ._reception import Reception
from ._rules import Rules
from ._scripts import Scripts
from ._serve import Application, serve
from ._state import SimulatedState
from ._tokens import Tokens
from ._vkid import SimulatedVKID

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ._errors import JSON
    from ._wire import Request, SimulatedResponse
    from .faults import Fault

Latency: TypeAlias = float | Callable[[random.Random], float]


@final
class Simulator:
    """A simulation of the VK API, as an ASGI application.

    It reads the time from :func:`anyio.current_time`, so limits and delays take no real
    time under a virtual clock. The seed determines everything random.

    :param limit: requests per second for each token, 0 for no limit
    :param window: how to count them: in any period of one second ("sliding"), or
        per second of the clock ("fixed")
    :param latency: seconds between a request and its response, half of them on the way
        there and half on the way back; or a function that draws the number
    :param seed: determines names, captchas, and the faults that have a rate
    :param tokens: the valid tokens and their owners; by default every token is valid
        and belongs to a separate user
    :param trailing_execute_error: append to the ``execute_errors`` of a script a copy
        of the last entry with "execute" as its method, as VK did until 2017
    :ivar ledger: the calls that were carried out, and those that were not
    :ivar vkid: VK ID, which issues and renews tokens
    """

    def __init__(
        self,
        *,
        limit: int = 3,
        window: Window = "sliding",
        latency: Latency = 0.0,
        seed: int = 0,
        tokens: Mapping[str, Account] | None = None,
        trailing_execute_error: bool = False,
    ) -> None:
        if window not in WINDOWS:
            raise ValueError(f"window must be one of {[*WINDOWS]}, not {window!r}")
        if limit < 0:
            raise ValueError(f"limit must be 0 or more, not {limit}")
        if not callable(latency) and not latency >= 0:
            raise ValueError(f"latency must be 0 or more, not {latency}")
        self.ledger: Ledger = Ledger()
        self.vkid: SimulatedVKID = SimulatedVKID()
        self._seed = seed
        self._latency = latency
        self._random = random.Random(f"latency {seed}")
        self._tokens = Tokens(tokens, limit, window, self.vkid)
        self._captchas = Captchas(seed)
        self._rules = Rules(seed)
        self._scripts = Scripts(trailing_execute_error)
        self._state = SimulatedState(seed, self._captchas, self.ledger)
        self._methods = {
            **simulated_methods(self._state.methods()),
            "execute": self._scripts.execute(),
        }
        self._quotas = Quotas()
        self._backend = Backend(
            self._methods, self._rules, self._captchas, self.ledger, self._quotas
        )
        self._reception = Reception(self._backend, self._tokens, self._state, self.vkid)

    def __repr__(self) -> str:
        return f"<Simulator: {self.ledger.summary()}>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process one ASGI 3 scope."""
        await run_asgi(self.handle, self._reception.begin, scope, receive, send)

    def http_client(self, **options: Any) -> httpx.AsyncClient:
        """Return an HTTP client that sends every request here, whatever the host.

        Connection faults are raised as httpx exceptions. The client has no timeout
        unless you pass one.

        :param options: options of :class:`httpx.AsyncClient`, except ``transport``
        :return: the client, which has no connections: you need not close it
        """
        options.setdefault("timeout", None)
        return httpx.AsyncClient(
            transport=InProcessTransport(self.handle, self._reception.begin), **options
        )

    def serve(
        self, host: str = "127.0.0.1", port: int = 0
    ) -> AbstractAsyncContextManager[str]:
        """Serve HTTP/1.1 on a real socket, on asyncio and on trio.

        This needs the extra ``testing``. Leaving the block cancels the requests in
        progress and closes all connections.

        :param host: the address to listen on
        :param port: the port, 0 for any free one
        :return: an asynchronous context manager that returns the base URL, such as
            "http://127.0.0.1:54321/method"
        """
        return serve(self, host, port)

    def add_method(
        self,
        name: str,
        handler: Handler,
        *,
        required: Sequence[str] = (),
        tokens: Sequence[TokenKind] = ANY_TOKEN,
    ) -> None:
        """Add a method, or replace one.

        ``execute`` and ``execute.<name>`` are methods like any other: you can replace
        those that run scripts.

        :param name: the name, such as "users.get"
        :param handler: a function, ``async`` or not, that takes a :class:`Call` and
            returns a JSON value or a :class:`Reply`, or raises :exc:`VKFault`
        :param required: the required parameters; a call without one gets error 100
        :param tokens: the kinds of token that may call it; others get error 15, 27
            or 28
        """
        self._methods[name] = SimulatedMethod(handler, required, tokens)

    def add_list(
        self,
        name: str,
        items: Sequence[JSON],
        *,
        max_page: int = 100,
        hidden: Callable[[JSON], bool] | None = None,
        max_results: int | None = None,
        by_cursor: bool = False,
    ) -> None:
        """Add a method that returns a list in pages, or replace one.

        It takes ``offset`` and ``count``, and returns ``count`` and ``items``.

        :param name: the name, such as "wall.get"
        :param items: the list, which you may change between two calls, see
            :meth:`between`
        :param max_page: the largest page; a larger ``count`` is allowed, but has no
            effect
        :param hidden: selects items that are counted, but not returned, such as posts
            that the user may not see
        :param max_results: how many items can be reached, although all are counted, as
            in a search
        :param by_cursor: take ``start_from`` in place of ``offset``, and return
            ``next_from`` unless it is the last page
        """
        handler = SimulatedList(
            items=items,
            max_page=max_page,
            hidden=hidden,
            max_results=max_results,
            by_cursor=by_cursor,
        )
        self.add_method(name, handler)

    def between(self, method: str, change: Callable[[], object]) -> None:
        """Let something happen between two calls of a method.

        So lists change while they are read, for example.

        :param method: the method
        :param change: called each time that the method was carried out, also inside an
            ``execute``
        """
        self._backend.between.setdefault(method, []).append(change)

    def add_procedure(self, name: str, code: str) -> None:
        """Add a stored procedure, the method ``execute.<name>``.

        This needs the extra ``testing``, as ``execute`` does.

        :param name: its name, without "execute."
        :param code: its VKScript, which reads the parameters from ``Args``
        :raises ValueError: if the name is invalid or the script cannot be compiled
        """
        self._methods[f"execute.{name}"] = self._scripts.procedure(name, code)

    def add_user(
        self, user_id: int, *, friends: Iterable[int] = (), **properties: JSON
    ) -> None:
        """Define a user; all others are generated from the seed.

        :param user_id: the id of the user
        :param friends: friends of the user, in addition to existing ones
        :param properties: fields of VK's user object, such as ``first_name``,
            ``screen_name``, ``city``; ``deactivated`` ("deleted" or "banned") and
            ``is_closed`` deny access to the profile, ``can_write_private_message=0``
            refuses messages (901, 902), and ``can_post=0`` refuses posts
        """
        self._state.add_user(user_id, friends, properties)

    def add_group(
        self,
        group_id: int,
        *,
        members: Iterable[int] = (),
        managers: Iterable[int] | None = None,
        **properties: JSON,
    ) -> None:
        """Define a community; all others are generated, and have no members.

        :param group_id: the id of the community, positive
        :param members: its members
        :param managers: its managers, who are members too; None lets any user manage it
        :param properties: fields of VK's community object, such as ``name``,
            ``screen_name``, ``type``; ``is_closed`` (1 closed, 2 private) denies access
            to others, and ``can_post=0`` refuses their posts
        """
        self._state.add_group(group_id, members, managers, properties)

    def say(
        self,
        user_id: int,
        group_id: int,
        text: str,
        *,
        chat_id: int | None = None,
        **params: object,
    ) -> int:
        """Let a user write a message to a community, as in VK's app.

        The community gets an update "message_new". Like :meth:`press` and
        :meth:`update`, this is not a call: it is subject to no limit and no fault, and
        is recorded in ``ledger.updates``, not in the ledger of calls.

        :param user_id: the user
        :param group_id: the community
        :param text: the text of the message
        :param chat_id: write it in this chat, of which both are members
        :param params: further parameters of ``messages.send``, such as ``attachment``
        :return: the id of the message
        :raises VKFault: if VK would refuse the message
        :raises ValueError: if the community is not in the chat
        """
        return self._state.visitors.say(
            user_id,
            group_id,
            {"message": text, **params},
            chat_id,
            anyio.current_time(),
        )

    def press(self, user_id: int, group_id: int, label: str) -> str | None:
        """Let a user press a button that the community has sent.

        A text button sends a message with its label and payload. A callback button
        makes an update "message_event", which the community has a minute to answer
        with ``messages.sendMessageEventAnswer``.

        :param user_id: the user, who sees the inline keyboards of the community, and of
            the others the last one
        :param group_id: the community
        :param label: the label of the button
        :return: for a callback button, the ``event_id`` to answer with
        :raises ValueError: if the user sees no such button, or it sends nothing
        """
        now = anyio.current_time()
        return self._state.visitors.press(user_id, group_id, label, now)

    def update(self, group_id: int, type: str, object: JSON) -> str | None:  # noqa: A002, VK's words
        """Make any update of a community.

        What programs do by methods, and users by :meth:`say` and :meth:`press`, makes
        updates by itself.

        :param group_id: the community
        :param type: VK's name for what has happened, such as "group_join"
        :param object: VK's object, which is not checked
        :return: the ``event_id`` of the update, or None if the settings of the
            community leave out this type
        """
        now = anyio.current_time()
        return self._state.updates.make(group_id, type, object, now)

    def callback(
        self,
        app: Application | str,
        group_id: int,
        secret: str | None = None,
        *,
        path: str = "/",
        confirmation: str | None = None,
        timeout: Timeout = 10.0,
        retries: int = 10,
        spacing: float = 18.0,
        errors: int = 10,
        pause: float = 600.0,
    ) -> AbstractAsyncContextManager[CallbackServer]:
        """Send the updates of a community to a server, as VK's Callback API does.

        Entering the block asks the server for the confirmation code. From then on it
        gets every update of the community, whatever the settings of the long poll, and
        again until it responds with "ok"; ``X-Retry-Counter`` counts. A ``Retry-After``
        is respected, and does not count as an error. VK does not document the numbers:
        the defaults are made up, except that a repetition was seen after 18 seconds.

        :param app: an ASGI application, whose lifespan is not run; or a URL
        :param group_id: the community
        :param secret: the secret key that requests have
        :param path: the path of the requests to an application
        :param confirmation: the expected confirmation code; by default the one that
            ``groups.getCallbackConfirmationCode`` returns
        :param timeout: seconds after which a request is given up and its connection
            closed; or a function that draws the number
        :param retries: how often an update is sent again
        :param spacing: seconds between two attempts
        :param errors: after how many errors in a row nothing is sent for a while
        :param pause: seconds of that while
        :return: an asynchronous context manager that returns a :class:`CallbackServer`
        :raises ValueError: by entering it, if the server does not confirm
        """
        updates = self._state.updates
        options = CallbackOptions(
            url=app if isinstance(app, str) else f"http://callback.test{path}",
            group_id=group_id,
            code=confirmation or updates.code(group_id),
            secret=secret,
            seed=self._seed,
            timeout=timeout,
            retries=retries,
            spacing=spacing,
            errors=errors,
            pause=pause,
        )
        return CallbackSession(app, updates, options)

    def long_poll(
        self,
        *,
        key_seconds: float | None = None,
        retention: int | None = None,
        most: int | None = None,
        history: int | None = None,
        page: int | None = None,
    ) -> None:
        """Change how generous the long poll servers are from now on.

        VK's own numbers are not documented for communities.

        :param key_seconds: for how long a new key is valid, at first an hour
        :param retention: how many updates of a community are kept, at first 256
        :param most: how many updates are sent in one response, at first 100
        :param history: how many updates of a mailbox ``messages.getLongPollHistory``
            knows, at first 5000
        :param page: how many of them it returns unless it is asked for another number,
            at first 1000
        """
        sizes = {"retention": retention, "most": most, "history": history, "page": page}
        self._state.long_poll.limits.change(key_seconds=key_seconds, **sizes)

    def quota(
        self,
        method: str,
        calls: int,
        *,
        seconds: float = DAY,
        code: int = 29,
        message: str | None = None,
    ) -> None:
        """Limit how often each token may call a method in a long period.

        The period begins with the first call of a token; after it ends, the next call
        begins a new one. Calls inside an ``execute`` count. VK has such quotas for some
        methods, such as 5000 calls of "wall.get" a day
        (https://dev.vk.com/api/api-requests).

        :param method: the method
        :param calls: how many calls are allowed in a period
        :param seconds: the length of the period, by default a day
        :param code: the error code of further calls, by default 29; VK returns 214
            after 50 posts a day, for example
        :param message: the error's text, by default VK's
        """
        self._quotas.add_quota(method, calls, seconds, code, message)

    def flood_control(
        self, method: str | None = None, *, times: int = 3, seconds: float = 60.0
    ) -> None:
        """Refuse identical calls of a token with error 9 if there are too many.

        Calls are identical if their parameters are, apart from ``random_id``, ``guid``
        and the answers to captchas and other questions. Calls inside an ``execute``
        count.

        :param method: count only calls of this method
        :param times: how many identical calls to allow
        :param seconds: the length of the sliding window in which they are counted
        """
        self._quotas.add_flood_control(method, times, seconds)

    def fault(
        self,
        fault: Fault,
        method: str | None = None,
        *,
        nth: int | None = None,
        times: int | None = None,
        rate: float | None = None,
    ) -> None:
        """Inject a fault into calls that the rate limit has admitted.

        If several faults apply to a call, it gets the one that was added first.

        Calls inside an ``execute`` or a stored procedure count, too. An error affects
        only its call. A fault of the connection or the response affects the request:
        if it strikes before, the script ends at that call, so that neither the call nor
        anything after it is carried out, but what came before it has been, as when a
        server crashes; if it strikes after, the script runs to its end first. To lose
        a whole script, inject the fault into "execute".

        Without a method, a fault of the connection or the response affects any HTTP
        request, of which an ``execute`` is one, and an error any call, of which an
        ``execute`` with two calls has three.

        :param fault: one of :mod:`vkanyio.testing.faults`
        :param method: affect only calls of this method, whose name is not checked,
            since it may be added later; "upload", "longpoll" and "vkid" are requests to
            upload and long poll servers and to VK ID
        :param nth: begin with the nth such call, counted from 1
        :param times: how many calls to affect: by default one, or with a rate any
            number
        :param rate: affect such a call with this probability; 1 affects every call
        :raises TypeError: if it is not a fault
        :raises ValueError: for a number out of range, or a fault of uploads or long
            poll servers with another method
        """
        self._rules.add(fault, method, nth, times, rate)

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._rules.clear()

    def solve(self, question: str) -> str:
        """Solve a captcha as a person would; the answer is valid for one call.

        :param question: the ``redirect_uri``, ``captcha_img`` or ``captcha_sid`` of
            the error 14
        :return: the ``success_token`` of a new captcha, or the ``captcha_key`` of an
            old one
        :raises ValueError: if there is no such captcha, or it has expired
        """
        return self._captchas.solve(question, anyio.current_time())

    def expire(self, token: str, *, code: Literal[5, 28, 1117] = 5) -> None:
        """Make a token expire: from now on its calls get an error.

        :param token: the token
        :param code: 5 as for most tokens, 28 as for those of a service, or 1117 as for
            the tokens of apps by VK
        """
        text = None if code == 1117 else "access_token has expired."
        self._tokens.spoil(token, text, code)

    def revoke(self, token: str) -> None:
        """Revoke a token: error 5, "user revoke access for this token.".

        :param token: the token
        """
        self._tokens.spoil(token, "user revoke access for this token.")

    def expire_uploads(self) -> None:
        """Make the addresses of upload servers expire that were returned so far.

        How long VK keeps them is not known.
        """
        self._state.uploads.expire()

    async def handle(self, request: Request) -> SimulatedResponse:
        """Process one HTTP request.

        :param request: the request
        :return: the response
        :raises ConnectionFault: if the client should see the connection fail
        """
        latency = self._latency
        trip = latency(self._random) if callable(latency) else latency
        await anyio.sleep(trip / 2)
        response = await self._reception.take(request, anyio.current_time())
        await anyio.sleep(trip / 2)
        return response
