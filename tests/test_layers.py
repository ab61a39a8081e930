"""Imports go down: each module of the library knows only those below it.

Imports for type checkers count as well: code that uses a type depends on it.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[1] / "src" / "vkanyio"

LAYERS = {
    "users of the library": "__main__ cli telemetry testing.pytest_plugin",
    "face": "__init__ _client _api _groups methods objects _method_group",
    "engine": """
        _engine._session _engine._lane _engine._live_calls _engine._batch_task
        _engine._call_task _engine._questions _engine._captcha_session
        _engine._collector _engine._gate _engine._packer _engine._sender
        _engine._ticker _engine._transport _engine._connection _engine._response_body
        _engine._observer _engine._service_group _engine.__init__
    """,
    "what the engine is given": """
        _config _option_validators _caller _captcha _http_client _request _pending
    """,
    "rules": """
        _batch _response _retry _repetition _method_facts _limiter _secrets _encoding
        _wire_checks _outcome
    """,
    "words": """
        _execute _events _statistics _facts _error_codes _errors _typeguards _version
    """,
}
"""From top to bottom; within a layer, too, imports only go to the right."""

ORDER = [name for layer in LAYERS.values() for name in layer.split()]
UPWARDS = {("_errors", "_error_codes")}
"""Loaded when a rare class is first used: it is a subclass of one in `_errors`."""
DATA = {"_method_facts", "_facts", "_typeguards", "_version"}
"""Private modules without behaviour, which the users of the library may read."""
WITHOUT_ENGINE = "testing"
"""The simulator is separate: see `test_layout.py`."""


class Import(NamedTuple):
    """A module that imports another, by their names in the package."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer} (line {self.line}) imports {self.imported}"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports_of(path: Path) -> Iterator[Import]:
    importer = module_name(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parents[node.level - 1]
        target = base.joinpath(*(node.module or "").split("."))
        for alias in node.names:
            found = [target / f"{alias.name}.py", target / alias.name / "__init__.py"]
            found += [target.with_suffix(".py"), target / "__init__.py"]
            imported = next(each for each in found if each.exists())
            yield Import(importer, module_name(imported), node.lineno)


def place(module: str) -> str:
    """Return the name of a module in the list of layers."""
    found = [name for name in ORDER if module == name or module.startswith(f"{name}.")]
    if not found:
        pytest.fail(f"{module} is in no layer: add it to the list above")
    return found[0]


def faults_of(found: Import) -> Iterator[str]:
    importer, imported = place(found.importer), place(found.imported)
    if importer != imported and (importer, imported) not in UPWARDS:
        if ORDER.index(imported) < ORDER.index(importer):
            yield f"{found}, which is above it"
        if imported.startswith("_engine.") and not (
            importer.startswith("_engine.") or importer == "_client"
        ):
            yield f"{found}: only _client opens the engine"
        if importer in LAYERS["users of the library"].split() and imported not in {
            "__init__",
            "cli",
            *DATA,
        }:
            yield f"{found}, which users cannot"


def all_imports() -> list[Import]:
    return [
        found
        for path in sorted(PACKAGE.rglob("*.py"))
        for found in imports_of(path)
        if not module_name(path).startswith(WITHOUT_ENGINE)
        or path.stem == "pytest_plugin"
        if not found.imported.startswith(WITHOUT_ENGINE)
    ]


def test_imports_only_go_down() -> None:
    faults = [fault for found in all_imports() for fault in faults_of(found)]
    assert not faults, "\n".join(faults)


def test_every_module_on_the_list_exists() -> None:
    there = {module_name(path) for path in PACKAGE.rglob("*.py")}
    assert [
        name for name in ORDER if name not in there and f"{name}.__init__" not in there
    ] == []


@pytest.mark.parametrize(
    ("importer", "imported", "fault"),
    [
        ("_retry", "_request", "above"),  # a rule knows what is given to the engine
        ("_engine._sender", "_engine._lane", "above"),
        ("_pending", "_engine._session", "only _client"),
        ("_api", "_engine._session", "only _client"),
        ("cli._call", "_request", "users cannot"),
        ("_error_codes", "_config", "above"),
    ],
)
def test_an_import_that_goes_up_is_reported_with_both_modules(
    importer: str, imported: str, fault: str
) -> None:
    reported = "\n".join(faults_of(Import(importer, imported, 7)))
    assert fault in reported
    assert f"{importer} (line 7) imports {imported}" in reported


def test_an_import_for_type_checkers_counts(tmp_path: Path) -> None:
    lazily = [found for found in all_imports() if found.importer == "_retry"]
    assert "_outcome" in {found.imported for found in lazily}  # it is imported lazily


def test_no_hand_written_class_name_occurs_twice() -> None:
    modules: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if not text.startswith("# Generated by"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    modules.setdefault(node.name, []).append(module_name(path))
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}
