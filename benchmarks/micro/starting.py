"""The cost of starting: importing vkanyio, and loading its groups of methods.

Each round is a new process. ``benchmarks/typed_api.py`` measures the same at length.
"""

from __future__ import annotations

import os
import subprocess
import sys

from micro.timing import Figure

ROUNDS = 5
DEPENDENCIES = "import anyio, httpx, attrs"
IN_USE = """
import anyio.abc, anyio.lowlevel, anyio.streams.memory
anyio.Event, anyio.Semaphore, anyio.create_task_group, anyio.to_thread
"""
"""What programs that use anyio have loaded, since anyio imports its parts lazily."""
CLIENT = "import vkanyio; client = vkanyio.VK('a-token')"
EVERY = "for name in vars(vkanyio._groups.MethodGroups): getattr(client, name)"


def _fresh(before: str, timed: str) -> Figure:
    code = (
        f"{before}\nimport time\nbegan = time.perf_counter()\n{timed}\n"
        "print(time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", code]
    # Keep compiled files, as Python does by default.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    rounds = [
        float(subprocess.check_output(command, text=True, env=environment))
        for _ in range(1 + ROUNDS)
    ]
    return Figure.of(rounds[1:])


def starting() -> dict[str, Figure]:
    """Measure starting."""
    return {
        f"import: {DEPENDENCIES[7:]}": _fresh("", DEPENDENCIES),
        "import: vkanyio after them": _fresh(DEPENDENCIES, "import vkanyio"),
        "import: the same, with anyio in use": _fresh(
            DEPENDENCIES + IN_USE, "import vkanyio"
        ),
        "import: api.users on first access": _fresh(CLIENT, "client.users"),
        "import: api.groups, the largest": _fresh(CLIENT, "client.groups"),
        "import: all groups": _fresh(CLIENT, EVERY),
    }
