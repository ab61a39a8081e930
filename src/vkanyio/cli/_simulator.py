"""``vkanyio simulator``: a simulated VK to test programs with."""

from __future__ import annotations

import logging
import re
import sys
from functools import partial
from typing import TYPE_CHECKING

import anyio
import attrs
import click

from ..testing import Simulator, faults
from ..testing._process import serve_until_stopped
from ._common import WRONG_USAGE, CommandError, backend_option, check_backend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..testing.faults import Fault

FAULTS: dict[str, Callable[[], Fault]] = {
    "refuse": faults.refuse,
    "drop-before": faults.drop_before,
    "drop-after": faults.drop_after,
    "drop-midway": faults.drop_midway,
    "hang-before": faults.hang_before,
    "hang-after": faults.hang_after,
    "html": faults.html,
    "truncated": faults.truncated,
    "captcha": faults.captcha,
    "confirmation": faults.confirmation,
    "validation": faults.validation,
    "expired-token": faults.expired_token,
}
_FAULT = re.compile(
    r"(?P<name>[a-z-]+)(:(?P<code>\d+))?(@(?P<method>[\w.]+))?(=(?P<rate>\d+(\.\d+)?))?"
)


@attrs.frozen
class OrderedFault:
    """A fault from the command line, with its method and its rate."""

    fault: Fault
    method: str | None
    rate: float | None


def read_faults(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> list[OrderedFault]:
    """Parse faults such as ``drop-after@wall.post=0.05``."""
    return [_read_fault(value) for value in values]


def _read_fault(value: str) -> OrderedFault:
    match = _FAULT.fullmatch(value)
    if match is None:
        raise click.BadParameter(
            f"{value!r} does not have the form NAME[@METHOD][=RATE]"
        )
    name, code, rate = match["name"], match["code"], match["rate"]
    if name == "error" and code is not None:
        fault = faults.error(int(code))
    elif name in FAULTS and code is None:
        fault = FAULTS[name]()
    else:
        known = ", ".join([*FAULTS, "error:CODE"])
        raise click.BadParameter(f"{value!r} is not a fault; known faults: {known}")
    if rate is not None and not 0 <= float(rate) <= 1:
        raise click.BadParameter(f"the rate in {value!r} is not between 0 and 1")
    return OrderedFault(fault, match["method"], None if rate is None else float(rate))


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
    metavar="NAME[@METHOD][=RATE]",
    help="Inject a fault: once, or at a rate from 0 to 1.",
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
    log: bool,
    backend: str,
) -> None:
    """Run a simulated VK on this machine.

    The first line of output is the base URL for clients. Every token is accepted, and
    each belongs to a different user. Ctrl-C stops the simulator and prints a summary.

    \b
    Example:
      vkanyio simulator --port 8000 --limit 20 --fault drop-after@wall.post=0.1
      VK_TOKEN=any vkanyio call users.get --base-url http://127.0.0.1:8000/method
    """
    check_backend(backend)
    made = Simulator(limit=limit, window=window, latency=latency, seed=seed)
    for each in ordered:
        made.fault(each.fault, each.method, rate=each.rate)
    if log:
        _log_to_stderr()
    try:
        anyio.run(
            partial(serve_until_stopped, made, host, port, started=click.echo),
            backend=backend,
        )
    except OSError as error:
        # Python appends the address to the message of the system.
        reason = str(error.strerror).partition(" (while")[0]
        message = f"cannot listen on {host}, port {port}: {reason}"
        raise CommandError(message, WRONG_USAGE) from None
    ledger = made.ledger
    click.echo(
        f"{ledger.summary()}; {ledger.worst_window()} requests in the busiest second",
        err=True,
    )


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("vkanyio.testing")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
