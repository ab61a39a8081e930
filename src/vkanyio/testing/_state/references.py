"""The messages that a new message refers to: its reply, and those that it forwards.

``forward`` names them by their numbers in a conversation, or by their ids
(https://dev.vk.com/method/messages.send). Users report that one number is accepted in
place of a list. What VK says about a wrong one is not documented.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from .._errors import VKFault
from .base import numbers

if TYPE_CHECKING:
    from .._call import Call
    from .mailbox import Mailbox


def references_of(
    call: Call, box: Mailbox, viewer: int, peer: int
) -> tuple[int, list[int]]:
    """Return the id of the message that is replied to, else 0, and those forwarded.

    :param peer: the conversation of the new message
    :raises VKFault: 921 or 100, for messages that the viewer cannot read
    """
    reply_to, forwarded = call.integer("reply_to", 0), numbers(call, "forward_messages")
    if text := call.params.get("forward"):
        forward = _parse(text)
        ids = _numbers(forward, "message_ids")
        if cmids := _numbers(forward, "conversation_message_ids", "cmids"):
            place = box.all.look(viewer, forward.get("peer_id", peer))
            by_cmid = {each.cmid: each.id for each in place.seen_by(viewer)}
            ids += [by_cmid.get(each, 0) for each in cmids]
        if not forward.get("is_reply"):
            forwarded += ids
        elif len(ids) == 1:
            [reply_to] = ids
        else:
            raise VKFault.parameter("forward is invalid")
        if not all(ids):
            raise VKFault(921)
    if any(box.message(viewer, each) is None for each in forwarded):
        raise VKFault(921)
    if reply_to and box.message(viewer, reply_to) is None:
        raise VKFault.parameter("reply_to is invalid")
    return reply_to, forwarded


def _parse(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        found: Any = json.loads(text)
        if isinstance(found, dict):
            forward = cast("dict[str, Any]", found)
            if isinstance(forward.get("peer_id", 0), int):
                return forward
    raise VKFault.parameter("forward is invalid")


def _numbers(forward: dict[str, Any], *names: str) -> list[int]:
    found: list[int] = []
    for name in names:
        value = forward.get(name, [])
        found += value if isinstance(value, list) else [value]
    if not all(isinstance(each, int) for each in found):
        raise VKFault.parameter("forward is invalid")
    return found
