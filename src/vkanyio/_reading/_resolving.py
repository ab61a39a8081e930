"""``api.resolve``: what a link or a screen name leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import APIError
from .._request import APIRequest
from .._typeguards import is_dict
from ..links import App, Group, Other, ScreenName, Target, User, parse_link

if TYPE_CHECKING:
    from .._caller import Caller

_GROUPS = {"group", "page", "event"}
_APPS = {"application", "vk_app"}
_NOT_FOUND = 104


async def resolve(caller: Caller, text: str) -> Target | None:
    """Read a link, and ask VK for a screen name."""
    link = parse_link(text)
    if not isinstance(link, ScreenName):
        return link
    request = APIRequest("utils.resolveScreenName", {"screen_name": link.name})
    try:
        found = await caller.perform(request)
    except APIError as error:
        if error.code == _NOT_FOUND:
            return None
        raise
    # VK returns an empty list for a name that nobody has.
    if not is_dict(found) or "type" not in found or "object_id" not in found:
        return None
    kind, number = str(found["type"]), int(found["object_id"])
    if kind == "user":
        return User(number)
    if kind in _GROUPS:
        return Group(number)
    return App(number) if kind in _APPS else Other(kind, number)
