"""Ports for servers that this process starts, which others leave alone.

Several processes start servers at the same time: the two event loops of a check, and
the tests that run beside each other. A port that is free now may be another's by the
time that a server listens on it, and clients would talk to the wrong one.
"""

from __future__ import annotations

import atexit
import random
import socket
from contextlib import suppress
from itertools import cycle

HOST = "127.0.0.1"
PORTS = range(20_000, 30_000)
"""Below the ports that systems use for outgoing connections.

An outgoing connection to a port without a listener could otherwise connect to itself.
"""
BLOCK = 50


def _reserve_block() -> tuple[socket.socket, range]:
    """Reserve ports for this process: UDP's first one of them, for as long as it runs.

    The servers use TCP, which has ports of its own.
    """
    starts = [*PORTS[::BLOCK]]
    random.shuffle(starts)
    for start in starts:
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((HOST, start))
        except OSError:
            mark.close()
        else:
            return mark, range(start, start + BLOCK)
    raise OSError(f"no free ports from {PORTS[0]} to {PORTS[-1]}")


_mark, _block = _reserve_block()
atexit.register(_mark.close)
_ports = cycle(_block)


def free_port() -> int:
    """Return a port that nothing listens on."""
    for _ in _block:
        port = next(_ports)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, port))
                return port
    raise OSError(f"something listens on each port from {_block[0]} to {_block[-1]}")
