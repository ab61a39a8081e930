"""What happens when VK carries out a call twice: rules without I/O.

The methods of VK's schema stand in a generated table. One that is not there, because it
is newer or in no schema, is judged by the verb that its name begins with. Only those of
``auth`` and ``secure`` are not: there a "get" may well send a code, or spend something.
"""

from __future__ import annotations

import enum
import functools
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._encoding import Encoded


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


class MethodFacts(NamedTuple):
    """What is known of a method.

    :ivar repetition: what repeating it does, unless its parameters say otherwise
    :ivar tokens: the kinds of token that may call it, none if that is not known
    :ivar key: the parameter by which VK knows a repeated call
    :ivar changes_if: the parameter that makes a method that reads set a state
    """

    repetition: Repetition
    tokens: tuple[str, ...] = ()
    key: str | None = None
    changes_if: str | None = None


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
    """Judge a method by the verb that its name begins with.

    The table of methods was made by this rule, too, with the reviewed exceptions.
    """
    if method.partition(".")[0] == "execute":
        return Repetition.NEVER  # what a stored procedure does is not known here
    verb = _VERB.match(method.rpartition(".")[2])
    if verb is not None and verb[0] in _READ_VERBS:
        return Repetition.READ
    if verb is not None and verb[0] in _STATE_VERBS:
        return Repetition.STATE
    return Repetition.NEVER


@functools.cache
def _known_methods() -> Mapping[str, MethodFacts]:
    from ._method_facts import METHODS  # when it is needed: importing vkanyio is quick

    return METHODS


def facts_of(method: str) -> MethodFacts:
    """Return what is known of a method, whether or not VK's schema has it."""
    known = _known_methods().get(method)
    if known is not None:
        return known
    if method.partition(".")[0] in _NOT_BY_VERB:
        return MethodFacts(Repetition.NEVER)
    return MethodFacts(repetition_by_verb(method))


def repetition_of_call(method: str, params: Mapping[str, Encoded]) -> Repetition:
    """Tell what repeating a call does: its parameters have a say in it."""
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
        Repetition.STATE if facts.changes_if is not None else facts.repetition
        for facts in map(facts_of, methods)
    }
    if found <= {Repetition.READ}:
        return Repetition.READ
    if found <= {Repetition.READ, Repetition.STATE}:
        return Repetition.STATE
    return Repetition.NEVER
