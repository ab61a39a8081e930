"""The simulator itself: who may call, how often, and what befalls the call."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, final

import anyio
import httpx

from ._asgi import Receive, Scope, Send, run_asgi
from ._attempt import Attempt, Backend, Visit
from ._call import ANY_TOKEN, Account, Call, Handler, Method, TokenKind
from ._captcha import Captchas
from ._client import InProcessTransport
from ._declared import declared_methods
from ._errors import JSON, ConnectionRefused, VKFault
from ._ledger import Ledger
from ._limit import WINDOWS, Limiter, Window
from ._quotas import DAY, Quotas
from ._rules import Rules
from ._scripts import Scripts
from ._serve import serve
from ._state import State
from ._uploading import take_upload
from ._wire import Answer, Request, error_answer, html_answer
from .faults import Fault, Refuse

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

Latency: TypeAlias = float | Callable[[random.Random], float]


@final
class Simulator:
    """A stand-in for the VK API: an ASGI application that behaves as VK does.

    It reads the time from :func:`anyio.current_time`, so that with a virtual clock its
    limits and delays cost nothing. All that is random follows from the seed.

    :param limit: requests a second for each token, 0 for any number
    :param window: how they are counted: in any second whatever ("sliding"), or between
        the ticks of a clock of seconds ("fixed")
    :param latency: seconds between a request and its answer, half of them on the way
        there and half on the way back; or a function that draws them
    :param seed: makes names, captchas and the faults that have a rate
    :param tokens: the tokens that are valid, and whose they are; by default every token
        is, and each belongs to a user of its own
    :param trailing_execute_error: end the ``execute_errors`` of a script with a copy
        of the last one under the method "execute", as VK did until 2017
    :ivar ledger: what was carried out, and what was not
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
        self.ledger: Ledger = Ledger()
        self._limit = limit
        self._new_limiter = WINDOWS[window]
        self._latency = latency
        self._random = random.Random(f"latency {seed}")
        self._tokens = tokens
        self._bad_tokens: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._limiters: dict[str, Limiter] = {}
        self._captchas = Captchas(seed)
        self._rules = Rules(seed)
        self._scripts = Scripts(trailing_execute_error)
        self._state = State(seed, self._captchas)
        self._methods = {
            **declared_methods(),
            **self._state.methods(),
            "execute": self._scripts.execute(),
        }
        self._quotas = Quotas()
        self._backend = Backend(
            self._methods, self._rules, self._captchas, self.ledger, self._quotas
        )

    def __repr__(self) -> str:
        return f"<Simulator: {self.ledger.summary()}>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI 3 application."""
        await run_asgi(self.handle, scope, receive, send)

    def http_client(self, **options: Any) -> httpx.AsyncClient:
        """Make a client whose every request comes here, whatever its URL's host.

        Faults of the connection come out as httpx's own exceptions. Unlike httpx's own
        default there is no timeout, unless one is given.

        :param options: for :class:`httpx.AsyncClient`, all but ``transport``
        :return: the client, to be closed by the caller
        """
        options.setdefault("timeout", None)
        return httpx.AsyncClient(transport=InProcessTransport(self.handle), **options)

    def serve(
        self, host: str = "127.0.0.1", port: int = 0
    ) -> AbstractAsyncContextManager[str]:
        """Serve HTTP/1.1 on a real socket, under asyncio and trio alike.

        Needs the extra ``testing``. Leaving the block cuts off the requests that are
        still being answered, and closes all connections.

        :param host: the address to listen on
        :param port: the port, 0 for any that is free
        :return: an asynchronous context manager that gives the base URL, such as
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
        """Add a method, or put another in its place.

        ``execute`` and ``execute.<name>`` are methods like all others, and can be put
        in the place of those that run scripts.

        :param name: the name, such as "users.get"
        :param handler: a function, ``async`` or not, that takes a :class:`Call` and
            returns a JSON value or a :class:`Reply`, or raises :exc:`VKFault`
        :param required: parameters without which the answer is error 100
        :param tokens: the kinds of token that may call it; for others the answer is
            error 15, 27 or 28
        """
        self._methods[name] = Method(handler, required, tokens)

    def add_procedure(self, name: str, code: str) -> None:
        """Add a stored procedure, the method ``execute.<name>``.

        Needs the extra ``testing``, as ``execute`` does.

        :param name: its name, without "execute."
        :param code: its script in VKScript, which reads the parameters as ``Args``
        :raises ValueError: if the name is not one, or the script cannot be compiled
        """
        self._methods[f"execute.{name}"] = self._scripts.procedure(name, code)

    def add_user(
        self, user_id: int, *, friends: Iterable[int] = (), **properties: JSON
    ) -> None:
        """Say what a user is like; all others are made up from the seed.

        :param user_id: the number of the user
        :param friends: whose friend the user is, besides those made before
        :param properties: fields of VK's user object, such as ``first_name``,
            ``screen_name``, ``city``; ``deactivated`` ("deleted" or "banned") and
            ``is_closed`` keep others out, ``can_write_private_message=0`` keeps
            messages out (901, 902), ``can_post=0`` posts
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
        """Say what a community is like; all others are made up, and empty.

        :param group_id: the number of the community, positive
        :param members: the users in it
        :param managers: who runs it, members as well; None lets any user run it
        :param properties: fields of VK's community object, such as ``name``,
            ``screen_name``, ``type``; ``is_closed`` (1 closed, 2 private) keeps others
            out, ``can_post=0`` their posts
        """
        self._state.add_group(group_id, members, managers, properties)

    def quota(
        self,
        method: str,
        calls: int,
        *,
        seconds: float = DAY,
        code: int = 29,
        message: str | None = None,
    ) -> None:
        """Let each token call a method only so often; then answer with an error.

        The time begins with a token's first call, and anew once it is over. Calls
        inside an ``execute`` count. VK has such quotas for some methods, such as 5000
        calls of "wall.get" a day (https://dev.vk.com/api/api-requests).

        :param method: the method
        :param calls: how many calls
        :param seconds: in how long a time, by default a day
        :param code: the error, by default 29; 50 posts a day bring 214, for example
        :param message: its text, by default VK's
        """
        self._quotas.add_quota(method, calls, seconds, code, message)

    def flood_control(
        self, method: str | None = None, *, times: int = 3, seconds: float = 60.0
    ) -> None:
        """Refuse what a token does too often in the same way, with error 9.

        Calls are the same if their parameters are, but for ``random_id``, ``guid`` and
        what answers questions. Calls inside an ``execute`` count.

        :param method: look only at calls of this method
        :param times: how many calls that are the same are let through
        :param seconds: in how long a time, whenever that begins
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
        """Make something go wrong, once the limit has let a call in.

        Of several faults that would strike a call, the first one that was ordered does.

        :param fault: one of :mod:`vkanyio.testing.faults`
        :param method: strike only calls of this method
        :param nth: begin with the nth such call, counted from 1
        :param times: how many calls to strike: by default one, or any number if there
            is a rate
        :param rate: strike such a call with this probability; 1 strikes every one
        """
        self._rules.add(fault, method, nth, times, rate)

    def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        self._rules.clear()

    def solve(self, question: str) -> str:
        """Answer a captcha as a person would; the answer is good for one call.

        :param question: what the error 14 brought: its ``redirect_uri``,
            ``captcha_img`` or ``captcha_sid``
        :return: the ``success_token`` of a new captcha, the ``captcha_key`` of an old
        :raises ValueError: if there is no such captcha, or no longer
        """
        return self._captchas.solve(question, anyio.current_time())

    def expire(self, token: str) -> None:
        """Let a token's time run out: error 5, "access_token has expired.".

        :param token: the token
        """
        self._bad_tokens[token] = "access_token has expired."

    def revoke(self, token: str) -> None:
        """Take back a token: error 5, "user revoke access for this token.".

        :param token: the token
        """
        self._bad_tokens[token] = "user revoke access for this token."

    async def handle(self, request: Request) -> Answer:
        """Answer one HTTP request.

        :param request: the request
        :return: the answer
        :raises ConnectionFault: where the client is to see the connection fail
        """
        latency = self._latency
        trip = latency(self._random) if callable(latency) else latency
        await anyio.sleep(trip / 2)
        answer = await self._arrive(request)
        await anyio.sleep(trip / 2)
        return answer

    async def _arrive(self, request: Request) -> Answer:
        now = anyio.current_time()
        method = request.method
        if request.upload is not None and not request.oversize:
            uploads = self._state.uploads
            return await take_upload(self._backend, uploads, request, now)
        if method is None or request.oversize:
            self.ledger.arrived(now, None)
            return html_answer(*(request.oversize or (404, "Not Found")))
        try:
            params = request.params()
        except VKFault as unreadable:
            self.ledger.arrived(now, None)
            return error_answer(unreadable, method, {})
        token = request.token(params)
        params.pop("access_token", None)
        objection = self._objection(request, token, now)
        fault = None
        if objection is None:
            fault = self._backend.fault_for(method, params, now)
            if isinstance(fault, Refuse):
                raise ConnectionRefused
            self._limiter(token).count(now)
        owner = self._number(token)
        visit = Visit(
            backend=self._backend,
            number=self.ledger.arrived(now, owner),
            token=owner,
        )
        call = Call(
            method=method,
            params=params,
            account=self._account(token),
            time=now,
            origin=request.origin,
            invoker=visit.invoke,
        )
        attempt = Attempt(visit, call, fault)
        return attempt.refuse(objection) if objection else await attempt.run()

    def _objection(self, request: Request, token: str, now: float) -> VKFault | None:
        """Look for a reason to turn a request away before its method matters.

        The texts are VK's, as its users have reported them.
        """
        if request.verb not in ("GET", "POST"):
            return VKFault(9999)
        if not token:
            return VKFault(15, "Access denied: token required")
        if text := self._bad_tokens.get(token):
            return VKFault(5, f"User authorization failed: {text}")
        if self._tokens is not None and token not in self._tokens:
            return VKFault(5, "User authorization failed: invalid access_token (4).")
        limit = self._account(token).limit
        limit = self._limit if limit is None else limit
        if limit and not self._limiter(token).allows(now, limit):
            return VKFault(6)
        return None

    def _number(self, token: str) -> int | None:
        return self._numbers.setdefault(token, len(self._numbers)) if token else None

    def _account(self, token: str) -> Account:
        if self._tokens is not None and token in self._tokens:
            return self._tokens[token]
        return Account(id=1 + (self._number(token) or 0))

    def _limiter(self, token: str) -> Limiter:
        if token not in self._limiters:
            self._limiters[token] = self._new_limiter()
        return self._limiters[token]
