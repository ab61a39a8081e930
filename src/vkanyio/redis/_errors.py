"""The error of a Redis that cannot be used."""

from __future__ import annotations

from typing import final

from .._errors import VKError


@final
class RedisRefusedError(VKError):
    """Raised when a limiter is entered, and Redis refuses to be used for it.

    The password is wrong, or the keys belong to something else. A Redis that cannot be
    reached is no error: see :class:`RedisLimiter`.
    """
