"""Kill a bot at every suspension point, and see that it hears everything all the same.

::

    uv run python -m proof.updates

A program listens to a community of the simulator, by a loop or by workers, while users
write to it and polls fail in every way. At one step of its tasks it ends: it is killed,
so that nothing more is saved, or it is cancelled and saves its position on the way out.
Another life goes on from the text that was saved last, and hears the rest. This is
repeated for each step that the first life has, with conditions that a seed draws.

What must hold: every message is handled, or is in a gap that the program got; a
position that is saved has all that was acknowledged by then; one that the saved
position has as handled is not handled again; and those of each user are handled in
their order.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import anyio
import attrs
import click

from vkanyio import VK
from vkanyio.testing import Account, Simulator, faults
from vkanyio.updates import Gap

from ._clock import LOOPS, run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from vkanyio.updates import BotUpdates, Update

Way: TypeAlias = Literal["loop", "workers"]
WAYS: tuple[Way, ...] = ("loop", "workers")

GROUP = 9
USERS = (1, 2, 3)
MESSAGES = 12
PATIENCE = 50_000.0
"""Seconds for a life: it has long heard everything."""
SEEDS = 20
BEGIN: dict[str, Any] = {"ts": "1", "handled": []}


@final
class Broken(Exception):
    """Raised when a promise was broken."""


@final
class Killer:
    """Counts the steps of the tasks of a life, and ends it at one of them.

    :param at: the step, 0 for none
    :param kills: whether nothing more is saved then
    """

    def __init__(self, at: int, *, kills: bool = True) -> None:
        self.steps = 0
        self.has_struck = False
        self.scope = anyio.CancelScope()
        self._at = at
        self._kills = kills

    @property
    def is_dead(self) -> bool:
        """Whether the program was killed, and not only cancelled."""
        return self.has_struck and self._kills

    def counted(self, coroutine: Coroutine[Any, Any, Any]) -> Counted:
        """Return an awaitable that runs a coroutine and counts its steps."""
        return Counted(coroutine, self)

    def step(self) -> None:
        """Count a step, and end the life if it is the right one."""
        self.steps += 1
        if self.steps == self._at:
            self.has_struck = True
            self.scope.cancel()


@final
class Counted:
    """A coroutine whose suspensions and resumptions are steps."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], killer: Killer) -> None:
        self._coroutine = coroutine
        self._killer = killer

    def __await__(self) -> Generator[Any, Any, Any]:
        iterator = self._coroutine.__await__()
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                if error is not None:
                    trap = iterator.throw(error)
                else:
                    trap = iterator.send(value)
            except StopIteration as stop:
                return stop.value
            self._killer.step()
            value, error = None, None
            try:
                value = yield trap
            except BaseException as thrown:
                error = thrown
            self._killer.step()


@final
@attrs.define
class Store:
    """Keeps a position; one that is saved by a dead program is not.

    :ivar killer: may kill the program while it saves
    :ivar check: looks at what is saved
    """

    text: str | None = None
    killer: Killer | None = None
    check: Callable[[str], None] | None = None

    async def load(self) -> str | None:
        """Return the text."""
        return self.text

    async def save(self, position: str) -> None:
        """Save a text, in a while."""
        killer = self.killer
        if killer is not None and self.check is not None:
            self.check(position)
            await killer.counted(anyio.sleep(0.01))
            if not killer.is_dead:
                self.text = position


@final
@attrs.define
class Story:
    """What happened in the lives of a program.

    :ivar handled: the numbers that were handled, in order, in all lives
    :ivar gaps: those that were delivered
    :ivar complaints: what must not have happened
    """

    way: Way
    handled: list[int] = attrs.field(factory=list[int])
    gaps: list[Gap] = attrs.field(factory=list[Gap])
    complaints: list[str] = attrs.field(factory=list[str])
    steps: int = 0


@final
class Life:
    """One life of a program."""

    def __init__(self, story: Story, town: Simulator, store: Store, seed: int) -> None:
        self._story = story
        self._town = town
        self._store = store
        self._random = random.Random(seed)
        self._before = _handled_by(town, store.text)
        self._handled: list[int] = []
        store.check = self._check_position

    async def run(self, killer: Killer) -> None:
        """Live until everything is heard, or until it is killed."""
        self._store.killer = killer
        with killer.scope:
            await killer.counted(self._listen(killer))

    async def _listen(self, killer: Killer) -> None:
        client = self._town.http_client()
        async with (
            VK("club", http_client=client, limit=20) as api,
            api.bot_updates(GROUP, position=self._store) as updates,
            anyio.create_task_group() as tg,
        ):
            tg.start_soon(self._stop_in_the_end, updates)
            if self._story.way == "loop":
                async for update in updates:
                    await self._handle(update)
            else:
                await updates.handle(
                    lambda update: killer.counted(self._handle(update)),
                    workers=2,
                    max_pending=5,
                    on_gap=self._handle,
                )
            tg.cancel_scope.cancel()

    async def _stop_in_the_end(self, updates: BotUpdates) -> None:
        with anyio.move_on_after(PATIENCE):
            while not is_complete(self._story, self._town):  # noqa: ASYNC110, no event
                await anyio.sleep(5)
        updates.stop()

    async def _handle(self, update: Update[Any] | Gap) -> None:
        await anyio.sleep(self._random.choice([0, 0.01, 0.5]))
        if isinstance(update, Gap):
            self._story.gaps.append(update)
            return
        number = int(update.object["message"]["text"])
        if number in self._before:
            self._story.complaints.append(f"{number} was acknowledged, and came again")
        self._story.handled.append(number)
        self._handled.append(number)

    def _check_position(self, position: str) -> None:
        """Note what a position lacks, although it was acknowledged."""
        acknowledged = {*self._handled}
        if self._story.way == "loop":  # the last one may still be in hand
            acknowledged = {*self._handled[:-1]}
        lacking = (self._before | acknowledged) - _handled_by(self._town, position)
        if lacking:
            complaint = f"a position lacks {sorted(lacking)}, which were acknowledged"
            self._story.complaints.append(complaint)


def _handled_by(town: Simulator, text: str | None) -> set[int]:
    """Return the numbers that a saved position has as handled."""
    if text is None:
        return set()
    position = json.loads(text)
    return {
        number
        for number, made in enumerate(_messages(town))
        if made.number <= int(position["ts"]) or made.event_id in position["handled"]
    }


def _messages(town: Simulator) -> list[Any]:
    return [made for made in town.ledger.updates if made.type == "message_new"]


def is_complete(story: Story, town: Simulator) -> bool:
    """Return whether every message was handled, or is in a gap."""
    return len(_messages(town)) == MESSAGES and not missing(story, town)


def missing(story: Story, town: Simulator) -> list[int]:
    """Return the numbers that were neither handled nor reported as lost."""
    return [
        number
        for number, made in enumerate(_messages(town))
        if number not in story.handled
        and not any(int(g.before) < made.number <= int(g.after) for g in story.gaps)
    ]


def judge(story: Story, town: Simulator) -> str | None:
    """Return what was broken, if anything was."""
    if story.complaints:
        return story.complaints[0]
    lost = missing(story, town)
    if lost or len(_messages(town)) < MESSAGES:
        return f"{lost} were lost without a gap"
    for user in USERS:
        firsts = [n for n in dict.fromkeys(story.handled) if USERS[n % 3] == user]
        if firsts != sorted(firsts):
            return f"those of user {user} were handled in the order {firsts}"
    return None


async def tell(way: Way, seed: int, at: int) -> Story:
    """Let a program live, end at a step, and live again.

    :param at: the step, 0 for none
    :raises Broken: if a promise was broken
    """
    chance = random.Random(seed)
    random.seed(seed)
    club = Account(id=GROUP, kind="group")
    town = Simulator(limit=0, tokens={"club": club}, seed=seed, latency=0.02)
    town.long_poll(
        key_seconds=chance.choice([70, 3600]),
        retention=chance.choice([3, 50]),
        most=chance.choice([1, 3, 20]),
    )
    for fault in (
        faults.drop_before(),
        faults.drop_after(),
        faults.html(502),
        faults.failed(2),
    ):
        town.fault(fault, "longpoll", rate=chance.choice([0, 0, 0.2]))
    town.fault(faults.failed(3), "longpoll", rate=chance.choice([0, 0, 0, 0.05]))
    # Nothing is promised of what came before the first position.
    story, store = Story(way), Store(json.dumps({**BEGIN, "group_id": GROUP}))

    async def write() -> None:
        for number in range(MESSAGES):
            await anyio.sleep(chance.choice([0, 0.02, 0.6, 3, 40]))
            town.say(USERS[number % 3], GROUP, str(number))

    async with anyio.create_task_group() as tg:
        tg.start_soon(write)
        killer = Killer(at, kills=(seed + at) % 2 == 0)
        await Life(story, town, store, seed).run(killer)
        story.steps = killer.steps
        if killer.has_struck:
            await anyio.sleep(chance.choice([0, 1, 30]))
            await Life(story, town, store, seed + 1).run(Killer(0))
    problem = judge(story, town)
    if problem is not None:
        raise Broken(f"{way}, seed {seed}, ended at step {at}: {problem}")
    return story


def tell_in_virtual_time(backend: str, way: Way, seed: int, at: int) -> Story:
    """Tell a story on an event loop."""
    return run_in_virtual_time(backend, tell, way, seed, at, seed=seed)


def run_lives(
    backend: str, way: Way, seed: int, *, stride: int = 1, first: int = 1
) -> Counter[str]:
    """End a program at each step of a life, or at each of so many.

    :param stride: how many steps apart
    :param first: the first step
    :return: how many lives, gaps and repetitions there were
    :raises Broken: if a promise was broken
    """
    steps = tell_in_virtual_time(backend, way, seed, 0).steps
    tally = Counter(lives=1, steps=steps)
    for at in range(first, steps + 1, stride):
        story = tell_in_virtual_time(backend, way, seed, at)
        tally["lives"] += 2
        tally["gaps"] += len(story.gaps)
        tally["again"] += len(story.handled) - len(set(story.handled))
    return tally


@click.command()
@click.option("--seeds", default=SEEDS, show_default=True, help="How many conditions.")
@click.option("--seed", type=int, help="These conditions alone.")
@click.option("--backend", type=click.Choice(LOOPS), help="Only on this event loop.")
@click.option("--stride", default=1, show_default=True, help="Steps between two kills.")
def main(seeds: int, seed: int | None, backend: str | None, stride: int) -> None:
    """Kill a bot at every suspension point, on each event loop that is installed."""
    began = time.perf_counter()
    loops = LOOPS if backend is None else (backend,)
    try:
        for each in range(seeds) if seed is None else (seed,):
            for loop in loops:
                for way in WAYS:
                    tally = run_lives(loop, way, each, stride=stride)
                    shown = ", ".join(f"{k} {v:,}" for k, v in tally.items())
                    print(f"seed {each}, {loop}, {way}: {shown}", flush=True)
    except Broken as broken:
        print(f"BROKEN: {broken}")
        sys.exit(1)
    print(f"every promise was kept, {time.perf_counter() - began:,.0f} s")


if __name__ == "__main__":
    main(prog_name="python -m proof.updates")
