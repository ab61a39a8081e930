"""Make 100,000 calls on each event loop and in each mode, with faults of every kind.

::

    uv run python -m proof.soak

One client makes them, in virtual time, against the simulator, which injects each of
its faults into 1 % of the requests. Some callers are cancelled, and other clients are
closed in the middle of their work. Every call is judged by what its client saw and by
the simulator's ledger, and memory use may not grow after the warm-up.

A seed repeats a run call by call: the requests, their times, and the outcome of each
call. The table has a digest of all this, by which two runs can be compared.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import math
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Literal, final

import anyio
import click
from anyio import current_time, get_running_tasks

from vkanyio import VK, Limiter
from vkanyio.testing import Simulator, latency

from ._clock import BACKENDS, run_in_virtual_time
from ._door import Door
from ._errand import Errand
from ._judge import by_mark, complaint, gather
from ._kinds import KINDS, Board
from ._tally import Broken, Tally, report
from ._trouble import OF_EXECUTE, TIMEOUT, TROUBLE, Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ._kinds import Kind

Mode = Literal["sequential", "parallel", "parallel_selected"]

TOKEN = "vk1.a.the-token-of-the-soak"
MODES: tuple[Mode, ...] = ("sequential", "parallel", "parallel_selected")
CALLS = 100_000
A_ROUND = 1_000
WARM_UP = 4
"""The first measurement of memory is after one in so many rounds."""

LIMIT = 20
RATE = 0.01
RETRY_LIMIT = 3
PATIENCE = 36_000.0
"""Seconds after which a call without an outcome counts as lost."""
BREAK = 1800.0
"""Seconds between two rounds.

Abandoned requests end in this time, and the client forgets what it has learned about
error 6 and about scripts that were too large. Otherwise it would pack less and less.
"""
LEFT_IN_THE_MIDDLE = 20
"""Calls of a round whose client is closed before they have ended."""
MAX_NEW_BLOCKS = 3_000
"""How many more blocks of memory may be in use at the end than after the warm-up.

Python keeps some freed memory for later use, and the longer it runs, the more. If one
call in a hundred leaked a block, the total would exceed this bound.
"""

LIKELY = {"read": 8, "message": 4, "post": 4, "post with a key": 2}
"""Relative frequency of a kind of call; 1 for the others."""


@final
class Soak:
    """A run on one event loop, in one mode.

    :param note: called with one line for each request and each outcome
    :ivar tally: the figures
    """

    def __init__(
        self, mode: Mode, calls: int, seed: int, note: Callable[[str], None] | None
    ) -> None:
        self.tally = Tally()
        self._mode: Mode = mode
        self._rounds = math.ceil(calls / A_ROUND)
        self._size = calls // self._rounds
        self._seed = seed
        self._chance = random.Random(f"soak {seed}")
        self._back_off = random.Random(f"back-off {seed}")
        self._digest = hashlib.sha256()
        self._note_line = note
        self._door = Door(self._note)
        self._simulator = Simulator()
        self._person = Person(self._chance, lambda: self._simulator)
        self._limiter = Limiter(LIMIT, request_mode="burst")

    async def run(self) -> None:
        """Make the calls.

        :raises Broken: if a promise was broken
        """
        began, real, busy = current_time(), time.perf_counter(), time.process_time()
        blocks = after = 0
        try:
            async with self._client(max_waiting=self._size // 20) as api:
                for number in range(self._rounds):
                    await self._round(api, number)
                    if number == self._rounds // WARM_UP:
                        blocks = _blocks_in_use()
                self.tally.split = api.statistics().split
                after = _blocks_in_use()
        finally:
            tally = self.tally
            tally.requests = self._door.requests
            tally.faults["refuse"] = self._door.refused
            tally.digest = self._digest.hexdigest()[:16]
            tally.at_rest = f"{blocks:,} blocks", f"{after:,} blocks"
            tally.seconds = time.perf_counter() - real
            tally.busy_seconds = time.process_time() - busy
            tally.seeming_seconds = current_time() - began
        if after - blocks > MAX_NEW_BLOCKS:
            raise Broken(f"{after - blocks} blocks of memory were not freed")
        if tasks := own_tasks():
            raise Broken(f"tasks are left: {tasks}")

    def _client(self, **options: Any) -> VK:
        client = VK(
            TOKEN,
            limiter=self._limiter,
            limit=LIMIT,  # of the token that some calls bring
            mode=self._mode,
            execute_methods=["messages.send", "wall.post"],
            retry_limit=RETRY_LIMIT,
            timeout=TIMEOUT,
            http_client=self._door,
            on_captcha=self._person.solve,
            on_confirmation=self._person.agree,
            on_validation=self._person.confirm,
            **options,
        )
        # There is no option for this: programs have no use for a jitter that repeats.
        client._random = self._back_off  # pyright: ignore[reportPrivateUsage]
        return client

    def _note(self, line: str) -> None:
        self._digest.update(f"{line}\n".encode())
        if self._note_line is not None:
            self._note_line(line)

    async def _round(self, api: VK, number: int) -> None:
        board = Board()
        self._simulator = self._make_simulator(number, board)
        await self._door.lead_to(self._simulator)
        errands = [*self._errands(number)]
        with anyio.move_on_after(PATIENCE) as too_long:
            async with anyio.create_task_group() as tg:
                tg.start_soon(self._leave_in_the_middle, errands[-LEFT_IN_THE_MIDDLE:])
                for errand in errands[:-LEFT_IN_THE_MIDDLE]:
                    tg.start_soon(errand.run, api, self._requests)
                    await anyio.sleep(self._pause())
            await anyio.sleep(BREAK)
        self._judge(errands, board)
        self._check_rest(api, stuck=too_long.cancelled_caught)
        await self._door.lead_to(None)
        self._simulator = Simulator()  # frees the old one, and its ledger

    def _make_simulator(self, number: int, board: Board) -> Simulator:
        simulator = Simulator(
            limit=LIMIT,
            latency=latency.spikes(
                latency.lognormal(0.1), latency.uniform(1, TIMEOUT + 1), rate=RATE
            ),
            seed=self._seed + number,
            trailing_execute_error=bool(number % 2),
        )
        board.add_to(simulator)
        for fault in TROUBLE.values():
            simulator.fault(fault, rate=RATE)
        for fault in OF_EXECUTE.values():
            simulator.fault(fault, "execute", rate=RATE)
        simulator.quota("messages.send", 20, seconds=2)
        simulator.flood_control("status.set", times=20, seconds=30)
        return simulator

    def _errands(self, number: int) -> Iterator[Errand]:
        for place in range(self._size):
            impatient = self._chance.random() < 0.05
            yield Errand(
                mark=f"c{number * self._size + place}",
                kind=self._kind(),
                patience=self._chance.uniform(0, 6) if impatient else None,
            )

    def _kind(self) -> Kind:
        weights = [LIKELY.get(name, 1) for name in KINDS]
        return self._chance.choices([*KINDS.values()], weights)[0]

    def _pause(self) -> float:
        """Return the seconds until the next call: often 0, so that there are bursts."""
        if self._chance.random() < 0.5:
            return 0.0
        return self._chance.expovariate(
            LIMIT * (1 if self._mode == "sequential" else 5)
        )

    async def _leave_in_the_middle(self, errands: Sequence[Errand]) -> None:
        """Make calls with a client that is closed early, in one of several ways."""
        async with anyio.create_task_group() as callers:
            with anyio.move_on_after(self._chance.uniform(0, 2)) as block:
                async with self._client() as api:
                    for errand in errands:
                        if errand.kind.name == "post of another":
                            errand.kind = KINDS["post"]  # its limit is not shared
                        callers.start_soon(errand.run, api, self._requests)
                    if self._chance.random() < 0.5:
                        await anyio.sleep_forever()
                    else:
                        await anyio.sleep(0.2)
                        block.cancel()

    def _requests(self) -> int:
        return self._door.requests

    def _judge(self, errands: Sequence[Errand], board: Board) -> None:
        ledger, tally = self._simulator.ledger, self.tally
        entries = by_mark(ledger)
        tally.count_faults(ledger)
        wrong: list[str] = []
        for errand in errands:
            evidence = gather(
                errand,
                self._door.passages.get(errand.mark, ()),
                entries.get(errand.mark, ()),
                board.expected(errand.kind, errand.mark),
            )
            self._note(errand.ending())
            tally.count_outcome(errand)
            tally.count_effects(errand, evidence.effects)
            if problem := complaint(errand, evidence, RETRY_LIMIT):
                wrong.append(problem)
        tally.packed += sum(
            passage.method == "execute" and errand.kind.way == "method"
            for errand in errands
            for passage in self._door.passages.get(errand.mark, ())
        )
        if wrong:
            raise Broken(f"{wrong[0]} ({len(wrong)} of {len(errands)} calls)")

    def _check_rest(self, api: VK, *, stuck: bool) -> None:
        statistics = api.statistics()
        if stuck or statistics.waiting or statistics.in_flight or self._door.in_flight:
            raise Broken(f"the client is not at rest: {statistics}")
        if self._door.worst > LIMIT:
            raise Broken(f"{self._door.worst} requests left within a second")


def _blocks_in_use() -> int:
    """Return the number of memory blocks in use, not counting bounded caches."""
    for each in gc.get_objects():
        if type(each).__name__ == "_lru_cache_wrapper":
            cache: Any = each
            if cache.cache_parameters()["maxsize"]:
                cache.cache_clear()
    for _ in range(3):
        gc.collect()
    return sys.getallocatedblocks()


def own_tasks() -> list[str]:
    """Return the names of the running tasks that belong to clients."""
    names = [task.name or "" for task in get_running_tasks()]
    return [name for name in names if name.startswith("vkanyio ")]


def run_soak(
    backend: str,
    mode: Mode,
    calls: int,
    seed: int,
    note: Callable[[str], None] | None = None,
) -> Tally:
    """Make the calls on one event loop in one mode.

    :param seed: repeats a run call by call
    :param note: called with one line for each request and each outcome
    :return: the figures, with the complaint if a promise was broken
    """
    logging.getLogger("vkanyio").addHandler(logging.NullHandler())  # marks are unknown
    soak = Soak(mode, calls, seed, note)
    try:
        run_in_virtual_time(backend, soak.run, seed=seed)
    except Broken as broken:
        soak.tally.complaint = str(broken)
    except Exception as error:  # the client has crashed, or the event loop is stuck
        soak.tally.complaint = repr(error)
    return soak.tally


@click.command(help=__doc__.splitlines()[0] if __doc__ else None)
@click.option("--calls", type=click.IntRange(100), default=CALLS, show_default=True)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Repeats a run call by call."
)
@click.option("--backend", type=click.Choice(BACKENDS), help="Only on this event loop.")
@click.option("--mode", type=click.Choice(MODES), help="Only in this mode.")
def main(calls: int, seed: int, backend: str | None, mode: Mode | None) -> None:
    """Make the calls, print the table, and exit with 1 if a promise was broken."""
    backends = [backend] if backend else BACKENDS
    modes: Sequence[Mode] = [mode] if mode else MODES
    runs: list[tuple[str, Mode]] = [(each, way) for each in backends for way in modes]
    # One process for each run, so that a leak is not counted against the next run.
    with ProcessPoolExecutor(
        mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        futures = [processes.submit(run_soak, *run, calls, seed) for run in runs]
        tallies = {
            " ".join(run): future.result()
            for run, future in zip(runs, futures, strict=True)
        }
    sys.exit(report(tallies))


if __name__ == "__main__":
    main()
