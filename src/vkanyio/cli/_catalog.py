"""What is known about VK's methods, looked up by name, words or similarity."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, final

import attrs

from .._known_parameters import FOR_ANY_METHOD as FOR_ANY_METHOD
from .._method_facts import METHODS, NOT_FOR_EXECUTE
from .._similar import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from .._facts import MethodFacts

Type: TypeAlias = "str | Mapping[str, Any]"
"""A type: the name of a simple type, or the parts of a compound one."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COVERED_BY_THE_TYPE = ("the values are those of", '"')


@final
@attrs.frozen
class Parameter:
    """A parameter of a method.

    :ivar notes: its limits, its default, and the meaning of its values
    """

    name: str
    type: Type
    required: bool
    notes: Sequence[str]


@final
@attrs.frozen
class CatalogMethod:
    """A method of VK's schema.

    :ivar returns: pairs of flags (parameters that are on or off) and the type that the
        method then returns
    :ivar errors: codes and names of the method's own errors
    """

    name: str
    parameters: Sequence[Parameter]
    returns: Sequence[tuple[Mapping[str, bool], Type]]
    errors: Mapping[int, str]
    facts: MethodFacts

    @property
    def group(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def documentation(self) -> str:
        """The URL of the method in VK's documentation."""
        return f"https://dev.vk.com/method/{self.name}"

    @property
    def is_packed(self) -> bool:
        """Whether it may be packed into ``execute`` with other calls."""
        return self.name not in NOT_FOR_EXECUTE and self.name != "execute"


@functools.cache
def schema() -> Mapping[str, Any]:
    """Read the bundled part of VK's schema, without importing the simulator."""
    path = Path(__file__).parents[1] / "testing" / "_schema.json"
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@functools.cache
def find(name: str) -> CatalogMethod | None:
    """Return the method with a name, None if the schema does not have it."""
    declared = schema()["methods"].get(name)
    if declared is None:
        return None
    notes, names = declared["notes"], schema()["errors"]
    parameters = [
        Parameter(
            parameter, kind, parameter in declared["required"], notes.get(parameter, ())
        )
        for parameter, kind in declared["parameters"].items()
    ]
    returns = [(flags, kind) for flags, kind in declared["answers"]]
    errors = {code: names[str(code)].upper() for code in declared["errors"]}
    return CatalogMethod(name, parameters, returns, errors, METHODS[name])


def names() -> Collection[str]:
    """Return the names of all methods, without loading the schema."""
    return METHODS.keys()


def groups() -> dict[str, list[str]]:
    """Return the names of all methods, by group."""
    found: dict[str, list[str]] = {}
    for name in names():
        found.setdefault(name.partition(".")[0], []).append(name)
    return found


def search(words: Sequence[str]) -> list[str]:
    """Return the methods whose names contain all of the words, best match first.

    Whole words rank before parts of words. camelCase and snake_case are split into
    words.
    """
    asked = [word.lower() for each in words for word in _words(each)]
    if not asked:  # such as "-"
        return []
    ranked: list[tuple[int, str]] = []
    for name in names():
        there = [word.lower() for word in _words(name)]
        if all(any(word in each for each in there) for word in asked):
            partly = sum(word not in there for word in asked)
            ranked.append((1000 * partly + len(there), name))
    return [name for _, name in sorted(ranked)]


def similar_methods(name: str, *, or_groups: bool = False) -> str:
    """Return a hint with the methods that were probably meant, at most three.

    :param or_groups: whether to suggest groups as well
    """
    known = (*names(), *(groups() if or_groups else ()))
    return did_you_mean(name, known, most=3)


def type_text(kind: Type) -> str:
    """Return a type in words: ``list of int or str``."""
    if isinstance(kind, str):
        return kind
    if "enum" in kind:
        return " | ".join(map(str, kind["enum"]))
    if "list" in kind:
        return f"list of {type_text(kind['list'])}"
    if "one" in kind:
        return " or ".join(dict.fromkeys(map(type_text, kind["one"])))
    return str(kind["is"])


def named_types(kind: Type) -> Iterator[tuple[str, Any]]:
    """Yield the objects that a type refers to, with their declarations."""
    if isinstance(kind, str):
        return
    if "is" in kind:
        yield kind["is"], schema()["objects"][kind["is"]]
    for part in (kind.get("list"), *kind.get("one", ())):
        if part is not None:
            yield from named_types(part)


def notes_text(parameter: Parameter) -> str:
    """Return the notes on a parameter that its type does not cover."""
    notes = parameter.notes
    return "; ".join(n for n in notes if not n.startswith(_COVERED_BY_THE_TYPE))


def repetition_text(facts: MethodFacts) -> str:
    """Describe whether a call is retried if its response is lost."""
    if facts.key is not None:
        filled = facts.key == "random_id"
        when = "which is filled in" if filled else "if you give one"
        return f"retried with its key {facts.key}, {when}"
    if facts.changes_if is not None:
        return f"reads, and is retried, unless {facts.changes_if} is on"
    return _REPETITION[facts.repetition.value]


_REPETITION = {
    "reads": "reads: retried if the response is lost",
    "state-setting": "sets a state: not retried, since a retry may return an error",
    "not repeatable": "not retried if the response is lost: a retry could do it twice",
    "keyed": "",
}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", _HUMP.sub(" ", text))
