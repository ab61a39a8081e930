"""Which calls may share one ``execute``, and how many of them.

It owns what was learned about sizes. It neither takes calls out of the queue nor sends
them.
"""

from __future__ import annotations

import logging
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, final

from .._batch import MAX_CODE, BatchSizes
from .._masking import SECRET_PARAMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._config import Config
    from .._request import APIRequest

logger = logging.getLogger("vkanyio")

# Parameters that apply to the HTTP request as a whole, and secrets: VK quotes a script
# in its errors.
_PLAIN_ONLY = SECRET_PARAMS | {"captcha_sid", "confirm", "lang", "test_mode", "v"}
_SCRIPT_METHOD = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", re.ASCII)


@lru_cache(maxsize=8)
def _frozen(names: tuple[str, ...]) -> frozenset[str]:
    """Return the set of some names, one for all lanes."""
    return frozenset(names)


@final
class Packer:
    """Packs the calls of one token, as the options say.

    :ivar is_on: whether calls are packed at all
    """

    def __init__(self, config: Config) -> None:
        self._sizes = BatchSizes(config.execute_count)
        self._never = _frozen(tuple(config.execute_unsupported_methods))
        self._only = _frozen(tuple(config.execute_methods))
        self._is_selective = config.mode == "parallel_selected"
        self.is_on: bool = config.mode != "sequential" and config.execute_count > 1

    def stop(self, reason: object) -> None:
        """Stop packing: VK does not accept ``execute`` from this token."""
        if self.is_on:
            self.is_on = False
            logger.warning("calls are sent one by one from now on: %s", reason)

    def note_too_much(self, requests: list[APIRequest], now: float) -> None:
        """Learn from a batch that was too much at a time."""
        self._sizes.note_too_much(requests, now)

    def forget(self, method: str) -> None:
        """Forget what was learned, since a call of the method failed alone, too."""
        self._sizes.forget(method)

    def may_pack(self, request: APIRequest) -> bool:
        """Return whether a call may share an ``execute`` with others."""
        method = request.method
        return (
            self.is_on
            and (method in self._only if self._is_selective else True)
            and method not in self._never
            and not method.startswith("execute.")
            and _SCRIPT_METHOD.fullmatch(method) is not None
            and request.headers is None
            and not request._pending.urgent
            and _PLAIN_ONLY.isdisjoint(request.params)
        )

    def choose(self, requests: Iterable[APIRequest], now: float) -> list[APIRequest]:
        """Choose the calls for the next ``execute``, from the first one on.

        :param requests: those that may be packed, in their order
        """
        chosen: list[APIRequest] = []
        # They may have been waiting since before packing was stopped.
        max_size, code_bytes = math.inf if self.is_on else 1, 0
        for request in requests:
            max_size = min(max_size, self._sizes.max_size_with(request.method, now))
            code_bytes += len(str(request).encode())
            if chosen and (len(chosen) >= max_size or code_bytes > MAX_CODE):
                break
            chosen.append(request)
        return chosen
