"""What VK's schema does not say, or says wrongly: each line with its reason.

This is the one place for such facts. The generator refuses a line that changes nothing
of the schema, so that none outlives its reason.
"""

from __future__ import annotations

from typing import Final

READS: Final = {
    "apps.promoHasActiveGift": "has: asks whether there is one",
    "market.filterCategories": "finds categories by a query",
    "pages.parseWiki": "turns wiki text into HTML and keeps nothing",
    "translations.translate": "translates texts and keeps nothing",
    "video.liveGetCategories": "live is no verb: it gets",
    "wall.parseAttachedLink": "looks at links and keeps nothing",
}
"""Methods that only read, though the verbs of their names do not say so."""

NEVER: Final = {
    "auth.restore": "sends a code by SMS",
    "polls.edit": "with add_answers it adds them once more",
    "secure.setCounter": "with increment it counts up once more",
    "utils.getShortLink": "makes a link, which utils.getLastShortenedLinks lists",
}
"""Methods that must not be repeated, though the verbs of their names say otherwise."""

CHANGES_IF_SET: Final = {
    ("messages.getInviteLink", "reset"): "makes a new link, and the old one is dead",
}
"""Parameters by which a method that reads changes something."""

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
"""Parameters of these two names, and whether VK knows a repeated call by them: their
descriptions in the schema say so, and the value 0 or an empty one means none."""

_UPLOAD = "saves an upload: fails inside execute (vk-io keeps the same list)"

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
"""Methods that are not packed into ``execute``."""

OUTSIDE_SCHEMA: Final = (
    "audio.save",
    "photos.saveMarketPhoto",
)
"""Methods that VK has (vk-io calls them), though the schema does not."""

_OWNER: Final[dict[str, object]] = {
    "type": "integer",
    "format": "int64",
    "entity": "owner",
}
_COUNTRY: Final[dict[str, object]] = {"type": "integer", "minimum": 1}
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_TOPIC: Final = {
    # As wall.edit has it.
    "type": "integer",
    "enum": [0, 1, 7, 12, 16, 19, 21, 23, 25, 26, 32, 43],
    "enumNames": [
        *("empty_topic", "art", "it", "games", "music", "photo", "science_and_tech"),
        *("sport", "travel", "tv_and_cinema", "humor", "fashion"),
    ],
}
_REFERENCE: Final = "../{0}/objects.json#/definitions/{1}"

MORE_PARAMETERS: Final = {
    # VK's documentation has them (https://dev.vk.com/method/friends.get), or vk-io
    # 4.10.1 does; the schema lost them.
    ("database.getCities", "country_id"): _COUNTRY,
    ("database.getRegions", "country_id"): {**_COUNTRY, "required": True},
    ("database.getUniversities", "country_id"): _COUNTRY,
    ("friends.get", "name_case"): {
        "type": "string",
        "$ref": _REFERENCE.format("base", "base_name_case"),
    },
    ("wall.edit", "primary_attachments"): _TEXTS,
    ("wall.get", "owner_id"): _OWNER,
    ("wall.post", "primary_attachments"): _TEXTS,
    ("wall.post", "topic_id"): _TOPIC,
    ("wall.search", "owner_id"): _OWNER,
}
"""Parameters that the schema does not have, as it would have them."""

ENTITIES: Final = {
    # The schema says "owner", as if they were ids of users or communities.
    ("apps.addUsersToTestingGroup", "group_id"): "testing_group",
    ("apps.getTestingGroups", "group_id"): "testing_group",
    ("apps.removeTestingGroup", "group_id"): "testing_group",
    ("apps.updateMetaForTestingGroup", "group_id"): "testing_group",
    ("wall.get", "domain"): "domain",
    ("wall.search", "domain"): "domain",
}
"""What parameters name, where the schema is wrong."""

ANSWER_IF: Final = {
    # https://dev.vk.com/method/groups.getMembers: managers come with their roles, what
    # the other filters bring is ids.
    ("groups.getMembers", "filterResponse"): "filter=managers",
    ("groups.invite", "userIdsResponse"): "user_ids_list",
    ("friends.getMutual", "totalCountResponse"): "need_common_count",
    # https://dev.vk.com/method/messages.send: with `peer_ids` a list of what became of
    # each message comes back, without it the id of the one message.
    ("messages.send", "userIdsResponse"): "peer_ids",
    ("messages.send", "deprecatedResponse"): None,
    ("secure.setCounter", "responseArray"): "counters",
    ("secure.setCounter", "responseInteger"): None,
    ("video.addToAlbum", "multiResponse"): "album_ids",
    ("video.removeFromAlbum", "multiResponse"): "album_ids",
    # One of these comes, and which of them is not known.
    ("ads.getSuggestions", "citiesResponse"): None,
    ("ads.getSuggestions", "regionsResponse"): None,
    ("ads.getSuggestions", "schoolsResponse"): None,
    ("messages.getInviteLink", "responseByOwner"): None,
}
"""What brings an answer, where its name does not tell: a parameter that is given, or
that has a value; with None it comes where no other answer is due."""

NOT_ANSWERED: Final = {
    ("friends.getOnline", "extendedResponse"): "it has no parameter `extended`",
    ("friends.getOnline", "onlineMobileExtendedResponse"): "nor does it here",
    ("newsfeed.search", "responseStrict"): "the same as `response`",
    ("newsfeed.search", "extendedResponseStrict"): "the same as `extendedResponse`",
}
"""Answers that never come, or that there is another of the same form for."""

ANY_VALUE: Final = {
    "base_undefined_response": "declared an object, but a script may return anything",
}
"""Answers of which nothing is known."""

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
"""Fields that are always there, though the schema does not call them required."""

NOT_ALWAYS_SENT: Final = {
    # https://dev.vk.com/api/bots/development/keyboard: without `one_time` a keyboard
    # stays, and an inline one cannot have it.
    ("messages_keyboard", "one_time"),
}
"""Fields that need not be there, though the schema calls them required."""

_LINK: Final = {"$ref": _REFERENCE.format("base", "base_link")}
_MARKET_ALBUM: Final = {"$ref": _REFERENCE.format("market", "market_market_album")}
_POST: Final = {"$ref": _REFERENCE.format("wall", "wall_wallpost_full")}
_VIDEO: Final = {"$ref": _REFERENCE.format("video", "video_video_full")}

MORE_FIELDS: Final = {
    # https://dev.vk.com/reference/objects/attachments-message: what is attached stands
    # in the field that `type` names.
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
"""Fields that the schema does not have, as it would have them."""

VALUES: Final = {
    # So do the descriptions of the parameters in the schema write them, and
    # https://dev.vk.com/method/users.get.
    "base_name_case": ["nom", "gen", "dat", "acc", "ins", "abl"],
}
"""The values of enums that the schema has wrong."""

MORE_VALUES: Final = (
    # The page on attachments has one of them, and the schema has fields for two.
    ("messages_message_attachment_type", "market_album"),
    ("messages_message_attachment_type", "podcast"),
    ("messages_message_attachment_type", "story"),
)
"""Values that the schema's enums do not have."""

UNIX_TIMES: Final = {
    # Their pages at https://dev.vk.com/method say so, while the schema does not.
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
"""Numbers that are a time; so are those that the schema's text calls Unix time."""

DAYS: Final = {
    # https://dev.vk.com/method/messages.search, while the schema calls it Unix time.
    ("messages.search", "date"),
}
"""Numbers that are a day, written as DDMMYYYY."""

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
"""Strings that are the JSON of an object: a dict may be given."""

JSON_ARRAYS: Final = {
    ("ads.createAds", "data"),
    ("ads.createCampaigns", "data"),
    ("ads.createClients", "data"),
    ("ads.updateAds", "data"),
    ("ads.updateCampaigns", "data"),
    ("ads.updateClients", "data"),
}
"""Strings that are the JSON of an array of objects: a list of dicts may be given."""

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
"""Strings that are the JSON of an array of numbers or texts: a list may be given, and
is written as JSON, as their descriptions in the schema ask for."""
