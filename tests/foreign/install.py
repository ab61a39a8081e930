"""Install the foreign clients, each into a separate folder below ``.foreign/``.

::

    uv run python tests/foreign/install.py

Clients that are installed already are left unchanged. If a package is unavailable, a
line says so, and the tests that need it are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

PLACE = Path(__file__).parents[2] / ".foreign"

PYTHON = {
    "vk_api": "vk_api==11.10.1",
    "vkbottle": "vkbottle==4.11.0",
    "aiovk": "aiovk==4.1.0",  # for benchmarks/peers alone
}
NODE = {"vk_io": "vk-io@4.10.1"}


def python_of(name: str) -> Path:
    """Return the interpreter of a client's environment."""
    folder = "Scripts" if sys.platform == "win32" else "bin"
    return PLACE / name / folder / "python"


def main() -> None:
    """Install what is not there yet."""
    PLACE.mkdir(exist_ok=True)
    for name, package in PYTHON.items():
        mark = PLACE / name / package
        if not mark.exists():
            python = str(python_of(name))
            install(
                mark,
                ["uv", "venv", "--quiet", "--clear", str(PLACE / name)],
                ["uv", "pip", "install", "--quiet", "--python", python, package],
            )
    for name, package in NODE.items():
        mark = PLACE / name / package.replace("/", "_")
        if not mark.exists():
            (PLACE / name).mkdir(exist_ok=True)
            npm = ["npm", "install", "--silent", "--no-package-lock"]
            install(mark, [*npm, "--prefix", str(PLACE / name), package])


def install(mark: Path, *commands: list[str]) -> None:
    """Run commands, and leave a mark if all of them went well."""
    for command in commands:
        program = shutil.which(command[0])
        if program is None:
            print(f"{mark.name} is not installed: there is no {command[0]}")
            return
        done = subprocess.run([program, *command[1:]], check=False)
        if done.returncode:
            print(f"{mark.name} is not installed: {command[0]} failed")
            return
    mark.touch()


if __name__ == "__main__":
    main()
