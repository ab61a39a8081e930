"""``vkanyio demo``: many calls to a simulator on this machine."""

from __future__ import annotations

import math
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, final

import attrs
import click
from anyio import create_task_group, current_time
from rich import box
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from .. import VK, VKError
from ._common import FAILED, backend_option, make_console, run_async
from ._simulator_process import simulator_process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.console import Console

    from .. import RequestMode

MODES: tuple[RequestMode, ...] = ("sequential", "burst")

# Typical calls, made in turn.
WORK: tuple[Callable[[VK, int], Awaitable[Any]], ...] = (
    lambda api, number: api.users.get(user_ids=[number]),
    lambda api, number: api.groups.get_by_id(group_ids=[number]),
    lambda api, number: api.wall.get(owner_id=number, count=5),
    lambda api, number: api.messages.send(peer_id=number, message=f"No. {number}"),
)


@final
@attrs.frozen(kw_only=True)
class Plan:
    """The options of the demo."""

    calls: int
    limit: int
    latency: float

    def best_seconds(self, mode: RequestMode) -> float:
        """Return the shortest time that the limit allows in a mode."""
        if mode == "burst":
            return (self.calls - 1) // self.limit + self.latency
        return (self.calls - 1) / self.limit + self.latency


@final
@attrs.frozen(kw_only=True)
class DemoRun:
    """The result of one mode."""

    mode: RequestMode
    calls: int
    requests: int
    seconds: float
    errors: list[VKError]


@click.command
@backend_option
@click.option(
    "--calls",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Calls to make in each mode.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Requests per second that the simulator allows.",
)
@click.option(
    "--latency",
    type=click.FloatRange(0, 5),
    default=0.1,
    show_default=True,
    help="Seconds until it responds.",
)
def demo(backend: str, calls: int, limit: int, latency: float) -> int:
    """Make many calls to a simulated VK, each in its own task.

    The simulator runs on this machine, in a process that ends with the demo. No token
    and no network are needed.

    \b
    Example:
      vkanyio demo --backend trio --calls 200
    """
    if math.isnan(latency):
        message = "nan is not a number of seconds"
        raise click.BadParameter(message, param_hint="--latency")
    # Bypass a proxy set in the environment: the simulator is on this machine.
    os.environ["no_proxy"] = "127.0.0.1"
    plan = Plan(calls=calls, limit=limit, latency=latency)
    console = make_console()
    _say(
        console,
        f"A simulated VK: {limit} requests per second, responses after {latency:g} s.\n"
        f"{calls} calls in each mode, each in its own task, on {backend}.",
    )
    runs, last_words = run_async(backend, lambda: _demonstrate(plan, console))
    _show_table(console, runs)
    _show_summary(console, plan, runs, last_words)
    return FAILED if any(run.errors for run in runs) else 0


async def _demonstrate(plan: Plan, console: Console) -> tuple[list[DemoRun], str]:
    async with simulator_process(limit=plan.limit, latency=plan.latency) as simulator:
        with _make_progress(console) as progress:
            runs = [
                await _run_mode(plan, mode, simulator.base_url, progress)
                for mode in MODES
            ]
    return runs, simulator.last_words


async def _run_mode(
    plan: Plan, mode: RequestMode, base_url: str, progress: Progress
) -> DemoRun:
    bar = progress.add_task(mode, total=plan.calls)
    if progress.disable:
        _say(progress.console, f"{mode} ...")
    errors: list[VKError] = []

    async def work(api: VK, number: int) -> None:
        try:
            await WORK[number % len(WORK)](api, number + 1)
        except VKError as error:
            errors.append(error)
        progress.advance(bar)

    # One token per mode: VK counts per token, so the modes do not share a limit.
    token = f"demo-{mode}"
    async with VK(token, base_url=base_url, limit=plan.limit, request_mode=mode) as api:
        start = current_time()
        async with create_task_group() as tg:
            for number in range(plan.calls):
                tg.start_soon(work, api, number)
        seconds = current_time() - start
        requests = api.statistics().sent
    return DemoRun(
        mode=mode, calls=plan.calls, requests=requests, seconds=seconds, errors=errors
    )


def _make_progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal or console.is_dumb_terminal,
    )


def _show_table(console: Console, runs: list[DemoRun]) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("mode", min_width=len("sequential"))
    for name in ("calls", "HTTP requests", "seconds", "calls per second", "errors"):
        table.add_column(name, justify="right")
    for run in runs:
        table.add_row(
            run.mode,
            str(run.calls),
            str(run.requests),
            f"{run.seconds:.2f}",
            f"{run.calls / run.seconds:.1f}",
            str(len(run.errors)),
        )
    console.print(table)


def _show_summary(
    console: Console, plan: Plan, runs: list[DemoRun], last_words: str
) -> None:
    best = {mode: f"{plan.best_seconds(mode):.2f} s {mode}" for mode in MODES}
    at_once = min(plan.calls, plan.limit)
    _say(
        console,
        f"The shortest time that the limit allows: {best['sequential']},"
        f" {best['burst']} (which starts its first {at_once} calls at once).",
    )
    if last_words:
        _say(
            console,
            "The simulator refuses requests that exceed the limit in any one second. It"
            f" counted {last_words}.",
        )
    kinds = Counter(type(error).__name__ for run in runs for error in run.errors)
    examples = {type(error).__name__: error for run in runs for error in run.errors}
    for name, count in kinds.most_common():
        _say(console, f"{count} x {name}, for example: {examples[name]}")


def _say(console: Console, text: str) -> None:
    # Wrap lines on a terminal only.
    console.print(text, markup=False, soft_wrap=not console.is_terminal)
