"""What happens if VK executes a call twice: rules without I/O.

Methods in VK's schema are looked up in a generated table. Any other method (newer, or
undocumented) is classified by the verb that its name starts with, except those of
``auth`` and ``secure``: there a "get" may send a code or spend something.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from ._facts import MethodFacts, Repetition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._encoding import Encoded


_READ_VERBS = frozenset({"get", "search", "is", "check", "resolve", "list", "are"})
_STATE_VERBS = frozenset(
    """
    allow approve ban clear close confirm delete deny disable edit enable fix group hide
    ignore join leave make mark move mute open pin remove reorder restore set unban
    unfix ungroup unignore unmute unpin unregister unsubscribe update
    """.split()  # noqa: SIM905 - a line a word reads worse
)
_NOT_BY_VERB = frozenset({"auth", "secure"})
_VERB = re.compile(r"[a-z]+")


def repetition_by_verb(method: str) -> Repetition:
    """Classify a method by the verb that its name starts with.

    The generated table follows this rule, too, apart from reviewed exceptions.
    """
    if method.partition(".")[0] == "execute":
        return Repetition.NEVER  # a stored procedure may do anything
    verb = _VERB.match(method.rpartition(".")[2])
    if verb is not None and verb[0] in _READ_VERBS:
        return Repetition.READ
    if verb is not None and verb[0] in _STATE_VERBS:
        return Repetition.STATE
    return Repetition.NEVER


@functools.cache
def _known_methods() -> Mapping[str, MethodFacts]:
    from ._method_facts import METHODS  # lazily, to import vkanyio fast

    return METHODS


def is_known(method: object) -> bool:
    """Return whether a value is the name of a method in VK's schema."""
    return type(method) is str and method in _known_methods()


def facts_of(method: str) -> MethodFacts:
    """Return what is known about a method, whether or not VK's schema has it."""
    known = _known_methods().get(method)
    if known is not None:
        return known
    if method.partition(".")[0] in _NOT_BY_VERB:
        return MethodFacts(Repetition.NEVER)
    return MethodFacts(repetition_by_verb(method))


def repetition_of_call(method: str, params: Mapping[str, Encoded]) -> Repetition:
    """Classify a call by its method and its parameters."""
    if method == "execute":
        return repetition_of_script(str(params.get("code", "")))
    facts = facts_of(method)
    if facts.changes_if is not None and _is_set(params.get(facts.changes_if)):
        return Repetition.STATE
    if facts.key is not None and not _has_key(facts.key, params.get(facts.key)):
        return Repetition.NEVER
    return facts.repetition


def _has_key(key: str, value: Encoded | None) -> bool:
    if key == "random_id":
        # VK keeps 32 bits of the number, and does not deduplicate if they are 0.
        digits = str(value).removeprefix("-")
        return digits.isdecimal() and int(digits[-400:]) % 2**32 != 0
    return _is_set(value)


def _is_set(value: Encoded | None) -> bool:
    return value not in (None, 0, "", "0")


_API = re.compile(r"\bAPI\b")
_API_CALL = re.compile(r"\bAPI\.([A-Za-z]+\.[A-Za-z_]+)\s*\(")


def repetition_of_script(code: str) -> Repetition:
    """Classify VKScript by the worst call that it contains.

    A call that cannot be parsed counts as not repeatable, and so does a call of a keyed
    method: nothing checks that the script passes the key.
    """
    methods = _API_CALL.findall(code)
    if len(methods) != len(_API.findall(code)):
        return Repetition.NEVER
    found = {
        Repetition.STATE if facts.changes_if is not None else facts.repetition
        for facts in map(facts_of, methods)
    }
    if found <= {Repetition.READ}:
        return Repetition.READ
    if found <= {Repetition.READ, Repetition.STATE}:
        return Repetition.STATE
    return Repetition.NEVER
