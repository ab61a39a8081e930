"""A connection to Redis, by coredis: the only module that imports it.

It owns the connection for as long as Redis answers. It retries nothing.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, final

from anyio import (
    BrokenResourceError,
    CancelScope,
    ClosedResourceError,
    EndOfStream,
    current_time,
)
from coredis import Redis
from coredis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    RedisError,
    WrongTypeError,
)
from coredis.retry import NoRetryPolicy

from . import _script
from ._share import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from ._script import ScriptAnswer

_is_of_limiter: ContextVar[bool] = ContextVar("is_of_limiter", default=False)


def _is_of_program(_: logging.LogRecord) -> bool:
    return not _is_of_limiter.get()


# It logs each connection that could not be made as an error with a traceback, several
# times a second. The limiter logs what matters. What coredis logs of other connections
# of the program is not touched.
logging.getLogger("coredis").addFilter(_is_of_program)

_NOT_REACHED = (
    RedisError,
    OSError,
    EndOfStream,
    BrokenResourceError,
    ClosedResourceError,
)


class LinkError(Exception):
    """Redis has not answered, or has refused to.

    :ivar is_foreign: whether the keys belong to something else
    :ivar is_final: whether waiting does not help: that, or a wrong password
    """

    def __init__(
        self, reason: str, *, is_foreign: bool = False, is_denied: bool = False
    ) -> None:
        super().__init__(reason)
        self.is_foreign: bool = is_foreign
        self.is_final: bool = is_foreign or is_denied


def make_client(url: str) -> Redis[bytes]:
    """Make a client, which does not connect yet.

    :raises ValueError: if coredis does not understand the URL
    """
    return Redis.from_url(
        url,
        decode_components=True,
        max_connections=1,
        connect_timeout=PATIENCE,
        retry_policy=NoRetryPolicy(),
    )


@final
class Link:
    """A connection on which the script can be run."""

    def __init__(self, client: Redis[bytes]) -> None:
        self._client = client
        # Its types are those of any command: values of unknown types.
        self._run: Any = client.register_script(_script.read_script())

    async def ask(self, keys: Sequence[str], arguments: Sequence[Any]) -> ScriptAnswer:
        """Run the script.

        :raises LinkError: if Redis does not answer in time, or with an error
        """
        with CancelScope(deadline=current_time() + PATIENCE) as scope:
            try:
                return _script.read_answer(await self._run(keys, arguments))
            except (*_NOT_REACHED, ValueError) as error:
                # On trio, coredis raises an error if it is cancelled while it connects.
                if not scope.cancel_called:
                    raise link_error(error) from None
        raise LinkError(f"no answer within {PATIENCE} s")

    async def leave(self, processes: str, process: str) -> None:
        """Remove a process from those that share a limit, if that can be done."""
        with suppress(*_NOT_REACHED):
            await self._client.zrem(processes, [process])


@asynccontextmanager
async def connect(url: str) -> AsyncGenerator[Link]:
    """Provide a connection to Redis, which is opened when it is first used."""
    _is_of_limiter.set(True)  # in the limiter's own task, and those that it starts
    async with make_client(url) as client:
        yield Link(client)


def link_error(error: Exception) -> LinkError:
    """Return an error that describes what is wrong with Redis."""
    text, cause = str(error), error.__cause__
    if text.startswith(_script.OTHER_FORMAT):
        text = (
            f"{text.removeprefix(_script.OTHER_FORMAT).strip()}, which belongs to"
            " another version of vkanyio: use the same version in all processes, or"
            " another name"
        )
        return LinkError(text, is_foreign=True)
    if isinstance(error, WrongTypeError):
        return LinkError(
            f"its keys are in use for something else: {text}", is_foreign=True
        )
    if isinstance(cause, OSError):
        text = f"{text}: {cause}"
    if isinstance(error, AuthenticationError | AuthorizationError):
        text = f"check the user and the password in the URL: {text}"
        return LinkError(text, is_denied=True)
    return LinkError(text or type(error).__name__)
