"""What the commands that call VK have in common: options, the token, logging."""

from __future__ import annotations

import functools
import getpass
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, final, get_args

import attrs
import click

from .. import Config, Language, Mode, RequestMode
from ._common import (
    TOKEN_VARIABLE,
    WRONG_USAGE,
    Failure,
    backend_option,
    check_backend,
    one_line,
    secrets,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIRST_WAIT = 1.0
"""Seconds before a failed call is sent again: a person is waiting."""

BASE_URL_VARIABLE = "VKANYIO_BASE_URL"


@final
@attrs.frozen(kw_only=True)
class ClientOptions:
    """What the options of a command say of its client.

    :ivar given: the options of :class:`~vkanyio.Config` that were given
    :ivar checked: whether calls are compared with VK's schema before they are sent
    """

    backend: str
    checked: bool
    token_file: str | None
    given: Mapping[str, Any]

    def config(self, **defaults: Any) -> Config:
        """Make the configuration of a client.

        Nobody is asked for a token before all else is known to be right.

        :param defaults: options for when they are not given
        """
        check_backend(self.backend)
        options = {"wait": FIRST_WAIT, **defaults, **self.given}
        try:
            config = Config.from_options("none-yet", options)
            token = _read_token(self.token_file)
            secrets.add(token)
            return attrs.evolve(config, token=token)
        except (TypeError, ValueError) as error:
            raise Failure(str(error), WRONG_USAGE) from error


def _read_token(path: str | None) -> str:
    if path is not None:
        return _token_of_file(path)
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token and sys.stdin.isatty():
        try:
            token = getpass.getpass("VK access token (not shown): ").strip()
        except EOFError:
            click.echo(err=True)
    if not token:
        message = (
            f"no access token: set the environment variable {TOKEN_VARIABLE}, or give"
            " a file by --token-file"
        )
        raise Failure(message, WRONG_USAGE)
    return token


def _token_of_file(path: str) -> str:
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"--token-file: cannot read {path!r}: {error.strerror}"
        raise Failure(message, WRONG_USAGE) from None
    except UnicodeDecodeError:
        message = f"--token-file: {path!r} is not text"
        raise Failure(message, WRONG_USAGE) from None
    if len(token.split()) != 1:
        message = f"--token-file: {path!r} has to hold one token, and nothing else"
        raise Failure(message, WRONG_USAGE)
    return token


_OF_THE_CLIENT = (
    click.option("--limit", type=int, help="Requests a second.  [default: 3]"),
    click.option(
        "--mode",
        type=click.Choice(get_args(Mode)),
        help="Whether calls are packed into `execute`."
        "  [default: parallel for a batch, else sequential]",
    ),
    click.option(
        "--request-mode",
        type=click.Choice(get_args(RequestMode)),
        help="Requests evenly spaced, or in bursts.  [default: sequential]",
    ),
    click.option(
        "--timeout",
        type=float,
        help="Seconds for one HTTP attempt.  [default: 30 for a batch, else 10]",
    ),
    click.option(
        "--retries",
        "retry_limit",
        type=int,
        help="Times to send it again.  [default: 3]",
    ),
    click.option(
        "--language",
        type=click.Choice(get_args(Language)),
        help="Of names and texts in the answer.",
    ),
    click.option(
        "--api-version",
        "--version",
        "version",
        metavar="VERSION",
        help="Version of VK's API.  [default: 5.199]",
    ),
    click.option("--proxy", metavar="URL", help="HTTP or SOCKS proxy."),
    click.option(
        "--base-url",
        metavar="URL",
        envvar=BASE_URL_VARIABLE,
        help=f"Where VK's methods are, or a simulator's.  [env: {BASE_URL_VARIABLE}]",
    ),
)
_OF_THE_COMMAND = (
    click.option(
        "--token-file",
        metavar="FILE",
        help=f"Holds the access token.  [default: the variable {TOKEN_VARIABLE}]",
    ),
    click.option(
        "--unchecked",
        is_flag=True,
        help="Send methods and parameters that VK's schema does not have.",
    ),
    backend_option,
    click.option(
        "-v",
        "--verbose",
        "verbosity",
        count=True,
        help="Say on standard error what happens; -vv says more.",
    ),
)
_NAMES = (
    *("limit", "mode", "request_mode", "timeout", "retry_limit", "language"),
    *("version", "proxy", "base_url"),
)


def client_options(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of a client; it gets them as ``client``."""

    @functools.wraps(function)
    def command(**arguments: Any) -> int:
        given = {name: arguments.pop(name) for name in _NAMES}
        log_to_stderr(arguments.pop("verbosity"))
        client = ClientOptions(
            backend=arguments.pop("backend"),
            checked=not arguments.pop("unchecked"),
            token_file=arguments.pop("token_file"),
            given={name: value for name, value in given.items() if value is not None},
        )
        return function(client=client, **arguments)

    for option in reversed((*_OF_THE_CLIENT, *_OF_THE_COMMAND)):
        command = option(command)
    return command


@final
class StderrHandler(logging.Handler):
    """Writes to standard error as it is at the time: a progress bar replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, in one line."""
        sys.stderr.write(f"{one_line(self.format(record))}\n")


def log_to_stderr(verbosity: int) -> None:
    """Have the library's log written to standard error.

    :param verbosity: 0 for warnings, 1 for what is of use to an operator, 2 for all
    """
    logger = logging.getLogger("vkanyio")
    for handler in logger.handlers[:]:
        if isinstance(handler, StderrHandler):  # of an earlier run in this process
            logger.removeHandler(handler)
    handler = StderrHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
    )
    logger.addHandler(handler)
    levels = (logging.WARNING, logging.INFO, logging.DEBUG)
    logger.setLevel(levels[min(verbosity, 2)])
