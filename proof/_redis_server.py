"""A Redis server on a loopback port, for one run."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, final

from ._ports import free_port
from ._programs import Program, program

if TYPE_CHECKING:
    from collections.abc import Generator

PACKAGES = "apt-get install redis-server, pip install 'vkanyio[redis]'"


def what_is_missing() -> list[str]:
    """Return what is not installed of that which a shared limit needs."""
    missing = [] if program("redis-server") else ["redis-server"]
    return missing if find_spec("coredis") else [*missing, "coredis"]


@final
class RedisServer:
    """A Redis server without a file: it is empty whenever it starts.

    :ivar url: its URL
    """

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(directory)]
        self.program = Program([*command, *options], self.port, directory / "log")

    def command(self, *words: str | float) -> Any:
        """Run a command, and return its answer."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            return Wire(connection).command(*words)


@final
class Wire:
    """A connection to Redis that waits without an event loop, also in virtual time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def command(self, *words: str | float) -> Any:
        """Run a command, and return its answer.

        :raises ValueError: for an error of Redis, whose text it has
        """
        encoded = [str(word).encode() for word in words]
        parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self._connection.sendall(b"*%d\r\n" % len(parts) + b"".join(parts))
        return self._read()

    def close(self) -> None:
        """Close it."""
        self._lines.close()
        self._connection.close()

    def _read(self) -> Any:
        kind, rest = (line := self._lines.readline())[:1], line[1:-2]
        if kind == b"-":
            raise ValueError(rest.decode())
        if kind == b"+":
            return rest
        length = int(rest)
        if kind == b":":
            return length
        if length < 0:
            return None
        if kind == b"$":
            return self._lines.read(length + 2)[:-2]
        return [self._read() for _ in range(length)]


@contextmanager
def redis_server(*options: str) -> Generator[RedisServer]:
    """Run a Redis server, and end it."""
    with TemporaryDirectory(prefix="vkanyio-redis-") as directory:
        server = RedisServer(Path(directory), *options)
        server.program.start()
        try:
            yield server
        finally:
            server.program.kill()
