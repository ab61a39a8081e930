"""The methods are compared with those of VK's npm package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner
from codegen.compare import differences, main, read_package

from codegen import reviewed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

DECLARATIONS = """\
/**
 * This is auto-generated file, don't modify this file manually
 */
import { X } from '../objects/x/X';
/**
 * notes.get
 *
 * Some prose; with {braces}.
 */
export interface NotesGetParams {
    /**
     * A note: '1' - one; '2' - two
     */
    note_id: number;
    sort?: 'a' | 'b';
    reply?: {
        id: number;
    };
}
export interface NotesGetResponse {
    count?: number;
}
/**
 * notes.list
 */
export interface NotesListParams {
}
export declare type NotesListResponse = 1;
"""


def test_the_declarations_of_a_package_are_read(tmp_path: Path) -> None:
    (tmp_path / "dist" / "methods").mkdir(parents=True)
    file = tmp_path / "dist" / "methods" / "notes.d.ts"
    file.write_text(DECLARATIONS, encoding="utf-8")
    assert read_package(tmp_path) == {
        "notes.get": {"note_id": True, "sort": False, "reply": False},
        "notes.list": {},
    }


def test_what_differs_without_a_reason_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reviewed, "MORE_METHODS", {"notes.more": {}})
    monkeypatch.setattr(reviewed, "MORE_PARAMETERS", {("notes.get", "more"): {}})
    ours = {
        "notes.get": {"id": True, "more": False, "old": False},
        "notes.more": {},
        "notes.old": {},
    }
    theirs = {"notes.get": {"id": False, "new": False}, "notes.new": {}}
    assert [*differences(ours, theirs)] == [
        "notes.get(id): optional in the package",
        "notes.get(new): missing here",
        "notes.get(old): not in the package",
        "notes.new: missing here",
        "notes.old: not in the package",
    ]


def test_a_directory_without_declarations_is_no_success(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--package", str(tmp_path)])
    assert done.exit_code == 1
    assert "0 methods in the package" in done.output
