"""What a type checker makes of updates: checked, never run."""

from __future__ import annotations

from typing import Any, Literal, assert_type

from vkanyio.objects.callback import LikeAddRemove, Message, MessageObject
from vkanyio.objects.market import Order
from vkanyio.objects.wall import WallComment
from vkanyio.updates import (
    Gap,
    LikeAdd,
    MarketOrderNew,
    MessageNew,
    MessageReply,
    UnknownUpdate,
    Update,
    WallReplyNew,
)


def match_narrows(update: Update[Any] | Gap) -> None:
    match update:
        case MessageNew(object={"message": message}):
            assert_type(message, Message)
            assert_type(message["peer_id"], int)
        case MessageReply(object=message):
            assert_type(message, Message)
        case LikeAdd():
            assert_type(update.object, LikeAddRemove)
        case WallReplyNew(object=comment):
            assert_type(comment, WallComment)
        case MarketOrderNew(object=order):
            assert_type(order, Order)
        case UnknownUpdate():
            assert_type(update.object, Any)
        case Gap():
            assert_type(update.reason, Literal["outdated", "lost"])
        case _:
            assert_type(update, Update[Any])


def isinstance_narrows(update: Update[Any] | Gap) -> None:
    if isinstance(update, MessageNew):
        assert_type(update.object, MessageObject)
    if isinstance(update, Update):
        assert_type(update.event_id, str)
        assert_type(update.type, str)
        assert_type(update.peer_id, int | None)
        assert_type(update.random_id(1), int)


def what_must_fail(update: MessageNew) -> None:
    update.event_id = "e1"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    update.object["massage"]  # type: ignore[typeddict-item]  # pyright: ignore[reportGeneralTypeIssues]
