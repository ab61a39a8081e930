"""The generated files, and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from codegen._output import differences, put, write_files
from codegen._read import read
from codegen._schema import load

from _small_schema import method, model_of, write_schema

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT.parent / "shared" / "vk-api-schema"


def test_files_are_installed_and_those_no_longer_generated_are_removed(
    tmp_path: Path,
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    schema = tmp_path / "schema"
    schema.mkdir()
    files = write_files(model_of(schema, methods={"notes": [method("notes.get")]}))
    assert differences(files, package) == sorted(files)
    put(files, package)
    assert differences(files, package) == []
    (package / "methods" / "gone.py").write_text("", encoding="utf-8")
    (package / "methods" / "notes.py").write_text("# by hand", encoding="utf-8")
    (package / "_other.py").write_text("# by hand", encoding="utf-8")
    assert differences(files, package) == ["methods/gone.py", "methods/notes.py"]
    put(files, package)
    assert differences(files, package) == []
    assert not (package / "methods" / "gone.py").exists()
    assert (package / "_other.py").exists()


def test_every_file_names_the_schema_that_it_was_made_from(tmp_path: Path) -> None:
    schema = write_schema(tmp_path, methods={"notes": [method("notes.get")]})
    model = read(load(schema))
    for name, text in write_files(model).items():
        lines = text.splitlines()
        first = "".join(lines[:4]) if name.endswith(".json") else lines[0]
        assert name.endswith(".json") or "python -m codegen" in first
        assert "5.199" in first
        assert model.sha256 in first
    (schema / "notes" / "methods.json").write_text(
        '{"methods": [], "version": "5.199"}', encoding="utf-8"
    )
    assert load(schema).sha256 != model.sha256


def run_codegen(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codegen", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12345"},  # unlike in other runs
    )


def test_committed_files_are_generated_from_vk_s_schema() -> None:
    if not SCHEMA.is_dir():
        pytest.skip("VK's schema is not in ../shared/vk-api-schema")
    done = run_codegen("--schema", str(SCHEMA), "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "103 files, 0 changed" in done.stdout


def test_a_check_that_finds_a_difference_fails_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from codegen import __main__ as command

    package = tmp_path / "package"
    package.mkdir()
    monkeypatch.setattr(command, "PACKAGE", package)
    schema = tmp_path / "schema"
    schema.mkdir()
    write_schema(schema, methods={"notes": [method("notes.get")]})
    done = CliRunner().invoke(command.main, ["--schema", str(schema), "--check"])
    assert done.exit_code == 1
    assert "differs: methods/notes.py" in done.output
    assert [*package.iterdir()] == []
    done = CliRunner().invoke(command.main, ["--schema", str(schema)])
    assert done.exit_code == 0
    assert (package / "methods" / "notes.py").is_file()


def test_an_unknown_part_of_a_schema_is_reported_in_one_line(tmp_path: Path) -> None:
    write_schema(tmp_path, methods={"notes": [method("notes.get", wild=1)]})
    done = run_codegen("--schema", str(tmp_path))
    assert done.returncode == 1
    assert (
        done.stderr == "Error: notes/methods.json: notes.get: unknown key 'wild': 1\n"
    )


def test_limits_and_errors_are_declared_for_the_command_line(
    tmp_path: Path,
) -> None:
    error = {"$ref": "../errors.json#/errors/api_error_note_access"}
    count = {"name": "count", "type": "integer", "maximum": 100, "default": 20}
    plain = {"name": "text", "type": "string"}
    found = [method("notes.get", count, plain, errors=[error])]
    text = write_files(model_of(tmp_path, methods={"notes": found}))[
        "testing/_schema.json"
    ]
    declared = json.loads(text)["methods"]["notes.get"]
    assert declared["notes"] == {"count": ["at most 100", "default 20"]}
    assert declared["errors"] == [180]
