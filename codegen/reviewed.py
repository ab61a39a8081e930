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

MORE_PARAMETERS: Final = {
    # VK's documentation has them, and vk-io 4.10.1 does; the schema lost them.
    ("database.getCities", "country_id"): _COUNTRY,
    ("database.getRegions", "country_id"): _COUNTRY,
    ("database.getUniversities", "country_id"): _COUNTRY,
    ("wall.get", "owner_id"): _OWNER,
    ("wall.search", "owner_id"): _OWNER,
}
"""Parameters that the schema does not have, as it would have them."""

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
    # https://dev.vk.com/reference/objects/user lists them among the basic fields.
    ("users_user_min", "first_name"),
    ("users_user_min", "last_name"),
}
"""Fields that are always there, though the schema does not call them required."""

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

JSON_OBJECTS: Final = {
    ("ads.getTargetingStats", "criteria"),
    ("messages.edit", "keyboard"),
    ("messages.edit", "template"),
    ("messages.send", "content_source"),
    ("messages.send", "payload"),
    ("messages.send", "template"),
    ("messages.sendMessageEventAnswer", "event_data"),
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
