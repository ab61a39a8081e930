"""The errors of updates, besides those of calls."""

from __future__ import annotations

from .._errors import VKError


class UpdatesError(VKError):
    """Raised when VK's long poll server returns an unknown response."""

    __module__ = "vkanyio.updates"


class PositionError(UpdatesError):
    """Raised when a position cannot be read, or could not be saved for minutes.

    A position that cannot be read is never overwritten.
    """

    __module__ = "vkanyio.updates"
