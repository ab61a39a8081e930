"""The repr of values, however much of them there is."""

from __future__ import annotations

from typing import Any

import attrs


def repr_of_fields(self: Any) -> str:
    """Return the usual repr of an attrs class, also while it is being made.

    A traceback with local variables shows `self` of an `__init__` that failed. The repr
    that attrs generates would raise there.
    """
    shown = [
        f"{field.name}={getattr(self, field.name)!r}"
        for field in attrs.fields(self.__class__)
        if field.repr and hasattr(self, field.name)
    ]
    return f"{self.__class__.__name__}({', '.join(shown)})"
