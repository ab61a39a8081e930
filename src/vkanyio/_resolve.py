"""Let tools read annotations that name classes of modules which are not imported."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def resolve_annotations(
    package: str, imports: Mapping[str, Mapping[str, str]], aliases: Iterable[str]
) -> None:
    """Import the modules of a package, and make their names known to each other.

    :param package: the name of the package
    :param imports: the names that each module imports for type checkers, and what they
        are, such as ``base.City``
    :param aliases: those of types that are written as text, each after those that it
        names
    """
    modules = {name: vars(import_module(f"{package}.{name}")) for name in imports}
    importers: dict[str, list[tuple[str, str]]] = {}
    for importer, names in imports.items():
        for name, place in names.items():
            importers.setdefault(place, []).append((importer, name))

    def share(place: str, value: Any) -> None:
        for importer, name in importers.get(place, ()):
            modules[importer][name] = value

    classes: list[Any] = []
    for module, names in modules.items():
        for name, value in [*names.items()]:
            share(f"{module}.{name}", value)
            if getattr(value, "__module__", None) == names["__name__"]:
                classes.append(value)
    for place in aliases:
        module, _, name = place.partition(".")
        modules[module][name] = eval(modules[module][name], modules[module])
        share(place, modules[module][name])
    for each in classes:
        # In place, since not every tool looks names up in the right module.
        each.__annotations__ = get_type_hints(each, include_extras=True)
