"""Promises about the source as a whole."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "vkanyio"
MODULES = sorted([*PACKAGE.glob("*.py"), *(PACKAGE / "_engine").glob("*.py")])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_library_names_no_event_loop_but_anyio(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(node.module.split(".")[0])
    assert imported.isdisjoint({"asyncio", "trio", "sniffio", "uvloop"})


def modules_after(program: str) -> set[str]:
    """Return vkanyio's modules that are loaded once a program has run."""
    return {name for name in all_after(program) if name.startswith("vkanyio.")}


def all_after(program: str) -> set[str]:
    """Return all modules that are loaded once a program has run."""
    code = f"{program}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def is_of_a_method(name: str) -> bool:
    packages = ("vkanyio.methods", "vkanyio.objects", "vkanyio._reading")
    tables = ("_codes", "_method_facts", "_page_facts")
    return name.startswith(packages) or name.endswith(tables)


VALUES = {f"vkanyio.{name}" for name in ("_random_id", "keyboard", "links", "text")}


def test_importing_the_library_loads_no_method_object_or_error_code() -> None:
    loaded = modules_after("import vkanyio")
    assert "vkanyio._client" in loaded
    assert not [name for name in loaded if is_of_a_method(name)]
    assert loaded.isdisjoint(VALUES)


HTTP = {"httpx", "httpx2", "httpcore", "ssl", "_ssl", "urllib.request", "http.client"}
ENTER = """
import anyio, vkanyio

async def enter():
    async with vkanyio.VK("a-token"):
        pass

anyio.run(enter, backend="trio")
"""


@pytest.mark.parametrize(
    "program",
    [
        "import vkanyio",
        "import vkanyio; vkanyio.VK('a-token', proxy='http://localhost:3128')",
        "import vkanyio; vkanyio.VK('a-token', base_url='https://[::1]').users",
    ],
)
def test_nothing_of_http_is_loaded_before_a_client_is_entered(program: str) -> None:
    loaded = all_after(program)
    assert loaded & HTTP == set()
    assert not [name for name in loaded if name.startswith(("httpx", "httpcore"))]


def test_entering_loads_what_connections_need() -> None:
    assert {"httpx", "httpcore", "ssl"} <= all_after(ENTER)


def test_a_group_is_loaded_alone_and_no_objects_with_it() -> None:
    loaded = modules_after("import vkanyio; vkanyio.VK('a-token').groups")
    assert {name for name in loaded if is_of_a_method(name)} == {
        "vkanyio._method_facts",  # the methods that a client never packs
        "vkanyio.methods",
        "vkanyio.methods.groups",
    }


def test_the_modules_of_objects_are_loaded_one_by_one() -> None:
    loaded = modules_after("import vkanyio.objects.messages")
    assert {name for name in loaded if is_of_a_method(name)} == {
        "vkanyio.objects",
        "vkanyio.objects.messages",
    }


def test_the_library_needs_few_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = project["project"]["dependencies"]
    names = [line.split()[0] for line in needed]
    assert names == ["anyio", "attrs", "httpcore", "httpx"]


def test_the_simulator_does_not_depend_on_the_engine() -> None:
    testing = ROOT / "src" / "vkanyio" / "testing"
    for path in testing.rglob("*.py"):
        deepest = len(path.relative_to(testing).parts)
        if path.stem == "pytest_plugin":
            continue  # it brings the two together
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level <= deepest, path
                assert node.level or not (node.module or "").startswith("vkanyio"), path
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.startswith("vkanyio"):
                        assert alias.name.startswith("vkanyio.testing."), path
