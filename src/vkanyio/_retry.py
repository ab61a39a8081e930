"""What may be sent again, and when: rules without I/O and without a clock.

The rule of vkanyio is that nothing is carried out twice. A request that VK certainly
did not carry out may always be sent again. One that it perhaps did may be sent again
only if it reads, or carries a key by which VK knows a repetition.
"""

from __future__ import annotations

import enum
import random
import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._encoding import Encoded
    from ._errors import APIError, VKError

MOST_DELAY = 60.0
"""Seconds: a back-off grows no longer than this."""

AMBIGUOUS_CODES = frozenset({1, 10, 36})
"""VK failed on its side, and may have carried the call out before it did."""


class Repetition(enum.Enum):
    """What happens when VK carries out a method twice.

    Of its own accord a client repeats what reads and what has a key. A method that sets
    a state ends in the same one when it is repeated, but may answer an error then, so
    that it is for the caller to allow, as it is for methods that are not repeatable.
    """

    READ = "reads"
    KEYED = "keyed"
    STATE = "state-setting"
    NEVER = "not repeatable"


_READ_VERBS = frozenset({"get", "search", "is", "check", "resolve", "list", "are"})
_READ_METHODS = frozenset(
    {
        "apps.promoHasActiveGift",
        "market.filterCategories",
        "pages.parseWiki",
        "translations.translate",
        "video.liveGetCategories",
        "wall.parseAttachedLink",
    }
)
_STATE_VERBS = frozenset(
    """
    allow approve ban clear close confirm delete deny disable edit enable fix group hide
    ignore join leave make mark move mute open pin remove reorder restore set unban
    unfix ungroup unignore unmute unpin unregister unsubscribe update
    """.split()  # noqa: SIM905 - a line a word reads worse
)
KEYS = {
    "messages.send": "random_id",
    "notifications.sendMessage": "random_id",
    "board.createComment": "guid",
    "market.createComment": "guid",
    "notes.createComment": "guid",
    "photos.createComment": "guid",
    "video.createComment": "guid",
    "wall.createComment": "guid",
    "wall.post": "guid",
    "wall.postAdsStealth": "guid",
}
"""The parameter by which VK knows a repeated call, for the methods that have one."""

STATE_BY_PARAMETER = {"messages.getInviteLink": "reset"}
"""Methods that read, unless a parameter is set."""

_VERB = re.compile(r"[a-z]+")


def repetition_of_method(method: str) -> Repetition:
    """Tell what repeating a method does, by the verb that its name begins with."""
    if method.partition(".")[0] == "execute":
        return Repetition.NEVER  # what a stored procedure does is not known here
    if method in KEYS:
        return Repetition.KEYED
    if method in _READ_METHODS:
        return Repetition.READ
    verb = _VERB.match(method.rpartition(".")[2])
    if verb is not None and verb[0] in _READ_VERBS:
        return Repetition.READ
    if verb is not None and verb[0] in _STATE_VERBS:
        return Repetition.STATE
    return Repetition.NEVER


def repetition_of_call(method: str, params: Mapping[str, Encoded]) -> Repetition:
    """Tell what repeating a call does: its parameters have a say in it."""
    if method == "execute":
        return repetition_of_script(str(params.get("code", "")))
    if _is_set(params.get(STATE_BY_PARAMETER.get(method, ""))):
        return Repetition.STATE
    repetition = repetition_of_method(method)
    if repetition is Repetition.KEYED:
        key = KEYS[method]
        return repetition if _has_key(key, params.get(key)) else Repetition.NEVER
    return repetition


def _has_key(key: str, value: Encoded | None) -> bool:
    if key == "random_id":
        # VK keeps 32 bits of the number, and compares nothing if they are 0.
        digits = str(value).removeprefix("-")
        return digits.isdecimal() and int(digits[-400:]) % 2**32 != 0
    return _is_set(value)


def _is_set(value: Encoded | None) -> bool:
    return value not in (None, 0, "", "0")


_API = re.compile(r"\bAPI\b")
_API_CALL = re.compile(r"\bAPI\.([A-Za-z]+\.[A-Za-z_]+)\s*\(")


def repetition_of_script(code: str) -> Repetition:
    """Tell what repeating VKScript does: what the worst call that it names does.

    A call in a form that is not read here counts as not repeatable, and so does one
    with a key: whether the script really gives the key is not looked into.
    """
    methods = _API_CALL.findall(code)
    if len(methods) != len(_API.findall(code)):
        return Repetition.NEVER
    found = {
        Repetition.STATE if name in STATE_BY_PARAMETER else repetition_of_method(name)
        for name in methods
    }
    if found <= {Repetition.READ}:
        return Repetition.READ
    if found <= {Repetition.READ, Repetition.STATE}:
        return Repetition.STATE
    return Repetition.NEVER


def new_random_id() -> int:
    """Make a key for a message: VK keeps 32 bits of it, and 0 means none."""
    return random.randrange(1, 2**31)


@attrs.frozen
class Failure:
    """Why an attempt brought no result.

    :ivar error: what the caller would see
    :ivar maybe_carried_out: whether VK may have carried the call out all the same
    :ivar is_transient: whether the same request could succeed later
    :ivar retry_at_once: whether there is nothing to wait for before the next attempt
    """

    error: VKError
    maybe_carried_out: bool
    is_transient: bool
    retry_at_once: bool = False

    @classmethod
    def from_api(cls, error: APIError) -> Failure:
        """Judge an error that VK answered with."""
        ambiguous = error.code in AMBIGUOUS_CODES
        return cls(error, maybe_carried_out=ambiguous, is_transient=ambiguous)


def back_off(wait: float, tries: int) -> float:
    """Return the seconds before the next attempt, after ``tries`` that failed.

    Exponential with full jitter, so that many clients do not come back as one:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    ceiling = min(wait * 2.0 ** min(tries - 1, 30), MOST_DELAY)
    return random.uniform(0, ceiling)
