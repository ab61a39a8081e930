"""The types that values of VK's have in Python, and how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

import attrs

from ._names import module_name, to_camel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@final
@attrs.frozen
class Plain:
    """A type that is written as it is: ``int``, ``Any``, ``Mapping[str, Any]``."""

    text: str


@final
@attrs.frozen
class Literals:
    """One of some values."""

    values: tuple[str | int, ...]


@final
@attrs.frozen
class Named:
    """A type with a name of its own, in a module of ``vkanyio.objects``."""

    folder: str
    name: str


@final
@attrs.frozen
class Listed:
    """A list in an answer, or whatever yields items for a parameter."""

    item: Type
    is_input: bool = False


@final
@attrs.frozen
class Either:
    """One of several types."""

    options: tuple[Type, ...]


Type: TypeAlias = Plain | Literals | Named | Listed | Either

ANY = Plain("Any")
BOOL = Plain("bool")
INT = Plain("int")
STR = Plain("str")
NONE = Plain("None")
OBJECT = Plain("dict[str, Any]")
OBJECT_IN = Plain("Mapping[str, Any]")


def either(*options: Type) -> Type:
    """Return one type for several, without those that are named twice."""
    flat: list[Type] = []
    for option in options:
        parts = option.options if isinstance(option, Either) else (option,)
        flat += [part for part in parts if part not in flat]
    return flat[0] if len(flat) == 1 else Either(tuple(flat))


def walk(*types: Type) -> Iterator[Type]:
    """Go through types and all that they are made of."""
    for kind in types:
        yield kind
        if isinstance(kind, Listed):
            yield from walk(kind.item)
        elif isinstance(kind, Either):
            yield from walk(*kind.options)


@final
class Writer:
    """Writes types for one module, and the imports that they need.

    Classes are imported by their names, since a field may well have the name of their
    module; where two modules have a class of the same name, the module's name goes
    before it.

    :param package: how the module reaches ``vkanyio.objects``: ``""`` or ``".objects"``
    :param folder: whose objects are in the module itself, if any are
    :param own: the names that the module defines
    :param types: all types that are going to be written
    :param list_name: what to write for ``list``, where the name means something else
    """

    def __init__(
        self,
        package: str,
        folder: str | None,
        own: Iterable[str],
        types: Iterable[Type],
        list_name: str = "list",
    ) -> None:
        self._package = package
        self._folder = folder
        self._list = list_name
        taken = set(own)
        needed = sorted(
            {
                (kind.folder, kind.name)
                for kind in walk(*types)
                if isinstance(kind, Named) and kind.folder != folder
            }
        )
        names = [name for _, name in needed]
        self._names = {
            (folder, name): name
            if name not in taken and names.count(name) == 1
            else f"{to_camel(folder)}{name}"
            for folder, name in needed
        }

    def write(self, kind: Type) -> str:
        """Write a type."""
        match kind:
            case Plain(text):
                return text
            case Literals(values):
                return f"Literal[{', '.join(map(quote, values))}]"
            case Named(folder, name):
                return name if folder == self._folder else self._names[folder, name]
            case Listed(item, is_input):
                name = "Iterable" if is_input else self._list
                return f"{name}[{self.write(item)}]"
            case Either(options):
                return " | ".join(map(self.write, options))

    def imports(self) -> list[str]:
        """List the imports of classes from other modules, as lines."""
        return [
            f"from {self._package}.{module_name(folder)} import {name}"
            + (f" as {alias}" if alias != name else "")
            for (folder, name), alias in self._names.items()
        ]


def quote(value: str | int) -> str:
    """Write a value as source."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
