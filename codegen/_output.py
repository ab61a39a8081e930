"""Format the generated files, and install or compare them."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ._declared import write_declared
from ._errors import write_error_codes
from ._facts import write_method_facts, write_parameter_names
from ._methods import write_groups, write_methods
from ._objects import write_objects
from ._pages import write_page_facts
from ._updates import write_updates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._model import Model

CONFIG = Path(__file__).parent.with_name("pyproject.toml")
GENERATED = ("methods/*.py", "objects/*.py")
"""All files of the package that match are generated."""


class ToolMissingError(Exception):
    """Raised if a program that the generator needs is not installed."""


def write_files(model: Model) -> dict[str, str]:
    """Write all generated files, by their paths within the package.

    Ruff removes unused imports and formats the rest.
    """
    written = {
        "_error_codes.py": write_error_codes(model),
        "_groups.py": write_groups(model),
        "_method_facts.py": write_method_facts(model),
        "_page_facts.py": write_page_facts(model),
        "_parameter_names.py": write_parameter_names(model),
        "updates/_types.py": write_updates(model),
        **{f"methods/{name}": text for name, text in write_methods(model).items()},
        **{f"objects/{name}": text for name, text in write_objects(model).items()},
    }
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in written.items():
            path = root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        fix = ("check", "--quiet", "--fix", "--select")
        _ruff(root, *fix, "I")
        _ruff(root, *fix, "F401,PIE790,TC005", "--exclude", "objects")
        _ruff(root, "format", "--quiet")
        files = {name: (root / name).read_text(encoding="utf-8") for name in written}
    return {**files, "testing/_schema.json": write_declared(model)}


def _ruff(root: Path, *arguments: str) -> None:
    if find_spec("ruff") is None:
        raise ToolMissingError("ruff, which formats the files, is missing: `uv sync`")
    command = [sys.executable, "-m", "ruff", *arguments, "--config", str(CONFIG)]
    command.append(str(root))
    subprocess.run(command, check=True)


def differences(
    files: Mapping[str, str], directory: Path, only: Iterable[str] = GENERATED
) -> list[str]:
    """List the paths of files that are missing, differ or should not exist.

    :param only: patterns of files that are all generated
    """
    present = {
        path.relative_to(directory).as_posix()
        for pattern in only
        for path in directory.glob(pattern)
    }
    changed = [
        name
        for name, text in files.items()
        if not (directory / name).is_file()
        or (directory / name).read_text(encoding="utf-8") != text
    ]
    return sorted([*changed, *(present - set(files))])


def put(
    files: Mapping[str, str], directory: Path, only: Iterable[str] = GENERATED
) -> None:
    """Install the files, and remove those that are no longer generated."""
    for name in differences(files, directory, only):
        path = directory / name
        if name not in files:
            path.unlink()
            continue
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[name], encoding="utf-8")
