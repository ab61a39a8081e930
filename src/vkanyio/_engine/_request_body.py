"""The body of a request, which may come in chunks from code of the caller.

It keeps what that code raises apart from the failures of an HTTP client: an ``OSError``
of a file that is read is not one of the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator


@final
class BodyError(Exception):
    """Raised inside an HTTP client for what went wrong with the chunks of a body.

    No HTTP client knows it, so that none takes it for an error of its own.
    """


@final
class ChunkedBody:
    """The chunks of a body, and what went wrong with them.

    :param chunks: an asynchronous iterable of bytes
    :param length: the number of bytes in all of them
    :ivar error: what they raised, or what is wrong with them; None so far
    """

    def __init__(self, chunks: AsyncIterable[bytes], length: int) -> None:
        self.error: Exception | None = None
        self._chunks = chunks
        self._length = length
        self._size = 0
        self._iterator: AsyncIterator[bytes] | None = None

    def __aiter__(self) -> Self:
        """Start again, since a user's HTTP client may send a request again."""
        self._size = 0
        self._iterator = aiter(self._chunks)
        return self

    async def __anext__(self) -> bytes:
        assert self._iterator is not None  # by __aiter__
        try:
            chunk = await anext(self._iterator)
            self._check(chunk)
            if self._size == self._length:
                # What follows the last chunk must be known before that one leaves.
                async for more in self._iterator:
                    self._check(more)
        except StopAsyncIteration:
            if self._size == self._length:
                raise
            error: Exception = _wrong_length(self._length, f"only {self._size}")
        except Exception as raised:
            error = raised
        else:
            return chunk
        self.error = error
        raise BodyError from error

    def _check(self, chunk: bytes) -> None:
        if not isinstance(chunk, bytes | bytearray):
            message = f"body must have chunks of bytes, got {type(chunk).__name__}"
            raise TypeError(message)
        self._size += len(chunk)
        if self._size > self._length:
            raise _wrong_length(self._length, f"{self._size} or more")


def check_body(body: bytes | AsyncIterable[bytes], length: int) -> bytes | ChunkedBody:
    """Return a body whose length is checked, at the latest while it is sent.

    :param length: the number of bytes that it must have
    :raises TypeError: if it is not a body
    :raises ValueError: if it has another length
    """
    if isinstance(body, bytes):
        if len(body) != length:
            raise _wrong_length(length, str(len(body)))
        return body
    if not hasattr(body, "__aiter__"):
        kind = type(body).__name__
        message = f"body must be bytes, or an async iterable of bytes, got {kind}"
        raise TypeError(message)
    return ChunkedBody(body, length)


def _wrong_length(length: int, actual: str) -> ValueError:
    message = (
        f"length must be the number of bytes in body, which is {actual}, got {length}"
    )
    return ValueError(message)
