"""Notes which of the reviewed lines the schema needs, and refuses all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, final

from . import reviewed
from ._schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

_Line = TypeVar("_Line", bound="Hashable")


@final
class Review:
    """Looks things up in the tables of ``reviewed``, for one run of the generator."""

    def __init__(self) -> None:
        self._needed: set[tuple[int, Hashable]] = set()

    def has(self, table: Collection[_Line], line: _Line) -> bool:
        """Return whether a table has a line, which is needed then.

        So ask only where the line would change something.
        """
        if line not in table:
            return False
        self._needed.add((id(table), line))
        return True

    def check(self) -> None:
        """Refuse lines that were not needed: the schema has changed since.

        :raises SchemaError: naming the first of them
        """
        for name, table in vars(reviewed).items():
            if not name.isupper() or name.startswith("_"):
                continue
            for line in table:
                if (id(table), line) not in self._needed:
                    problem = f"{name}: {line!r} changes nothing of the schema"
                    raise SchemaError("codegen/reviewed.py", problem)
