"""Corrections and additions to the methods of VK's schema, each with its reason.

All such facts are here and in `reviewed_objects`; those about VK's server that the
schema's format cannot express are in `server_rules`. The generator refuses a line that
changes nothing in the schema, so that none outlives its reason.
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

_INT: Final = {"type": "integer"}
_TEXT: Final = {"type": "string"}
_VIDEO_THREAD: Final = {
    "access_token_type": ["user"],
    "parameters": [
        {"name": "owner_id", "type": "integer", "entity": "owner", "required": True},
        {"name": "thread_id", "type": "integer", "required": True},
    ],
    "responses": {"response": "base_ok_response"},
}

MORE_METHODS: Final = {
    # In VK's schema 5.199.99, from which npm has @vkontakte/api-schema-typescript
    # 1.5199.0; it says nothing about tokens.
    "market.getFavesForAttach": {
        "access_token_type": ["user"],
        "parameters": [
            {"name": "current_group_id", "type": "integer", "entity": "owner"},
            {"name": "public_only", "type": "boolean"},
            {"name": "offset", "type": "integer"},
            {"name": "count", "type": "integer"},
        ],
        "responses": {"response": "market_getFavesForAttach_response"},
    },
    "video.deleteThread": _VIDEO_THREAD,
    "video.getOembed": {
        "parameters": [
            {"name": "url", "type": "string", "required": True},
            {"name": "maxwidth", "type": "integer"},
            {"name": "maxheight", "type": "integer"},
        ],
        "responses": {"response": "video_getOembed_response"},
    },
    "video.restoreThread": _VIDEO_THREAD,
    # https://dev.vk.ru/ru/method/messages.forceCallFinish and messages.startCall
    "messages.forceCallFinish": {
        "access_token_type": ["user", "group"],
        "parameters": [{"name": "call_id", "type": "string", "required": True}],
        "responses": {"response": "base_ok_response"},
    },
    "messages.startCall": {
        "access_token_type": ["user", "group"],
        "parameters": [{"name": "group_id", "type": "integer"}],
        "responses": {"response": "messages_startCall_response"},
    },
    # https://dev.vk.ru/ru/method/video.getPublicSectionFeed: no token is needed.
    "video.getPublicSectionFeed": {
        "access_token_type": ["open"],
        "parameters": [
            {
                "name": "section_name",
                "type": "string",
                "enum": ["trends", "sport", "cybersport", "for_kids", "politics"],
                "required": True,
            },
            {"name": "limit", "type": "integer", "enum": [20, 50]},
            {"name": "max_duration", "type": "integer", "enum": [61, 122]},
        ],
        "responses": {"response": "video_getPublicSectionFeed_response"},
    },
}
"""Methods that are missing from the schema, written in its condensed format."""

GONE_METHODS: Final = {
    "stories.getDetailedStats": "not in VK's schema 5.199.99",
}
"""Methods that VK has removed since."""

NOTES: Final = {
    # https://dev.vk.ru/ru/method/newsfeed, read in 2026
    "newsfeed.get": "VK disabled the filter ``friend`` and the source ``list`` on 27"
    " August 2025.",
    "newsfeed.getComments": "VK: this method does not work since 27 August 2025.",
    "newsfeed.getRecommended": "VK: this method does not work since 27 August 2025.",
    # Their pages, read in 2026
    "messages.forceCallFinish": "Deprecated by VK, and may be removed: use"
    " ``calls.forceFinish``.",
    "messages.startCall": "Deprecated by VK, and may be removed: use ``calls.start``.",
}
"""What VK has announced about methods, for their docstrings."""

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
_CROP: Final = {"type": "string", "format": "json"}
_MODE: Final = {"type": "string", "enum": ["grid", "carousel"]}
_FORMAT: Final = {"type": "string", "format": "json"}
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
    # The pages of these methods, and programs that use them (2025 and 2026)
    ("groups.addAddress", "country_id"): _COUNTRY,
    ("groups.editAddress", "country_id"): _COUNTRY,
    ("messages.edit", "format_data"): _FORMAT,
    ("messages.send", "format_data"): _FORMAT,
    ("newsfeed.search", "offset"): {"type": "integer", "minimum": 0},
    ("newsfeed.search", "start_id"): _TEXT,
    ("photos.getOwnerCoverPhotoUploadServer", "crop_height"): _INT,
    ("photos.getOwnerCoverPhotoUploadServer", "crop_width"): _INT,
    ("wall.edit", "photo_attachments_crop"): _CROP,
    ("wall.edit", "primary_attachments"): _TEXTS,
    ("wall.edit", "primary_attachments_mode"): _MODE,
    ("wall.get", "owner_id"): _OWNER,
    ("wall.post", "photo_attachments_crop"): _CROP,
    ("wall.post", "primary_attachments"): _TEXTS,
    ("wall.post", "primary_attachments_mode"): _MODE,
    ("wall.post", "topic_id"): _TOPIC,
    ("wall.search", "owner_id"): _OWNER,
}
"""Parameters that are missing from the schema, written in its format."""

_ATTACHMENT: Final = (
    "each is ``<type><owner_id>_<id>``, such as ``photo-1_2``, followed by"
    " ``_<access_key>`` if it has one, or the URL of a page"
)
_KEYBOARD: Final = "https://dev.vk.com/api/bots/development/keyboard"

ABOUT: Final = {
    # https://dev.vk.com/method/wall.post, https://dev.vk.com/method/messages.send
    "attachment": _ATTACHMENT,
    "attachments": _ATTACHMENT,
    "primary_attachments": _ATTACHMENT,
    "forward": "an object with ``peer_id`` and ``conversation_message_ids``, for"
    " example: https://dev.vk.com/method/messages.send",
    "keyboard": "an object with ``buttons``, a list of rows, and ``one_time`` or"
    f" ``inline``: {_KEYBOARD}",
    "payload": f"VK returns it in the ``payload`` of the message: {_KEYBOARD}",
    "template": "an object with ``type`` and ``elements``:"
    " https://dev.vk.com/api/bots/development/messages",
}
"""What parameters with these names hold, for docstrings."""

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

PREFERRED: Final = {
    ("groups.getMembers", "fieldsResponse"): "with fields, managers are users with a"
    " role (https://dev.vk.com/method/groups.getMembers)",
}
"""Responses that are returned if others are possible, too."""

MORE_PARAMETER_VALUES: Final = (
    # In VK's schema 5.199.99
    ("groups.getMembers", "filter", "unsure_friends"),
)
"""Values that are missing from the enums of parameters."""

NEVER_RETURNED: Final = {
    ("friends.getOnline", "extendedResponse"): "it has no parameter `extended`",
    ("friends.getOnline", "onlineMobileExtendedResponse"): "the same",
    ("newsfeed.search", "responseStrict"): "the same as `response`",
    ("newsfeed.search", "extendedResponseStrict"): "the same as `extendedResponse`",
}
"""Responses that VK never returns, or that duplicate another one."""

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
    ("messages.edit", "format_data"),
    ("messages.send", "content_source"),
    ("messages.send", "format_data"),
    ("messages.send", "payload"),
    ("messages.send", "template"),
    ("messages.sendMessageEventAnswer", "event_data"),
    ("polls.edit", "edit_answers"),
}
"""Strings that hold a JSON object: callers may pass a dict."""

UPLOADED: Final = {
    ("leadForms.create", "photo"),
    ("leadForms.update", "photo"),
    ("market.add", "main_photo_id"),
    ("market.add", "photo_ids"),
    ("market.addAlbum", "photo_id"),
    ("market.edit", "main_photo_id"),
    ("market.edit", "photo_ids"),
    ("market.editAlbum", "photo_id"),
    ("polls.create", "photo_id"),
    ("polls.edit", "photo_id"),
    ("prettyCards.create", "photo"),
    ("prettyCards.edit", "photo"),
}
"""Parameters that take what was uploaded for them, beside attachments."""

JSON_ARRAYS: Final = {
    ("ads.createAds", "data"),
    ("ads.createCampaigns", "data"),
    ("ads.createClients", "data"),
    ("ads.updateAds", "data"),
    ("ads.updateCampaigns", "data"),
    ("ads.updateClients", "data"),
    ("wall.edit", "photo_attachments_crop"),
    ("wall.post", "photo_attachments_crop"),
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
