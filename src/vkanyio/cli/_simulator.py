"""``vkanyio simulator``: a simulated VK to test programs with."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import anyio
import click

from ..testing import Account, Simulator
from ..testing._fault_words import FORM, KNOWN, read_fault
from ..testing._process import log_to_stderr, serve_until_stopped
from ._common import WRONG_USAGE, CommandError, backend_option, check_backend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..testing._call import TokenKind
    from ..testing._fault_words import OrderedFault

TOKEN_FORM = "TOKEN=OWNER"
TOKEN = re.compile(r"(?P<token>.+)=(?P<kind>id|club)(?P<id>[1-9]\d{0,17})", re.ASCII)


def read_faults(
    _context: click.Context, _parameter: click.Parameter, words: Sequence[str]
) -> list[OrderedFault]:
    """Parse faults such as ``drop-after@wall.post=0.05``."""
    try:
        return [read_fault(word) for word in words]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def read_tokens(
    _context: click.Context, _parameter: click.Parameter, words: Sequence[str]
) -> dict[str, Account]:
    """Parse tokens with their owners, such as ``bot=club9``."""
    tokens: dict[str, Account] = {}
    for word in words:
        if (match := TOKEN.fullmatch(word)) is None:
            message = f"{word!r} does not have the form {TOKEN_FORM}, such as bot=club9"
            raise click.BadParameter(message)
        kind: TokenKind = "group" if match["kind"] == "club" else "user"
        tokens[match["token"]] = Account(id=int(match["id"]), kind=kind)
    return tokens


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port to listen on, 0 for any free port.",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Requests per second and token, 0 for no limit.",
)
@click.option(
    "--window",
    type=click.Choice(["sliding", "fixed"]),
    default="sliding",
    show_default=True,
    help="How to count requests.",
)
@click.option(
    "--latency",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Seconds until a response.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed for random numbers."
)
@click.option(
    "--fault",
    "ordered",
    callback=read_faults,
    multiple=True,
    metavar=FORM,
    help=f"Inject a fault: once, or at a rate from 0 to 1. NAME is one of {KNOWN}.",
)
@click.option(
    "--token",
    "tokens",
    callback=read_tokens,
    multiple=True,
    metavar=TOKEN_FORM,
    help=(
        "Accept only these tokens, each of a community (bot=club9) or a user"
        " (anna=id1)."
    ),
)
@click.option("--log", is_flag=True, help="Log each call to standard error.")
@backend_option
def simulator(
    host: str,
    port: int,
    limit: int,
    window: Any,
    latency: float,
    seed: int,
    ordered: Sequence[OrderedFault],
    tokens: dict[str, Account],
    log: bool,
    backend: str,
) -> None:
    """Run a simulated VK on this machine.

    The first line of output is the base URL for clients. Every token is accepted, and
    each belongs to a different user, unless --token says otherwise. Ctrl-C stops the
    simulator and prints a summary.

    A bot has the token of a community, and users write to it with messages.send.

    \b
    Example:
      vkanyio simulator --port 8000 --limit 20 --fault drop-after@wall.post=0.1
      VK_TOKEN=any vkanyio call users.get --base-url http://127.0.0.1:8000/method
    """
    check_backend(backend)
    try:
        made = Simulator(
            limit=limit,
            window=window,
            latency=latency,
            seed=seed,
            tokens=tokens or None,
        )
        for each in ordered:
            each.inject(made)
    except ValueError as error:
        raise CommandError(str(error), WRONG_USAGE) from None
    if log:
        log_to_stderr()
    is_listening = False

    def show(base_url: str) -> None:
        nonlocal is_listening
        is_listening = True
        click.echo(base_url)

    try:
        anyio.run(
            partial(serve_until_stopped, made, host, port, started=show),
            backend=backend,
        )
    except OSError as error:
        if is_listening:  # standard output cannot be written
            raise
        # Python appends the address to the message of the system.
        reason = str(error.strerror).partition(" (while")[0]
        message = f"cannot listen on {host}, port {port}: {reason}"
        raise CommandError(message, WRONG_USAGE) from None
    ledger = made.ledger
    click.echo(
        f"{ledger.summary()}; {ledger.worst_window()} requests in the busiest second",
        err=True,
    )
