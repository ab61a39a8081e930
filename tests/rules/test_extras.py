"""Modules that need an extra say so where it is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "extra"),
    [("vkanyio.redis", "redis"), ("vkanyio.telemetry", "opentelemetry")],
)
def test_without_its_extra_the_import_says_how_to_install_it(
    module: str, extra: str
) -> None:
    code = f"import importlib.util as u; u.find_spec = lambda *_: None\nimport {module}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (
        f"ImportError: {module} needs another package: run pip install"
        f" '.[{extra}]' in the clone of vkanyio"
    ) in done.stderr
