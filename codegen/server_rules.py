"""What VK's server requires of parameters, although VK's schema does not say so.

The simulator refuses calls that break these rules, as VK does. A wrong rule would make
correct programs fail in their tests, so each is either reported by somebody who saw the
error, or plain from what the method does: it is about one thing, and nothing but the
parameter says which. The generator refuses a rule that the schema has made superfluous.
"""

from __future__ import annotations

from typing import Final, final

import attrs


@final
@attrs.frozen
class OneOf:
    """A call must have at least one of these parameters.

    :ivar method: the method
    :ivar names: the parameters, separated by blanks; some may be missing in the schema
    :ivar reason: how this is known
    :ivar tokens: the kinds of token that the rule is for, by default all of them
    :ivar text: the text of VK's error 100, if it is known
    """

    method: str
    names: str
    reason: str
    tokens: str = attrs.field(default="", kw_only=True)
    text: str | None = attrs.field(default=None, kw_only=True)


_ISSUE: Final = "https://github.com/VKCOM/vk-api-schema/issues/190"
_REQUIRED_ONCE: Final = "VK's schema of January 2021 requires it"
_WHICH: Final = "the method is about this one thing"
_WHOSE: Final = "by default it is that of the current user, and such a token has none"
_EMPTY: Final = "the schema: each is required if the other is not set"
_UPLOAD: Final = "https://github.com/python273/vk_api/issues/544: photo is undefined"

ONE_OF: Final = (
    OneOf("account.ban", "owner_id user_id", _WHICH),
    OneOf("account.setInfo", "name", _WHICH),
    OneOf("account.unban", "owner_id user_id", _WHICH),
    OneOf("appWidgets.getAppImages", "image_type", _ISSUE, tokens="group"),
    OneOf("appWidgets.getGroupImages", "image_type", _ISSUE),
    OneOf("apps.deleteSnippet", "id", _WHICH),
    OneOf("apps.isNotificationsAllowed", "user_id", _WHOSE, tokens="service"),
    OneOf("apps.promoHasActiveGift", "user_id", _WHOSE, tokens="service"),
    OneOf("apps.promoUseGift", "user_id", _WHOSE, tokens="service"),
    OneOf("board.createComment", "message attachments sticker_id", _EMPTY),
    OneOf("board.editComment", "message attachments", _EMPTY),
    OneOf(
        "docs.getMessagesUploadServer",
        "peer_id",
        "https://github.com/vkbottle/vkbottle/issues/306",
        tokens="group",
        text="peer_id is required for community messages",
    ),
    OneOf("docs.getWallUploadServer", "group_id", _ISSUE, tokens="group"),
    OneOf("fave.addPage", "user_id group_id", _WHICH),
    OneOf("fave.removeLink", "link_id link", _WHICH),
    OneOf("fave.removePage", "user_id group_id", _WHICH),
    OneOf("fave.setPageTags", "user_id group_id", _WHICH),
    OneOf("fave.setTags", "item_id link_id link_url", _WHICH),
    OneOf("fave.trackPageInteraction", "user_id group_id", _WHICH),
    OneOf("friends.add", "user_id", _WHICH),
    OneOf("friends.delete", "user_id", _WHICH),
    OneOf("friends.get", "user_id", _WHOSE, tokens="service"),
    OneOf("friends.getMutual", "target_uid target_uids", _WHICH),
    OneOf("groups.ban", "owner_id user_id", _WHICH),
    OneOf("groups.get", "user_id", _WHOSE, tokens="service"),
    OneOf(
        "groups.getById",
        "group_ids group_id",
        "https://github.com/vkbottle/vkbottle/issues/1004",
        tokens="user service",
        text="group_ids is undefined",
    ),
    OneOf("groups.getMembers", "group_id", _ISSUE),
    OneOf("groups.invite", "user_id user_ids_list", _WHICH),
    OneOf("groups.isMember", "user_id user_ids", _WHOSE, tokens="group service"),
    OneOf("groups.unban", "owner_id user_id", _WHICH),
    OneOf("likes.getList", "item_id page_url", _WHICH),
    OneOf("market.createComment", "message attachments sticker_id", _EMPTY),
    OneOf("market.editComment", "message attachments", _EMPTY),
    OneOf("market.getGroupOrders", "group_id", _WHICH, tokens="user"),
    OneOf("messages.addChatUser", "user_id", _WHICH),
    OneOf("messages.addChatUsers", "chat_id", _WHICH),
    # A community may create an empty chat: it cannot add users.
    OneOf("messages.createChat", "user_ids title", _ISSUE, tokens="group"),
    OneOf("messages.delete", "message_ids cmids conversation_message_ids", _ISSUE),
    OneOf("messages.deleteConversation", "peer_id user_id chat_id", _ISSUE),
    OneOf("messages.edit", "message_id cmid conversation_message_id", _WHICH),
    OneOf("messages.getById", "message_ids cmids", _REQUIRED_ONCE),
    OneOf("messages.getChat", "chat_id chat_ids", _WHICH),
    OneOf("messages.getChatPreview", "peer_id link", _WHICH),
    OneOf("messages.getHistory", "peer_id user_id chat_id", _ISSUE),
    OneOf("messages.getHistoryAttachments", "peer_id", _REQUIRED_ONCE),
    OneOf("messages.getLongPollHistory", "ts pts last_n", _ISSUE),
    OneOf("messages.markAsImportant", "message_ids", _WHICH),
    OneOf("messages.markAsRead", "peer_id message_ids", _ISSUE),
    OneOf("messages.pin", "message_id cmid conversation_message_id", _WHICH),
    OneOf(
        "messages.removeChatUser",
        "member_id user_id",
        "reported by programs that have the token of a community",
        tokens="group",
        text="you should specify member_id",
    ),
    OneOf("messages.restore", "message_id cmid", _REQUIRED_ONCE),
    OneOf("messages.search", "q date", _ISSUE),
    OneOf(
        "messages.send",
        "random_id",
        "https://github.com/negezor/vk-io/issues/407",
        text="random_id is a required parameter",
    ),
    OneOf(
        "messages.send",
        "peer_id user_id domain chat_id user_ids peer_ids",
        "https://github.com/negezor/vk-io/issues/407",
        text="you should specify peer_id, user_id, domain, chat_id or user_ids param",
    ),
    OneOf(
        "messages.setActivity",
        "peer_id user_id chat_id domain",
        "https://github.com/vknet/vk/issues/1022",
        text="you should specify correct user_id, chat_id, or domain param",
    ),
    OneOf("newsfeed.ignoreItem", "item_id", _REQUIRED_ONCE),
    OneOf("newsfeed.unignoreItem", "item_id track_code", _REQUIRED_ONCE),
    OneOf("orders.getById", "order_id order_ids", _WHICH),
    OneOf("pages.get", "page_id title", _WHICH),
    OneOf("pages.getTitles", "group_id", _WHICH),
    OneOf("pages.save", "page_id title", "the schema: one instead of the other"),
    OneOf("photos.createComment", "message attachments sticker_id", _EMPTY),
    OneOf("photos.delete", "photo_id photos", _REQUIRED_ONCE),
    OneOf("photos.editComment", "message attachments", _EMPTY),
    OneOf("photos.get", "album_id photo_ids", _WHICH),
    OneOf("photos.get", "owner_id", _WHOSE, tokens="service"),
    OneOf("photos.getAlbums", "owner_id", _WHOSE, tokens="service"),
    OneOf(
        "photos.getOwnerCoverPhotoUploadServer",
        "group_id",
        _REQUIRED_ONCE,
        tokens="user",
    ),
    OneOf("photos.getUploadServer", "album_id", _WHICH),
    OneOf("photos.save", "photos_list", _UPLOAD),
    OneOf("photos.saveOwnerCoverPhoto", "photo response_json", _REQUIRED_ONCE),
    OneOf("photos.saveOwnerPhoto", "photo", _UPLOAD),
    OneOf("polls.savePhoto", "photo", _UPLOAD),
    OneOf("secure.addAppEvent", "user_id", _REQUIRED_ONCE),
    OneOf("secure.checkToken", "token", _WHICH),
    OneOf("secure.sendNotification", "user_ids user_id", _WHICH),
    OneOf("secure.setCounter", "counters user_id", _WHICH),
    OneOf("storage.get", "key keys", _ISSUE),
    OneOf("storage.get", "user_id", _WHOSE, tokens="group service"),
    OneOf("storage.getKeys", "user_id", _ISSUE, tokens="group service"),
    OneOf("storage.set", "user_id", _WHOSE, tokens="group service"),
    OneOf("stories.delete", "story_id stories", _ISSUE),
    OneOf("stories.get", "owner_id", _ISSUE, tokens="group"),
    OneOf("stories.save", "upload_results upload_results_json", _WHICH),
    OneOf(
        "users.get",
        "user_ids",
        "reported for service tokens: user_ids is undefined",
        tokens="group service",
    ),
    OneOf("users.getFollowers", "user_id", _WHOSE, tokens="service"),
    OneOf("users.getSubscriptions", "user_id", _WHOSE, tokens="service"),
    OneOf("video.addToAlbum", "album_id album_ids", _WHICH),
    OneOf("video.createComment", "message attachments sticker_id", _EMPTY),
    OneOf("video.editComment", "message attachments", _EMPTY),
    OneOf("video.removeFromAlbum", "album_id album_ids", _WHICH),
    OneOf("wall.delete", "post_id", _WHICH),
    OneOf("wall.editAdsStealth", "message attachments", _EMPTY),
    OneOf(
        "wall.get",
        "owner_id domain",
        "reported for calls without a user: owner_id is undefined",
        tokens="service",
        text="owner_id is undefined",
    ),
    OneOf("wall.getComments", "owner_id", _WHOSE, tokens="service"),
    OneOf("wall.getComments", "post_id comment_id", _WHICH),
    OneOf("wall.getReposts", "owner_id", _WHOSE, tokens="service"),
    OneOf("wall.getReposts", "post_id", _WHICH),
    OneOf("wall.postAdsStealth", "message attachments", _EMPTY),
    OneOf("wall.restore", "post_id", _WHICH),
    OneOf("wall.search", "owner_id domain", _WHOSE, tokens="service"),
)
"""Parameters that calls must have beside those that the schema requires."""
