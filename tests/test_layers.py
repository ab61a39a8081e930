"""Imports go down: each module of the library knows only those below it.

Imports for type checkers count: a module depends on the types that it names.
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
    "face": """
        vkid __init__ _client _token_view _api _groups methods _untyped _method_group
    """,
    "parts that make calls": """
        _reading.__init__ _reading._stream _reading._sharing _reading._gather
        _reading._settled _reading._collect _reading._ahead _reading._reader
        _reading._list_call _reading._position _reading._resolving
        updates.__init__ updates._bot updates._user updates._receiver
        updates._callback updates._consumer updates._long_poll updates._handle
        updates._poller updates._group updates._mailbox updates._channel
        updates._confirmation updates._handled updates._positions updates._numbers
        uploads.__init__ uploads._uploader uploads._photos uploads._documents
        uploads._videos uploads._shared uploads._upload uploads._multipart
        uploads._sources
    """,
    "a limit that processes share": """
        redis.__init__ redis._limiter redis._checks redis._link
    """,
    "engine": """
        _engine._session _engine._view _engine._lanes _engine._lane _engine._live_calls
        _engine._batch_task _engine._call_task _engine._questions
        _engine._captcha_session _engine._collector _engine._gate _engine._packer
        _engine._sender _engine._ticker _engine._credentials _engine._handling
        _engine._misuse _engine._other_servers
        _engine._transport _engine._pool _engine._connection
        _engine._network _engine._foreign_client _engine._delivery
        _engine._request_body _engine._response_body
        _engine._observer _engine.__init__
    """,
    "what the engine is given": """
        _caller _config _environment _option_validators _rate_limiter _captcha
        _http_client _token _request _pending _service_group
    """,
    "values that users make": """
        keyboard text links _buttons _text_borders _link_targets
    """,
    "rules": """
        updates._asgi_http updates._inbox updates._progress updates._answer
        updates._parse updates._types updates.mailbox updates._mailbox_update
        updates._update
        uploads._answers uploads._kinds
        _batch _response _error_fields _keep_alive _retry _retry_after
        _known_parameters _parameter_names _repetition
        _method_facts _page_facts _reading._cursors _reading._paging _reading._page
        redis._shared_limit redis._script redis._permits redis._share
        redis._server_clock _limiter _encoding _wire_checks _outcome _address
    """,
    "words": """
        updates._errors
        objects _resolve _execute _events redis._events _statistics redis._statistics
        _facts _error_codes redis._errors _async_use _errors _uploaded _extras _masking
        _random_id _repr _similar _typeguards _typing _version
    """,
    "simulator": "testing",  # it stands on nothing of the library
}
"""From top to bottom; within a layer, too, imports only go to the right."""

ORDER = [name for layer in LAYERS.values() for name in layer.split()]
USERS = LAYERS["users of the library"].split()
UPWARDS = {("_errors", "_error_codes"), ("_api", "_token_view")}
"""Loaded when a class is first asked for: it is a subclass of one in the other."""
PUBLIC = {
    *("__init__", "cli", "redis.__init__", "testing"),
    *("updates.__init__", "updates.mailbox", "uploads.__init__"),
}
"""What the users of the library may import, as any program can."""
SHARED = {
    *("_extras", "_facts", "_known_parameters", "_method_facts", "_similar"),
    *("_typeguards", "_version"),
}
"""Private modules that know no calls, which the users of the library may import."""
DYNAMIC = {"import_module", "__import__"}
WITH_DYNAMIC_IMPORTS = {"cli._app", "testing._serve", "_resolve"}
"""The first loads a command of its own by name, the second looks for hypercorn, and the
third loads the modules of objects by the names that it is given."""


class Import(NamedTuple):
    """A module that imports another, by their names in the package."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer} (line {self.line}) imports {self.imported}"


def module_name(path: Path, package: Path) -> str:
    return ".".join(path.relative_to(package).with_suffix("").parts)


def imports_of(path: Path, package: Path = PACKAGE) -> Iterator[Import]:
    """Find the imports of the package's own modules, relative or not."""
    importer = module_name(path, package)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets: list[Path] = []
        if isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".") if node.module else []
            base = path.parents[node.level - 1] if node.level else package.parent
            if node.level or parts[:1] == [package.name]:
                target = base.joinpath(*parts)
                targets = [target / alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            targets = [package.parent.joinpath(*parts) for parts in names]
            targets = [each for each in targets if package in (each, *each.parents)]
        elif isinstance(node, (ast.Name, ast.Attribute)):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in DYNAMIC:
                yield Import(importer, name, node.lineno)
        line: int = getattr(node, "lineno", 0)
        for target in targets:
            yield Import(importer, module_name(found(target), package), line)


def found(target: Path) -> Path:
    """Return the file of a module, or of the one that defines a name."""
    for path in (target, target.parent):
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.exists():
                return file
    raise FileNotFoundError(target)


def place(module: str) -> str:
    """Return the name in the list of layers that stands for a module."""
    names = [name for name in ORDER if module == name or module.startswith(f"{name}.")]
    if not names:
        pytest.fail(f"{module} is in no layer: add it to the list in this test")
    return names[0]


def faults_of(found: Import) -> Iterator[str]:
    importer = place(found.importer)
    if found.imported in DYNAMIC:
        if found.importer not in WITH_DYNAMIC_IMPORTS:
            yield f"{found}: an import that nobody sees"
        return
    imported = place(found.imported)
    if importer == imported or (importer, imported) in UPWARDS:
        return
    if ORDER.index(imported) < ORDER.index(importer):
        yield f"{found}, which is above it"
    if imported.startswith("_engine.") and not (
        importer.startswith("_engine.") or importer == "_client"
    ):
        yield f"{found}: only _client opens the engine"
    if importer in USERS and imported not in PUBLIC | SHARED:
        yield f"{found}, which users cannot"
    if imported == "testing" and importer not in USERS:
        yield f"{found}: it stands apart"


def faults_below(package: Path) -> list[str]:
    return [
        fault
        for path in sorted(package.rglob("*.py"))
        if place(module_name(path, package))
        for found in imports_of(path, package)
        for fault in faults_of(found)
    ]


def test_imports_only_go_down() -> None:
    faults = faults_below(PACKAGE)
    assert not faults, "\n".join(faults)


def test_every_module_of_the_list_is_there() -> None:
    there = {module_name(path, PACKAGE) for path in PACKAGE.rglob("*.py")}
    assert [
        name for name in ORDER if name not in there and f"{name}.__init__" not in there
    ] == []


FAULTS = {
    "a rule imports what is given": (
        "_retry.py",
        "from ._request import APIRequest",
        "_retry (line 1) imports _request, which is above it",
    ),
    "for type checkers": (
        "_retry.py",
        "if TYPE_CHECKING:\n    from ._request import APIRequest",
        "_retry (line 2) imports _request, which is above it",
    ),
    "inside a function": (
        "_engine/_sender.py",
        "def late():\n    from ._lane import Lane",
        "_engine._sender (line 2) imports _engine._lane, which is above it",
    ),
    "by its absolute name": (
        "_engine/_sender.py",
        "from vkanyio._engine._lane import Lane",
        "_engine._sender (line 1) imports _engine._lane, which is above it",
    ),
    "as a whole": (
        "_engine/_sender.py",
        "import vkanyio._engine._lane",
        "_engine._sender (line 1) imports _engine._lane, which is above it",
    ),
    "where nobody sees it": (
        "_retry.py",
        "import_module('._engine._lane', __package__)",
        "_retry (line 1) imports import_module: an import that nobody sees",
    ),
    "the engine is opened": (
        "_api.py",
        "from ._engine._lane import Lane",
        "_api (line 1) imports _engine._lane: only _client opens the engine",
    ),
    "a user imports what is private": (
        "telemetry.py",
        "from vkanyio._request import APIRequest",
        "telemetry (line 1) imports _request, which users cannot",
    ),
    "the library imports its simulator": (
        "_retry.py",
        "from .testing import Simulator",
        "_retry (line 1) imports testing.__init__: it stands apart",
    ),
}


@pytest.mark.parametrize(("file", "line", "fault"), FAULTS.values(), ids=FAULTS)
def test_an_import_that_goes_up_is_reported_with_both_modules(
    tmp_path: Path, file: str, line: str, fault: str
) -> None:
    package = tmp_path / "vkanyio"
    for name in ("_request", "_retry", "_api", "telemetry", "testing/__init__"):
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in ("__init__", "_lane", "_sender"):
        path = package / "_engine" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert faults_below(package) == []
    (package / file).write_text(line, encoding="utf-8")
    assert faults_below(package) == [fault]


def test_a_module_in_no_layer_is_reported(tmp_path: Path) -> None:
    package = tmp_path / "vkanyio"
    package.mkdir()
    (package / "_new.py").write_text("import re", encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match="_new is in no layer"):
        faults_below(package)


def test_no_hand_written_class_name_stands_twice() -> None:
    modules: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if not text.startswith("# Generated by"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef):
                    modules.setdefault(node.name, []).append(module_name(path, PACKAGE))
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}


def test_only_the_pending_result_writes_whether_a_call_may_have_been_carried_out() -> (
    None
):
    writers = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_write = isinstance(getattr(node, "ctx", None), ast.Store)
            name = getattr(node, "attr", "").strip("_")
            if is_write and name == "maybe_carried_out":
                writers.add(module_name(path, PACKAGE))
    assert writers == {"_pending", "_errors"}  # an error has it as a fact about itself
