"""The tokens: whose they are, which are valid, and their rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from ._call import Account
from ._errors import ERROR_TEXTS, VKFault
from ._limit import WINDOWS, SimulatedLimit, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._vkid import SimulatedVKID
    from ._wire import Request


@final
class Tokens:
    """All tokens, numbered in the order in which they were seen.

    :param accounts: the valid tokens and their owners; None if every token is valid
    :param limit: requests per second for each, 0 for no limit
    :param window: how to count them
    :param vkid: whose tokens are valid, too
    """

    def __init__(
        self,
        accounts: Mapping[str, Account] | None,
        limit: int,
        window: Window,
        vkid: SimulatedVKID,
    ) -> None:
        self._accounts = accounts
        self._limit = limit
        self._new_limit = WINDOWS[window]
        self._vkid = vkid
        self._bad: dict[str, tuple[int, str | None]] = {}
        self._numbers: dict[str, int] = {}
        self._limits: dict[str, SimulatedLimit] = {}

    def number(self, token: str) -> int | None:
        """Return the number of a token, or None for no token."""
        return self._numbers.setdefault(token, len(self._numbers)) if token else None

    def account(self, token: str) -> Account:
        """Return the owner of a token."""
        if self._accounts is not None and token in self._accounts:
            return self._accounts[token]
        number = self.number(token) or 0
        return self._vkid.account(token) or Account(id=1 + number)

    def spoil(self, token: str, reason: str | None, code: int = 5) -> None:
        """Refuse the calls of a token from now on.

        :param token: the token
        :param reason: VK's text, if it is more than that of the code
        :param code: the code of the error
        """
        self._bad[token] = (code, reason)

    def count(self, token: str, now: float) -> None:
        """Count a request against the limit of its token."""
        self._limit_of(token).count(now)

    def objection(self, request: Request, token: str, now: float) -> VKFault | None:
        """Return the error that refuses a request, whatever its method, or None.

        The texts are VK's, as reported by users.
        """
        if request.verb not in ("GET", "POST"):
            return VKFault(9999)
        if not token:
            return VKFault(15, "Access denied: token required")
        if token in self._bad:
            code, text = self._bad[token]
            return VKFault(code, text and f"{ERROR_TEXTS[code]}: {text}")
        if objection := self._vkid.objection(token, request.address, now):
            return objection
        is_known = self._accounts is None or token in self._accounts
        if not is_known and self._vkid.account(token) is None:
            return VKFault(5, "User authorization failed: invalid access_token (4).")
        limit = self.account(token).limit
        limit = self._limit if limit is None else limit
        if limit and not self._limit_of(token).allows(now, limit):
            return VKFault(6)
        return None

    def _limit_of(self, token: str) -> SimulatedLimit:
        if token not in self._limits:
            self._limits[token] = self._new_limit()
        return self._limits[token]
