"""Corrections and additions to the objects of VK's schema, each with its reason.

See `reviewed`, which has those to methods and parameters. "VK 5.199.99" is VK's schema
of that version, from which npm has @vkontakte/api-schema-typescript 1.5199.0 and PyPI
vkbottle-types 5.199.99.22.
"""

from __future__ import annotations

from typing import Final

_TEXT: Final = {"type": "string"}
_INT: Final = {"type": "integer"}
_NUMBER: Final = {"type": "number"}
_FLAG: Final = {"type": "boolean"}
_OBJECT: Final = {"type": "object"}
_ID: Final = {"type": "integer", "required": True}
_OWNER: Final = {"type": "integer", "entity": "owner"}

MORE_OBJECTS: Final = {
    # VK 5.199.99
    "market_getFavesForAttach_response": {
        "type": "object",
        "properties": {
            "market_items": {"type": "array", "items": {"$ref": "market_market_item"}},
            "next_from": _INT,
        },
    },
    "video_getOembed_response": {
        "type": "object",
        "properties": {
            "version": _TEXT,
            "type": _TEXT,
            "title": _TEXT,
            "author_name": _TEXT,
            "html": _TEXT,
            "width": _INT,
            "height": _INT,
            "provider_name": _TEXT,
            "provider_url": _TEXT,
            "thumbnail_url": _TEXT,
            "thumbnail_width": _INT,
            "thumbnail_height": _INT,
        },
    },
    # Their pages at https://dev.vk.ru/ru/method
    "messages_startCall_response": {
        "type": "object",
        "properties": {
            "join_link": {**_TEXT, "required": True},
            "call_id": {**_TEXT, "required": True},
        },
    },
    "video_getPublicSectionFeed_response": _TEXT,
    # https://dev.vk.com/reference/objects/attachments-message: a post in a message has
    # `to_id` in place of `owner_id`.
    "messages_attached_wallpost": {
        "type": "object",
        "allOf": [{"$ref": "wall_wallpost_full"}],
    },
}
"""Objects that are missing from the schema, written in its condensed format. The name
of what a method returns ends in ``_response``."""

REPLACED: Final = {
    # https://dev.vk.com/api/community-events/json-schema: the object of the event is a
    # video, but the schema repeats that of `audio_new`.
    "callback_video_new": {"type": "object", "$ref": "video_video_full"},
}
"""Objects that the schema defines wrongly."""

ANY_VALUE: Final = {
    "base_undefined_response": "declared an object, but scripts may return anything",
}
"""Responses that may contain anything."""

EMPTY_LISTS: Final = {
    # Found nothing: vkbottle/vkbottle#1139
    ("utils_resolveScreenName_response", None),
    # SevereCloud/vksdk, object/groups.go: a community without counters
    ("groups_group_full", "counters"),
    # SevereCloud/vksdk, object/market.go: goods that are not available, in fave.get
    ("market_market_item", "price"),
    # SevereCloud/vksdk#47: a day without activity
    ("stats_period", "activity"),
    # VKCOM/vk-android-sdk#270 and SevereCloud/vksdk, object/users.go
    ("users_user_full", "personal"),
}
"""Objects that are ``[]`` if there is nothing in them; None is a whole response."""

FIELD_TYPES: Final = {
    # SevereCloud/vksdk, api/photos.go: `false` if the photo was not resized
    ("photos_saveOwnerPhoto_response", "photo_src"): {"type": ["string", "boolean"]},
    ("photos_saveOwnerPhoto_response", "photo_src_big"): {
        "type": ["string", "boolean"]
    },
    ("photos_saveOwnerPhoto_response", "photo_src_small"): {
        "type": ["string", "boolean"]
    },
    # SevereCloud/vksdk, events/objects.go: the JSON of the button, not a text of it
    ("callback_message_event", "payload"): _OBJECT,
    # SevereCloud/vksdk, object/photos.go: "180.000000"
    ("photos_photo_sizes", "height"): _NUMBER,
    ("photos_photo_sizes", "width"): _NUMBER,
    # SevereCloud/vksdk, object/users.go
    ("users_occupation", "id"): _NUMBER,
    # VKCOM/vk-api-schema#143: a number in some methods
    ("base_place", "city"): {"type": ["string", "integer"]},
}
"""The types of fields that the schema declares wrongly."""

ALWAYS_SENT: Final = {
    # https://dev.vk.com/reference/objects/group lists them among the basic fields.
    ("groups_getById_object_response", "groups"),
    ("groups_group", "is_closed"),
    ("groups_group", "name"),
    ("groups_group", "screen_name"),
    ("groups_group", "type"),
    # https://dev.vk.com/reference/objects/user lists them among the basic fields.
    ("users_user_min", "first_name"),
    ("users_user_min", "last_name"),
    # https://dev.vk.com/reference/objects/user: an object of two fields; old clients
    # have no platform.
    ("users_last_seen", "time"),
    # https://dev.vk.com/reference/objects/post, and every post in its examples
    ("wall_wallpost", "date"),
    ("wall_wallpost", "from_id"),
    ("wall_wallpost", "id"),
    ("wall_wallpost", "owner_id"),
    ("wall_wallpost", "text"),
    # https://dev.vk.com/reference/objects/attachments-message
    ("messages_attached_wallpost", "to_id"),
    # https://dev.vk.com/method/newsfeed.get: the id of the post
    ("newsfeed_item_wallpost", "post_id"),
    # https://dev.vk.com/method/utils.resolveScreenName
    ("utils_domain_resolved", "object_id"),
    ("utils_domain_resolved", "type"),
    # https://dev.vk.com/reference/objects/photo-sizes
    ("photos_photo_sizes", "url"),
    # https://dev.vk.com/reference/objects/photo: since API 5.77
    ("photos_photo", "sizes"),
    # https://dev.vk.com/reference/objects/video, and the example of
    # https://dev.vk.com/method/video.get
    ("video_video", "date"),
    ("video_video", "duration"),
    ("video_video", "id"),
    ("video_video", "owner_id"),
    ("video_video", "title"),
    # https://dev.vk.com/method/video.save
    ("video_save_result", "access_key"),
    ("video_save_result", "description"),
    ("video_save_result", "owner_id"),
    ("video_save_result", "title"),
    ("video_save_result", "upload_url"),
    ("video_save_result", "video_id"),
    # https://dev.vk.com/method/wall.getById: the schema requires `items` only where
    # it is extended.
    ("wall_getById_response", "items"),
    # https://dev.vk.com/method/messages.getConversations
    ("messages_conversation_with_message", "last_message"),
    # Events that people logged, also those of chat actions (SevereCloud/vksdk,
    # callback/callback_test.go)
    ("messages_message", "attachments"),
    ("messages_message", "fwd_messages"),
    ("messages_message", "important"),
    ("messages_message", "is_hidden"),
    # https://dev.vk.com/api/community-events/json-schema
    ("callback_message_object", "client_info"),
    ("callback_message_object", "message"),
}
"""Fields that are always present, although the schema does not require them."""

NOT_ALWAYS_SENT: Final = {
    # https://dev.vk.com/api/bots/development/keyboard: keyboards stay without
    # `one_time`, and inline ones cannot have it.
    ("messages_keyboard", "one_time"),
    # https://dev.vk.com/method/messages.send: not if there is an `error`
    ("messages_send_user_ids_response_item", "conversation_message_id"),
    ("messages_send_user_ids_response_item", "message_id"),
    # https://dev.vk.com/reference/objects/attachments-message
    ("messages_attached_wallpost", "owner_id"),
    # https://dev.vk.com/method/newsfeed.get: items have `source_id` and `post_id`
    ("newsfeed_item_wallpost", "from_id"),
    ("newsfeed_item_wallpost", "id"),
    ("newsfeed_item_wallpost", "owner_id"),
    # VKCOM/vk-api-schema#229, vkbottle/vkbottle#537
    ("photos_photo", "has_tags"),
    # vkbottle-types 5.199.99.22, from reports of its users
    ("apps_app_min", "id"),
    ("apps_app_min", "type"),
    ("calls_call", "receiver_id"),
    ("calls_call", "time"),
    ("wall_wallpost", "inner_type"),
}
"""Fields that may be missing, although the schema requires them."""

_COUNTRY: Final = {"$ref": "base_country"}
_LINK: Final = {"$ref": "base_link"}
_MARKET_ALBUM: Final = {"$ref": "market_market_album"}
_POST: Final = {"$ref": "messages_attached_wallpost"}
_VIDEO: Final = {"$ref": "video_video_full"}
_SETS: Final = {"type": "array", "items": _OBJECT}

MORE_FIELDS: Final = {
    # https://dev.vk.com/reference/objects/attachments-message: the attachment is in the
    # field that `type` names.
    ("messages_history_message_attachment", "link"): _LINK,
    ("messages_history_message_attachment", "video"): _VIDEO,
    ("messages_history_message_attachment", "wall"): _POST,
    ("messages_message_attachment", "link"): _LINK,
    ("messages_message_attachment", "market_album"): _MARKET_ALBUM,
    ("messages_message_attachment", "podcast"): _OBJECT,
    ("messages_message_attachment", "video"): _VIDEO,
    ("messages_message_attachment", "wall"): _POST,
    ("wall_comment_attachment", "market_album"): _MARKET_ALBUM,
    ("wall_wallpost_attachment", "podcast"): _OBJECT,
    # VK 5.199.99
    ("ads_ad", "disclaimer_credits"): {"$ref": "base_bool_int"},
    ("groups_profile_item", "last_name"): _TEXT,
    ("groups_profile_item", "screen_name"): _TEXT,
    ("market_market_item_full", "show_comments"): {"$ref": "base_bool_int"},
    ("messages_conversation", "peer_flags"): _INT,
    ("messages_conversation", "style"): _TEXT,
    ("messages_message_action", "style"): _TEXT,
    # vkbottle-types 5.199.99.22, from reports of its users
    ("messages_audio_message", "transcript"): _TEXT,
    ("messages_audio_message", "transcript_state"): _TEXT,
    ("messages_message_attachment", "group_call_in_progress"): {"$ref": "calls_call"},
    ("messages_message_attachment", "mini_app"): {"$ref": "apps_app"},
    ("photos_photo", "orig_photo"): {"$ref": "photos_photo_sizes"},
    ("wall_wallpost_attachment", "mini_app"): {"$ref": "apps_app"},
    # https://dev.vk.com/reference/objects/user and objects/group: VK's schema of 2023
    # lost every field with this name.
    ("groups_group_full", "country"): _COUNTRY,
    ("users_career", "country_id"): _INT,
    ("users_military", "country_id"): _INT,
    ("users_school", "country"): _INT,
    ("users_university", "country"): _INT,
    ("users_user_full", "country"): _COUNTRY,
    # Programs that use likes.getList and wall.get, 2024 and later
    ("likes_getList_extended_response", "reaction_set_id"): _TEXT,
    ("likes_getList_extended_response", "reaction_sets"): _SETS,
    ("likes_getList_extended_response", "reactions"): _OBJECT,
    ("likes_getList_response", "reaction_set_id"): _TEXT,
    ("likes_getList_response", "reaction_sets"): _SETS,
    ("likes_getList_response", "reactions"): _OBJECT,
    ("wall_get_extended_response", "reaction_sets"): _SETS,
    ("wall_get_response", "reaction_sets"): _SETS,
    ("wall_wallpost", "reaction_set_id"): _TEXT,
    ("wall_wallpost", "reactions"): _OBJECT,
}
"""Fields that are missing from the schema, written in its format."""

GONE_FIELDS: Final = {
    ("messages_message_attachment", "market_market_album"): "a slip: `market_album`",
    ("wall_comment_attachment", "market_market_album"): "a slip: `market_album`",
}
"""Fields that do not exist."""

TAGGED: Final = {
    # https://dev.vk.com/reference/objects/attachments-wall and attachments-message: an
    # attachment is in the field that `type` names.
    "messages_history_message_attachment",
    "messages_message_attachment",
    "wall_comment_attachment",
    "wall_wallpost_attachment",
}
"""Objects that have the field which their ``type`` names, and of the others only those
that no type names."""

VALUES: Final = {
    # According to the descriptions of parameters in the schema, and to
    # https://dev.vk.com/method/users.get.
    "base_name_case": ["nom", "gen", "dat", "acc", "ins", "abl"],
}
"""The values of enums that are wrong in the schema."""

MORE_VALUES: Final = (
    # The page on attachments lists one of them, and the schema has fields for two.
    ("messages_message_attachment_type", "market_album"),
    ("messages_message_attachment_type", "podcast"),
    ("messages_message_attachment_type", "story"),
    # vkbottle-types 5.199.99.22, from reports of its users
    ("messages_message_action_status", "conversation_style_update"),
    ("messages_message_attachment_type", "group_call_in_progress"),
    ("messages_message_attachment_type", "mini_app"),
    ("messages_message_attachment_type", "narrative"),
    ("wall_wallpost_attachment_type", "mini_app"),
    ("wall_wallpost_attachment_type", "pretty_cards"),
    # VK 5.199.99
    ("base_link_button_action_type", "reset_search_filters"),
    ("base_link_button_style", "after_toolbar"),
    ("base_link_button_style", "negative"),
    ("base_user_group_fields", "url"),
    # https://dev.vk.com/reference/objects/user and objects/group
    ("base_user_group_fields", "can_be_invited_group"),
    ("base_user_group_fields", "country"),
    ("groups_fields", "country"),
    ("users_fields", "can_be_invited_group"),
    ("users_fields", "country"),
    # https://dev.vk.com/api/community-events/json-schema
    ("callback_type", "app_payload"),
    ("callback_type", "donut_money_withdraw"),
    ("callback_type", "donut_money_withdraw_error"),
    ("callback_type", "donut_subscription_cancelled"),
    ("callback_type", "donut_subscription_create"),
    ("callback_type", "donut_subscription_expired"),
    ("callback_type", "donut_subscription_price_changed"),
    ("callback_type", "donut_subscription_prolonged"),
    ("callback_type", "like_add"),
    ("callback_type", "like_remove"),
    ("callback_type", "message_event"),
    ("callback_type", "vkpay_transaction"),
)
"""Values that are missing from enums in the schema."""

GONE_VALUES: Final = (
    # https://dev.vk.com/api/community-events/json-schema: it is `message_edit`, which
    # the schema has, too.
    ("callback_type", "messages_edit"),
)
"""Values that do not exist."""
