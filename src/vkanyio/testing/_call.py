"""What a method's handler gets, and what it may give back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, final

import attrs

from ._errors import JSON, VKFault
from ._ledger import repr_of_params

if TYPE_CHECKING:
    from .vkscript import Session

TokenKind: TypeAlias = Literal["user", "group", "service"]

ANY_TOKEN: Final[tuple[TokenKind, ...]] = ("user", "group", "service")

GROUP_CHAT: Final = 2_000_000_000
"""What VK adds to a chat's number to make a peer of it."""


@final
@attrs.frozen(kw_only=True)
class Account:
    """Whose a token is.

    :ivar id: the number of the user or of the community, positive in both cases
    :ivar kind: of a user, a community or a service
    :ivar limit: requests a second, 0 for any number; without one, the simulator's
    """

    id: int = 1
    kind: TokenKind = "user"
    limit: int | None = None

    @property
    def owner_id(self) -> int:
        """The number as VK writes an owner: communities are negative."""
        return -self.id if self.kind == "group" else self.id


@final
@attrs.frozen(kw_only=True)
class Call:
    """A call of one of VK's methods, as its handler sees it.

    :ivar method: the method
    :ivar params: the parameters as they came, without ``access_token``
    :ivar account: whose token it came with
    :ivar time: when it arrived, by :func:`anyio.current_time`
    :ivar origin: scheme and host that it came to: what its answer can lead back to
    :ivar invoker: what :meth:`invoke` is made of
    :ivar session: the limits of the script that makes this call, if one does
    """

    method: str
    params: Mapping[str, str] = attrs.field(repr=repr_of_params)
    account: Account
    time: float
    origin: str = "https://api.vk.ru"
    invoker: Callable[[Call], Awaitable[JSON]] = attrs.field(repr=False, eq=False)
    session: Session | None = attrs.field(default=None, repr=False, eq=False)

    async def invoke(
        self, method: str, params: Mapping[str, str] | None = None
    ) -> JSON:
        """Call another method from within this one, as ``execute`` does.

        It costs nothing of the limit and has an entry of its own in the ledger.

        :param method: the name of the method
        :param params: its parameters; ``v`` is this call's, if it is not among them
        :return: the method's value
        :raises VKFault: if the inner call is refused
        """
        inherited = {key: self.params[key] for key in ("v",) if key in self.params}
        inner = {**inherited, **(params or {})}
        return await self.invoker(attrs.evolve(self, method=method, params=inner))

    def text(self, name: str) -> str:
        """Read a parameter that must be there.

        :param name: the parameter
        :return: its value, not empty
        :raises VKFault: code 100, if it is missing or empty
        """
        if value := self.params.get(name):
            return value
        raise VKFault.parameter(f"{name} is a required parameter")

    def integer(self, name: str, default: int | None = None) -> int:
        """Read a number.

        :param name: the parameter
        :param default: its value if it is missing or empty; without a default it must
            be there
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
        """Read a list, which VK writes with commas.

        :param name: the parameter
        :return: its items, none if it is missing or empty
        """
        items = (item.strip() for item in self.params.get(name, "").split(","))
        return [item for item in items if item]


@final
@attrs.frozen
class Reply:
    """A method's value, with what else there is to say about the call.

    :ivar response: the value
    :ivar execute_errors: what goes beside ``response`` in the answer of an ``execute``
    :ivar repeated: whether the call was recognised as a repetition and had no effect
    """

    response: JSON
    execute_errors: Sequence[JSON] = attrs.field(default=(), kw_only=True)
    repeated: bool = attrs.field(default=False, kw_only=True)


Handler: TypeAlias = Callable[[Call], Any]
"""Carries out a method: a function, ``async`` or not, that takes a :class:`Call`,
returns a JSON value or a :class:`Reply`, and raises :exc:`VKFault` to refuse."""


@final
@attrs.frozen
class Method:
    """A method that the simulator knows."""

    handler: Handler
    required: Sequence[str] = ()
    tokens: Sequence[TokenKind] = ANY_TOKEN

    def check(self, call: Call) -> None:
        """Refuse what VK refuses before it looks any closer.

        :raises VKFault: 27 or 28 for a token of a kind that the method does not take,
            100 for a missing parameter
        """
        kind = call.account.kind
        if kind not in self.tokens:
            subject, code = {
                "user": ("User", 15),
                "group": ("Group", 27),
                "service": ("Application", 28),
            }[kind]
            by = "service token" if kind == "service" else f"{kind} auth"
            raise VKFault(
                code,
                f"{subject} authorization failed: method is unavailable with {by}.",
            )
        for name in self.required:
            call.text(name)
