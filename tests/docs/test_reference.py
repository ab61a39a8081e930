"""The reference has everything that is public."""

from __future__ import annotations

import re

from _pages import DOCS

import vkanyio
import vkanyio.redis
import vkanyio.testing
import vkanyio.updates

SHOWN = {
    name
    for page in (DOCS / "reference").glob("*.md")
    for name in re.findall(
        r"^\.\. (?:autoclass|autoexception|automodule|py:type):: ([\w.]+)",
        page.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}


def public_names(module: object) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and isinstance(value, type)
    }


def test_every_public_class_is_there():
    assert public_names(vkanyio) - SHOWN == set()
    assert public_names(vkanyio.testing) - SHOWN == set()
    assert public_names(vkanyio.updates) - SHOWN == set()
    assert public_names(vkanyio.redis) - SHOWN == set()
