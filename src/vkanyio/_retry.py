"""What may be sent again, and when: rules without I/O and without a clock.

The rule of vkanyio is that nothing is carried out twice. A request that VK certainly
did not carry out may always be sent again. One that it perhaps did may be sent again
only if it reads, or carries a key by which VK knows a repetition.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from ._errors import APIError, InvalidResponseError, TooManyRequestsError

if TYPE_CHECKING:
    from ._errors import VKError

MOST_DELAY = 60.0
"""Seconds: a back-off grows no longer than this."""

AMBIGUOUS_CODES = frozenset({1, 10, 36})
"""VK failed on its side, and may have carried the call out before it did."""


def new_random_id() -> int:
    """Make a key for a message: VK keeps 32 bits of it, and 0 means none."""
    return random.randrange(1, 2**31)


class Failure(NamedTuple):
    """Why an attempt brought no result.

    :ivar error: what the caller would see
    :ivar maybe_carried_out: whether VK may have carried the call out all the same
    :ivar is_transient: whether the same request could succeed later
    :ivar retry_at_once: whether there is nothing to wait for before the next attempt
    :ivar is_too_large: whether VK has answered, and more than could be taken
    """

    error: VKError
    maybe_carried_out: bool
    is_transient: bool
    retry_at_once: bool = False
    is_too_large: bool = False

    @property
    def is_final_word(self) -> bool:
        """Whether VK has refused it, or what is in front of VK, and would again."""
        is_answer = isinstance(self.error, APIError | InvalidResponseError)
        is_passing = self.is_transient or isinstance(self.error, TooManyRequestsError)
        return is_answer and not is_passing

    @classmethod
    def from_api(cls, error: APIError) -> Failure:
        """Judge an error that VK answered with."""
        ambiguous = error.code in AMBIGUOUS_CODES
        return cls(error, maybe_carried_out=ambiguous, is_transient=ambiguous)


def back_off(wait: float, tries: int, generator: random.Random | None = None) -> float:
    """Return the seconds before the next attempt, after ``tries`` that failed.

    Exponential with full jitter, so that many clients do not come back as one:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    :param generator: draws the jitter; by default the one of the module ``random``
    """
    ceiling = min(wait * 2.0 ** min(tries - 1, 30), MOST_DELAY)
    if generator is not None:
        return generator.uniform(0, ceiling)
    return random.uniform(0, ceiling)
