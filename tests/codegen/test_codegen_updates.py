"""The classes of updates, and what the generator refuses of their table."""

from __future__ import annotations

import pytest
from codegen._read import read
from codegen._schema import FACTS, SchemaError, load
from codegen._updates import write_updates

from codegen import reviewed_updates


@pytest.mark.parametrize(
    ("kind", "line", "problem"),
    [
        ("like_add", None, "like_add has no object"),
        ("like_more", ("callback.Message", "why"), "like_more is not a type of the"),
        (
            "like_add",
            ("callback.Liking", "why"),
            "like_add: there is no callback.Liking",
        ),
        ("like_add", ("callback.Message", ""), "say why it is callback.Message"),
    ],
)
def test_a_line_that_cannot_be_right_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    line: tuple[str, str] | None,
    problem: str,
) -> None:
    table = {**reviewed_updates.OBJECTS, kind: line}
    if line is None:
        del table[kind]
    monkeypatch.setattr(reviewed_updates, "OBJECTS", table)
    with pytest.raises(SchemaError, match=problem):
        write_updates(read(load(FACTS)))
