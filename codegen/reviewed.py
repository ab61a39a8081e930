"""Corrections and additions to VK's schema, each with its reason.

All such facts are here and nowhere else. The generator refuses a line that changes
nothing in the schema, so that none outlives its reason.
"""

from __future__ import annotations

from typing import Final

READS: Final = {
    "apps.promoHasActiveGift": "has: checks whether there is one",
    "market.filterCategories": "finds categories by a query",
    "pages.parseWiki": "converts wiki text to HTML and stores nothing",
    "translations.translate": "translates texts and stores nothing",
    "video.liveGetCategories": "live is not a verb: it gets",
    "wall.parseAttachedLink": "parses links and stores nothing",
}
"""Methods that only read, although the verbs in their names do not say so."""

NEVER: Final = {
    "auth.restore": "sends a code by SMS",
    "polls.edit": "a second call adds add_answers again",
    "secure.setCounter": "a second call with increment counts twice",
    "utils.getShortLink": "creates a link, which utils.getLastShortenedLinks lists",
}
"""Methods that are not repeatable, although the verbs in their names say they are."""

CHANGES_IF_SET: Final = {
    (
        "messages.getInviteLink",
        "reset",
    ): "creates a new link and invalidates the old one",
}
"""Parameters that turn a read into a write."""

KEYS: Final = {
    ("board.createComment", "guid"): True,
    ("market.createComment", "guid"): True,
    ("messages.send", "random_id"): True,
    ("notes.createComment", "guid"): True,
    ("notifications.sendMessage", "random_id"): True,
    ("photos.createComment", "guid"): True,
    ("video.createComment", "guid"): True,
    ("wall.createComment", "guid"): True,
    ("wall.post", "guid"): True,
    ("wall.postAdsStealth", "guid"): True,
}
"""Parameters with these two names, and whether VK deduplicates calls by them, according
to their descriptions in the schema. The value 0 and an empty value mean no key."""

_UPLOAD = "saves an upload: fails inside execute (vk-io has the same list)"

NOT_FOR_EXECUTE: Final = {
    "audio.save": _UPLOAD,
    "docs.save": _UPLOAD,
    "messages.setChatPhoto": _UPLOAD,
    "photos.save": _UPLOAD,
    "photos.saveMarketAlbumPhoto": _UPLOAD,
    "photos.saveMarketPhoto": _UPLOAD,
    "photos.saveMessagesPhoto": _UPLOAD,
    "photos.saveOwnerCoverPhoto": _UPLOAD,
    "photos.saveOwnerPhoto": _UPLOAD,
    "photos.saveWallPhoto": _UPLOAD,
    "polls.savePhoto": _UPLOAD,
    "stories.save": _UPLOAD,
}
"""Methods that are never packed into ``execute``."""

OUTSIDE_SCHEMA: Final = (
    "audio.save",
    "photos.saveMarketPhoto",
)
"""Methods that VK has (vk-io calls them) but the schema does not."""

UNTYPED_GROUPS: Final = {
    "adsweb": "in VK's schema until 2025-01-20",
    "articles": "in vk-io's list of groups",
    "asr": "in VK's schema until 2025-01-20",
    "audio": "in VK's schema until 2017, and in vk-io's list of groups",
    "crowdCustomer": "in VK's index of methods of 2026",
    "junction": "in vk-io's list of groups",
    "leads": "in VK's schema until 2020, and in vk-io's list of groups",
    "loyaltyTeen": "in VK's index of methods of 2026",
    "marusia": "in vk-io's list of groups",
    "places": "in VK's schema until 2018, and in vk-io's list of groups",
    "specials": "in vk-io's list of groups",
    "statEvents": "in vk-io's list of groups",
    "userLinking": "in VK's index of methods of 2026",
}
"""Groups that the schema does not have, and who has them: their methods take any
parameters."""

_OWNER: Final[dict[str, object]] = {
    "type": "integer",
    "format": "int64",
    "entity": "owner",
}
_COUNTRY: Final[dict[str, object]] = {"type": "integer", "minimum": 1}
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_TOPIC: Final = {
    # The same as in wall.edit.
    "type": "integer",
    "enum": [0, 1, 7, 12, 16, 19, 21, 23, 25, 26, 32, 43],
    "enumNames": [
        *("empty_topic", "art", "it", "games", "music", "photo", "science_and_tech"),
        *("sport", "travel", "tv_and_cinema", "humor", "fashion"),
    ],
}

MORE_PARAMETERS: Final = {
    # Missing from the schema, but present in VK's documentation
    # (https://dev.vk.com/method/friends.get) or in vk-io 4.10.1.
    ("database.getCities", "country_id"): _COUNTRY,
    ("database.getRegions", "country_id"): {**_COUNTRY, "required": True},
    ("database.getUniversities", "country_id"): _COUNTRY,
    ("friends.get", "name_case"): {
        "type": "string",
        "$ref": "base_name_case",
    },
    ("wall.edit", "primary_attachments"): _TEXTS,
    ("wall.get", "owner_id"): _OWNER,
    ("wall.post", "primary_attachments"): _TEXTS,
    ("wall.post", "topic_id"): _TOPIC,
    ("wall.search", "owner_id"): _OWNER,
}
"""Parameters that are missing from the schema, written in its format."""

ENTITIES: Final = {
    # The schema says "owner", that is, the id of a user or a community.
    ("apps.addUsersToTestingGroup", "group_id"): "testing_group",
    ("apps.getTestingGroups", "group_id"): "testing_group",
    ("apps.removeTestingGroup", "group_id"): "testing_group",
    ("apps.updateMetaForTestingGroup", "group_id"): "testing_group",
    ("wall.get", "domain"): "domain",
    ("wall.search", "domain"): "domain",
}
"""The kinds of entity that parameters identify, where the schema is wrong."""

RETURNED_IF: Final = {
    # https://dev.vk.com/method/groups.getMembers: managers come with their roles, all
    # other filters return ids.
    ("groups.getMembers", "filterResponse"): "filter=managers",
    ("groups.invite", "userIdsResponse"): "user_ids_list",
    ("friends.getMutual", "totalCountResponse"): "need_common_count",
    # https://dev.vk.com/method/messages.send: with `peer_ids` VK returns the
    # result for each message, without it the id of a single message.
    ("messages.send", "userIdsResponse"): "peer_ids",
    ("messages.send", "deprecatedResponse"): None,
    ("secure.setCounter", "responseArray"): "counters",
    ("secure.setCounter", "responseInteger"): None,
    ("video.addToAlbum", "multiResponse"): "album_ids",
    ("video.removeFromAlbum", "multiResponse"): "album_ids",
    # VK returns one of these; it is not known which.
    ("ads.getSuggestions", "citiesResponse"): None,
    ("ads.getSuggestions", "regionsResponse"): None,
    ("ads.getSuggestions", "schoolsResponse"): None,
    ("messages.getInviteLink", "responseByOwner"): None,
}
"""When a response is returned, where its name does not say so: with a parameter, or
with a value of it. None means: if no other response is selected."""

NEVER_RETURNED: Final = {
    ("friends.getOnline", "extendedResponse"): "it has no parameter `extended`",
    ("friends.getOnline", "onlineMobileExtendedResponse"): "the same",
    ("newsfeed.search", "responseStrict"): "the same as `response`",
    ("newsfeed.search", "extendedResponseStrict"): "the same as `extendedResponse`",
}
"""Responses that VK never returns, or that duplicate another one."""

ANY_VALUE: Final = {
    "base_undefined_response": "declared an object, but scripts may return anything",
}
"""Responses that may contain anything."""

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
}
"""Fields that are always present, although the schema does not require them."""

NOT_ALWAYS_SENT: Final = {
    # https://dev.vk.com/api/bots/development/keyboard: keyboards stay without
    # `one_time`, and inline ones cannot have it.
    ("messages_keyboard", "one_time"),
}
"""Fields that may be missing, although the schema requires them."""

_LINK: Final = {"$ref": "base_link"}
_MARKET_ALBUM: Final = {"$ref": "market_market_album"}
_POST: Final = {"$ref": "wall_wallpost_full"}
_VIDEO: Final = {"$ref": "video_video_full"}

MORE_FIELDS: Final = {
    # https://dev.vk.com/reference/objects/attachments-message: the attachment is in the
    # field that `type` names.
    ("messages_history_message_attachment", "link"): _LINK,
    ("messages_history_message_attachment", "video"): _VIDEO,
    ("messages_history_message_attachment", "wall"): _POST,
    ("messages_message_attachment", "link"): _LINK,
    ("messages_message_attachment", "market_album"): _MARKET_ALBUM,
    ("messages_message_attachment", "podcast"): {"type": "object"},
    ("messages_message_attachment", "video"): _VIDEO,
    ("messages_message_attachment", "wall"): _POST,
    ("wall_wallpost_attachment", "podcast"): {"type": "object"},
}
"""Fields that are missing from the schema, written in its format."""

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
)
"""Values that are missing from enums in the schema."""

UNIX_TIMES: Final = {
    # Their pages at https://dev.vk.com/method say so; the schema does not.
    ("groups.ban", "end_date"),
    ("photos.search", "end_time"),
    ("photos.search", "start_time"),
    ("polls.create", "end_date"),
    ("polls.edit", "end_date"),
    ("stats.get", "timestamp_from"),
    ("stats.get", "timestamp_to"),
    ("streaming.getStats", "end_time"),
    ("streaming.getStats", "start_time"),
    ("wall.edit", "publish_date"),
}
"""Numbers that are Unix times, besides those that the schema describes as such."""

DAYS: Final = {
    # https://dev.vk.com/method/messages.search; the schema calls it a Unix time.
    ("messages.search", "date"),
}
"""Numbers that are a date, written as DDMMYYYY."""

JSON_OBJECTS: Final = {
    ("ads.getTargetingStats", "criteria"),
    ("messages.edit", "keyboard"),
    ("messages.edit", "template"),
    ("messages.send", "content_source"),
    ("messages.send", "payload"),
    ("messages.send", "template"),
    ("messages.sendMessageEventAnswer", "event_data"),
    ("polls.edit", "edit_answers"),
}
"""Strings that hold a JSON object: callers may pass a dict."""

JSON_ARRAYS: Final = {
    ("ads.createAds", "data"),
    ("ads.createCampaigns", "data"),
    ("ads.createClients", "data"),
    ("ads.updateAds", "data"),
    ("ads.updateCampaigns", "data"),
    ("ads.updateClients", "data"),
}
"""Strings that hold a JSON array of objects: callers may pass a list of dicts."""

JSON_LISTS: Final = {
    ("ads.deleteAds", "ids"),
    ("ads.deleteCampaigns", "ids"),
    ("ads.deleteClients", "ids"),
    ("ads.getAds", "ad_ids"),
    ("ads.getAds", "campaign_ids"),
    ("ads.getAdsLayout", "ad_ids"),
    ("ads.getAdsLayout", "campaign_ids"),
    ("ads.getAdsTargeting", "ad_ids"),
    ("ads.getAdsTargeting", "campaign_ids"),
    ("ads.getCampaigns", "campaign_ids"),
    ("ads.removeOfficeUsers", "ids"),
    ("polls.create", "add_answers"),
    ("polls.edit", "add_answers"),
    ("polls.edit", "delete_answers"),
}
"""Strings that hold a JSON array of numbers or strings: callers may pass a list, which
is sent as JSON, as their descriptions in the schema require."""
