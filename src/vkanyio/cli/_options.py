"""Options, token and logging of the commands that call VK."""

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
    CommandError,
    backend_option,
    check_backend,
    secrets,
    write_to_stderr,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIRST_WAIT = 1.0
"""Seconds before the first retry: short, since a person is waiting."""

BASE_URL_VARIABLE = "VKANYIO_BASE_URL"
ALLOW_INSECURE_VARIABLE = "VKANYIO_ALLOW_INSECURE"


@final
@attrs.frozen(kw_only=True)
class ClientOptions:
    """The options of a command that concern its client.

    :ivar backend: "asyncio" or "trio"
    :ivar checked: whether to check calls against VK's schema before sending them
    :ivar token_file: the file with the token, None for the environment variable
    :ivar verbosity: how often -v was given
    :ivar given: the options of :class:`~vkanyio.Config` that were given
    """

    backend: str
    checked: bool
    token_file: str | None
    verbosity: int
    given: Mapping[str, Any]

    def config(self, **defaults: Any) -> Config:
        """Return the configuration of a client.

        The other options are checked before the user is asked for a token.

        :param defaults: values for options that were not given
        :raises CommandError: if an option or the token is wrong
        """
        check_backend(self.backend)
        options = {"wait": FIRST_WAIT, **defaults, **self.given}
        try:
            config = Config.from_options("none-yet", options)
        except (TypeError, ValueError) as error:
            raise CommandError(_of_command_line(error), WRONG_USAGE) from error
        source, token = _read_token(self.token_file)
        secrets.add(token)
        try:
            return attrs.evolve(config, token=token)
        except ValueError as error:
            raise CommandError(f"{source}: {error}", WRONG_USAGE) from error


def _of_command_line(error: Exception) -> str:
    """Return the message about an option of the library, with the name it has here."""
    name, space, problem = str(error).partition(" ")
    if name not in _CONFIG_NAMES:
        return str(error)
    here = _OTHER_NAMES.get(name) or f"--{name.replace('_', '-')}"
    return f"{here}{space}{problem}"


def _read_token(path: str | None) -> tuple[str, str]:
    """Return where the token comes from, and the token."""
    if path is not None:
        return "--token-file", _token_of_file(path)
    source, token = TOKEN_VARIABLE, os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token and sys.stdin.isatty():
        try:
            source = "terminal"
            token = getpass.getpass("VK access token (not shown): ").strip()
        except EOFError:
            click.echo(err=True)
    if not token:
        message = (
            f"no access token: set the environment variable {TOKEN_VARIABLE}, or name"
            " a file with --token-file"
        )
        raise CommandError(message, WRONG_USAGE)
    return source, token


def _token_of_file(path: str) -> str:
    try:
        token = Path(path).read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        message = f"--token-file: cannot read {path!r}: {error.strerror}"
        raise CommandError(message, WRONG_USAGE) from None
    except UnicodeDecodeError:
        message = f"--token-file: {path!r} is not UTF-8 text"
        raise CommandError(message, WRONG_USAGE) from None
    if len(token.split()) != 1:
        message = f"--token-file: {path!r} must contain one token and nothing else"
        raise CommandError(message, WRONG_USAGE)
    return token


_CLIENT_OPTIONS = (
    click.option("--limit", type=int, help="Requests per second.  [default: 3]"),
    click.option(
        "--mode",
        type=click.Choice(get_args(Mode)),
        help="Whether to pack calls into `execute`."
        "  [default: parallel for batch and collect, else sequential]",
    ),
    click.option(
        "--request-mode",
        type=click.Choice(get_args(RequestMode)),
        help="Send requests evenly spaced or in bursts.  [default: sequential]",
    ),
    click.option(
        "--execute-count",
        type=int,
        metavar="N",
        help="Maximum number of calls in one `execute`, 1 to 25.  [default: 25]",
    ),
    click.option(
        "--timeout",
        type=float,
        help="Timeout in seconds of one HTTP attempt."
        "  [default: 30 for batch and collect, else 10]",
    ),
    click.option(
        "--retries",
        "retry_limit",
        type=int,
        help="Maximum number of retries.  [default: 3]",
    ),
    click.option(
        "--language",
        type=click.Choice(get_args(Language)),
        help="Language of names and texts in the response.",
    ),
    click.option(
        "--api-version",
        "--version",
        "version",
        metavar="VERSION",
        help="Version of the VK API.  [default: 5.199]",
    ),
    click.option("--proxy", metavar="URL", help="HTTP or SOCKS proxy."),
    click.option(
        "--base-url",
        metavar="URL",
        envvar=BASE_URL_VARIABLE,
        help=f"Base URL of the API, or of a simulator.  [env: {BASE_URL_VARIABLE}]",
    ),
    click.option(
        "--allow-insecure",
        is_flag=True,
        default=None,
        envvar=ALLOW_INSECURE_VARIABLE,
        help="Allow http:// to another machine, which gets the token unencrypted."
        f"  [env: {ALLOW_INSECURE_VARIABLE}=1]",
    ),
)
_COMMAND_OPTIONS = (
    click.option(
        "--token-file",
        metavar="FILE",
        help="Read the access token from FILE."
        f"  [default: the variable {TOKEN_VARIABLE}]",
    ),
    click.option(
        "--unchecked",
        is_flag=True,
        help="Send methods and parameters even if VK's schema does not have them.",
    ),
    backend_option,
    click.option(
        "-v",
        "--verbose",
        "verbosity",
        count=True,
        help="Log to standard error; -vv logs more.",
    ),
)
_CONFIG_NAMES = (
    *("limit", "mode", "request_mode", "execute_count", "timeout", "retry_limit"),
    *("language", "version", "proxy", "base_url", "allow_insecure"),
)
_OTHER_NAMES = {"retry_limit": "--retries", "version": "--api-version"}


def client_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options of a client to a command, which gets them as ``client``."""

    @functools.wraps(function)
    def command(**arguments: Any) -> int:
        given = {name: arguments.pop(name) for name in _CONFIG_NAMES}
        verbosity = arguments.pop("verbosity")
        log_to_stderr(verbosity)
        client = ClientOptions(
            backend=arguments.pop("backend"),
            checked=not arguments.pop("unchecked"),
            token_file=arguments.pop("token_file"),
            verbosity=verbosity,
            given={name: value for name, value in given.items() if value is not None},
        )
        return function(client=client, **arguments)

    for option in reversed((*_CLIENT_OPTIONS, *_COMMAND_OPTIONS)):
        command = option(command)
    return command


@final
class StderrHandler(logging.Handler):
    """Looks up ``sys.stderr`` for each record: a progress bar replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record in one line."""
        write_to_stderr(self.format(record))


def log_to_stderr(verbosity: int) -> None:
    """Write the log of the library to standard error.

    :param verbosity: 0 for warnings, 1 for info, 2 or more for debug
    """
    logger = logging.getLogger("vkanyio")
    for handler in logger.handlers[:]:
        if isinstance(handler, StderrHandler):  # from an earlier run in this process
            logger.removeHandler(handler)
    handler = StderrHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
    )
    logger.addHandler(handler)
    levels = (logging.WARNING, logging.INFO, logging.DEBUG)
    logger.setLevel(levels[min(verbosity, 2)])
