"""A client for another token, over the connections of the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from ._api import API
from ._async_use import EnteredByAsyncWith
from ._errors import ClientUseError

if TYPE_CHECKING:
    from types import TracebackType

    from ._caller import TokenCaller
    from ._statistics import Statistics


@final
class TokenView(API, EnteredByAsyncWith):
    """A client for another token, from :meth:`API.as_token`.

    It makes calls in every way that the client does, over the client's connections, and
    as long as the client is open. The token has its own rate limit, queue of calls and
    batches, which exist while there are calls. A block keeps them in between::

        async with api.as_token(token, limit=20) as view:
            ...

    It also requests the first token, if it comes from a function. A view may be entered
    again, and works without a block, too.
    """

    def __init__(self, caller: TokenCaller) -> None:
        super().__init__(caller)
        self._view = caller
        self._is_held = False

    def __repr__(self) -> str:
        return "<vkanyio.TokenView>"

    def statistics(self) -> Statistics:
        """Return the numbers of the calls with this token, by all its views."""
        return self._view.statistics()

    async def __aenter__(self) -> Self:
        if self._is_held:
            message = "the view has already been entered: create another one"
            raise ClientUseError(message)
        self._is_held = True
        try:
            await self._view.hold()
        except BaseException:
            self._is_held = False
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_held = False
        self._view.release()
