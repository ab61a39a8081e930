"""The types of updates that VK sends about a community, and what each contains.

VK's schema has the objects, but not which type of update has which of them. The types
are those of ``callback_type`` and of the flags of ``groups.setCallbackSettings``; a
test compares the three.
"""

from __future__ import annotations

from typing import Final

_MESSAGE: Final = "it is the message itself, without client_info, since 5.103"
_LIKE: Final = "the schema has one object for both"
_COMMENT: Final = "a comment in the form in which VK returns it"
_UNKNOWN: Final = "neither the schema nor VK's pages describe it"

OBJECTS: Final = {
    "app_payload": ("callback.AppPayload", ""),
    "audio_new": ("callback.AudioNew", ""),
    "board_post_delete": ("callback.BoardPostDelete", ""),
    "board_post_edit": ("callback.BoardPostEdit", ""),
    "board_post_new": ("callback.BoardPostNew", ""),
    "board_post_restore": ("callback.BoardPostRestore", ""),
    "donut_money_withdraw": ("callback.DonutMoneyWithdraw", ""),
    "donut_money_withdraw_error": ("callback.DonutMoneyWithdrawError", ""),
    "donut_subscription_cancelled": ("callback.DonutSubscriptionCancelled", ""),
    "donut_subscription_create": ("callback.DonutSubscriptionCreate", ""),
    "donut_subscription_expired": ("callback.DonutSubscriptionExpired", ""),
    "donut_subscription_price_changed": ("callback.DonutSubscriptionPriceChanged", ""),
    "donut_subscription_prolonged": ("callback.DonutSubscriptionProlonged", ""),
    "group_change_photo": ("callback.GroupChangePhoto", ""),
    "group_change_settings": ("callback.GroupChangeSettings", ""),
    "group_join": ("callback.GroupJoin", ""),
    "group_leave": ("callback.GroupLeave", ""),
    "group_officers_edit": ("callback.GroupOfficersEdit", ""),
    "lead_forms_new": ("dict[str, Any]", _UNKNOWN),
    "like_add": ("callback.LikeAddRemove", _LIKE),
    "like_remove": ("callback.LikeAddRemove", _LIKE),
    "market_comment_delete": ("callback.MarketCommentDelete", ""),
    "market_comment_edit": ("callback.MarketComment", _COMMENT),
    "market_comment_new": ("callback.MarketComment", _COMMENT),
    "market_comment_restore": ("callback.MarketComment", _COMMENT),
    "market_order_edit": ("market.Order", "an order as market.getOrders returns it"),
    "market_order_new": ("market.Order", "an order as market.getOrders returns it"),
    "message_allow": ("callback.MessageAllow", ""),
    "message_deny": ("callback.MessageDeny", ""),
    "message_edit": ("callback.Message", _MESSAGE),
    "message_event": ("callback.MessageEvent", ""),
    "message_new": ("callback.MessageNew", ""),
    "message_reaction_event": ("callback.MessageReactionEvent", ""),
    "message_read": ("callback.MessageRead", ""),
    "message_reply": ("callback.Message", _MESSAGE),
    "message_typing_state": ("callback.MessageTypingState", ""),
    "photo_comment_delete": ("callback.PhotoCommentDelete", ""),
    "photo_comment_edit": ("callback.PhotoComment", _COMMENT),
    "photo_comment_new": ("callback.PhotoComment", _COMMENT),
    "photo_comment_restore": ("callback.PhotoComment", _COMMENT),
    "photo_new": ("callback.PhotoNew", ""),
    "poll_vote_new": ("callback.PollVoteNew", ""),
    "user_block": ("callback.UserBlock", ""),
    "user_unblock": ("callback.UserUnblock", ""),
    "video_comment_delete": ("callback.VideoCommentDelete", ""),
    "video_comment_edit": ("callback.VideoComment", _COMMENT),
    "video_comment_new": ("callback.VideoComment", _COMMENT),
    "video_comment_restore": ("callback.VideoComment", _COMMENT),
    "video_new": ("callback.VideoNew", ""),
    "vkpay_transaction": ("callback.VkpayTransaction", ""),
    "wall_post_new": ("callback.WallPostNew", ""),
    "wall_reply_delete": ("callback.WallCommentDelete", "VK's name for the object"),
    "wall_reply_edit": ("callback.WallReplyEdit", ""),
    "wall_reply_new": ("callback.WallReplyNew", ""),
    "wall_reply_restore": ("callback.WallReplyRestore", ""),
    "wall_repost": ("callback.WallRepost", ""),
    "wall_schedule_post_delete": ("dict[str, Any]", _UNKNOWN),
    "wall_schedule_post_new": ("dict[str, Any]", _UNKNOWN),
}
"""The type of ``object`` in each type of update, and why it has another name."""

NOT_UPDATES: Final = {
    "confirmation": "the question by which VK checks an address of the Callback API",
}
"""Values of ``callback_type`` that are not updates."""
