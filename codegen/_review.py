"""Track which reviewed lines the schema needs, and refuse all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, final

from . import reviewed, reviewed_objects
from ._schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable
    from types import ModuleType

_Line = TypeVar("_Line", bound="Hashable")


@final
class Review:
    """Looks up lines in the tables of ``reviewed``, for one run of the generator."""

    def __init__(self) -> None:
        self._needed: set[tuple[int, Hashable]] = set()

    def has(self, table: Collection[_Line], line: _Line) -> bool:
        """Return whether a table has a line, and mark the line as needed.

        Call this only if the line would change something.
        """
        if line not in table:
            return False
        self._needed.add((id(table), line))
        return True

    def check(self) -> None:
        """Refuse lines that were not needed: the schema no longer has that problem.

        :raises SchemaError: for the first such line
        """
        for module in (reviewed, reviewed_objects):
            for name, table in vars(module).items():
                if name.isupper() and not name.startswith("_"):
                    self._check_table(module, name, table)

    def _check_table(
        self, module: ModuleType, name: str, table: Collection[Hashable]
    ) -> None:
        for line in table:
            if (id(table), line) not in self._needed:
                where = f"{module.__name__.replace('.', '/')}.py"
                problem = f"{name}: {line!r} changes nothing in the schema"
                raise SchemaError(where, problem)
