"""Every test reads small schemas, without the corrections to VK's own."""

from __future__ import annotations

import pytest

from codegen import reviewed


@pytest.fixture(autouse=True)
def nothing_reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty the reviewed tables, which would refuse a schema that they do not fit."""
    for name, table in vars(reviewed).items():
        if name.isupper() and not name.startswith("_"):
            monkeypatch.setattr(reviewed, name, type(table)())
