"""``status``: the status text of users and communities."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._errors import JSON, VKFault

if TYPE_CHECKING:
    from .._call import Call, Handler
    from .owners import Owners


@final
@attrs.frozen(eq=False)
class Statuses:
    """Methods that read and set the status."""

    _owners: Owners
    _texts: dict[int, str]

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "status.get": self._get,
            "status.set": self._set,
        }

    def _set(self, call: Call) -> JSON:
        owner_id = -call.integer("group_id", 0) or call.account.id
        if not self._owners.commands(call, owner_id):
            raise VKFault(15, "Access denied: you should be group moderator")
        self._texts[owner_id] = call.params.get("text", "")
        return 1

    def _get(self, call: Call) -> JSON:
        owner_id = -call.integer("group_id", 0) or call.integer("user_id", 0)
        return {"text": self._texts.get(owner_id or call.account.id, "")}
