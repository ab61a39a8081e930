"""The body of an HTTP answer, and never much more of it than is allowed."""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from anyio import CancelScope

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

_GZIP = (zlib.MAX_WBITS + 16,)
_ZLIB_OR_RAW = (zlib.MAX_WBITS, -zlib.MAX_WBITS)  # some servers leave the header out
_FORMATS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB_OR_RAW}


async def read_body(parts: AsyncIterable[bytes], most: int) -> bytes:
    """Read a body, but stop where it has become too large.

    :param parts: the body as it comes, from httpx
    :return: the body; if it has a byte more than ``most``, it was cut
    """
    body = bytearray()  # a list of pieces of a byte each is forty times as large
    with CancelScope() as scope:
        async for part in parts:
            body += part
            if len(body) > most:
                # Leaving the loop would leave httpx's generators unfinished, of which
                # trio warns. This ends them, and they close the connection.
                scope.cancel()
    del body[most + 1 :]
    return bytes(body)


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """Unpack a body, up to a byte more than is allowed.

    httpx's own decoders know no bound: 60 KB of gzip make 64 MB in one step.

    :param encoding: the header ``Content-Encoding``
    :return: the body as it came, where it is not packed, or cannot be unpacked
    """
    if len(body) <= most:
        for bits in _FORMATS.get(encoding.strip().lower(), ()):
            with suppress(zlib.error):
                return zlib.decompressobj(bits).decompress(body, most + 1)
    return body
