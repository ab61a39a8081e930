"""Figures in a JSON file, so that a run can be done in parts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from peers.runs import Run

if TYPE_CHECKING:
    from pathlib import Path


def keep(path: Path, run: Run) -> None:
    """Store a run, replacing an earlier one of the same library and workload."""
    runs = read(path) if path.exists() else []
    kept = {(each.library, each.workload): each for each in [*runs, run]}
    lines = ",\n".join(json.dumps(attrs.asdict(each)) for each in kept.values())
    path.write_text(f"[{lines}]\n", encoding="utf-8")


def read(path: Path) -> list[Run]:
    """Return the stored runs."""
    return [Run(**kept) for kept in json.loads(path.read_text(encoding="utf-8"))]
