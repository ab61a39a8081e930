"""Measure uploads: the memory of a large one, and what a megabyte costs.

::

    uv run python benchmarks/uploads.py

Each client runs in a process of its own, and sends a file of 200 MB as a form to a
server in another process, which counts the bytes and forgets them. ``httpx`` sends the
same form from the same file. The peak of memory is that of the whole process, and
"before" is its memory when the client was open; processor time is that of the client's
process for the upload alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

SIZE_MB = 200
MB = 2**20
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
READ = 256 * 1024


async def serve() -> None:
    """Print an address, and take what is sent there, until standard input ends."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        left = int(length[1]) if length else 0
        size = left
        while left:
            chunk = await reader.read(min(left, READ))
            if not chunk:
                return
            left -= len(chunk)
        body = json.dumps({"size": size}).encode()
        start = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        writer.write(start + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, limit=READ)
    async with server:
        port = server.sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}/upload", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def serving() -> Generator[str]:
    """Run the server in a process, and yield its address."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def peak() -> float:
    """Return the peak memory of this process in MB.

    The system's other counter, ``ru_maxrss``, includes that of the parent process.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def measure(upload: Callable[[], Awaitable[Any]]) -> None:
    """Upload once, and print the figures."""
    before = peak()
    began, used = time.monotonic(), time.process_time()
    answer = await upload()
    seconds, used = time.monotonic() - began, time.process_time() - used
    assert answer["size"] > SIZE_MB * MB
    found = {
        "before": before,
        "peak": peak(),
        "seconds": seconds,
        "ms": 1000 * used / SIZE_MB,
    }
    print(json.dumps(found))


async def by_vkanyio(url: str, path: Path) -> None:
    """Upload by vkanyio, over its own connection."""
    from vkanyio import VK  # here, so that a client loads nothing of the other

    async with VK("token", base_url=url.replace("/upload", "/method")) as api:
        await measure(lambda: api.upload.raw(url, "file", path))


async def by_httpx(url: str, path: Path) -> None:
    """Upload by httpx."""
    import httpx

    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:

        async def upload() -> Any:
            with path.open("rb") as file:
                response = await client.post(url, files={"file": (path.name, file)})
            return response.json()

        await measure(upload)


CLIENTS = {"vkanyio": by_vkanyio, "httpx": by_httpx}


def run_all(rounds: int) -> None:
    """Run each client in a process of its own, and print a table."""
    with tempfile.TemporaryDirectory() as folder, serving() as url:
        path = Path(folder, "film.mp4")
        with path.open("wb") as file:
            for _ in range(SIZE_MB):
                file.write(bytes(range(256)) * (MB // 256))
        print(f"{SIZE_MB} MB, the best of {rounds}: memory in MB, CPU in ms a MB")
        print(f"{'':9}{'':9}{'before':>8}{'peak':>8}{'CPU':>8}{'seconds':>9}")
        for name in CLIENTS:
            for backend in ("asyncio", "trio"):
                command = [sys.executable, __file__, "--client", name, url, str(path)]
                command += ["--backend", backend]
                found = min(
                    (
                        json.loads(subprocess.check_output(command))
                        for _ in range(rounds)
                    ),
                    key=lambda each: each["ms"],
                )
                print(
                    f"{name:9}{backend:9}{found['before']:8.1f}{found['peak']:8.1f}"
                    f"{found['ms']:8.2f}{found['seconds']:9.2f}"
                )


def main() -> None:
    """Run a part, or all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--client", nargs=3, metavar=("NAME", "URL", "FILE"))
    parser.add_argument("--backend", default="asyncio")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
    elif options.client:
        name, url, path = options.client
        anyio.run(CLIENTS[name], url, Path(path), backend=options.backend)
    else:
        run_all(options.rounds)


if __name__ == "__main__":
    main()
