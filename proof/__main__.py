"""Run all long checks in turn: ``python -m proof``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
CANNOT_RUN = 2
"""The exit code of a part that needs programs which are not installed."""
PARTS: dict[str, list[str]] = {
    "soak": ["proof.soak"],
    "sockets": ["proof.sockets"],
    "real servers and proxies": ["proof.infrastructure"],
    "bots that end at every step": ["proof.updates"],
    "bots that are killed": ["proof.killed_bot"],
    "a shared limit": ["proof.shared_limit"],
    "tests, at length": ["pytest", "--long", "-m", "long", "-q"],
    "broken lines": ["proof.breaks"],
}


def main() -> None:
    """Run every part, print which failed, and exit with 1 if any did."""
    results: dict[str, str] = {}
    for name, command in PARTS.items():
        print(f"== {name}", flush=True)
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False)
        # A part that lacks what it needs has said so, see proof/infrastructure.py.
        verdict = {0: "kept", CANNOT_RUN: "not run"}.get(done.returncode, "BROKEN")
        results[name] = f"{verdict}, {time.perf_counter() - began:,.0f} s"
    print("== all together")
    for name, result in results.items():
        print(f"{name}: {result}")
    sys.exit(any(result.startswith("BROKEN") for result in results.values()))


if __name__ == "__main__":
    main()
