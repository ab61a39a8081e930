"""The network below one connection: it owns the socket, and knows what has left.

It gathers writes, so that a request leaves in one piece, and reports the moment at
which the first byte of a request leaves. It knows nothing about HTTP: who sends a
request says when its bytes begin.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from httpcore import (
    AnyIOBackend,
    AsyncNetworkBackend,
    AsyncNetworkStream,
    WriteError,
)

from .._masking import SecretBytes

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from ._delivery import Delivery

MAX_GATHERED = 64 * 1024
"""Bytes that are gathered before they are written."""


@final
class Network(AsyncNetworkBackend):
    """Makes the stream of one connection, and closes it by force.

    :ivar delivery: the request that is in flight, told about its first byte
    :ivar carries_request: whether what is written now belongs to the request, and not
        to the handshake with a proxy
    """

    def __init__(self) -> None:
        self.delivery: Delivery | None = None
        self.carries_request: bool = False
        self._backend = AnyIOBackend()
        self._stream: NetworkStream | None = None

    @property
    def is_readable(self) -> bool:
        """Whether the server has sent something, or closed the connection."""
        stream = self._stream
        return stream is None or bool(stream.get_extra_info("is_readable"))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - a parameter of httpcore
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to a host: the server, or a proxy."""
        if self.delivery is not None:
            self.delivery.connecting()
        stream = await self._backend.connect_tcp(
            host, port, timeout, local_address, socket_options
        )
        self._stream = NetworkStream(stream, self)
        if self.delivery is not None:
            self.delivery.reached = True
        return self._stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - a parameter of httpcore
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Refuse: nothing here uses Unix sockets."""
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await anyio.sleep(seconds)

    async def close(self) -> None:
        """Close the socket by force, whatever state the connection is in."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with anyio.CancelScope(shield=True):  # it does not wait
                await stream.close_socket()

    def note_write(self) -> None:
        """Note that gathered bytes are about to leave."""
        if self.carries_request and self.delivery is not None:
            self.delivery.sending()


@final
class NetworkStream(AsyncNetworkStream):
    """A stream whose writes are gathered until the next read."""

    def __init__(self, stream: AsyncNetworkStream, network: Network) -> None:
        self._socket = stream
        self._stream = stream  # with TLS on top, where there is TLS
        self._network = network
        self._gathered = bytearray()

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - a parameter of httpcore
    ) -> bytes:
        """Send what has been gathered, then read."""
        if self._gathered:
            # A server may close early and have sent a response before that, as httpcore
            # allows for.
            with suppress(WriteError):
                await self._flush()
        return await self._stream.read(max_bytes, timeout)

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - a parameter of httpcore
    ) -> None:
        """Gather bytes, and send them if there are many."""
        self._gathered += buffer
        del buffer  # no traceback with local variables shows what is written
        if len(self._gathered) > MAX_GATHERED:
            await self._flush(timeout)

    async def _flush(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - a parameter of httpcore
    ) -> None:
        data = SecretBytes(self._gathered)
        self._gathered.clear()
        # A cancellation that comes before the first byte must not count as sent.
        # Between here and the system call nothing else can be cancelled.
        await checkpoint_if_cancelled()
        self._network.note_write()
        await self._stream.write(data, timeout)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - a parameter of httpcore
    ) -> AsyncNetworkStream:
        """Continue with TLS on the same socket."""
        self._stream = await self._stream.start_tls(
            ssl_context, server_hostname, timeout
        )
        return self

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def close_socket(self) -> None:
        """Close the socket, without a farewell of TLS."""
        await self._socket.aclose()

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks about the stream."""
        return self._stream.get_extra_info(info)
