"""The generated files, and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from codegen._condense import condense
from codegen._output import differences, put, write_files
from codegen._schema import FACTS, files_of, load

from _small_schema import method, model_of, write_schema
from codegen import __main__ as command
from codegen import _output as output
from vkanyio import VK
from vkanyio._config import TYPED_VERSION

pytestmark = pytest.mark.usefixtures("nothing_reviewed")

ROOT = Path(__file__).parents[2]


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


def test_every_file_names_the_version_that_it_was_made_from(tmp_path: Path) -> None:
    model = model_of(tmp_path, methods={"notes": [method("notes.get")]})
    for name, text in write_files(model).items():
        lines = text.splitlines()
        first = "".join(lines[:4]) if name.endswith(".json") else lines[0]
        assert name.endswith(".json") or "python -m codegen" in first
        assert "5.199" in first


def test_a_new_method_changes_the_files_that_it_concerns_alone(tmp_path: Path) -> None:
    before = write_files(
        model_of(tmp_path, methods={"notes": [method("notes.get")], "wall": []})
    )
    found = [method("notes.get"), method("notes.add")]
    after = write_files(model_of(tmp_path, methods={"notes": found, "wall": []}))
    changed = {name for name, text in after.items() if text != before[name]}
    assert changed == {
        "_method_facts.py",
        "_parameter_names.py",
        "methods/notes.py",
        "testing/_schema.json",
    }


def test_the_hash_of_the_schema_changes_with_each_file(tmp_path: Path) -> None:
    schema = write_schema(tmp_path, methods={"notes": [method("notes.get")]})
    before = condense(schema)
    (schema / "notes" / "methods.json").write_text(
        '{"methods": [], "version": "5.199"}', encoding="utf-8"
    )
    assert condense(schema).source["sha256"] != before.source["sha256"]
    assert condense(schema).version == before.version


def test_the_kept_facts_are_complete_and_without_prose() -> None:
    facts = load(FACTS)
    kept = {path.name: path.read_text(encoding="utf-8") for path in FACTS.iterdir()}
    assert files_of(facts) == kept
    assert not [name for name, text in kept.items() if '"description": "' in text]


def test_the_types_are_of_the_version_that_a_client_asks_for() -> None:
    assert load(FACTS).version == VK("token").config.version == TYPED_VERSION


def kept(path: Path, *methods: dict[str, Any]) -> Path:
    """Keep the facts of a small schema, and return their directory."""
    (path / "schema").mkdir()
    schema = write_schema(path / "schema", methods={"notes": [*methods]})
    put(files_of(condense(schema)), path / "facts")
    return path / "facts"


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
    done = run_codegen("--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "107 files, 0 changed" in done.stdout


def test_a_check_that_finds_a_difference_fails_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    monkeypatch.setattr(command, "PACKAGE", package)
    monkeypatch.setattr(command, "FACTS", kept(tmp_path, method("notes.get")))
    done = CliRunner().invoke(command.main, ["--check"])
    assert done.exit_code == 1
    assert "differs: methods/notes.py" in done.output
    assert [*package.iterdir()] == []
    done = CliRunner().invoke(command.main)
    assert done.exit_code == 0
    assert (package / "methods" / "notes.py").is_file()


def test_an_unknown_part_of_a_schema_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = kept(tmp_path, method("notes.get", wild=1))
    monkeypatch.setattr(command, "FACTS", facts)
    done = CliRunner().invoke(command.main)
    assert done.exit_code == 1
    problem = "Error: notes/methods.json: notes.get: unknown key 'wild': 1\n"
    assert done.output == problem


def test_a_missing_formatter_is_reported_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "FACTS", kept(tmp_path, method("notes.get")))
    monkeypatch.setattr(output, "find_spec", lambda name: None)
    done = CliRunner().invoke(command.main, ["--check"])
    assert done.exit_code == 1
    assert done.output == (
        "Error: ruff, which formats the files, is missing: `uv sync`\n"
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
