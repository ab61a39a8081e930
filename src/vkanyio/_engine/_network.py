"""The network below one connection: it owns the socket, and knows what has left.

It gathers writes, so that a request leaves in one piece, and reports the moment at
which the first byte of a request leaves. It knows nothing about HTTP: who sends a
request says when its bytes begin.
"""

from __future__ import annotations

import select
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

import anyio
from anyio.abc import SocketAttribute
from anyio.lowlevel import checkpoint_if_cancelled
from anyio.streams.tls import TLSAttribute, TLSStream
from httpcore import (
    AsyncNetworkBackend,
    AsyncNetworkStream,
    ConnectError,
    ReadError,
    WriteError,
)

from .._masking import SecretBytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anyio.abc import ByteStream, SocketStream

    from ._delivery import Delivery

MAX_GATHERED = 64 * 1024
"""Bytes that are gathered before they are written."""
_FAILURES = (
    OSError,  # of the name service, connecting, and TLS
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,  # also of a handshake, and of sending by TLS
)
"""What anyio's streams raise on either event loop if a connection fails."""


@final
class Network(AsyncNetworkBackend):
    """Makes the stream of one connection, and closes it by force.

    There are no timeouts here, whatever httpcore passes: each attempt has a deadline as
    a whole.

    :ivar delivery: the request in flight, which learns when its first byte leaves
    :ivar carries_request: whether what is written now belongs to the request, and not
        to the handshake with a proxy
    """

    def __init__(self) -> None:
        self.delivery: Delivery | None = None
        self.carries_request: bool = False
        self._stream: NetworkStream | None = None
        self._is_closed = False

    @property
    def is_readable(self) -> bool:
        """Whether the server has sent something, or closed the connection."""
        stream = self._stream
        return stream is None or stream.is_readable()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's interface
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> AsyncNetworkStream:
        """Connect to a host: the server, or a proxy."""
        if self.delivery is not None:
            self.delivery.connecting()
        try:
            socket = await anyio.connect_tcp(host, port)
        except _FAILURES as error:
            raise ConnectError(str(error)) from error
        if self._is_closed:  # while it connected
            await anyio.aclose_forcefully(socket)
            raise ConnectError("the connection was closed")
        self._stream = NetworkStream(socket, self)
        if self.delivery is not None:
            self.delivery.reached = True
        return self._stream

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await anyio.sleep(seconds)

    async def close(self) -> None:
        """Close the socket by force, whatever state the connection is in."""
        self._is_closed = True
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

    def __init__(self, socket: SocketStream, network: Network) -> None:
        self._socket = socket
        self._raw_socket = socket.extra(SocketAttribute.raw_socket)
        self._stream: ByteStream = socket  # with TLS on top, where there is TLS
        self._network = network
        self._gathered = bytearray()

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's interface
    ) -> bytes:
        """Send what has been gathered, then read; at the end, return nothing."""
        if self._gathered:
            # A server may close early and have sent a response before that, as httpcore
            # allows for.
            with suppress(WriteError):
                await self._flush()
        try:
            return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except _FAILURES as error:
            raise ReadError(str(error)) from error

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's interface
    ) -> None:
        """Gather bytes, and send them if there are many."""
        self._gathered += buffer
        del buffer  # no traceback with local variables shows what is written
        if len(self._gathered) > MAX_GATHERED:
            await self._flush()

    async def _flush(self) -> None:
        data = SecretBytes(self._gathered)
        self._gathered.clear()
        # A cancellation that comes before the first byte must not count as sent.
        # Between here and the system call nothing else can be cancelled.
        await checkpoint_if_cancelled()
        self._network.note_write()
        try:
            await self._stream.send(data)
        except _FAILURES as error:
            raise WriteError(str(error)) from error

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's interface
    ) -> AsyncNetworkStream:
        """Continue with TLS on the same socket."""
        try:
            self._stream = await TLSStream.wrap(
                self._stream,
                ssl_context=ssl_context,
                hostname=server_hostname,
                server_side=False,
                standard_compatible=False,  # HTTP tells where a response ends
            )
        except _FAILURES as error:
            raise ConnectError(str(error)) from error
        return self

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def close_socket(self) -> None:
        """Close the socket, without a farewell of TLS."""
        await self._socket.aclose()

    def is_readable(self) -> bool:
        """Return whether there is something to read, the end included.

        Call it for an idle connection only: it may take what it finds.
        """
        if self._holds_received() or self._holds_decrypted():
            return True
        descriptor = self._raw_socket.fileno()
        if descriptor < 0:
            return True
        if hasattr(select, "poll"):  # for any number of descriptors
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([descriptor], [], [], 0)[0])

    def _holds_received(self) -> bool:
        """Return whether anyio holds bytes that were received with others.

        asyncio receives up to 256 KiB at once, and anyio keeps what is more than a read
        asks for. There is no public access to it; if anyio renames its private
        attributes, a test fails.
        """
        protocol = getattr(self._socket, "_protocol", None)  # only on asyncio
        return bool(getattr(protocol, "read_queue", None))

    def _holds_decrypted(self) -> bool:
        """Return whether TLS holds bytes that came with the last ones that were read.

        A read takes one record, and the socket may have given several at once.
        """
        stream: object = self._stream
        while isinstance(stream, TLSStream):
            try:
                stream.extra(TLSAttribute.ssl_object).read(1)
            except ssl.SSLWantReadError:
                stream = stream.transport_stream
            except ssl.SSLError:  # its end, or nothing that TLS allows
                return True
            else:
                return True
        return False

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks about the stream."""
        if info == "ssl_object":
            return self._stream.extra(TLSAttribute.ssl_object, None)
        return self.is_readable() if info == "is_readable" else None
