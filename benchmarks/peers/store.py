"""Figures in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from peers.runs import Run

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, runs: list[Run]) -> None:
    """Keep what was measured."""
    path.write_text(json.dumps([attrs.asdict(run) for run in runs]), encoding="utf-8")


def read(path: Path) -> list[Run]:
    """Return what was kept."""
    return [Run(**kept) for kept in json.loads(path.read_text(encoding="utf-8"))]
