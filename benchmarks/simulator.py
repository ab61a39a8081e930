"""Measure the simulator: requests a second over a socket, and an hour of virtual time.

::

    uv run python benchmarks/simulator.py

The simulator runs in a separate process, on one core; this process sends ``users.get``
over persistent connections, as cheaply as possible, and reads each response. The hour
is that of a client that makes 3 requests a second, in process, on the virtual clock of
each backend.
"""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import trio.testing

from vkanyio import VK
from vkanyio.testing import Simulator, VirtualClockLoop

if TYPE_CHECKING:
    from collections.abc import Generator

CONNECTIONS = 8
REQUESTS_A_CONNECTION = 900
SECONDS = 5.0
HOUR = 3600
TARGET = 1500

FORM = b"user_ids=1&v=5.199"
REQUEST = (
    b"POST /method/users.get HTTP/1.1\r\nHost: vk\r\nAuthorization: Bearer token\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(FORM), FORM)
)
RESPONSE = re.compile(
    rb".*?\r\ncontent-length: (\d+)\r\n.*?\r\n\r\n(.*)", re.DOTALL | re.IGNORECASE
)


@contextmanager
def server(backend: str) -> Generator[tuple[str, int]]:
    """Run the simulator in a separate process, without a limit."""
    command = [sys.executable, "-m", "vkanyio.testing", "--until-stdin-closes"]
    command += ["--limit", "0", "--backend", backend]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        host, port = process.stdout.readline().split("/")[2].split(":")
        yield host, int(port)
        process.communicate(timeout=20)


def ask_until(address: tuple[str, int], end: float, counts: list[int]) -> None:
    """Send requests one at a time, and count the responses."""
    count = 0
    while time.monotonic() < end:
        with socket.create_connection(address) as connection:
            # The server limits the requests on one connection, as nginx does.
            for _ in range(REQUESTS_A_CONNECTION):
                body = ask(connection)
                assert body.startswith(b'{"response":[{"id":1,'), body
                count += 1
                if time.monotonic() >= end:
                    break
    counts.append(count)


def ask(connection: socket.socket) -> bytes:
    """Send a request, and return the body of the response."""
    connection.sendall(REQUEST)
    received = b""
    while piece := connection.recv(65536):
        received += piece
        match = RESPONSE.match(received)
        if match is not None and len(match[2]) == int(match[1]):
            return match[2]
    raise ConnectionError("the simulator closed the connection")


def requests_a_second(backend: str, seconds: float) -> float:
    """Return the number of requests per second that the simulator handles."""
    with server(backend) as address:
        ask_until(address, time.monotonic() + 0.5, [])  # to warm up
        counts: list[int] = []
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=ask_until, args=(address, end, counts))
            for _ in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / seconds


async def spend(seconds: int) -> int:
    """Make as many calls as the limit allows, for some virtual seconds."""
    simulator = Simulator(limit=3)
    async with VK("token", http_client=simulator.http_client()) as api:
        with anyio.move_on_after(seconds):
            for number in range(10 * seconds):
                await api.users.get(user_ids=[1 + number % 1000])
    return len(simulator.ledger.carried_out())


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    for backend in ("asyncio", "trio"):
        rate = requests_a_second(backend, options.seconds)
        print(f"{backend:8} {rate:8.0f} requests/s over a socket (>= {TARGET})")
    clock = trio.testing.MockClock(autojump_threshold=0)
    clocks: dict[str, dict[str, Any]] = {
        "asyncio": {"loop_factory": VirtualClockLoop},
        "trio": {"clock": clock},
    }
    for backend, with_clock in clocks.items():
        start = time.perf_counter()
        calls = anyio.run(spend, HOUR, backend=backend, backend_options=with_clock)
        taken = time.perf_counter() - start
        print(f"{backend:8} {taken:8.1f} s for a virtual hour, {calls} calls in it")


if __name__ == "__main__":
    main()
