"""Updates as values: their classes, and what is kept of those that make no sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from codegen.reviewed_updates import NOT_UPDATES

import vkanyio
from vkanyio import updates
from vkanyio.objects import callback
from vkanyio.updates import Gap, MessageNew, UnknownUpdate, Update, WallReplyNew
from vkanyio.updates._parse import parse_update
from vkanyio.updates._types import LONG_POLL_FLAGS, UPDATE_TYPES

SCHEMA = Path(__file__).parents[2] / "codegen" / "schema" / "groups.json"


def flags_of(method: str) -> set[str]:
    """Return the types that a method of VK's schema switches on."""
    methods: dict[str, Any] = {}
    for group in json.loads(SCHEMA.read_text(encoding="utf-8")).values():
        methods |= group
    parameters = methods[method]["parameters"]
    return {each["name"] for each in parameters if each["type"] == "boolean"}


def raw(kind: str, found: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "object": found, "event_id": "e1", "group_id": 7, **more}


def test_there_is_a_class_for_every_type_that_vk_s_schema_has_anywhere() -> None:
    flags = flags_of("groups.setLongPollSettings") - {"enabled"}
    callback_flags = flags_of("groups.setCallbackSettings")
    types = set(get_args(callback.Type)) - NOT_UPDATES.keys()
    assert len(callback_flags) > 50
    assert set(UPDATE_TYPES) == types | flags | callback_flags
    assert set(LONG_POLL_FLAGS) == flags


@pytest.mark.parametrize("kind", UPDATE_TYPES)
def test_an_update_is_of_the_class_that_has_its_name(kind: str) -> None:
    update = parse_update(raw(kind, {"id": 1}, v="5.199"), 1)
    assert type(update) is UPDATE_TYPES[kind]
    assert type(update).__name__.lower() == kind.replace("_", "")
    assert getattr(updates, type(update).__name__) is type(update)
    assert update.type == kind
    assert (update.object, update.event_id) == ({"id": 1}, "e1")
    assert (update.group_id, update.v) == (7, "5.199")


def test_an_update_is_frozen_and_equals_one_with_the_same_contents() -> None:
    update = parse_update(raw("message_new", {"message": {}}), 1)
    assert update == parse_update(raw("message_new", {"message": {}}), 1)
    assert update != parse_update(raw("message_new", {"message": {"id": 2}}), 1)
    assert update != parse_update(raw("message_reply", {"message": {}}), 1)
    assert len({update, parse_update(raw("message_new", {"message": {}}), 1)}) == 1
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        update.event_id = "e2"  # type: ignore[misc]
    text = (
        "MessageNew(object={'message': {}}, event_id='e1', group_id=7, v='', attempt=0)"
    )
    assert repr(update) == text


def test_a_type_that_is_not_known_is_kept_as_it_is() -> None:
    update = parse_update(raw("story_new", [1, 2]), 1)
    assert isinstance(update, UnknownUpdate)
    assert (update.type, update.object, update.peer_id) == ("story_new", [1, 2], None)
    assert update != parse_update(raw("story_old", [1, 2]), 1)
    assert hash(update) == hash(parse_update(raw("story_new", [1, 2]), 1))


@pytest.mark.parametrize(
    "value",
    [None, 5, "text", [], {}, {"type": 3}, {"type": "message_new", "event_id": 5}],
)
def test_whatever_vk_sends_becomes_an_update(value: Any) -> None:
    update = parse_update(value, 9)
    assert update.group_id == 9
    assert len(update.event_id) == 40
    assert update.peer_id is update.order_key is None
    assert update == parse_update(value, 9)


def test_without_an_event_id_updates_with_other_contents_have_other_ids() -> None:
    made = [{"type": kind, "object": n} for kind in ("a", "b") for n in (1, 2)]
    assert len({parse_update(each, 1).event_id for each in made}) == 4


PEERS = {
    "message_new": {"message": {"peer_id": 5}, "client_info": {}},
    "message_reply": {"peer_id": 5},
    "message_edit": {"peer_id": 5},
    "message_event": {"peer_id": 5, "user_id": 6},
    "message_read": {"peer_id": 5, "from_id": 6},
    "message_reaction_event": {"peer_id": 5},
    "message_allow": {"user_id": 5},
    "message_deny": {"user_id": 5},
    "message_typing_state": {"from_id": 5, "to_id": -7},
}


@pytest.mark.parametrize(("kind", "found"), PEERS.items(), ids=PEERS)
def test_an_update_about_messages_belongs_to_a_conversation(
    kind: str, found: dict[str, Any]
) -> None:
    update = parse_update(raw(kind, found), 7)
    assert update.peer_id == 5
    assert update.order_key == 5


def test_the_community_types_in_the_conversation_of_the_other_side() -> None:
    found = {"from_id": -7, "to_id": 5}
    assert parse_update(raw("message_typing_state", found), 7).peer_id == 5


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("wall_reply_new", {"owner_id": -7, "post_id": 3, "id": 4}),
        ("wall_reply_delete", {"owner_id": -7, "post_id": 3, "id": 4}),
        ("photo_comment_new", {"photo_owner_id": -7, "photo_id": 3}),
        ("photo_comment_delete", {"owner_id": -7, "photo_id": 3}),
        ("video_comment_edit", {"video_owner_id": -7, "video_id": 3}),
        ("market_comment_delete", {"owner_id": -7, "item_id": 3}),
        ("board_post_new", {"topic_owner_id": -7, "topic_id": 3}),
    ],
)
def test_comments_are_ordered_by_what_they_are_below(
    kind: str, found: dict[str, Any]
) -> None:
    update = parse_update(raw(kind, found), 7)
    assert update.peer_id is None
    assert update.order_key == (kind.rpartition("_")[0], -7, 3)
    del found[next(iter(found))]
    assert parse_update(raw(kind, found), 7).order_key is None


def test_other_updates_have_no_order() -> None:
    assert parse_update(raw("group_join", {"user_id": 5}), 7).order_key is None
    assert parse_update(raw("like_add", {"liker_id": 5}), 7).order_key is None


def test_a_response_to_an_update_has_the_same_key_whenever_it_is_sent() -> None:
    update = parse_update(raw("message_new", {}), 7)
    assert update.random_id() == update.random_id(0) == vkanyio.random_id("e1", 0)
    assert update.random_id() == parse_update(raw("like_add", {}), 8).random_id()
    assert len({update.random_id(n) for n in range(100)}) == 100


def test_a_gap_is_a_value() -> None:
    gap = Gap(reason="outdated", before="5", after="9")
    assert repr(gap) == "Gap(reason='outdated', before='5', after='9')"
    assert not isinstance(gap, Update)


def test_match_takes_an_update_apart() -> None:
    """Mirror what tests/typing/check_updates.py has for type checkers."""
    values: list[Update[Any] | Gap] = [
        parse_update(raw("message_new", {"message": {"text": "Hi"}}), 7),
        parse_update(raw("wall_reply_new", {"text": "Yes"}), 7),
        parse_update(raw("story_new", 8), 7),
        Gap(reason="lost", before="5", after="9"),
    ]
    found: list[object] = []
    for value in values:
        match value:
            case MessageNew(object={"message": message}):
                found.append(message["text"])
            case WallReplyNew(object=comment):
                found.append(comment["text"])
            case UnknownUpdate(type=kind):
                found.append(kind)
            case Gap():
                found.append(value.reason)
    assert found == ["Hi", "Yes", "story_new", "lost"]
