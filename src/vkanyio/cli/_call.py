"""``vkanyio call``: one call of a VK method."""

from __future__ import annotations

import getpass
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import attrs
import click
from anyio import get_cancelled_exc_class
from rich.highlighter import JSONHighlighter
from rich.text import Text

from .. import (
    VK,
    APIError,
    APIRequest,
    CaptchaError,
    Config,
    ConfirmationError,
    ConnectionFailedError,
    ExecuteResult,
    InvalidResponseError,
    RequestTimeoutError,
    ValidationError,
    VKError,
)
from ._common import (
    FAILED,
    TOKEN_VARIABLE,
    WRONG_USAGE,
    Failure,
    Interrupted,
    backend_option,
    make_console,
    report,
    run_async,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST_WAIT = 1.0
"""Seconds before a failed call is sent again: a person is waiting."""

# Control characters that JSON lets through and terminals obey, and halves of
# characters, which no encoding can write.
_UNPRINTABLE = re.compile("[\x7f-\x9f\ud800-\udfff]")


@click.command(no_args_is_help=True)
@click.argument("method")
@click.argument("params", metavar="[KEY=VALUE]...", nargs=-1)
@backend_option
@click.option("--limit", type=int, help="Requests a second.  [default: 3]")
@click.option(
    "--timeout", type=float, help="Seconds for one HTTP attempt.  [default: 10]"
)
@click.option(
    "--retries", "retry_limit", type=int, help="Times to send it again.  [default: 3]"
)
@click.option("--language", help="Of names and texts in the answer, such as ru or en.")
@click.option("--api-version", "version", help="Version of VK's API, such as 5.199.")
@click.option("--proxy", metavar="URL", help="HTTP or SOCKS proxy.")
@click.option(
    "--base-url", metavar="URL", help="Where VK's methods are, or a simulator's."
)
def call(
    method: str, params: tuple[str, ...], backend: str, **options: float | str | None
) -> int:
    """Call METHOD and print VK's answer as JSON.

    The token is taken from the environment variable VK_TOKEN; without it, a terminal
    is asked. Values are sent as they are written.

    \b
    Example:
      vkanyio call wall.get owner_id=-1 count=5 --language en
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        request = APIRequest(method, parse_params(params))
        # Nobody is asked for a token before all else is known to be right.
        config = Config.from_options("none-yet", {"wait": FIRST_WAIT, **given})
        config = attrs.evolve(config, token=_token())
    except (TypeError, ValueError) as error:
        raise Failure(str(error), WRONG_USAGE) from error
    if method == config.token:
        message = "the token stands where the name of a method belongs: nothing is sent"
        raise Failure(message, WRONG_USAGE)
    if method == "execute" and not str(request.params.get("code", "")).strip():
        message = "execute needs a script, such as code='return API.users.get();'"
        raise Failure(message, WRONG_USAGE)
    doubts: list[str] = []
    try:
        response, errors = run_async(backend, lambda: _send(config, request, doubts))
    except Interrupted:
        if doubts:
            raise Interrupted(f"interrupted: {doubts[0]}") from None
        raise
    except VKError as error:
        raise Failure(_explain(error)) from error
    print_json(response)
    for failed in errors:
        report(f"{failed.method}: error {failed.code}: {failed.message}")
    return FAILED if errors else 0


def parse_params(words: Sequence[str]) -> dict[str, str]:
    """Read ``key=value`` words.

    :raises Failure: for a word that is no such pair, naming it
    """
    params: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            message = f"{word!r} is not KEY=VALUE: write it like user_ids=1"
            raise Failure(message, WRONG_USAGE)
        if key.strip().lower() == "access_token":
            message = (
                "access_token= is refused: the shell's history and the list of"
                f" processes show the command line; set {TOKEN_VARIABLE} instead"
            )
            raise Failure(message, WRONG_USAGE)
        if key in params:
            message = f"{key!r} is given twice: join its values by commas"
            raise Failure(message, WRONG_USAGE)
        params[key] = value
    return params


def print_json(value: Any) -> None:
    """Print JSON: indented, in colour on a terminal, characters as they are."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    text = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    if sys.stdout.isatty():
        make_console().print(JSONHighlighter()(Text(text)), soft_wrap=True)
    else:
        click.echo(text)


def _token() -> str:
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token and sys.stdin.isatty():
        try:
            token = getpass.getpass("VK access token (not shown): ").strip()
        except EOFError:
            click.echo(err=True)
    if not token:
        message = f"no access token: set the environment variable {TOKEN_VARIABLE}"
        raise Failure(message, WRONG_USAGE)
    return token


async def _send(
    config: Config, request: APIRequest, doubts: list[str]
) -> ExecuteResult:
    """Make the call, and note what is in doubt if it is cancelled."""
    async with VK.from_config(config) as api:
        try:
            return await _send_by(api, request)
        except get_cancelled_exc_class():
            if api.statistics().sent and not request.reads():
                doubts.append(
                    f"{request.method} may have reached VK, look before you repeat it"
                )
            raise


async def _send_by(api: VK, request: APIRequest) -> ExecuteResult:
    group, _, name = request.method.partition(".")
    params = dict(request.params)
    if request.method == "execute":
        return await api.execute(str(params.pop("code")), **params)
    if group == "execute" and name.isidentifier():
        return await api.procedure(name, **params)
    return ExecuteResult(await api.call_with_request(request))


def _explain(error: VKError) -> str:
    """Say what to do here, where the library's advice is for a program."""
    if isinstance(error, APIError):
        advice = _advice(error)
        if advice:
            return f"{error.method}: error {error.code}: {error.message} ({advice})"
    elif isinstance(error, RequestTimeoutError):
        return f"{error}: try again, or with a longer --timeout"
    elif isinstance(error, ConnectionFailedError):
        return f"{error}: check the network, --proxy and --base-url"
    elif isinstance(error, InvalidResponseError):
        return f"{error}: try again later, or check --proxy and --base-url"
    return str(error)


def _advice(error: APIError) -> str:
    if isinstance(error, ConfirmationError):
        return "add confirm=1 if you mean it"
    if isinstance(error, ValidationError):
        page = error.raw.get("redirect_uri", "VK")
        return f"open {page} in a browser, confirm who you are and try again"
    if isinstance(error, CaptchaError):
        sid, image = error.raw.get("captcha_sid"), error.raw.get("captcha_img")
        if error.raw.get("redirect_uri") is None and sid and image:
            return f"look at {image} and add captcha_sid={sid} captcha_key=ITS_TEXT"
        return "this captcha is for a program with `on_captcha`; or try again later"
    return ""
