"""Write the table of a client's options from the docstring and fields of ``Config``."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import attrs

from vkanyio import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARAMETER = re.compile(r"^:param (\w+): (.*(?:\n    .*)*)", re.MULTILINE)
MAX_DEFAULT = 32
"""Most characters of a default in the table; a longer one is described instead."""


def option_table() -> str:
    """Return the table, in reStructuredText."""
    return "\n".join(_lines())


def without_options(lines: list[str]) -> list[str]:
    """Return the lines of a docstring of ``Config`` without its options."""
    text = _PARAMETER.sub("", "\n".join(lines))
    return text.splitlines()


def _lines() -> Iterator[str]:
    doc = inspect.getdoc(Config)
    assert doc is not None
    meanings = dict(_PARAMETER.findall(doc))
    yield ".. list-table::\n   :header-rows: 1\n   :widths: auto\n   :class: options\n"
    yield "   * - Option\n     - Default\n     - Meaning"
    config = Config("any-token")
    for field in attrs.fields(Config):
        meaning = " ".join(meanings.pop(field.name).split())
        is_required = field.default is attrs.NOTHING
        default = "required" if is_required else _shown(getattr(config, field.name))
        yield f"   * - ``{field.name}``\n     - {default}\n     - {meaning}"
    assert not meanings


def _shown(default: object) -> str:
    if isinstance(default, tuple) and len(repr(default)) > MAX_DEFAULT:
        return f"{len(default)} methods"
    if isinstance(default, int) and default >= 2**20 and default % 2**20 == 0:
        return f"``{default // 2**20} * 2**20``"
    return f"``{default!r}``"
