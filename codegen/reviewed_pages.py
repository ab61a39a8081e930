"""How methods return their lists in pages, where VK's schema does not say it.

Most of it is in the schema: which methods take ``offset`` or ``start_from``, the
largest page and offset, the name of the list, and what identifies an item. Here are the
exceptions, each with its reason. The generator refuses a line that changes nothing.
"""

from __future__ import annotations

from typing import Final

DEFAULT_SIZE: Final = 100
"""The size of a page where nothing is known; a server that returns less is noticed."""

SIZES: Final = {
    "docs.get": (2000, "https://dev.vk.com/method/docs.get"),
    "docs.search": (1000, "https://dev.vk.com/method/docs.search"),
    "friends.get": (5000, "https://dev.vk.com/method/friends.get"),
}
"""The largest pages of methods, and where VK says so."""

ITEMS: Final = {
    "bugtracker.getCompanyGroupMembers": ("user_ids", None),
    "bugtracker.getCompanyMembers": ("company_members", "count"),
    "donut.getSubscriptions": ("subscriptions", "count"),
    "friends.getMutual": ("", None),
    "friends.getOnline": ("", None),
    "market.getFavesForAttach": ("market_items", None),
    "messages.getImportantMessages": ("messages.items", "messages.count"),
    "podcasts.searchPodcast": ("podcasts", "results_total"),
    "widgets.getComments": ("posts", "count"),
    "widgets.getPages": ("pages", "count"),
}
"""Where the list and its total are, if not ``items`` and ``count``; "" is the value."""

TOTALS: Final = {
    "market.searchItemsBasic": ("total", "`count` may be that of the page"),
    "newsfeed.search": ("total_count", "`count` may be that of the page"),
}
"""Which field has the total, if there are two."""

_MESSAGE: Final = (
    "peer_id conversation_message_id",
    "the id of a message in a chat is 0 for community tokens",
)
_EITHER: Final = ("type profile.id group.id", "either a profile or a group")
_NEWS: Final = ("type source_id post_id date", "not all kinds of news have an id")

KEYS: Final = {
    "bugtracker.getCompanyMembers": ("user_id", "it has no other id"),
    "donut.getSubscriptions": ("owner_id", "one subscription to each community"),
    "fave.get": (
        "type post.owner_id post.id video.owner_id video.id product.id link.id",
        "a bookmark has no id, and contains what it is of",
    ),
    "fave.getPages": ("type user.id group.id", "either a user or a community"),
    "friends.getRequests": ("user_id id", "with `extended`; else a number"),
    "groups.getBanned": _EITHER,
    "likes.getList": ("type id", "users and communities may have the same id"),
    "market.getOrderItems": ("owner_id item_id", "it has no other id"),
    "messages.getConversationMembers": ("member_id", "it has no other id"),
    "messages.getConversations": ("conversation.peer.id", "one for each peer"),
    "messages.getHistory": _MESSAGE,
    "messages.getImportantMessages": _MESSAGE,
    "messages.search": _MESSAGE,
    "newsfeed.get": _NEWS,
    "newsfeed.getComments": _NEWS,
    "newsfeed.getRecommended": _NEWS,
    "newsfeed.getSuggestedSources": ("type id", "users and communities"),
    "podcasts.searchPodcast": ("url", "it has no id"),
    "prettyCards.get": ("card_id", "it has no other id"),
    "search.getHints": ("type profile.id group.id app.id", "a hint has no id"),
    "stories.getViewers": ("user_id", "it has no other id"),
    "users.getSubscriptions": ("type id", "users and communities"),
    "utils.getLastShortenedLinks": ("key", "the end of the short link"),
}
"""The fields that identify an item, and why not its ``id`` (with its ``owner_id``).

An item without any of them, or with its type alone, is identified by all of it.
"""

ORDERS: Final = {
    "board.getComments": ("sort", "asc"),
    "groups.getMembers": ("sort", "id_asc"),
    "market.getComments": ("sort", "asc"),
    "photos.getComments": ("sort", "asc"),
    "video.getComments": ("sort", "asc"),
    "wall.getComments": ("sort", "asc"),
}
"""The orders in which lists grow at their ends only. All are those that VK documents as
the defaults, or those of the oldest first."""

PINNED: Final = {
    "wall.get": "https://dev.vk.com/method/wall.get: it counts as the first post",
}
"""Methods that return a pinned item first, at offsets other than 0, too."""

MAX_RESULTS: Final = {
    "newsfeed.search": (1000, "https://dev.vk.com/method/newsfeed.search"),
}
"""How many items VK returns at most, whatever the total."""

NEEDS: Final = {
    ("users.getSubscriptions", "extended"): "VK returns two lists without it",
}
"""Parameters without which a method does not return one list."""

EXCLUDES: Final = {
    ("friends.getMutual", "need_common_count"): "VK returns an object for each user",
    ("friends.getMutual", "target_uids"): "VK returns an object for each user",
    ("friends.getOnline", "online_mobile"): "VK returns two lists with it",
}
"""Parameters with which a method does not return one list."""

NOT_PAGED: Final = {
    "ads.getAds": "`offset` applies to deleted and archived ads only",
    "ads.getAdsLayout": "`offset` applies to deleted and archived ads only",
    "ads.getAdsTargeting": "`offset` applies to deleted and archived ads only",
    "polls.getVoters": "VK returns a list of voters for each answer",
}
"""Methods with parameters for pages that are not one list in pages."""
