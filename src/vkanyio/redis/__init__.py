"""The rate limit of one token, shared by many processes; needs the extra ``redis``.

::

    async with RedisLimiter("redis://localhost", name="group 1", limit=20) as limiter:
        async with VK(token, limiter=limiter) as api:
            ...
"""

from importlib.util import find_spec

from .._extras import how_to_install as _how_to_install

if find_spec("coredis") is None:
    _MESSAGE = f"vkanyio.redis needs another package: {_how_to_install('redis')}"
    raise ImportError(_MESSAGE)

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
