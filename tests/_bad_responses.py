"""Responses that are broken, hostile or do not come from VK."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import anyio

from _sockets import read_request
from vkanyio import (
    APIError,
    ConnectionFailedError,
    InvalidResponseError,
    RequestTimeoutError,
)

if TYPE_CHECKING:
    from anyio.streams.buffered import BufferedByteStream

    from _sockets import Handle

MIB = 2**20
ENOUGH = MIB
"""The `max_answer` of the clients here, which nothing below reaches by accident."""

DRIBBLE = 0.02
"""Seconds between two bytes of a response that dribbles."""

RESPONSE = b'{"response":1}'


def http_response(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    """Return a response with the right length."""
    head = "".join(
        f"{line}\r\n"
        for line in (f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines)
    )
    return head.encode() + b"\r\n" + body


def of_length(length: str, body: bytes = RESPONSE) -> bytes:
    """Return a response that declares any length."""
    return f"HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n".encode() + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a response in chunks."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks) + end


def then(*parts: bytes, again: bytes = b"", pause: float = 0) -> Handle:
    """Make a server that sends the parts, and then one of them endlessly."""

    async def handle(stream: BufferedByteStream) -> None:
        await read_request(stream)
        for part in parts:
            await stream.send(part)
        while again:
            await stream.send(again)
            await anyio.sleep(pause)

    return handle


def cut(*parts: bytes, again: bytes = b"") -> Handle:
    """Make a server that sends the parts and closes the connection."""

    async def handle(stream: BufferedByteStream) -> None:
        await then(*parts, again=again)(stream)
        raise anyio.EndOfStream

    return handle


def hold(*parts: bytes) -> Handle:
    """Make a server that sends the parts and keeps the connection open."""

    async def handle(stream: BufferedByteStream) -> None:
        await then(*parts)(stream)
        await anyio.sleep_forever()

    return handle


def bomb(gigabytes: int, bits: int) -> bytes:
    """Compress gigabytes of zeros: one compressed block, repeated many times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    head = packer.compress(b'{"response":"') + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * (gigabytes * 1024)


def packed(encoding: str, body: bytes) -> bytes:
    """Return a response with a content encoding."""
    return http_response(body, f"content-encoding: {encoding}")


def deflated(body: bytes) -> bytes:
    """Compress a body without the zlib header, as some servers do."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def nested(depth: int) -> bytes:
    return b'{"response":' + b"[" * depth + b"]" * depth + b"}"


ZIPPED = gzip.compress(RESPONSE)

# Not HTTP, or truncated: no status says what happened to the request.
NOT_HTTP: dict[str, Handle] = {
    "nothing": cut(),
    "zeros": cut(bytes(1000)),
    "zeros without end": cut(again=bytes(65536)),
    "a line without end": cut(b"HTTP/1.1 200 ", again=b"O" * 65536),
    "HTTP/0.9": cut(b"<html><h1>It works</h1></html>\r\n\r\n"),
    "JSON alone": cut(RESPONSE + b"\r\n\r\n"),
    "another protocol": cut(b"220 mail.example.com ESMTP\r\n\r\n"),
    "TLS": cut(b"\x15\x03\x01\x00\x02\x02\x28\r\n\r\n"),
    "status without a number": cut(b"HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n"),
    "status of 0": cut(b"HTTP/1.1 000 OK\r\ncontent-length: 0\r\n\r\n"),
    "status of 99999": cut(b"HTTP/1.1 99999 OK\r\ncontent-length: 0\r\n\r\n"),
    "HTTP/9.9": cut(b"HTTP/9.9.9 200 OK\r\n\r\n"),
    "length of text": cut(of_length("fourteen")),
    "negative length": cut(of_length("-14")),
    "length of 10,000 digits": cut(of_length("9" * 10_000)),
    "two lengths": cut(of_length("14\r\ncontent-length: 15")),
    "length too long": cut(of_length("15")),
    "half a header": cut(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "header of a megabyte": cut(b"HTTP/1.1 200 OK\r\nx: ", b"x" * MIB, b"\r\n\r\n"),
    "headers of a megabyte": cut(b"HTTP/1.1 200 OK\r\n", b"x: 1\r\n" * (MIB // 6)),
    "headers without end": cut(b"HTTP/1.1 200 OK\r\n", again=b"x: 1\r\n" * 10_000),
    "header without a name": cut(b"HTTP/1.1 200 OK\r\n: 1\r\n\r\n"),
    "zero in a header": cut(b"HTTP/1.1 200 OK\r\nx: \x00\r\n\r\n"),
    "chunk of no size": cut(chunked(end=b"\r\n\r\n")),
    "chunk of negative size": cut(chunked(end=b"-5\r\nhello\r\n")),
    "chunk of a size of 1,000 digits": cut(chunked(end=b"f" * 1000 + b"\r\n")),
    "chunk that breaks off": cut(chunked(RESPONSE, end=b"ff\r\n")),
    "chunks without the last": cut(chunked(RESPONSE, end=b"")),
    "trailers of a megabyte": cut(
        chunked(RESPONSE, end=b"0\r\n"), b"x: 1\r\n" * (MIB // 6)
    ),
    "101": cut(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n" + RESPONSE),
    "unknown transfer encoding": cut(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n" + ZIPPED
    ),
}

# Too slow: the timeout ends the request.
TOO_SLOW: dict[str, Handle] = {
    "silence": hold(),
    "half a line": hold(b"HTTP/1.1 20"),
    "half a body": hold(of_length("15")),
    "body of exabytes": hold(of_length("9" * 18)),
    "chunk of exabytes": hold(chunked(end=b"f" * 15 + b"\r\nhello")),
    "1xx without end": then(again=b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "dribbling 1xx": then(again=b"HTTP/1.1 103 Early\r\n\r\n", pause=DRIBBLE),
    "dribbling headers": then(b"HTTP/1.1 200 OK\r\n", again=b"x: 1\r\n", pause=DRIBBLE),
    "dribbling body": then(of_length("999", b""), again=b" ", pause=DRIBBLE),
    "dribbling chunks": then(chunked(end=b""), again=b"1\r\n \r\n", pause=DRIBBLE),
    "chunks of a byte": then(chunked(end=b""), again=b"1\r\nx\r\n" * 1000),
    "dribbling gzip": then(
        of_length("999\r\ncontent-encoding: gzip", ZIPPED[:10]),
        again=b"\x00",
        pause=DRIBBLE,
    ),
}

# Larger than `max_answer`.
TOO_LARGE: dict[str, Handle] = {
    "body without end": then(b"HTTP/1.1 200 OK\r\n\r\n", again=b" " * 65536),
    "body with a length": then(of_length("9" * 12), again=b" " * 65536),
    "chunks without end": then(
        chunked(end=b""), again=b"8000\r\n%b\r\n" % bytes(32768)
    ),
    "a byte too much": then(
        http_response(RESPONSE + b" " * (ENOUGH + 1 - len(RESPONSE)))
    ),
    "gzip bomb": then(packed("gzip", bomb(1, 31))),
    "deflate bomb": then(packed("deflate", bomb(1, 15))),
    "raw deflate bomb": then(packed("deflate", bomb(1, -15))),
    "gzip bomb in chunks": then(
        chunked(bomb(1, 31)).replace(b"chunked", b"chunked\r\ncontent-encoding: gzip")
    ),
    "gzip of packed bytes without end": then(
        of_length("9" * 12 + "\r\ncontent-encoding: gzip", ZIPPED), again=bytes(65536)
    ),
}

# HTTP, but not a response from VK.
FOREIGN: dict[str, Handle] = {
    "length too short": then(of_length("13")),
    "empty": then(http_response(b"")),
    "204": then(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a page": then(http_response(b"<html>hello</html>")),
    "500": then(http_response(b"<html>oh</html>", status="500 Oh")),
    "999": then(http_response(b"", status="999 Request denied")),
    "broken gzip": then(packed("gzip", ZIPPED[:12] + b"\xff" * 20)),
    "gzip cut off": then(packed("gzip", ZIPPED[:15])),
    "gzip in gzip": then(packed("gzip, gzip", gzip.compress(ZIPPED))),
    "gzip bomb in gzip": then(packed("gzip", gzip.compress(bomb(1, 31)[:65536]))),
    "brotli that was not requested": then(packed("br", b"\x0b\x06\x80" + RESPONSE)),
    "nested 100,000 deep": then(http_response(nested(100_000))),
    "open 100,000 times": then(http_response(b"[" * 100_000)),
    "number of 10,000 digits": then(
        http_response(b'{"response":' + b"1" * 10_000 + b"}")
    ),
    "BOM of UTF-16 alone": then(http_response(b"\xff\xfe")),
    "NaN": then(http_response(b"NaN")),
    "null": then(http_response(b"null")),
    "a list": then(http_response(b'[{"response":1}]')),
    "a string": then(http_response(b'"response"')),
    "a number": then(http_response(b"1")),
    "error of a list": then(http_response(b'{"error":[{"error_code":5}]}')),
    "error of a string": then(http_response(b'{"error":"invalid_request"}')),
    "error without a code": then(http_response(b'{"error":{"error_msg":"no"}}')),
    "code of 10,000 digits": then(
        http_response(b'{"error":{"error_code":' + b"1" * 10_000 + b"}}")
    ),
    "code of NaN": then(http_response(b'{"error":{"error_code":NaN}}')),
    "both": then(http_response(b'{"response":1,"error":[]}')),
    "duplicate keys": then(http_response(b'{"response":1,"error":null,"error":[]}')),
    "zero bytes": then(http_response(bytes(1000))),
}

# Rejected by a server in front of VK, which does not know the address.
ELSEWHERE: dict[str, Handle] = {
    "redirect": then(
        http_response(b"", "location: http://127.0.0.1:9/", status="302 Found")
    ),
    "redirect to nowhere": then(http_response(b"", status="301 Moved")),
    "redirect to itself": then(
        http_response(b"", "location: /method/users.get", status="307 Here")
    ),
    "404": then(http_response(b"<html>nginx</html>", status="404 Not Found")),
    "404 without end": then(b"HTTP/1.1 404 No\r\n\r\n", again=b" " * 65536),
}

# Rejected by a server in front of VK.
REJECTED: dict[str, Handle] = {
    **ELSEWHERE,
    "413": then(http_response(b"", status="413 Too Large")),
    "403 that is a bomb": then(
        http_response(bomb(1, 31), "content-encoding: gzip", status="403 Forbidden")
    ),
}

BAD: dict[str, tuple[Handle, type[Exception]]] = {
    **{name: (handle, ConnectionFailedError) for name, handle in NOT_HTTP.items()},
    **{name: (handle, RequestTimeoutError) for name, handle in TOO_SLOW.items()},
    **{name: (handle, InvalidResponseError) for name, handle in TOO_LARGE.items()},
    **{name: (handle, InvalidResponseError) for name, handle in FOREIGN.items()},
    **{name: (handle, InvalidResponseError) for name, handle in REJECTED.items()},
    "code of 30 digits": (
        then(http_response(b'{"error":{"error_code":' + b"1" * 30 + b"}}")),
        APIError,
    ),
}

# Odd but valid: the bytes and the value.
ODD: dict[str, tuple[bytes, Any]] = {
    "gzip": (packed("gzip", ZIPPED), 1),
    "X-GZIP": (packed(" X-GZip ", ZIPPED), 1),
    "gzip without its end": (packed("gzip", ZIPPED[:-8]), 1),
    "gzip and more": (packed("gzip", ZIPPED + b"\x00more"), 1),
    "deflate": (packed("deflate", zlib.compress(RESPONSE)), 1),
    "deflate without a header": (packed("deflate", deflated(RESPONSE)), 1),
    "identity": (packed("identity", RESPONSE), 1),
    "gzip by its name alone": (packed("gzip", RESPONSE), 1),
    "an encoding of text": (packed("utf-8", RESPONSE), 1),
    "a gzip of the whole size": (
        packed("gzip", gzip.compress(RESPONSE + b" " * (ENOUGH - len(RESPONSE)))),
        1,
    ),
    "the whole size": (http_response(RESPONSE + b" " * (ENOUGH - len(RESPONSE))), 1),
    "chunks of a byte": (chunked(*(b"%c" % byte for byte in RESPONSE)), 1),
    "no keep-alive": (http_response(RESPONSE, "connection: close"), 1),
    "1xx before it": (b"HTTP/1.1 103 Early\r\n\r\n" * 100 + http_response(RESPONSE), 1),
    "a thousand headers": (http_response(RESPONSE, *["x: 1"] * 1000), 1),
    "status 500": (http_response(RESPONSE, status="500 Oh"), 1),
    "BOM": (http_response(b"\xef\xbb\xbf" + RESPONSE), 1),
    "invalid UTF-8": (http_response(b'{"response":"\xff"}'), "\ufffd"),
    "UTF-16": (http_response(RESPONSE.decode().encode("utf-16")), 1),
    "half a character": (http_response(b'{"response":"\\ud800"}'), "\ud800"),
    "keys twice": (http_response(b'{"response":2,"response":1}'), 1),
    "a float out of range": (http_response(b'{"response":1e999}'), float("inf")),
    "nested 100 deep": (
        http_response(nested(100)),
        json.loads(nested(100))["response"],
    ),
    "absurd execute_errors": (
        http_response(
            b'{"response":1,"execute_errors":{"0":[null,{"error_code":[]}]}}'
        ),
        1,
    ),
}
