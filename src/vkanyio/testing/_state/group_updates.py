"""``groups``: the updates of communities, and the settings of their long poll."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Final, final

import attrs

from .._errors import JSON, VKFault
from .._schema import schema
from .._update_ledger import MadeUpdate
from .base import flag

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from .._call import Call, Handler
    from .._update_ledger import UpdateLedger
    from .communities import Communities
    from .long_poll import LongPoll

    Listener: TypeAlias = Callable[[MadeUpdate], None]

VERSION: Final = "5.199"
API_VERSION: Final = re.compile(r"5\.\d{1,3}")
NOT_A_TYPE: Final = ("group_id", "enabled", "api_version")


def types_of_settings() -> list[str]:
    """List the types of updates that the long poll settings have a flag for."""
    declared = schema()["methods"]["groups.setLongPollSettings"]["parameters"]
    shown = schema()["objects"]["groups.LongPollEvents"]["required"]
    return [each for each in {**declared, **shown} if each not in NOT_A_TYPE]


@final
@attrs.define(eq=False)
class LongPollSettings:
    """The long poll settings of a community.

    Unlike in a community that was just created, everything is switched on, so that
    programs work that do not change them.
    """

    enabled: bool = True
    api_version: str = VERSION
    types: dict[str, int] = attrs.field(
        factory=lambda: dict.fromkeys(types_of_settings(), 1)
    )


@final
class GroupUpdates:
    """The updates of all communities.

    :param communities: decide who may change their settings
    :param long_poll: keeps and sends the updates
    :param ledger: records them
    :param seed: makes the event ids the same in every run
    """

    def __init__(
        self,
        communities: Communities,
        long_poll: LongPoll,
        ledger: UpdateLedger,
        seed: int,
    ) -> None:
        self._communities = communities
        self._long_poll = long_poll
        self._ledger = ledger
        self._random = random.Random(f"updates {seed}")
        self._settings: dict[int, LongPollSettings] = {}
        self._listeners: dict[int, list[Listener]] = {}
        self._codes: dict[int, str] = {}

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "groups.getCallbackConfirmationCode": self._get_code,
            "groups.getLongPollServer": self._get_server,
            "groups.getLongPollSettings": self._get_settings,
            "groups.setLongPollSettings": self._set_settings,
        }

    def version(self, group_id: int) -> tuple[int, ...]:
        """Return the version that determines the shape of a community's updates."""
        return tuple(map(int, self._of(group_id).api_version.split(".")))

    def make(self, group_id: int, type: str, object: JSON, now: float) -> str | None:  # noqa: A002, VK's words
        """Make an update.

        :param group_id: the community
        :param type: VK's name for what has happened
        :param object: what has happened
        :param now: the time
        :return: its event id, or None if the settings leave it out
        """
        settings = self._of(group_id)
        listeners = self._listeners.get(group_id)
        by_poll = settings.enabled and settings.types.get(type, 1)
        if not by_poll and not listeners:
            return None
        feed = self._long_poll.group(group_id)
        event_id = f"{self._random.getrandbits(160):040x}"
        value = {
            "group_id": group_id,
            "type": type,
            "event_id": event_id,
            "v": settings.api_version,
            "object": object,
        }
        number = feed.last + 1 if by_poll else 0
        made = MadeUpdate(group_id=group_id, number=number, time=now, value=value)
        self._ledger.append(made)
        if by_poll:
            feed.add(made)
        for listener in listeners or ():
            listener(made)
        return event_id

    def listen(self, group_id: int, listener: Listener) -> None:
        """Call a function with each update of a community from now on."""
        self._listeners.setdefault(group_id, []).append(listener)

    def unlisten(self, group_id: int, listener: Listener) -> None:
        """Do not call a function any more."""
        self._listeners[group_id].remove(listener)

    def code(self, group_id: int) -> str:
        """Return the code with which a server confirms a community."""
        if group_id not in self._codes:
            self._codes[group_id] = f"{self._random.getrandbits(32):08x}"
        return self._codes[group_id]

    def _get_code(self, call: Call) -> JSON:
        return {"code": self.code(self._managed(call))}

    def about(self, owner_id: int, type: str, object: JSON, now: float) -> None:  # noqa: A002, VK's words
        """Make an update about something that belongs to an owner.

        :param owner_id: the owner; a user gets no updates
        :param type: VK's name for what has happened
        :param object: what has happened
        :param now: the time
        """
        if owner_id < 0:
            self.make(-owner_id, type, object, now)

    def _of(self, group_id: int) -> LongPollSettings:
        return self._settings.get(group_id) or LongPollSettings()

    def _managed(self, call: Call) -> int:
        group_id = call.integer("group_id")
        if not self._communities.manages(call, group_id):
            raise VKFault(15, "Access denied: you should be group moderator")
        return group_id

    def _get_server(self, call: Call) -> JSON:
        group_id = self._managed(call)
        if not self._of(group_id).enabled:
            raise VKFault.parameter("longpoll for this group is not enabled")
        return self._long_poll.issue(call, self._long_poll.group(group_id))

    def _get_settings(self, call: Call) -> JSON:
        settings = self._of(self._managed(call))
        return {
            "is_enabled": settings.enabled,
            "api_version": settings.api_version,
            "events": {**settings.types},
        }

    def _set_settings(self, call: Call) -> JSON:
        settings = self._of(group_id := self._managed(call))
        version = call.params.get("api_version") or settings.api_version
        if not API_VERSION.fullmatch(version):
            raise VKFault.parameter("api_version is invalid")
        self._settings[group_id] = settings
        settings.api_version = version
        if "enabled" in call.params:
            settings.enabled = flag(call, "enabled")
        for name in settings.types:
            if name in call.params:
                settings.types[name] = int(flag(call, name))
        return 1
