"""What users do in VK's apps: they write to communities, and press buttons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NoReturn, TypeGuard, final

import attrs

from .._call import GROUP_CHAT, Account, Call
from .._errors import JSON, VKFault
from .group_updates import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .._call import Handler, Reply
    from .conversations import Message
    from .group_updates import GroupUpdates
    from .mailbox import Mailbox

ANSWER_SECONDS: Final = 60.0
"""How long a button may be answered after it was pressed
(https://dev.vk.com/api/community-events/json-schema)."""


@final
@attrs.frozen(eq=False)
class Visitors:
    """Users of communities; their messages are sent as by ``messages.send``.

    :param send: carries out ``messages.send``
    """

    _box: Mailbox
    _updates: GroupUpdates
    _send: Callable[[Call], Reply]
    _pressed: dict[str, tuple[float, int, int]] = attrs.field(
        factory=dict[str, tuple[float, int, int]], init=False
    )
    """When buttons were pressed, by whom and where, by the id to answer with."""

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {"messages.sendMessageEventAnswer": self._answer}

    def say(
        self,
        user_id: int,
        group_id: int,
        params: Mapping[str, object],
        chat_id: int | None,
        now: float,
    ) -> int:
        """Send a message, as described in ``Simulator.say``."""
        peer = -group_id if chat_id is None else GROUP_CHAT + chat_id
        if chat_id is not None:
            self._require_member(-group_id, peer)
        sent = {"peer_id": peer, "random_id": 0, "v": VERSION, **params}
        call = Call(
            method="messages.send",
            params={name: _written(value) for name, value in sent.items()},
            account=Account(id=user_id),
            time=now,
            invoker=_call_nothing,
        )
        message_id: int = self._send(call).response
        return message_id

    def _require_member(self, group: int, peer: int) -> None:
        try:
            self._box.all.look(group, peer)
        except VKFault as outside:
            chat = peer - GROUP_CHAT
            text = f"community {-group} is not in chat {chat}"
            raise ValueError(text) from outside

    def press(self, user_id: int, group_id: int, label: str, now: float) -> str | None:
        """Press a button, as described in ``Simulator.press``."""
        buttons = [*self._buttons(user_id, group_id)]
        named = [each for each in buttons if each[1].get("label") == label]
        if not named:
            labels = [action.get("label") for _, action in buttons]
            raise ValueError(
                f"no button of community {group_id} that user {user_id} sees has the "
                f"label {label!r}; there are: {labels}"
            )
        message, action = named[0]
        payload = action.get("payload", "")
        if action["type"] == "text":
            params = {"message": label, "payload": payload}
            self.say(user_id, group_id, params, None, now)
            return None
        if action["type"] != "callback":
            raise ValueError(
                f"the button {label!r} opens something and sends nothing: it is of "
                f"type {action['type']!r}"
            )
        event_id = f"{len(self._pressed) + 1:012x}"
        self._pressed[event_id] = now, user_id, user_id
        pressed = {
            "user_id": user_id,
            "peer_id": user_id,
            "event_id": event_id,
            "payload": _parsed(payload),
            "conversation_message_id": message.cmid,
        }
        self._updates.make(group_id, "message_event", pressed, now)
        return event_id

    def _buttons(
        self, user_id: int, group_id: int
    ) -> Iterator[tuple[Message, dict[str, JSON]]]:
        """List the buttons that a user sees: all inline ones, and the last others."""
        has_others = True
        conversation = self._box.all.look(user_id, -group_id)
        for message in reversed(conversation.seen_by(user_id)):
            keyboard = message.keyboard
            if keyboard is None or message.from_id != -group_id:
                continue
            if not keyboard["inline"]:
                if not has_others:
                    continue
                has_others = False
            for row in keyboard["buttons"]:
                for button in row:
                    yield message, button["action"]

    def _answer(self, call: Call) -> JSON:
        event_id = call.text("event_id")
        where = call.integer("user_id"), call.integer("peer_id")
        time, *pressed = self._pressed.get(event_id, (0.0, 0, 0))
        if [*where] != pressed or call.time - time > ANSWER_SECONDS:
            raise VKFault.parameter("event_id is invalid or has expired")
        del self._pressed[event_id]
        return 1


def _written(value: object) -> str:
    if _is_sequence(value):
        return ",".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, (list, tuple))


def _parsed(payload: JSON) -> JSON:
    """Return what the payload of a button says; it may be JSON, or text with JSON."""
    if not isinstance(payload, str):
        return payload
    try:
        return json.loads(payload)
    except ValueError:
        return payload


async def _call_nothing(call: Call) -> NoReturn:
    raise AssertionError(f"{call.method}: a message calls no method")
