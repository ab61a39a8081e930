"""Read and decompress a response body up to a size limit.

It reports a body that is too large by its length, and leaves the error to its caller.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from anyio import CancelScope

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

_GZIP = (zlib.MAX_WBITS + 16,)
_ZLIB_OR_RAW = (zlib.MAX_WBITS, -zlib.MAX_WBITS)  # some servers omit the header
_FORMATS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB_OR_RAW}


async def read_limited(chunks: AsyncIterable[bytes], max_bytes: int) -> bytes:
    """Read a body, but stop once it is too large.

    :return: the body; if it has one byte more than ``max_bytes``, it was cut
    """
    body = bytearray()  # a list of one-byte chunks would take forty times the memory
    with CancelScope() as scope:
        async for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                # Leaving the loop would leave httpx's generators unfinished, and trio
                # warns about those. Cancelling ends them and closes the connection.
                scope.cancel()
    del body[max_bytes + 1 :]
    return bytes(body)


def decompress_limited(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Decompress a body, up to one byte more than is allowed.

    httpx's decoders have no limit: 60 KB of gzip become 64 MB in one step.

    :param encoding: the header ``Content-Encoding``
    :return: the body unchanged if it is not compressed, or cannot be decompressed
    """
    if len(body) <= max_bytes:
        for bits in _FORMATS.get(encoding.strip().lower(), ()):
            with suppress(zlib.error):
                return zlib.decompressobj(bits).decompress(body, max_bytes + 1)
    return body
