"""Which calls may share one ``execute``, and how many of them."""

from __future__ import annotations

import logging
import math
import re
from typing import TYPE_CHECKING, final

from ._batch import MOST_CODE, BatchSizes
from ._encoding import SECRET_PARAMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._config import Config
    from ._request import APIRequest

logger = logging.getLogger("vkanyio")

# What belongs to the HTTP request as a whole, and not to one call in it; and what is
# secret: a script is shown where it is wrong.
_OF_A_PLAIN_CALL = SECRET_PARAMS | {"captcha_sid", "confirm", "lang", "test_mode", "v"}
_IN_A_SCRIPT = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", re.ASCII)


@final
class Packer:
    """Packs the calls of one token, as the options say.

    :ivar sizes: how many calls VK has been able to answer at once
    """

    def __init__(self, config: Config) -> None:
        self.sizes: BatchSizes = BatchSizes(config.execute_count)
        self._never = frozenset(config.execute_unsupported_methods)
        self._only = frozenset(config.execute_methods)
        self._is_selective = config.mode == "parallel_selected"
        self._is_on = config.mode != "sequential" and config.execute_count > 1

    def stop(self, reason: object) -> None:
        """Pack no more: VK does not take ``execute`` from this token."""
        if self._is_on:
            self._is_on = False
            logger.warning("calls are sent one by one from now on: %s", reason)

    def may_pack(self, request: APIRequest) -> bool:
        """Return whether a call may share an ``execute`` with others."""
        method = request.method
        return (
            self._is_on
            and (method in self._only if self._is_selective else True)
            and method not in self._never
            and not method.startswith("execute.")
            and _IN_A_SCRIPT.fullmatch(method) is not None
            and request.own_token is None
            and request.headers is None
            and not request.slot.urgent
            and _OF_A_PLAIN_CALL.isdisjoint(request.params)
        )

    def choose(self, requests: Iterable[APIRequest], now: float) -> list[APIRequest]:
        """Choose the calls for the next ``execute``, from the first one on.

        :param requests: those that may be packed, in their order
        """
        chosen: list[APIRequest] = []
        # They may have been waiting since before it was stopped.
        most, size = math.inf if self._is_on else 1, 0
        for request in requests:
            most = min(most, self.sizes.most_with(request.method, now))
            size += len(str(request).encode())
            if chosen and (len(chosen) >= most or size > MOST_CODE):
                break
            chosen.append(request)
        return chosen
