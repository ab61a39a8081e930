"""The confirmation codes, by which VK makes sure whose server it is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Protocol, final

from anyio import current_time

from .._errors import VKError
from .._typeguards import is_dict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from .._masking import SecretStr

CODE_SECONDS: Final = 60.0
"""For how long a code that VK returned is used again."""
NO_CODE = "the confirmation code of community %d is unknown: %s"

logger = logging.getLogger("vkanyio")


class ConfirmationCaller(Protocol):
    """A client, as far as a receiver needs it."""

    def call(self, method: str, params: Mapping[str, Any], /) -> Awaitable[Any]:
        """Make a call, and return its value."""
        ...


@final
class ConfirmationCodes:
    """The code of each community.

    :param given: the codes that the user knows
    :param api: gets the others
    """

    def __init__(
        self, given: Mapping[int, SecretStr], api: ConfirmationCaller | None
    ) -> None:
        self._given = given
        self._api = api
        self._cached: dict[int, tuple[float, str]] = {}

    @property
    def may_change(self) -> bool:
        """Whether a code that is not known now may be known later."""
        return self._api is not None

    async def find(self, group_id: int) -> str | None:
        """Return the code of a community, None if it is not known now."""
        if code := self._given.get(group_id):
            return code
        if self._api is None:
            logger.error(NO_CODE, group_id, "pass confirmations={...} or api=")
            return None
        then, text = self._cached.get(group_id, (0.0, ""))
        if not text or current_time() - then > CODE_SECONDS:
            method = "groups.getCallbackConfirmationCode"
            try:
                value = await self._api.call(method, {"group_id": group_id})
            except VKError as error:
                logger.error(NO_CODE, group_id, error)  # noqa: TRY400, it says it all
                return None
            found = value.get("code") if is_dict(value) else None
            if not isinstance(found, str) or not found:
                logger.error(NO_CODE, group_id, "VK returned none")
                return None
            text = found
            self._cached[group_id] = current_time(), text
        return text
