"""The token of a lane: which one is sent now, and how the next one is got.

It owns the renewal of one token, of which there is one at a time for however many
calls. It sends no calls and retries none: while there is no usable token, the ticker
grants no permits, and a call that VK has refused waits for its next permit like any
other.
"""

from __future__ import annotations

import logging
import math
from contextvars import copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, final

from anyio import CancelScope, Event, current_time

from .._caller import posting
from .._errors import APIError, TokenRenewalError, VKError
from .._masking import Secrets, SecretStr
from .._outcome import OTHER_ADDRESS
from .._token import token_from
from ._handling import HandlerFailed, consult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .._caller import SendPost
    from .._outcome import Failure
    from .._token import Token, TokenFunction

    StartSoon = Callable[..., None]

EARLY_PART = 0.1
EARLY_SECONDS = 300.0
"""How long before its end a token is renewed: a part of its life, but not longer."""
FAILURE_MEMORY = 10.0
"""Seconds after which a renewal that failed for a transient reason is tried again."""

logger = logging.getLogger("vkanyio")


class Credentials(Protocol):
    """The token of a lane."""

    @property
    def token(self) -> str:
        """The token that is sent now; empty if there is none yet."""
        ...

    @property
    def others(self) -> Sequence[str]:
        """Other tokens of the lane that may still be valid."""
        ...

    @property
    def failure(self) -> TokenRenewalError | None:
        """Why there is no usable token, and will be none."""
        ...

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing would be lost with it."""
        ...

    def are_usable(self, now: float, /) -> bool:
        """Return whether a request may be sent now.

        If not, :meth:`wait_for_change` waits until it is worth asking again.
        """
        ...

    async def wait_for_change(self) -> None:
        """Wait until there may be another token, or none will come."""
        ...

    async def obtain(self) -> None:
        """Get the first token, in the task that enters the client."""
        ...

    def replace(self, token: str) -> None:
        """Send another token from now on."""
        ...

    def note_accepted(self, token: str) -> None:
        """Note that VK has accepted a token."""
        ...

    def has_other(self, failure: Failure, token: str) -> bool:
        """Return whether there is, or will be, another token than the one refused.

        :param failure: what VK returned
        :param token: the token that the request was sent with
        """
        ...


@final
class FixedToken:
    """A token that is not renewed; only ``on_validation`` may replace it.

    :param token: the access token
    :param replaced: the tokens that replaced others; shared by all lanes
    """

    others: Sequence[str] = ()
    failure: TokenRenewalError | None = None
    is_at_rest: bool = True

    def __init__(self, token: str, replaced: dict[str, str]) -> None:
        self._key = SecretStr(token)
        self._replaced = replaced

    @property
    def token(self) -> str:
        """The token that is sent now."""
        return self._replaced.get(self._key, self._key)

    def are_usable(self, _: float, /) -> bool:
        """Return that a request may be sent."""
        return True

    async def wait_for_change(self) -> None:
        """Return at once, since nothing changes."""

    async def obtain(self) -> None:
        """Return at once, since there is a token."""

    def replace(self, token: str) -> None:
        """Send another token from now on."""
        self._replaced[self._key] = SecretStr(token)

    def note_accepted(self, token: str) -> None:
        """Do nothing: no decision depends on it."""

    def has_other(self, failure: Failure, token: str) -> bool:
        """Return whether the token has been replaced since."""
        return failure.is_of_token and token != self.token


@final
class RenewableToken:
    """A token from a user's function, which is asked for another one when needed.

    The states:

    1. There is no token yet: the first call has the function asked. No permit is
       granted before there is a token.
    2. The token is used. Some time before its end the function is asked, which holds
       nothing up.
    3. VK has refused the token, or it has expired: the function is asked. No permit is
       granted before it has returned, or a validation has brought another token.
    4. The function has failed: each call fails with an error of its own, and none is
       sent. After a transient failure the function is asked again later.

    :param ask: the user's function
    :param post: sends requests to other servers, for functions that come with vkanyio
    :param start_soon: starts the task of a renewal
    """

    def __init__(
        self, ask: TokenFunction, post: SendPost, start_soon: StartSoon
    ) -> None:
        self._ask = ask
        self._start_soon = start_soon
        self._context = copy_context()
        self._context.run(posting.set, post)
        self._token: str | None = None
        self._previous: str | None = None
        self._is_spent = False  # VK has refused the token, or its end has come
        self._is_unproven = False  # from a renewal, and VK has not accepted it yet
        self._ends_at = self._renews_at = math.inf
        self._renewal: CancelScope | None = None
        self._refusal: VKError | None = None
        self._failure: TokenRenewalError | None = None
        self._failed_at = -math.inf
        self._changed = Event()

    @property
    def token(self) -> str:
        """The token that is sent now; empty if there is none yet."""
        return self._token or ""

    @property
    def others(self) -> Sequence[str]:
        """The token before this one, which VK may still accept."""
        return () if self._previous is None else (self._previous,)

    @property
    def failure(self) -> TokenRenewalError | None:
        """Why there is no usable token, and will be none."""
        return self._failure if self._is_spent or self._token is None else None

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing would be lost with it: no renewal is on."""
        return self._renewal is None

    def are_usable(self, now: float, /) -> bool:
        """Return whether a request may be sent now, and have the function asked."""
        if now >= self._ends_at:
            self._is_spent = True
        is_needed = self._is_spent or self._token is None
        if self._renewal is None:
            if not self._may_ask(now):
                return True  # calls fail without being sent, if it is needed
            if is_needed or now >= self._renews_at:
                self._begin()
        return not is_needed

    def _may_ask(self, now: float) -> bool:
        """Return whether the function may be asked, now that it may have failed."""
        failure = self._failure
        if failure is None:
            return True
        return failure.is_transient and now >= self._failed_at + FAILURE_MEMORY

    async def wait_for_change(self) -> None:
        """Wait until a renewal has ended, or a validation has brought a token."""
        await self._changed.wait()

    async def obtain(self) -> None:
        """Ask for the first token; what the function raises is raised as it is."""
        if self._token is None:
            problem: BaseException | None = None
            try:
                self._take(await self._consult(None))
            except HandlerFailed as failed:
                problem = failed.problem
            if problem is not None:  # raised here, so that its context stays
                raise problem

    def replace(self, token: str) -> None:
        """Send another token from now on, whose end is not known."""
        self._previous, self._token = self._token, SecretStr(token)
        self._is_spent = self._is_unproven = False
        self._ends_at = self._renews_at = math.inf
        self._failure = self._refusal = None
        self._note_change()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = Event()

    def note_accepted(self, token: str) -> None:
        """Note that VK has accepted a token: the function may be asked after it."""
        if self._is_unproven and token == self._token:
            self._is_unproven = False

    def has_other(self, failure: Failure, token: str) -> bool:
        """Return whether there is, or will be, another token than the one refused.

        1. VK has refused something else: no.
        2. The token has been replaced since: yes.
        3. Another token would be refused, too: no.
        4. It came from a renewal, and VK has never accepted it: the renewal has
           failed, and the call fails with that before it is sent again.
        5. Otherwise the function is asked, once for all calls.
        """
        if not failure.is_of_token or token != self._token:
            return failure.is_of_token
        if not failure.asks_for_new_token:
            return False
        self._is_spent = True
        if self._renewal is not None or self._failure is not None:
            return True
        if self._is_unproven:
            self._note_failure(_refused_too(failure.error))
        else:
            self._refusal = failure.error
            self._begin()
        return True

    def _begin(self) -> None:
        self._failure = None
        self._renewal = scope = CancelScope(shield=True)
        self._start_soon(self._renew, scope=scope)

    async def _renew(self) -> None:
        """Ask for another token, in a separate task."""
        refused = self._token
        try:
            self._take(await self._consult(refused), refused)
        except HandlerFailed as failed:
            self._note_failure(self._failed(failed.problem))
        except (TypeError, ValueError) as problem:
            self._note_failure(self._failed(problem))
        finally:
            self._renewal = None
            self._note_change()

    async def _consult(self, refused: str | None) -> Token:
        returned = await consult(
            self._ask,
            refused,
            context=self._context,
            name="vkanyio token function",
            subject=self,
        )
        return token_from(returned)

    def _take(self, token: Token, refused: str | None = None) -> None:
        if token.value == refused:
            message = (
                "the token function returned the token that it should replace: it must"
                " return another one, or raise"
            )
            raise ValueError(message)
        if self._token != refused:
            return  # a validation has brought another one meanwhile
        self.replace(token.value)
        self._is_unproven = refused is not None
        if token.expires_at is not None:
            life = (token.expires_at - datetime.now(UTC)).total_seconds()
            if life > 0:  # otherwise VK will say whether it is still valid
                self._ends_at = current_time() + life
                self._renews_at = self._ends_at - min(EARLY_PART * life, EARLY_SECONDS)
        if refused is not None:
            logger.info("the token function returned a new token")

    def _failed(self, problem: BaseException) -> TokenRenewalError:
        """Make the error of a renewal that failed."""
        why = "it has expired" if self._refusal is None else str(self._refusal)
        what = "no token" if self._token is None else f"no new token ({why})"
        shown = str(problem)
        if not isinstance(problem, VKError):
            shown = f"{type(problem).__name__}: {problem}".removesuffix(": ")
        shown = Secrets(self.token, others=self.others).hide(shown)
        error = TokenRenewalError(f"there is {what}: {shown}")
        error.__cause__ = problem
        return error

    def _note_failure(self, error: TokenRenewalError) -> None:
        self._failure = error
        self._failed_at = current_time()
        logger.warning("%s", error)


def _refused_too(error: VKError) -> TokenRenewalError:
    """Make the error of a renewal that brought a token which VK refuses, too."""
    hint = ""
    if isinstance(error, APIError) and error.subcode == OTHER_ADDRESS:
        hint = (
            "; VK binds a token to the IP address that requested it: renew it from the"
            " same IP address, and through the same proxy, as the calls"
        )
    refused = TokenRenewalError(f"VK refused the new token, too: {error}{hint}")
    refused.__cause__ = error
    return refused
