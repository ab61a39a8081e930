"""The table of how methods return lists in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from codegen._schema import SchemaError

from _small_schema import method, reference, response, source_of
from codegen import reviewed_pages

if TYPE_CHECKING:
    from pathlib import Path

    from vkanyio._reading._page import PageFacts

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

OFFSET = {"name": "offset", "type": "integer", "minimum": 0}
COUNT = {"name": "count", "type": "integer", "minimum": 0, "maximum": 70}
NUMBER = {"type": "integer", "required": True}


def record(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


NOTE = record(id=NUMBER, owner_id=NUMBER)
TEXT = record(text={"type": "string"})


def table_of(path: Path, *methods: Any, items: Any = NOTE) -> dict[str, PageFacts]:
    """Return the table for some methods that return a list of these items."""
    item = items if items.get("type") == "integer" else reference("notes", "notes_item")
    listed = {"type": "array", "items": item, "required": True}
    value = record(count=NUMBER, items=listed)
    source = source_of(
        path,
        "_page_facts.py",
        methods={"notes": [*methods]},
        objects={"notes": {"notes_item": items}},
        responses={
            "notes": {
                "notes_get_response": response(value),
                "notes_list_response": response(listed),
            }
        },
    )
    names: dict[str, Any] = {"__name__": "generated", "__package__": "vkanyio"}
    exec(compile(source, "generated", "exec"), names)
    table: dict[str, PageFacts] = names["PAGES"]
    return table


def paged(name: str = "notes.get", *more: Any, kind: str = "get") -> dict[str, Any]:
    returned = reference("notes", f"notes_{kind}_response", "responses")
    parameters = more or (OFFSET, COUNT)
    return method(name, *parameters, responses={"response": returned})


def test_a_method_with_offset_and_count_is_paged(tmp_path: Path) -> None:
    [facts] = table_of(tmp_path, paged()).values()
    assert facts.size == 70
    assert facts.key == ("owner_id", "id")
    assert (facts.items, facts.total, facts.limit) == ("items", "count", "count")
    assert not facts.by_cursor
    assert facts.max_offset is None


def test_the_limits_and_the_kind_of_a_page_are_in_the_schema(tmp_path: Path) -> None:
    limit = {"name": "limit", "type": "integer"}
    table = table_of(
        tmp_path,
        paged("notes.get", {**OFFSET, "maximum": 200}, limit),
        paged("notes.getNews", {"name": "start_from", "type": "string"}, COUNT),
        paged("notes.getList", OFFSET, COUNT, kind="list"),
    )
    assert table["notes.get"].limit == "limit"
    assert table["notes.get"].size == reviewed_pages.DEFAULT_SIZE
    assert table["notes.get"].max_offset == 200
    assert table["notes.getNews"].by_cursor
    assert (table["notes.getList"].items, table["notes.getList"].total) == ("", None)
    assert table["notes.getList"].key == ("owner_id", "id")


@pytest.mark.parametrize(
    ("items", "key"),
    [
        ({"type": "integer"}, ()),
        (record(id=NUMBER), ("id",)),
        (TEXT, ()),
    ],
)
def test_items_are_identified_by_what_they_have(
    tmp_path: Path, items: Any, key: tuple[str, ...]
) -> None:
    assert table_of(tmp_path, paged(), items=items)["notes.get"].key == key


@pytest.mark.parametrize(
    "other",
    [
        paged("notes.get", COUNT),
        paged("notes.get", OFFSET),
        paged("notes.delete", OFFSET, COUNT),
    ],
)
def test_other_methods_are_not(tmp_path: Path, other: Any) -> None:
    assert table_of(tmp_path, other) == {}


def test_what_was_reviewed_is_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "notes.get"
    for table, line in {
        "ITEMS": ("notes", "total"),
        "KEYS": ("title", "a reason"),
        "ORDERS": ("offset", "asc"),
        "PINNED": "a reason",
        "MAX_RESULTS": (30, "a reason"),
    }.items():
        monkeypatch.setattr(reviewed_pages, table, {name: line})
    monkeypatch.setattr(reviewed_pages, "NEEDS", {(name, "count"): "why"})
    monkeypatch.setattr(reviewed_pages, "EXCLUDES", {(name, "offset"): "why not"})
    facts = table_of(tmp_path, paged())[name]
    assert (facts.items, facts.total, facts.key) == ("notes", "total", ("title",))
    assert (facts.order, facts.has_pinned) == (("offset", "asc"), True)
    assert facts.max_results == 30
    assert (facts.needs, facts.excludes) == ({"count": "why"}, {"offset": "why not"})


@pytest.mark.parametrize(
    ("table", "lines", "says"),
    [
        ("SIZES", {"notes.gone": (1, "")}, "notes.gone: the schema has no such method"),
        ("SIZES", {"notes.get": (1, "")}, "notes.get: the schema has the largest page"),
        ("KEYS", {"notes.get": ("owner_id id", "")}, "the schema says the same"),
        (
            "KEYS",
            {"notes.add": ("id", "")},
            "notes.add: it has no parameters for pages",
        ),
        ("ORDERS", {"notes.get": ("sort", "asc")}, "it has no parameter sort"),
        ("NEEDS", {("notes.get", "all"): ""}, "notes.get: it has no parameter all"),
        ("NOT_PAGED", {"notes.gone": ""}, "the schema has no such method"),
    ],
)
def test_a_reviewed_line_that_changes_nothing_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    lines: dict[Any, Any],
    says: str,
) -> None:
    monkeypatch.setattr(reviewed_pages, table, lines)
    with pytest.raises(SchemaError, match=says) as caught:
        table_of(tmp_path, paged(), method("notes.add"))
    assert f"codegen/reviewed_pages.py: {table}: " in str(caught.value)


def test_a_method_that_only_looks_paged_is_left_out_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed_pages, "NOT_PAGED", {"notes.get": "a reason"})
    assert table_of(tmp_path, paged()) == {}
