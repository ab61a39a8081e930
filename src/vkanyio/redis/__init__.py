"""The rate limit of one token, shared by many processes; needs the extra ``redis``.

::

    async with RedisLimiter("redis://localhost", name="group 1", limit=20) as limiter:
        async with VK(token, limiter=limiter) as api:
            ...
"""

from importlib.util import find_spec as _find_spec

from .._extras import without_extra as _without_extra

if _find_spec("coredis") is None:
    raise _without_extra(__name__, "redis")

from ._errors import RedisRefusedError as RedisRefusedError
from ._events import RedisAway as RedisAway
from ._events import RedisBack as RedisBack
from ._events import RedisEvent as RedisEvent
from ._limiter import RedisLimiter as RedisLimiter
from ._statistics import RedisStatistics as RedisStatistics

for _public in (
    RedisAway,
    RedisBack,
    RedisLimiter,
    RedisRefusedError,
    RedisStatistics,
):
    _public.__module__ = __name__
