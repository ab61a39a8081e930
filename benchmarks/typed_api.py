"""Measure the typed API: ``uv run python benchmarks/typed_api.py`` (about a minute).

Each figure is the median of several new processes. Machines are noisy, so only the
ratios within one run are meaningful.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

RUNS = 15
CHECKS = 5

DEPENDENCIES = "import anyio, httpx, attrs"

# Modules of the dependencies that they import on first use.
LATE = f"""
import subprocess, sys
{DEPENDENCIES}
before = set(sys.modules)
import vkanyio
late = [name for name in sys.modules if name not in before]
print(*[name for name in late if not name.startswith("vkanyio")])
"""

CLIENT = "import vkanyio; client = vkanyio.VK('a-token')"
GROUPS = "vars(vkanyio._groups.MethodGroups)"

TEN_GROUPS = """\
from vkanyio import VK


async def main(api: VK) -> None:
    [user] = await api.users.get(user_ids=[1], fields=["city"])
    wall = await api.wall.get(owner_id=user["id"], extended=True)
    groups = await api.groups.get_members(group_id=1, fields=["city"])
    sent = await api.messages.send(peer_id=1, message="hello")
    friends = await api.friends.get(user_id=1)
    photos = await api.photos.get_all(owner_id=1)
    videos = await api.video.get(owner_id=1)
    goods = await api.market.get(owner_id=-1)
    likes = await api.likes.add(type="post", item_id=1)
    news = await api.newsfeed.search(q="hello")
    print(wall, groups, sent, friends, photos, videos, goods, likes, news)
"""
NO_GROUPS = """\
from vkanyio import VK


async def main(api: VK) -> None:
    [user] = await api.call("users.get", {"user_ids": [1], "fields": ["city"]})
    wall = await api.call("wall.get", {"owner_id": user["id"], "extended": True})
    groups = await api.call("groups.getMembers", {"group_id": 1, "fields": ["city"]})
    sent = await api.call("messages.send", {"peer_id": 1, "message": "hello"})
    friends = await api.call("friends.get", {"user_id": 1})
    photos = await api.call("photos.getAll", {"owner_id": 1})
    videos = await api.call("video.get", {"owner_id": 1})
    goods = await api.call("market.get", {"owner_id": -1})
    likes = await api.call("likes.add", {"type": "post", "item_id": 1})
    news = await api.call("newsfeed.search", {"q": "hello"})
    print(wall, groups, sent, friends, photos, videos, goods, likes, news)
"""


def main() -> None:
    """Print all figures."""
    late = run(LATE).split()  # and compile what is not compiled yet
    run(f"{CLIENT}\nfor name in {GROUPS}: getattr(client, name)")
    run("import vkanyio.objects; vkanyio.objects.resolve()")
    loaded = f"{DEPENDENCIES}\nimport {', '.join(late)}" if late else DEPENDENCIES
    print(f"Milliseconds, medians of {RUNS} processes")
    show("import anyio, httpx, attrs", milliseconds("", DEPENDENCIES))
    show("import vkanyio after them", milliseconds(DEPENDENCIES, "import vkanyio"), 20)
    show("  of it vkanyio's own modules", milliseconds(loaded, "import vkanyio"))
    names = run(f"{CLIENT}\nprint(*[n for n in {GROUPS} if not n.startswith('_')])")
    touched = {name: group_milliseconds(name) for name in names.split()}
    slowest = max(touched, key=touched.__getitem__)
    show(f"first access to api.{slowest}, the slowest", touched[slowest], 15)
    show("first access to api.groups, the largest", touched["groups"], 15)
    every = f"for name in {GROUPS}: getattr(client, name)"
    show("loading all methods", milliseconds(CLIENT, every), 60)
    resolve = "vkanyio.objects.resolve()"
    show(resolve, milliseconds("import vkanyio.objects", resolve), 300)
    print()
    print(f"pyright, seconds, medians of {CHECKS} runs")
    without, typed = check_seconds()
    print(f"{'a file with ten calls by name':45}{without:8.2f}")
    ratio = typed / without
    print(f"{'the same with ten groups':45}{typed:8.2f}   {ratio:.2f} times (<= 2)")


def show(what: str, figure: float, target: float | None = None) -> None:
    """Print a line."""
    goal = "" if target is None else f"   (<= {target:g})"
    print(f"{what:45}{figure:8.1f}{goal}")


def run(code: str) -> str:
    """Run code in a new process, and return its output."""
    # Keep compiled files, as Python does by default.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return done.stdout


def milliseconds(before: str, timed: str, runs: int = RUNS) -> float:
    """Return the time that code takes after other code has run."""
    code = (
        f"{before}\nimport time\nstart = time.perf_counter()\n{timed}\n"
        "print(time.perf_counter() - start)"
    )
    return 1000 * median(float(run(code)) for _ in range(runs))


def group_milliseconds(name: str) -> float:
    """Return the time of the first access to a group."""
    return milliseconds(CLIENT, f"client.{name}", runs=3)


def check_seconds() -> tuple[float, float]:
    """Return the time that pyright takes, without groups and with ten of them."""
    taken: dict[str, list[float]] = {NO_GROUPS: [], TEN_GROUPS: []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(CHECKS):
            for source, seconds in taken.items():
                file = Path(folder) / "program.py"
                file.write_text(source, encoding="utf-8")
                command = [sys.executable, "-m", "pyright", str(file)]
                command += ["--pythonpath", sys.executable]
                start = time.perf_counter()
                subprocess.run(command, capture_output=True, check=True)
                seconds.append(time.perf_counter() - start)
    return median(taken[NO_GROUPS]), median(taken[TEN_GROUPS])


if __name__ == "__main__":
    main()
