"""``vkanyio call``, ``execute`` and ``procedure``: one request and its value."""

from __future__ import annotations

import logging
from typing import Any

import click
from anyio import current_time, get_cancelled_exc_class

from .. import VK, APIRequest, Config, ExecuteResult, VKError
from .._known_parameters import expect
from ._common import FAILED, WRONG_USAGE, CommandError, Interrupted, report, run_async
from ._completion import METHOD, PARAMETERS
from ._explain import command_error
from ._options import ClientOptions, client_options
from ._output import print_json
from ._params import parse_params, problem_with, read_text

logger = logging.getLogger("vkanyio")


@click.command(no_args_is_help=True)
@click.argument("method", type=METHOD)
@click.argument("params", metavar="[NAME=VALUE]...", nargs=-1, type=PARAMETERS)
@client_options
def call(method: str, params: tuple[str, ...], client: ClientOptions) -> int:
    """Call METHOD and print its value as JSON.

    \b
    NAME=VALUE     the text after =, unchanged: user_ids=1,2
    NAME:=JSON     any JSON: keyboard:='{"buttons": []}'; null is not sent
    NAME@FILE      the text of a file; - is standard input
    NAME:=@FILE    JSON from a file
    @FILE          a JSON object of parameters from a file

    `vkanyio methods METHOD` lists the parameters. The token comes from the environment
    variable VK_TOKEN or from a file; without either, you are asked on a terminal.

    \b
    Example:
      vkanyio call wall.get owner_id=-1 count=5 --language en
    """
    return _run(client, method, parse_params(params, method))


@click.command(no_args_is_help=True)
@click.argument("script")
@click.argument("args", metavar="[NAME=VALUE]...", nargs=-1)
@client_options
def execute(script: str, args: tuple[str, ...], client: ClientOptions) -> int:
    """Run VKScript on VK's servers: up to 25 calls in one request.

    SCRIPT is the code itself, @FILE for a file, or - for standard input. The script
    reads the other arguments from Args. Failed calls are reported on standard error.

    \b
    Example:
      vkanyio execute 'return API.users.get({"user_ids": Args.ids});' ids=1,2
      vkanyio execute @report.vkscript count:=100
    """
    if script == "-" or script.startswith("@"):
        code = read_text(script.removeprefix("@"), script)
    else:
        code = script
    params = parse_params(args)
    if not code.strip():
        message = "the script is empty: write it like 'return API.users.get();'"
        raise CommandError(message, WRONG_USAGE)
    if "code" in params:
        message = "code= is reserved for the script: rename the argument"
        raise CommandError(message, WRONG_USAGE)
    return _run(client, "execute", {**params, "code": code})


@click.command(no_args_is_help=True)
@click.argument("name")
@click.argument("params", metavar="[NAME=VALUE]...", nargs=-1)
@client_options
def procedure(name: str, params: tuple[str, ...], client: ClientOptions) -> int:
    """Run the stored procedure NAME of the application.

    \b
    Example:
      vkanyio procedure topPosts owner_id=-1 count=10
    """
    return _run(client, f"execute.{name}", parse_params(params))


def _run(client: ClientOptions, method: str, params: dict[str, Any]) -> int:
    expect(method, params)  # they are checked below
    try:
        request = APIRequest(method, params)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error), WRONG_USAGE) from error
    if method == "execute" and not str(request.params.get("code", "")).strip():
        message = "execute needs a script, such as code='return API.users.get();'"
        raise CommandError(message, WRONG_USAGE)
    problem = problem_with(method, params) if client.checked else None
    if problem is not None:
        raise CommandError(
            f"{problem} (use --unchecked to send it anyway)", WRONG_USAGE
        )
    config = client.config()
    if method == config.token:
        message = "the access token was given as the method name: nothing was sent"
        raise CommandError(message, WRONG_USAGE)
    doubts: list[str] = []
    try:
        result = run_async(client.backend, lambda: _send(config, request, doubts))
    except Interrupted as interrupted:
        if doubts:
            message = f"interrupted: {doubts[0]}"
            raise Interrupted(message, signum=interrupted.signum) from None
        raise
    except VKError as error:
        raise command_error(error) from error
    print_json(result.response)
    for failed in result.errors:
        report(f"{failed.method}: error {failed.code}: {failed.message}")
    return FAILED if result.errors else 0


async def _send(
    config: Config, request: APIRequest, doubts: list[str]
) -> ExecuteResult:
    """Make the call; if it is cancelled, add what is in doubt to `doubts`."""
    async with VK.from_config(config) as api:
        start = current_time()
        try:
            value = await api.call_with_request(request)
        except get_cancelled_exc_class():
            if api.statistics().sent and not request.reads():
                doubts.append(
                    f"{request.method} may have reached VK; check before you repeat it"
                )
            raise
        requests, seconds = api.statistics().sent, current_time() - start
        logger.info("finished after %.2f s, %d HTTP requests", seconds, requests)
        return value if isinstance(value, ExecuteResult) else ExecuteResult(value)
