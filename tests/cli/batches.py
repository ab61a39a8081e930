"""Inputs, outputs and waiting, for the tests of ``vkanyio batch``."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable
    from pathlib import Path

    from vkanyio.testing import Call, Simulator


def write_calls(path: Path, calls: Iterable[Any]) -> None:
    lines = (each if isinstance(each, str) else json.dumps(each) for each in calls)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def users(count: int) -> list[Any]:
    return [
        {"method": "users.get", "params": {"user_ids": [i]}, "id": f"user {i}"}
        for i in range(1, count + 1)
    ]


def posts(count: int, method: str = "wall.post") -> list[Any]:
    peer = {"peer_id": 7} if method == "messages.send" else {}
    return [
        {"method": method, "params": {"message": f"No. {i}", **peer}}
        for i in range(1, count + 1)
    ]


def records(path: Path) -> list[Any]:
    text = (path / "out.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def wait_for(simulator: Simulator, process: subprocess.Popen[str], calls: int) -> None:
    """Wait until so many calls were carried out: a real process in real time."""
    deadline = time.monotonic() + 30
    while len(simulator.ledger) < calls:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def hang(simulator: Simulator, method: str = "wall.post") -> list[Call]:
    """Let a method never respond, and return the list of its calls that arrive."""

    async def never_respond(call: Call) -> Any:
        arrived.append(call)
        await anyio.sleep_forever()

    arrived: list[Call] = []
    simulator.add_method(method, never_respond)
    return arrived


def wait_for_arrivals(arrived: list[Call], calls: int) -> None:
    """Wait until so many calls have arrived: a real process in real time."""
    deadline = time.monotonic() + 30
    while len(arrived) < calls:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def carried_out(simulator: Simulator) -> Counter[int]:
    return Counter(
        int(entry.params["message"].removeprefix("No. "))
        for entry in simulator.ledger.carried_out()
        if "message" in entry.params  # and not `execute`, which carries the others
    )
