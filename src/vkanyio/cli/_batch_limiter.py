"""The options of ``vkanyio batch`` for a limit that several processes share."""

from __future__ import annotations

import functools
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, final

import attrs
import click

from ._common import WRONG_USAGE, CommandError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from .. import Config

LIMITER_VARIABLE = "VKANYIO_LIMITER"


@final
@attrs.frozen(kw_only=True)
class SharedLimitOptions:
    """What was given for a shared limit.

    :ivar url: the URL of Redis, None if the limit is not shared
    :ivar name: the name of the limit, None for one that is derived from the token
    :ivar processes: how many processes share it
    """

    url: str | None = attrs.field(repr=False)
    name: str | None
    processes: int | None

    def check(self) -> None:
        """Refuse options that cannot be used, before the user is asked for a token.

        :raises CommandError: if an option is wrong
        """
        if self.url is None:
            for option, value in (
                ("--processes", self.processes),
                ("--limiter-name", self.name),
            ):
                if value is not None:
                    message = f"{option} needs --limiter, the URL of a Redis server"
                    raise CommandError(message, WRONG_USAGE)
            return
        self._make(self.name or "any", 1, "sequential")

    @asynccontextmanager
    async def limited(self, config: Config) -> AsyncGenerator[Config]:
        """Yield a configuration with the limiter, if there is one, while it is open."""
        if self.url is None:
            yield config
            return
        # Not the token: logs and reprs show names.
        assert isinstance(config.token, str)
        hashed = blake2b(config.token.encode(), digest_size=16).hexdigest()
        name = self.name or f"token {hashed}"
        limiter = self._make(name, config.limit, config.request_mode)
        async with limiter:
            yield attrs.evolve(config, limiter=limiter)

    def _make(self, name: str, limit: int, request_mode: Any) -> Any:
        try:
            from ..redis import RedisLimiter  # it takes half a second
        except ImportError as error:
            raise CommandError(f"--limiter: {error}", WRONG_USAGE) from None
        assert self.url is not None
        try:
            return RedisLimiter(
                self.url,
                name=name,
                limit=limit,
                request_mode=request_mode,
                processes=self.processes,
            )
        except (TypeError, ValueError) as error:
            raise CommandError(f"--limiter: {error}", WRONG_USAGE) from None


def shared_limit_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options of a shared limit to a command, which gets them as ``shared``."""

    @functools.wraps(function)
    def command(**arguments: Any) -> int:
        shared = SharedLimitOptions(
            url=arguments.pop("limiter"),
            name=arguments.pop("limiter_name"),
            processes=arguments.pop("processes"),
        )
        return function(shared=shared, **arguments)

    for option in (
        click.option(
            "--processes",
            type=int,
            metavar="N",
            help="With --limiter: maximum number of processes that share the limit.",
        ),
        click.option(
            "--limiter-name",
            metavar="NAME",
            help="With --limiter: the name of the limit."
            "  [default: derived from the token]",
        ),
        click.option(
            "--limiter",
            metavar="URL",
            envvar=LIMITER_VARIABLE,
            help="Share the limit with other processes through this Redis server,"
            f" such as redis://localhost.  [env: {LIMITER_VARIABLE}]",
        ),
    ):
        command = option(command)
    return command
