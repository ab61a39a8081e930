"""Share a limit between processes by Redis, which is killed, stopped, and emptied.

::

    uv run python -m proof.shared_limit

Real processes make as many calls as they can with one token. The server counts the
requests in every window of a second, and refuses what is above the limit. Nothing may
ever be refused. It needs ``redis-server`` and coredis. Time is real, so two runs
differ; how much of the limit is used depends on how busy the machine is.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from itertools import pairwise
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, final

import attrs
import click
from rich import box
from rich.console import Console
from rich.table import Table

from ._clock import BACKENDS
from ._limit_worker import CLOCK, Work, run
from ._redis_server import PACKAGES, redis_server, what_is_missing
from ._witness import witness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from vkanyio import RequestMode

    from ._redis_server import RedisServer

LATENCY = 0.1
SETTLED = 4.0
"""Seconds after which all processes are in contact and at work."""
STOPPED = 3.0
AWAY = 5.0
START_SECONDS = 60.0
SLACK = 0.25
"""How much more a second may hold in the short form: beside the other tests, on a busy
machine, requests leave and arrive late by any time."""
WIDTH = 110


@final
@attrs.define(eq=False)
class Stage:
    """What a scenario may act on."""

    redis: RedisServer
    processes: list[BaseProcess]

    def signal(self, number: int) -> None:
        """Send a signal to the first process."""
        pid = self.processes[0].pid
        assert pid is not None
        os.kill(pid, number)


def _quiet(_: Stage) -> None:
    """Nothing happens."""


def _kill(stage: Stage) -> None:
    """One process is killed."""
    stage.signal(signal.SIGKILL)


def _stop(stage: Stage) -> None:
    """One process is stopped for 3 s."""
    stage.signal(signal.SIGSTOP)
    time.sleep(STOPPED)
    stage.signal(signal.SIGCONT)


def _flush(stage: Stage) -> None:
    """The data are deleted: FLUSHALL."""
    stage.redis.command("FLUSHALL")


def _empty(stage: Stage) -> None:
    """Redis is killed, and an empty one takes its place."""
    stage.redis.program.kill()
    stage.redis.program.start()


def _away(stage: Stage) -> None:
    """Redis is away for 5 s."""
    stage.redis.program.kill()
    time.sleep(AWAY)
    stage.redis.program.start()


def _hang(stage: Stage) -> None:
    """Redis is stopped for 3 s."""
    stage.redis.program.signal(signal.SIGSTOP)
    time.sleep(STOPPED)
    stage.redis.program.signal(signal.SIGCONT)


def _set_back(stage: Stage) -> None:
    """The clock of Redis is set back by a minute."""
    stage.redis.command("SET", CLOCK, -60)


def _set_forward(stage: Stage) -> None:
    """The clock of Redis is set forward by half a second."""
    stage.redis.command("SET", CLOCK, 0.5)


SCENARIOS: dict[str, Callable[[Stage], None]] = {
    "quiet": _quiet,
    "a process killed": _kill,
    "a process stopped 3 s": _stop,
    "FLUSHALL": _flush,
    "a new, empty Redis": _empty,
    "Redis away 5 s": _away,
    "Redis stopped 3 s": _hang,
    "clock set back 60 s": _set_back,
    "clock set forward 0.5 s": _set_forward,
}


@final
@attrs.define
class Result:
    """The figures of a run.

    :ivar worst: most requests in any second
    :ivar used: the part of the limit that was used, from two seconds on
    :ivar pause: the longest time without a request, in seconds
    :ivar failed: errors of calls
    :ivar events: what the limiters have reported
    """

    requests: int
    refused: int
    worst: int
    used: float
    pause: float
    failed: list[str]
    events: list[str]


@attrs.frozen(kw_only=True)
class Plan:
    """A run."""

    scenario: str
    backend: str
    processes: int
    limit: int
    request_mode: RequestMode
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.scenario}, {self.processes} processes, limit {self.limit},"
            f" {self.request_mode}, {self.backend}"
        )


def play(plan: Plan) -> Result:
    """Run a scenario."""
    with redis_server() as redis, witness(plan.limit, LATENCY) as server:
        work = Work(
            redis_url=redis.url,
            base_url=server.url,
            name=f"proof {plan}",
            limit=plan.limit,
            processes=plan.processes,
            request_mode=plan.request_mode,
            # Enough for a call to wait at any time.
            tasks=3 + 2 * plan.limit // plan.processes,
            backend=plan.backend,
        )
        processes, reports = _start(work)
        try:
            for each in reports:
                if not each.poll(START_SECONDS):
                    raise TimeoutError("a process does not start")
                each.recv()
            time.sleep(SETTLED)
            SCENARIOS[plan.scenario](Stage(redis, processes))
            time.sleep(plan.seconds)
            said = _end(processes, reports)
        finally:
            for process in processes:
                process.kill()
    report = server.report
    return Result(
        requests=report["requests"],
        refused=report["refused"],
        worst=report["worst_window"],
        used=used(sorted(report["starts"]), plan.limit),
        pause=longest_pause(sorted(report["starts"])),
        failed=[each for one in said for each in one["failed"]],
        events=[each for one in said for each in one["events"]],
    )


def used(starts: Sequence[float], limit: int, *, since: float = 2.0) -> float:
    """Return the part of the limit that was used from a time on.

    Whole multiples of the limit are counted: bursts begin and end anywhere.
    """
    first = next((i for i, at in enumerate(starts) if at >= since), 0)
    windows = (len(starts) - 1 - first) // limit
    if windows <= 0:
        return 0.0
    return windows / (starts[first + windows * limit] - starts[first])


def longest_pause(starts: Sequence[float]) -> float:
    """Return the longest time between two requests, after the first two seconds."""
    pairs = pairwise(at for at in starts if at >= 2.0)
    return max((after - before for before, after in pairs), default=0.0)


def _start(work: Work) -> tuple[list[BaseProcess], list[Connection]]:
    context = get_context("forkserver")  # each is a fork of one that has imported all
    context.set_forkserver_preload(["proof._limit_worker"])
    processes: list[BaseProcess] = []
    reports: list[Connection] = []
    for _ in range(work.processes):
        receives, sends = context.Pipe(duplex=False)
        process = context.Process(target=run, args=(work, sends), daemon=True)
        process.start()
        sends.close()
        processes.append(process)
        reports.append(receives)
    return processes, reports


def _end(
    processes: list[BaseProcess], reports: list[Connection]
) -> list[dict[str, Any]]:
    """End the processes, and return what they report; one that was killed does not."""
    alive = [process.is_alive() for process in processes]
    for process in processes:
        process.terminate()
    said: list[dict[str, Any]] = []
    for is_alive, each in zip(alive, reports, strict=True):
        with suppress(EOFError):
            if is_alive and each.poll(START_SECONDS):
                said.append(each.recv())
    for process in processes:
        process.join(START_SECONDS)
    return said


def complaints(plan: Plan, result: Result, slack: float = 0.0) -> list[str]:
    """Return the promises that were broken.

    :param slack: by which part the limit may be exceeded
    """
    broken = list(result.failed)
    if result.worst > plan.limit * (1 + slack):
        broken.append(f"{result.worst} requests in a second")
    if result.refused > slack * result.requests:
        broken.append(f"{result.refused} requests refused")
    if result.requests < plan.limit:
        broken.append(f"{result.requests} requests in all")
    return [f"{plan}: {each}" for each in broken]


def _table(rows: Sequence[tuple[Plan, Result]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("scenario", "processes", "limit", "mode", "backend"):
        table.add_column(name)
    for name in ("requests", "refused", "fullest second", "longest pause", "used"):
        table.add_column(name, justify="right")
    for plan, result in rows:
        is_quiet = plan.scenario == "quiet"
        table.add_row(
            plan.scenario,
            str(plan.processes),
            str(plan.limit),
            plan.request_mode,
            plan.backend,
            f"{result.requests:,}",
            str(result.refused),
            str(result.worst),
            f"{result.pause:.2f} s",
            f"{100 * result.used:.1f} %" if is_quiet else "",
        )
    return table


SHORT = (
    Plan(
        scenario="a process killed",
        backend="asyncio",
        processes=4,
        limit=20,
        request_mode="burst",
        seconds=2.0,
    ),
    Plan(
        scenario="FLUSHALL",
        backend="trio",
        processes=4,
        limit=20,
        request_mode="sequential",
        seconds=4.0,
    ),
)


@click.command()
@click.option("--only", default="", help="Scenarios with this in their names.")
@click.option(
    "--processes", "counts", type=int, multiple=True, default=(4, 16), show_default=True
)
@click.option(
    "--limit", "limits", type=int, multiple=True, default=(20, 200), show_default=True
)
@click.option("--backend", type=click.Choice([*BACKENDS, "both"]), default="both")
@click.option(
    "--request-mode", type=click.Choice(["burst", "sequential"]), default="burst"
)
@click.option("--seconds", type=float, default=10.0, show_default=True)
@click.option("--short", is_flag=True, help="15 s: two scenarios.")
def main(
    only: str,
    counts: tuple[int, ...],
    limits: tuple[int, ...],
    backend: str,
    request_mode: RequestMode,
    seconds: float,
    short: bool,
) -> None:
    """Share a limit between processes, and count what arrives."""
    if missing := what_is_missing():
        print(f"not installed: {', '.join(missing)} ({PACKAGES})", file=sys.stderr)
        sys.exit(2)
    plans = [
        Plan(
            scenario=scenario,
            backend=each,
            processes=processes,
            limit=limit,
            request_mode=request_mode,
            seconds=seconds,
        )
        for scenario in SCENARIOS
        if only in scenario
        for processes in counts
        for limit in limits
        for each in (BACKENDS if backend == "both" else (backend,))
    ]
    rows: list[tuple[Plan, Result]] = []
    broken: list[str] = []
    for plan in SHORT if short else plans:
        result = play(plan)
        rows.append((plan, result))
        broken += complaints(plan, result, SLACK if short else 0.0)
        text = (
            f"{plan}: {result.requests} requests, {result.refused} refused,"
            f" {result.worst} in the fullest second, {100 * result.used:.1f} % used"
        )
        print(text, file=sys.stderr, flush=True)
    Console(width=WIDTH).print(_table(rows))
    for complaint in broken:
        print(f"BROKEN: {complaint}")
    if broken:
        sys.exit(1)
    if short:
        print("Never much more than the limit.")
    else:
        print("Never more than the limit, and nothing refused.")


if __name__ == "__main__":
    main()
