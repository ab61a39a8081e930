"""A lean stand-in for VK, cheap enough not to distort the measurements of clients.

::

    python benchmarks/server.py --limit 20 --latency 0.1

The first line of output is the base URL. The server supports ``users.get``,
``wall.post``, ``groups.getMembers`` (``members.py``), and an ``execute`` that calls
these, in the forms that clients write. An ``execute`` with 25 calls takes 0.2 ms; the
simulator, which really runs VKScript, needs 3 ms. When standard input ends, the server
prints its counts as JSON. Identifier 0 is for warming up and is not counted.

Some of the requests within the limit can be made to fail, in turn: the connection is
closed before the request is carried out; or after; an error page is the response to a
request that was carried out; error 10 to one that was not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter, deque
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

import members

if TYPE_CHECKING:
    from collections.abc import Generator

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TOKEN = re.compile(
    rb"(?:\r\nauthorization: *bearer |access_token=)([^&\s]+)", re.IGNORECASE
)
FIELD = re.compile(rb"(?:^|&)(?:user_ids|message)=(\d+)")
CODE = re.compile(rb"(?:^|&)code=([^&]*)")

# vkanyio, vk-io and aiovk write an array, and so does vk_api if methods differ.
PACKED = re.compile(
    rb'API\.(users\.get|wall\.post)\(\{"(?:user_ids|message)":[ +]?"?(\d+)"?\}\)'
)
# The pool of vk_api and the translator of vkbottle write a loop over an array.
LOOP = re.compile(
    rb"(?:values|ids)[ +]?=[ +]?\[([^\]]*)\].*API\.(users\.get|wall\.post)\(", re.DOTALL
)
NUMBER = re.compile(rb"\d+")

USER = b'[{"id":%d,"first_name":"Anna","last_name":"Melnik","is_closed":false}]'
POST = b'{"post_id":%d}'
ERROR = b'{"error":{"error_code":%d,"error_msg":"%s","request_params":[]}}'
TOO_MANY = ERROR % (6, b"Too many requests per second")
INTERNAL = ERROR % (10, b"Internal server error")
UNREADABLE = ERROR % (12, b"Unable to compile code: not one that this server reads")
TOO_LONG = ERROR % (
    13,
    b"Runtime error occurred during code invocation: Too many API calls",
)
UNKNOWN = ERROR % (3, b"Unknown method passed")

RESPONSE = (
    b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
    b"Connection: keep-alive\r\n\r\n%s"
)
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"

Calls = list[tuple[bytes, int]]


def parse(method: bytes, body: bytes) -> tuple[Calls, bytes] | None:
    """Return the calls that a request makes, and its value.

    :return: ``None`` if the request cannot be parsed
    """
    if method != b"execute":
        if method == members.METHOD:
            return members.read(body, b"")
        field = FIELD.search(body)
        if field is None:
            return None
        call = method, int(field[1])
        return [call], value_of(call)
    parameter = CODE.search(body)
    code = unquote_to_bytes(parameter[1]) if parameter else b""
    if members.METHOD in code:
        return members.read(body, code)
    calls = calls_in(code)
    if calls is None:
        return None
    return calls, b"[%s]" % b",".join(map(value_of, calls))


def calls_in(code: bytes) -> Calls | None:
    """Return the calls that a script makes, or ``None`` if it cannot be parsed."""
    packed: list[tuple[bytes, bytes]] = PACKED.findall(code)
    if packed and len(packed) == code.count(b"API."):
        return [(name, int(number)) for name, number in packed]
    loop = LOOP.search(code)
    if loop is None:
        return None
    return [(loop[2], int(number)) for number in NUMBER.findall(loop[1])]


def value_of(call: tuple[bytes, int]) -> bytes:
    """Return the value of a call."""
    return (USER if call[0] == b"users.get" else POST) % call[1]


class Counts:
    """Counts of requests that arrived and calls that were carried out."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.refused = 0
        self.faulty: Counter[str] = Counter()
        self.carried_out: Counter[tuple[bytes, int]] = Counter()
        self._used = time.process_time()

    def report(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        used = time.process_time() - self._used
        requests, first = len(self.arrivals), min(self.arrivals, default=0.0)
        numbers = {
            number for name, number in self.carried_out if name != members.METHOD
        }
        return {
            "requests": requests,
            "refused": self.refused,
            "worst_window": worst_window(self.arrivals),
            "calls": sum(self.carried_out.values()),
            "twice": sum(count > 1 for count in self.carried_out.values()),
            "missing": sorted(set(range(1, max(numbers, default=0) + 1)) - numbers),
            "faulty": dict(self.faulty),
            "starts": [round(time - first, 4) for time in self.arrivals],
            "us_a_request": round(1e6 * used / max(1, requests)),
        }


def worst_window(arrivals: list[float], seconds: float = 1.0) -> int:
    """Return the largest number of arrivals in any window of time."""
    worst, first = 0, 0
    for last, arrival in enumerate(arrivals):
        while arrival - arrivals[first] >= seconds:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


class Server:
    """The rules of the server: the limit of each token, latency, and faults.

    :param limit: requests with one token in any second, 0 for no limit
    :param latency: seconds between a request and its response
    :param faults: the share of requests that fail
    """

    def __init__(self, limit: int, latency: float, faults: float, seed: int) -> None:
        self.limit = limit
        self.latency = latency
        self.faults = faults
        self.counts = Counts()
        self._random = random.Random(seed)
        self._kinds = cycle(["drop before", "drop after", "page after", "error before"])
        self._windows: dict[bytes, deque[float]] = {}

    def allows(self, token: bytes, now: float) -> bool:
        """Return whether a request is within the limit of its token, and count it."""
        if not self.limit:
            return True
        window = self._windows.setdefault(token, deque())
        while window and now - window[0] >= 1:
            window.popleft()
        if len(window) >= self.limit:
            return False
        window.append(now)
        return True

    def respond(self, head: bytes, body: bytes, now: float) -> bytes | None:
        """Carry out a request.

        :return: the response, or ``None`` to close the connection instead
        """
        target = head.split(b" ", 2)[1]
        method = target.partition(b"?")[0].rpartition(b"/")[2]
        parsed = parse(method, body)
        calls, value = parsed or ([], b"")
        is_counted = not calls or calls[0][1] != 0
        if is_counted:
            self.counts.arrivals.append(now)
        token = TOKEN.search(head) or TOKEN.search(body)
        if not self.allows(token[1] if token else b"", now):
            self.counts.refused += is_counted
            return _json(TOO_MANY)
        if parsed is None:
            return _json(UNREADABLE if method == b"execute" else UNKNOWN)
        if len(calls) > members.MAX_CALLS:
            return _json(TOO_LONG)
        fault = self._fault() if is_counted else ""
        if not fault.endswith("before"):
            self.counts.carried_out.update(calls if is_counted else ())
        if fault:
            return _faulty(fault)
        return _json(b'{"response":%s}' % value)

    def _fault(self) -> str:
        if not self.faults or self._random.random() >= self.faults:
            return ""
        fault = next(self._kinds)
        self.counts.faulty[fault] += 1
        return fault


def _json(content: bytes) -> bytes:
    return RESPONSE % (b"200 OK", b"application/json", len(content), content)


def _faulty(fault: str) -> bytes | None:
    if fault.startswith("drop"):
        return None
    if fault.startswith("error"):
        return _json(INTERNAL)
    return RESPONSE % (b"502 Bad Gateway", b"text/html", len(PAGE), PAGE)


class Connection(asyncio.Protocol):
    """One connection, with well-formed requests that have a length, one at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Respond to a request once it is complete."""
        now = self._loop.time()
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = LENGTH.search(head)
        if len(rest) < (int(length[1]) if length else 0):
            return
        self._received = b""
        response = self._server.respond(head, rest, now)
        if self._server.latency:
            self._loop.call_later(self._server.latency, self._send, response)
        else:
            self._send(response)

    def _send(self, response: bytes | None) -> None:
        if response is None:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write(response)


async def serve(server: Server) -> None:
    """Serve on a free port of the loopback interface until standard input ends."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: Connection(server), "127.0.0.1", 0, backlog=1024
    )
    host, port = listening.sockets[0].getsockname()
    print(f"http://{host}:{port}/method", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(server.counts.report()), flush=True)


class Witness:
    """A server in a separate process, and its counts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.report: dict[str, Any] = {}

    def __str__(self) -> str:
        report = self.report
        return (
            f"the server: {report['requests']} requests, {report['refused']} refused,"
            f" {report['calls']} calls carried out, {report['twice']} of them twice or"
            f" more, {len(report['missing'])} missing; fullest second"
            f" {report['worst_window']}; {report['us_a_request']} us a request"
        )


@contextmanager
def serving(
    limit: int, latency: float, faults: float = 0, seed: int = 1
) -> Generator[Witness]:
    """Run a server in a separate process; its report is available afterwards."""
    command = [sys.executable, __file__, "--limit", str(limit), "--seed", str(seed)]
    command += ["--latency", str(latency), "--faults", str(faults)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        witness = Witness(process.stdout.readline().strip())
        try:
            yield witness
        finally:
            output, _ = process.communicate(timeout=20)
        witness.report = json.loads(output)


def main() -> None:
    """Run a server."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--latency", type=float, default=0.1)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    server = Server(options.limit, options.latency, options.faults, options.seed)
    asyncio.run(serve(server))


if __name__ == "__main__":
    main()
