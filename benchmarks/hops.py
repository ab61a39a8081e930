"""Follow one call through the client's source: ``uv run python -m benchmarks.hops``.

A reader who follows a call from ``api.users.get`` to the HTTP client and back goes
through so many functions and files. A *hop* is the entry into a function below
``vkanyio/`` (without ``testing/``): a call of it, or the resumption of a coroutine or
generator, since these lie on the way, too. Comprehensions are no hops, because Python
3.12 and newer run them in line. Printed are

- the hops,
- the files that they are in,
- the changes of file: hops into another file than that of the hop before.

The client is idle and has made calls before, so that it imports nothing and does not
wait for the limit. It runs on asyncio, in virtual time, against the simulator in
process. The HTTP client counts as if it waited once for the response: how often it does
differs from one to another, and each time resumes all coroutines between it and the
caller's task.

The first line is about a call in mode "sequential", the second about one of 25 calls
that share a request in mode "parallel": hops in the task of the first caller and in the
client's own tasks. Where the client does the same for each of the 25 calls in turn,
this counts once.

``--list`` prints the hops in order.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, final

import anyio
from anyio.lowlevel import checkpoint

import vkanyio
from vkanyio import VK
from vkanyio.testing import Simulator, VirtualClockLoop

if TYPE_CHECKING:
    from types import FrameType

    import httpx

PACKAGE = Path(vkanyio.__file__).parent
BATCH = 25
MAX_PERIOD = 100
"""How many hops the client may take for each call of a batch, at most."""

Mode = Literal["sequential", "parallel"]


class Hop(NamedTuple):
    """The entry into a function."""

    file: str
    function: str


@final
class Trace:
    """Records the hops between ``start`` and ``stop``, except those of some tasks.

    :ivar hops: what was recorded, in order
    """

    def __init__(self) -> None:
        self.hops: list[Hop] = []
        self._others: set[asyncio.Task[object] | None] = set()

    def start(self) -> None:
        """Start to record."""
        sys.setprofile(self._profile)

    def stop(self) -> None:
        """Stop."""
        sys.setprofile(None)

    def ignore_this_task(self) -> None:
        """Record no hops of the current task."""
        self._others.add(asyncio.current_task())

    def _profile(self, frame: FrameType, event: str, _argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        name = frame.f_code.co_qualname
        if event != "call" or not path.is_relative_to(PACKAGE):
            return
        path = path.relative_to(PACKAGE)
        is_in_line = name.endswith(("<listcomp>", "<setcomp>", "<dictcomp>"))
        if path.parts[0] == "testing" or is_in_line or _task() in self._others:
            return
        self.hops.append(Hop(str(path), name))


def _task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop is running
        return None


@final
class Pausing:
    """An HTTP client that pauses a trace for its waits, except one."""

    def __init__(self, client: httpx.AsyncClient, trace: Trace) -> None:
        self._client = client
        self._trace = trace

    async def post(self, url: str, **options: Any) -> httpx.Response:
        """Send a request."""
        is_recording = sys.getprofile() is not None
        self._trace.stop()
        response = await self._client.post(url, **options)
        if is_recording:
            self._trace.start()
        await checkpoint()
        return response


async def follow(mode: Mode, calls: int) -> list[Hop]:
    """Return the hops of the first of some calls that are made at once."""
    trace = Trace()

    async def call(number: int) -> None:
        if number:
            trace.ignore_this_task()
        await api.users.get(user_ids=[1 + number])

    simulator = Simulator(limit=0)
    client = Pausing(simulator.http_client(), trace)
    async with VK("token", mode=mode, http_client=client) as api:
        for is_warm in (False, False, True):
            await anyio.sleep(60)
            if is_warm:
                trace.start()
            if calls == 1:
                await api.users.get(user_ids=[1])
            else:
                async with anyio.create_task_group() as tg:
                    for number in range(calls):
                        tg.start_soon(call, number)
            trace.stop()
    return trace.hops


def once(hops: list[Hop]) -> list[Hop]:
    """Leave out repetitions: hops that are the same as those just before them."""
    kept: list[Hop] = []
    for hop in hops:
        kept.append(hop)
        for period in range(1, MAX_PERIOD):
            if kept[-period:] == kept[-2 * period : -period]:
                del kept[-period:]
                break
    return kept


def main() -> None:
    """Print the figures, and the hops if asked for."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.hops", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--list", action="store_true", help="print the hops in order")
    is_listed: bool = parser.parse_args().list
    ways: dict[str, tuple[Mode, int]] = {
        "a plain call": ("sequential", 1),
        f"a packed call, one of {BATCH}": ("parallel", BATCH),
    }
    options = {"loop_factory": VirtualClockLoop}
    for name, (mode, calls) in ways.items():
        hops = anyio.run(follow, mode, calls, backend_options=options)
        if calls > 1:
            hops = once(hops)
        files = len({hop.file for hop in hops})
        changes = sum(one.file != other.file for one, other in pairwise(hops))
        print(f"{name}: {len(hops)} hops, {files} files, {changes} changes of file")
        if is_listed:
            print(*(f"    {hop.file:28} {hop.function}" for hop in hops), sep="\n")


if __name__ == "__main__":
    main()
