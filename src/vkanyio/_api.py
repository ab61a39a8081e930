"""The ways to call VK that a client, and every view of it, offers to its users.

It makes requests and passes them on to a :class:`~vkanyio._caller.Caller`. It opens
nothing and closes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack, overload

from ._config import check_view_options
from ._groups import MethodGroups
from ._masking import kind_of, mask, mask_params, mask_token
from ._method_group import call_of, not_in_schema
from ._request import APIRequest
from ._similar import did_you_mean
from ._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Mapping

    from ._caller import Caller
    from ._config import ViewOptions
    from ._execute import ExecuteResult
    from ._reading._collect import PagedItems
    from ._reading._page import PageOf
    from ._reading._stream import CallStream
    from ._token import TokenFunction
    from ._token_view import TokenView
    from ._untyped import UntypedGroups
    from .links import Target
    from .updates._bot import BotUpdates
    from .updates._positions import PositionStore
    from .updates._update import Update
    from .updates._user import UserUpdates
    from .uploads import Uploader


P = ParamSpec("P")
T = TypeVar("T")

_CALL = 'use `await api.call("users.get", {...})`'
_ITSELF = "the client itself has the methods: `await api.users.get(...)`"
_BLOCK = "leave the `async with` block to close the client"
_INSTEAD = {
    "aclose": _BLOCK,
    "api": _ITSELF,
    "close": _BLOCK,
    "get_api": _ITSELF,
    "method": _CALL,
    "request": _CALL,
}
"""What to use instead of names that other clients have."""


class API(MethodGroups):
    """The methods of VK, and the other ways to call it.

    :class:`VK` is one; functions that only make calls can take an ``api: API``.

    All methods of VK are found by their names: ``api.users.get``,
    ``api.groups.getById`` or, in snake_case, ``api.groups.get_by_id``.

    :param caller: what sends the calls
    """

    if not TYPE_CHECKING:  # type checkers would let every name through

        def __getattr__(self, name: str) -> Any:
            missing = f"{type(self).__name__!r} object has no attribute {name!r}"
            if name.startswith("_"):
                raise AttributeError(missing, name=name, obj=self)
            if name in _INSTEAD:
                message = f"{missing}: {_INSTEAD[name]}"
                raise AttributeError(message, name=name)
            known = [each for each in dir(type(self)) if not each.startswith("_")]
            meant = did_you_mean(name, known)
            what = f"group of methods {name}"
            raise not_in_schema(name, what, meant, f'"{name}.get", ')

    def __init__(self, caller: Caller) -> None:
        if isinstance(caller, str):
            caller = mask(caller)
            message = "API is a base class: use `async with VK(token) as api:`"
            raise TypeError(message)
        self._caller = caller

    @property
    def untyped(self) -> UntypedGroups:
        """All methods, without types: ``await api.untyped.newGroup.getNew(id=1)``.

        For methods that VK has, but its schema lacks. A method takes any parameters by
        keyword and returns what VK returned, as :meth:`call` does.
        """
        from ._untyped import UntypedGroups

        return UntypedGroups(self.call)

    @property
    def upload(self) -> Uploader:
        """Uploads of files: ``await api.upload.message_photo("cat.jpg", peer_id=1)``.

        There is a method for each kind of file that VK takes, see
        :class:`vkanyio.uploads.Uploader`. What they return can be passed as an
        attachment.
        """
        from .uploads import Uploader

        return Uploader(self._caller)

    async def call(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Call a method by its name, as VK spells it: ``"users.get"``.

        Retried only if a retry cannot execute the call twice, see
        :class:`~vkanyio.APIRequest`, which also describes how values are encoded.

        :param params: the parameters, by VK's names; ``None`` is not sent. A warning in
            the log reports a name that VK's schema does not have
        :return: the value that VK returned, unchanged: a dict, list, int or str; for
            ``execute`` and ``execute.name`` an :class:`~vkanyio.ExecuteResult`
        :raises TypeError: if a parameter is of a type that cannot be encoded
        :raises ValueError: if the name or a parameter cannot be sent
        :raises APIError: if VK returns an error
        :raises TransportError: if no usable response came
        :raises OutcomeUnknownError: if it is unknown whether VK carried out the call
        :raises ClientClosedError: before and after the client's block, or if that ends
        :raises ClientUseError: from another event loop, thread or process
        """
        params = mask_params(params)
        return await self._caller.perform(APIRequest(method, params))

    async def call_with_request(self, request: APIRequest) -> Any:
        """Send a request; each request can be sent once.

        :return: as :meth:`call`; other tasks get it with ``await request.wait()``
        :raises VKError: as :meth:`call` does
        """
        if not isinstance(request, APIRequest):
            kind = type(request).__name__
            message = f"request must be a vkanyio.APIRequest, got {kind}"
            raise TypeError(message)
        return await self._caller.perform(request)

    def as_token(
        self, token: str | TokenFunction, **options: Unpack[ViewOptions]
    ) -> TokenView:
        """Return a client for another token, over the connections of this one.

        ::

            community = api.as_token(community_token, limit=20)
            await community.messages.send(peer_id=1, message="hello")

        :param token: an access token, or an async function that returns one
        :param options: options of :class:`~vkanyio.Config` for calls with this token;
            the others are those of the client. They belong to the token: all its views
            must have the same ones
        :raises TypeError: for an unknown option, or a value of the wrong type
        :raises ValueError: for a value that is not allowed, or if the token is in use
            with other options
        :raises ClientClosedError: if the client is not open
        """
        from ._token_view import TokenView  # which has all of this, too

        token = mask_token(token)
        check_view_options(options)
        return TokenView(self._caller.as_token(token, options))

    def stream(
        self,
        calls: (
            Iterable[APIRequest | tuple[str, Mapping[str, Any]]]
            | AsyncIterable[APIRequest | tuple[str, Mapping[str, Any]]]
        ),
        *,
        ordered: bool = False,
        max_pending: int | None = None,
        views: Iterable[API] | None = None,
    ) -> CallStream:
        """Make any number of calls, without a task for each.

        ::

            calls = (("wall.get", {"owner_id": i, "count": 100}) for i in owners)
            async with api.stream(calls) as settled:
                async for call in settled:
                    print(call.params["owner_id"], call.result()["count"])

        Calls are taken from ``calls`` while there is room, and made as by :meth:`call`.
        An element that cannot be a call is settled like a call that failed: its
        ``call.result()`` raises the error, and other calls are not affected. Leaving
        the block abandons the calls that have no outcome yet, and closes ``calls`` if
        it is an async generator. If ``calls`` itself raises, the calls in flight are
        finished first, and then its error is raised.

        :param calls: pairs of a method and its parameters, or requests; iterated over
            in another task, while there is room
        :param ordered: whether results are returned in the order of ``calls``;
            otherwise as they settle
        :param max_pending: maximum number of calls in flight, including those whose
            results were not taken yet; ``max_waiting`` does not apply here. By default
            as many as VK accepts in two seconds, at most 1,000 for each token
        :param views: clients whose tokens share the calls, each with its own limit:
            views from :meth:`as_token`, or the client itself. The calls may only read.
            The stream stops using a token that VK refuses (errors 5, 27, 28 and the
            like), or for which VK asks a question that nobody answers; after error 29,
            it stops using it for this method and for an hour. The calls go to the other
            tokens. :exc:`~vkanyio.NoTokenLeftError` is the outcome of calls for which
            no token is left
        :return: a stream of :class:`~vkanyio.SettledCall`
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: if ``max_pending`` is less than 1, or ``views`` is empty or
            has a client twice
        """
        calls = mask(calls)  # elements may have a secret
        from ._reading._stream import CallStream

        if views is None:
            caller = self._caller
            return CallStream(caller, calls, ordered=ordered, max_pending=max_pending)
        from ._reading._sharing import SharedCalls

        callers = [view._caller for view in _checked_views(views)]
        shared = SharedCalls(callers)
        return CallStream(
            shared,
            calls,
            ordered=ordered,
            max_pending=max_pending,
            tokens=len(callers),
            block=shared.watching(),
        )

    async def gather(
        self,
        requests: Iterable[APIRequest | tuple[str, Mapping[str, Any]]],
        *,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """Make a few calls at once, and return their values in order.

        The first error is raised, and the other calls are abandoned, as in a task group
        (``asyncio.gather`` would let them continue). The error is raised unchanged,
        never in an exception group.

        :param requests: requests, or pairs of a method and its parameters. All are
            checked before the first is sent
        :param return_exceptions: return errors in the list, in place of the values,
            instead of raising the first one
        :raises TypeError: if an element is not a call, or a parameter cannot be encoded
        :raises ValueError: if a parameter cannot be sent
        :raises VKError: as :meth:`call` does
        """
        requests = mask(requests)  # elements may have a secret
        from ._reading._gather import gather

        return await gather(self._caller, requests, return_exceptions=return_exceptions)

    @overload
    def collect(
        self,
        method: Callable[P, Awaitable[PageOf[T]]],
        /,
        *args: P.args,
        **params: P.kwargs,
    ) -> PagedItems[T]: ...
    @overload
    def collect(
        self,
        method: Callable[P, Awaitable[list[T]]],
        /,
        *args: P.args,
        **params: P.kwargs,
    ) -> PagedItems[T]: ...
    @overload
    def collect(self, method: str, /, **params: Any) -> PagedItems[Any]: ...
    def collect(self, method: Any, /, *args: Any, **params: Any) -> PagedItems[Any]:
        """Read all items of a list that VK returns in pages.

        ::

            async for post in api.collect(api.wall.get, owner_id=-1):
                print(post["text"])

        Each page is an ordinary call, for the largest page that VK allows. Every item
        that stays in the list is returned once, whatever is added or removed meanwhile.
        ``await api.collect(...).all()`` requests many pages at a time, and is faster.

        :param method: the method, ``api.wall.get``, or its name, ``"wall.get"``; by
            name, the type of the items is not known
        :param params: its parameters; ``count`` is the size of a page, and ``offset``
            where to begin
        :return: the items; see also :meth:`PagedItems.options`
        :raises TypeError: for a wrong method or parameter, naming it
        :raises ValueError: for a method that does not return a list in pages, with the
            reason, or a parameter that cannot be sent
        """
        params = mask_params(params)
        if "extra_params" in params:
            params = {**params, "extra_params": mask_params(params["extra_params"])}
        from ._reading._collect import PagedItems
        from ._reading._list_call import ListCall

        if isinstance(method, str):
            if args or "extra_params" in params:
                message = f"parameters are passed by name: api.collect({method!r}, ...)"
                raise TypeError(message)
            return PagedItems(self._caller, ListCall(method, params))
        name, sent, send = call_of(method, args, params)
        api = getattr(send, "__self__", None)  # the one that the method belongs to
        caller = api._caller if isinstance(api, API) else self._caller
        return PagedItems(caller, ListCall(name, sent))

    def bot_updates(
        self,
        group_id: int | None = None,
        *,
        position: PositionStore | str | None = None,
        wait: int = 25,
        configure: bool = False,
        kinds: Iterable[type[Update[Any]] | str] | None = None,
    ) -> BotUpdates:
        """Receive updates of a community: its messages, posts, comments and so on.

        ::

            async with api.bot_updates(position=FilePosition("bot.json")) as updates:
                async for update in updates:
                    print(update)

        This uses the Long Poll API, which must be switched on in the settings of the
        community, with the types of updates that are wanted. Polls are not subject to
        the rate limit.

        :param group_id: the id of the community; by default the one that the token
            belongs to
        :param position: where to start, and where to store what was acknowledged: a
            :class:`~vkanyio.updates.FilePosition`, or another store; or the text of a
            position. By default it starts with the next update and stores nothing, so
            updates are lost while the program is not running
        :param wait: for how many seconds VK holds a request without updates, up to 90
        :param configure: whether to switch on the Long Poll API, with the API version
            of the client and the ``kinds``: this changes the community's settings
        :param kinds: which updates to deliver: classes such as
            :class:`~vkanyio.updates.MessageNew`, or their names; by default all. A
            warning in the log names those that the settings of the community leave out
        :return: an asynchronous context manager that returns the updates
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for a value that is not allowed
        """
        from .updates._bot import BotUpdates

        return BotUpdates(
            self._caller,
            group_id,
            position=position,
            wait=wait,
            configure=configure,
            kinds=kinds,
        )

    def user_updates(
        self,
        group_id: int | None = None,
        *,
        position: PositionStore | str | None = None,
        wait: int = 25,
    ) -> UserUpdates:
        """Receive what happens in a mailbox: messages, edits, deletions, reads, typing.

        ::

            async with api.user_updates(position=FilePosition("box.json")) as updates:
                async for update in updates:
                    print(update)

        This uses the User Long Poll API, which is open to tokens of communities with
        the right to messages; VK gives that right to tokens of users in exceptional
        cases only (https://dev.vk.com/api/user-long-poll/getting-started). What
        happened since a stored position is read from VK's history first. Polls are not
        subject to the rate limit.

        :param group_id: a community that the user of the token manages; by default it
            is the mailbox of the token, be it that of a user or a community
        :param position: where to start, and where to store what was acknowledged, see
            :meth:`bot_updates`
        :param wait: for how many seconds VK holds a request without updates, up to 90
        :return: an asynchronous context manager that returns the updates, which have
            the classes of :mod:`vkanyio.updates.mailbox`
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for a value that is not allowed
        """
        from .updates._user import UserUpdates

        return UserUpdates(self._caller, group_id, position=position, wait=wait)

    async def resolve(self, text: str) -> Target | None:
        """Return what a link, a mention or a screen name leads to.

        ::

            match await api.resolve("https://vk.com/durov"):
                case links.User(user_id): ...

        Only screen names need a call, of ``utils.resolveScreenName``: ids and addresses
        such as ``wall-1_2`` are parsed without VK, see :func:`.links.parse_link`.

        :return: what it leads to; None if the name does not exist, or the text is not a
            link
        :raises TypeError: if the text is not a str
        :raises VKError: as :meth:`call` does
        """
        from ._reading._resolving import resolve

        return await resolve(self._caller, text)

    async def execute(self, /, code: str, **args: Any) -> ExecuteResult:
        """Run VKScript on VK's servers: up to 25 calls in one request.

        Retried only if all calls that the code names only read.

        :param code: the script (https://dev.vk.com/method/execute). VK gets it and
            ``args`` in the same form, so ``Args.code`` is the script itself
        :param args: what the script finds in ``Args``, each as a string
        :return: what the script returned, and which of its calls failed; it unpacks
            into ``response, errors``
        :raises CompileError: if VK cannot compile the script; no part of it was run
        :raises ScriptRuntimeError: if it failed while it ran
        :raises VKError: as :meth:`call` does
        """
        args = mask_params(args)
        if not isinstance(code, str):
            message = f"code must be VKScript, a str, got {type(code).__name__}"
            raise TypeError(message)
        if not code.strip():
            message = "code must be VKScript, got nothing but spaces"
            raise ValueError(message)
        request = APIRequest("execute", {**args, "code": code})
        result: ExecuteResult = await self._caller.perform(request)
        return result

    async def procedure(self, name: str, /, **params: Any) -> ExecuteResult:
        """Run a procedure that is stored in the application: ``execute.name``.

        What it does is unknown, so it is never retried if VK may have run it.

        :param name: its name, without ``execute.``
        :param params: what it finds in ``Args``, each as a string
        :return: as :meth:`execute`
        :raises VKError: as :meth:`call` does
        """
        params = mask_params(params)
        if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
            message = f"name must be the name of a stored procedure, got {shown(name)}"
            raise ValueError(message)
        request = APIRequest(f"execute.{name}", params)
        result: ExecuteResult = await self._caller.perform(request)
        return result


def _checked_views(views: Iterable[API]) -> list[API]:
    """Return the clients that share a stream.

    :raises TypeError: if one of them is something else
    :raises ValueError: if there is none, or one of them twice
    """
    wanted = "views must be a list of clients, such as `api.as_token(...)`"
    if isinstance(views, str) or not isinstance(views, Iterable):
        message = f"{wanted}, got {kind_of(views)}"
        raise TypeError(message)
    found: list[API] = []
    for number, view in enumerate(views):
        if not isinstance(view, API):
            message = f"{wanted}, got {kind_of(view)} as views[{number}]"
            raise TypeError(message)
        if any(view is other for other in found):
            message = f"{wanted}, each of them only once, got views[{number}] twice"
            raise ValueError(message)
        found.append(view)
    if not found:
        message = f"{wanted}, got none"
        raise ValueError(message)
    return found
