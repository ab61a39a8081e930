"""Errors for the usual slips with asynchronous objects, which say what to write.

Python itself says that an object "does not support the context manager protocol" or
"is not iterable". Type checkers report these slips, so they do not see these methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ._errors import ClientUseError


class EnteredByAsyncWith:
    """Entered by ``async with``; ``with`` raises an error that says so."""

    if not TYPE_CHECKING:

        def __enter__(self) -> NoReturn:
            name = type(self).__name__
            message = f"{name} is entered by `async with`, not by `with`"
            raise ClientUseError(message)

        def __exit__(self, *_: object) -> None:
            raise AssertionError("it was never entered")


class ReadByAsyncFor:
    """Read by ``async for``; ``for`` and ``await`` raise an error that says so.

    :cvar _instead: another way to read it
    """

    _instead = ""

    if not TYPE_CHECKING:

        def __iter__(self) -> NoReturn:
            raise self._misused("for")

        def __await__(self) -> NoReturn:
            raise self._misused("await")

        def _misused(self, by: str) -> ClientUseError:
            name = type(self).__name__
            message = f"{name} is read by `async for`{self._instead}, not by `{by}`"
            return ClientUseError(message)
