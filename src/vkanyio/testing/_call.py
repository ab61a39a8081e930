"""The arguments and the return value of a method's handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, final

import attrs

from ._errors import ERROR_TEXTS, JSON, VKFault
from ._ledger import repr_of_params

if TYPE_CHECKING:
    from ._parameters import DeclaredParameters
    from .vkscript import ScriptSession

TokenKind: TypeAlias = Literal["user", "group", "service"]

ANY_TOKEN: Final[tuple[TokenKind, ...]] = ("user", "group", "service")

GROUP_CHAT: Final = 2_000_000_000
"""The offset that turns the number of a chat into a peer id."""


@final
@attrs.frozen(kw_only=True)
class Account:
    """The owner of a token.

    :ivar id: the id of the user or of the community, positive in both cases
    :ivar kind: whether it is the token of a user, a community or a service
    :ivar limit: requests per second, 0 for no limit; by default the simulator's limit
    """

    id: int = 1
    kind: TokenKind = "user"
    limit: int | None = None

    @property
    def owner_id(self) -> int:
        """The id as VK writes owners: negative for communities."""
        return -self.id if self.kind == "group" else self.id


@final
@attrs.frozen(kw_only=True)
class Call:
    """A call of a VK method, as its handler receives it.

    :ivar method: the method
    :ivar params: the unchanged parameters, without ``access_token``
    :ivar account: the owner of the token
    :ivar time: when the call arrived, by :func:`anyio.current_time`
    :ivar origin: the scheme and host of the request, for URLs in the response
    :ivar invoker: the function behind :meth:`invoke`
    :ivar session: the limits of the script that makes this call, if there is one
    """

    method: str
    params: Mapping[str, str] = attrs.field(repr=repr_of_params)
    account: Account
    time: float
    origin: str = "https://api.vk.ru"
    invoker: Callable[[Call], Awaitable[JSON]] = attrs.field(repr=False, eq=False)
    session: ScriptSession | None = attrs.field(default=None, repr=False, eq=False)

    async def invoke(
        self, method: str, params: Mapping[str, str] | None = None
    ) -> JSON:
        """Call another method from within this one, as ``execute`` does.

        The call does not count against the rate limit. It gets a separate entry in the
        ledger.

        :param method: the name of the method
        :param params: its parameters; ``v`` defaults to the ``v`` of this call
        :return: the method's value
        :raises VKFault: if the inner call is refused
        """
        inherited = {key: self.params[key] for key in ("v",) if key in self.params}
        inner = {**inherited, **(params or {})}
        return await self.invoker(attrs.evolve(self, method=method, params=inner))

    def text(self, name: str) -> str:
        """Return a required parameter.

        :param name: the parameter
        :return: its value, not empty
        :raises VKFault: code 100, if it is missing or empty
        """
        if value := self.params.get(name):
            return value
        raise VKFault.parameter(f"{name} is undefined")

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a parameter as an integer.

        :param name: the parameter
        :param default: the value if it is missing or empty; without a default the
            parameter is required
        :return: the number
        :raises VKFault: code 100, if it is missing or not an integer
        """
        if default is not None and not self.params.get(name):
            return default
        value = self.text(name)
        try:
            return int(value)
        except ValueError:
            raise VKFault.parameter(f"{name} not integer") from None

    def items(self, name: str) -> list[str]:
        """Return a parameter as a list; VK separates the items by commas.

        :param name: the parameter
        :return: its items; an empty list if the parameter is missing or empty
        """
        items = (item.strip() for item in self.params.get(name, "").split(","))
        return [item for item in items if item]


@final
@attrs.frozen
class Reply:
    """The value of a method, with further facts about the call.

    :ivar response: the value
    :ivar execute_errors: the ``execute_errors`` that an ``execute`` returns beside
        its ``response``
    :ivar repeated: whether the call was recognised as a duplicate and had no effect
    """

    response: JSON
    execute_errors: Sequence[JSON] = attrs.field(default=(), kw_only=True)
    repeated: bool = attrs.field(default=False, kw_only=True)


Handler: TypeAlias = Callable[[Call], Any]
"""The implementation of a method: a function, ``async`` or not, that takes a
:class:`Call`, returns a JSON value or a :class:`Reply`, and raises :exc:`VKFault` to
refuse the call."""


@final
@attrs.frozen
class SimulatedMethod:
    """A method of the simulator: its handler, and who may call it with what.

    :ivar handler: the implementation
    :ivar required: the required parameters
    :ivar tokens: the kinds of token that may call it
    :ivar parameters: what VK declares about its parameters, if it is one of VK's
    """

    handler: Handler
    required: Sequence[str] = ()
    tokens: Sequence[TokenKind] = ANY_TOKEN
    parameters: DeclaredParameters | None = None

    def check(self, call: Call) -> None:
        """Refuse a call with the wrong kind of token or with wrong parameters.

        :raises VKFault: 15, 27 or 28 for a kind of token that the method does not
            accept, 100 for a parameter that is missing or wrong
        """
        if call.account.kind not in self.tokens:
            raise _wrong_token(call.account.kind)
        for name in self.required:
            call.text(name)
        if self.parameters:
            self.parameters.check(call)


def _wrong_token(kind: TokenKind) -> VKFault:
    """Return the error for a kind of token, with the texts that users report."""
    if kind == "user":
        text = "no access to call this method. It cannot be called with current scopes."
        return VKFault(15, f"Access denied: {text}", error_subcode=1133)
    if kind == "group":
        return VKFault(27, f"{ERROR_TEXTS[27]}: method is unavailable with group auth.")
    return VKFault(28, f"{ERROR_TEXTS[28]}: method is unavailable with service token.")
