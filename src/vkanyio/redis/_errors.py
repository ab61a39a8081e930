"""The error of a Redis that cannot be used."""

from __future__ import annotations

from typing import final

from .._errors import VKError


@final
class RedisRefusedError(VKError):
    """Raised on entering a limiter if Redis refuses it.

    The password is wrong, or the keys belong to something else. A Redis that cannot be
    reached is not an error: see :class:`RedisLimiter`.
    """
