"""Rules about parameters that VK's schema lacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from codegen._schema import SchemaError
from codegen.server_rules import OneOf

from _small_schema import method, source_of
from codegen import server_rules

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

PARAMETERS = [
    {"name": "note_id", "type": "integer"},
    {"name": "title", "type": "string"},
    {"name": "text", "type": "string", "required": True},
]


def rules_of(path: Path, monkeypatch: pytest.MonkeyPatch, *rules: OneOf) -> Any:
    """Return what the simulator gets to know about the method notes.get."""
    monkeypatch.setattr(server_rules, "ONE_OF", rules)
    methods = {"notes": [method("notes.get", *PARAMETERS)]}
    text = source_of(path, "testing/_schema.json", methods=methods)
    return json.loads(text)["methods"]["notes.get"]["one_of"]


def test_a_rule_reaches_the_simulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = rules_of(
        tmp_path,
        monkeypatch,
        OneOf("notes.get", "note_id old_name", "a reason"),
        OneOf("notes.get", "title", "a reason", tokens="user", text="no title"),
    )
    assert found == [
        {"names": ["note_id", "old_name"]},
        {"names": ["title"], "tokens": ["user"], "text": "no title"},
    ]


def test_without_rules_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rules_of(tmp_path, monkeypatch) == []


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (OneOf("notes.gone", "note_id", ""), "no such method"),
        (OneOf("notes.get", "gone note_id", ""), "does not have the first parameter"),
        (OneOf("notes.get", "text", ""), "the schema requires one of these itself"),
        (OneOf("notes.get", "title text", ""), "the schema requires one of these"),
        (OneOf("notes.get", "title", "", tokens="user group"), "not all of these"),
    ],
)
def test_a_rule_that_changes_nothing_or_is_unknown_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: OneOf, says: str
) -> None:
    with pytest.raises(SchemaError, match=says) as caught:
        rules_of(tmp_path, monkeypatch, rule)
    assert f"codegen/server_rules.py: {rule.method}: " in str(caught.value)


def test_the_limits_of_a_parameter_reach_the_simulator(tmp_path: Path) -> None:
    found = method(
        "notes.get",
        {"name": "count", "type": "integer", "minimum": 0, "maximum": 100},
        {"name": "q", "type": "string", "minLength": 1, "maxLength": 5},
        {
            "name": "ids",
            "type": "array",
            "items": {"type": "integer", "minimum": 1},
            "maxItems": 9,
        },
        {
            # JSON, whose items are not separated by commas
            "name": "data",
            "type": "string",
            "items": {"type": "integer"},
            "maxItems": 9,
        },
        {"name": "sort", "type": "integer", "enum": [1, 2], "minimum": 1},
    )
    text = source_of(tmp_path, "testing/_schema.json", methods={"notes": [found]})
    assert json.loads(text)["methods"]["notes.get"]["limits"] == {
        "count": {"minimum": 0, "maximum": 100},
        "q": {"minLength": 1, "maxLength": 5},
        "ids": {"maxItems": 9},
    }
