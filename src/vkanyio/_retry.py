"""When a request may be sent again, and how soon: rules without I/O or a clock.

Nothing is carried out twice. VK certainly did not carry out a request that failed
before it was sent, or that it refused: any call may be retried then. VK may have
carried out a request whose response was lost: a call is retried then only if it reads,
or has a key by which VK recognizes a duplicate.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple, final

from ._errors import APIError, InvalidResponseError
from ._outcome import Failure

if TYPE_CHECKING:
    from ._outcome import Result

MAX_DELAY = 60.0
"""Seconds: the back-off does not grow beyond this."""

# What is written about error 6 here applies to HTTP 429 of a gateway, too.
TOO_MANY_PATIENCE = 60.0
"""Seconds for which a call is retried after error 6 before the error is raised."""
TOO_MANY_MAX_DELAY = 8.0
"""Seconds that a call waits at most before it is retried after error 6."""
TOO_MANY_OF_A_METHOD = 2
"""Seconds in a row in which a method may meet error 6 before the error is put down to
the method instead of the token."""
TOO_MANY_MEMORY = 60.0
"""Seconds after which an error 6 says nothing about a method any more."""

MAX_TOKENS = 5
"""Tokens, one after the other, that a call is sent with at most after the first."""

OUTAGE_MEMORY = 60.0
"""Seconds after which the failure of a request says nothing about others any more: no
back-off is longer."""


_system_random = random.SystemRandom()


def new_random_id() -> int:
    """Make a key for a message: VK stores 32 bits of it, and 0 means no key.

    A program that calls `random.seed` and is started again would get the same keys, and
    VK would take its messages for repetitions.
    """
    return _system_random.randrange(1, 2**31)


def back_off(wait: float, retry: int, generator: random.Random) -> float:
    """Return the seconds to wait before a retry.

    Exponential with full jitter, so that many clients do not return at the same time:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    :param wait: the longest delay before the first retry
    :param retry: 1 for the first retry
    """
    ceiling = min(wait * 2.0 ** min(retry - 1, 30), MAX_DELAY)
    return generator.uniform(0, ceiling)


@final
class Retries:
    """The retries of one call, or of one batch, and the delay before the next.

    :param limit: how often it may be retried; retries after error 6 do not count
    :param wait: the base of the back-off, in seconds
    :param generator: where the jitter comes from
    :ivar used: the retries that count against the limit
    """

    __slots__ = (
        "_generator",
        "_limit",
        "_refusals",
        "_refused_since",
        "_tokens",
        "_wait",
        "used",
    )

    def __init__(self, limit: int, wait: float, generator: random.Random) -> None:
        self.used: int = 0
        self._limit = limit
        self._wait = wait
        self._generator = generator
        self._refusals = 0  # errors 6 in a row
        self._refused_since = 0.0
        self._tokens = 0  # that were refused

    def delay_after(
        self, failure: Failure, *, may_repeat: bool, token_was_replaced: bool = False
    ) -> float | None:
        """Return the seconds until the next attempt, or None if there is none.

        The cases, the first that applies decides:

        1. VK refused a token that has been replaced since, or is being: retry at
           once, with up to five tokens.
        2. The same request would fail again: no retry.
        3. VK may have carried out the call, and may not get it twice: no retry.
        4. The limit is reached: no retry.
        5. The first retry where there is nothing to wait for: at once.
        6. Otherwise after a back-off, and not before the server's ``Retry-After``.

        :param failure: the attempt that failed, other than by error 6
        :param may_repeat: whether VK may get the call again after it may have carried
            it out
        :param token_was_replaced: whether the client has another token by now, or is
            waiting for one
        """
        self._refusals = 0
        if token_was_replaced and failure.is_of_token and self._tokens < MAX_TOKENS:
            self._tokens += 1
            return 0.0
        if not failure.is_transient or (failure.maybe_carried_out and not may_repeat):
            return None
        if self.used >= self._limit:
            return None
        self.used += 1
        if failure.retry_at_once and self.used == 1:
            return 0.0
        delay = back_off(self._wait, self.used, self._generator)
        return max(delay, failure.retry_after or 0.0)

    def delay_after_too_many(
        self, now: float, seconds_of_method: int, pause: float
    ) -> float | None:
        """Return the seconds until the next attempt after error 6, or None.

        1. The first time there is no delay: the whole token pauses, which keeps its
           calls in order.
        2. A call that meets error 6 again and again makes way for others, for longer
           each time; so does every call of a method that keeps meeting it.
        3. A call whose next attempt would be later than the patience allows has failed.

        :param now: the time of the error
        :param seconds_of_method: what :meth:`MethodRefusals.note` returned
        :param pause: the seconds for which the whole token pauses now
        """
        self._refusals += 1
        if self._refusals == 1:
            self._refused_since = now
        times = max(self._refusals, seconds_of_method - TOO_MANY_OF_A_METHOD)
        delay = 0.0
        if times > 1:
            delay = min(2.0 ** min(times - 2, 30), TOO_MANY_MAX_DELAY)
        waited = now - self._refused_since + max(delay, pause)
        return None if waited > TOO_MANY_PATIENCE else delay


@final
class MethodRefusals:
    """For how long the methods of a token have met error 6 and nothing else.

    Some methods have a stricter limit than the token: their errors 6 must not slow
    down the other methods.

    :param window: the window of the rate limit, in seconds
    :ivar methods: those that met error 6 last: the number of seconds in a row, and when
        the last one began
    """

    def __init__(self, window: float) -> None:
        self.methods: dict[str, tuple[int, float]] = {}
        self._window = window

    def note(self, method: str, now: float) -> int:
        """Note an error 6.

        :return: the number of seconds in a row with error 6, 1 for the first
        """
        seconds, since = self.methods.get(method, (0, -math.inf))
        if now - since > TOO_MANY_MEMORY:
            seconds = 0
        if now - since >= self._window:
            seconds += 1
            self.methods[method] = seconds, now
        return seconds

    def forget(self, method: str) -> None:
        """Note that a method met something other than error 6."""
        self.methods.pop(method, None)


def slows_token_down(seconds_of_method: int) -> bool:
    """Return whether an error 6 is put down to the token, and not to the method.

    :param seconds_of_method: what :meth:`MethodRefusals.note` returned
    """
    return seconds_of_method <= TOO_MANY_OF_A_METHOD


class Trouble(NamedTuple):
    """When requests failed in one way.

    :ivar origin: where the last of them came from
    :ivar at: when that one failed
    :ivar other_at: when the last one of another origin failed
    """

    origin: object
    at: float
    other_at: float


@final
class Outage:
    """Whether the requests of a token fail because VK or the network is not well.

    A batch that fails as a whole may have failed by a call in it, or by its size. Where
    other requests fail in the same way it has not, and sending its calls in parts is of
    no use.

    :ivar troubles: the failures since the last sign of life, by their kinds
    """

    def __init__(self) -> None:
        self.troubles: dict[tuple[type, int | None], Trouble] = {}

    def note(self, result: Result, origin: object, now: float) -> None:
        """Note what a request brought.

        1. A failure that passes is remembered.
        2. After anything else, what failed before says nothing any more. A rate limit
           is a sign of life, too.

        :param origin: what the requests have in common that carry the same calls
        """
        if (
            not isinstance(result, Failure)
            or not result.is_transient
            or result.is_too_many
        ):
            self.troubles.clear()
        else:
            kind = _kind_of(result)
            last = self.troubles.get(kind) or Trouble(origin, now, -math.inf)
            is_other = last.origin is not origin
            other_at = last.at if is_other else last.other_at
            self.troubles[kind] = Trouble(origin, now, other_at)

    def is_on(self, failure: Failure, origin: object, now: float) -> bool:
        """Return whether requests of another origin fail in the same way.

        :param origin: that of the request that failed
        """
        trouble = self.troubles.get(_kind_of(failure))
        if trouble is None:
            return False
        is_other = trouble.origin is not origin
        at = trouble.at if is_other else trouble.other_at
        return now - at < OUTAGE_MEMORY


def _kind_of(failure: Failure) -> tuple[type, int | None]:
    error = failure.error
    if isinstance(error, APIError):
        return APIError, error.code
    if isinstance(error, InvalidResponseError):
        return InvalidResponseError, error.status
    return type(error), None
