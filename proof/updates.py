"""Kill a bot at every suspension point, and see that it hears everything all the same.

::

    uv run python -m proof.updates

A program listens to a community of the simulator, or to its mailbox, by a loop or by
workers, while users write to it and polls fail in every way. At one step of its tasks
it ends: it is killed, so that nothing more is saved, or it is cancelled and saves its
position on the way out. Another life goes on from the text that was saved last, and
hears the rest. This is repeated for each step that the first life has, with conditions
that a seed draws.

What must hold: everything that happens is handled, or is in a gap that the program got;
a position that is saved has all that was acknowledged by then, and in the end nothing
else; what the saved position has as handled is not handled again; and what happens in
each conversation is handled in order. VK's arrays about mailboxes have no ids: if VK
sends them again, only new messages are recognized for certain.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import time
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import anyio
import attrs
import click

from vkanyio import VK
from vkanyio.updates import Gap

from ._clock import LOOPS, run_in_virtual_time
from ._followed import FOLLOWED
from ._killer import Killer, Store

if TYPE_CHECKING:
    from vkanyio.updates import BotUpdates, Update, UserUpdates

    from ._followed import Followed, Kind

Way: TypeAlias = Literal["loop", "workers"]
WAYS: tuple[Way, ...] = ("loop", "workers")
KINDS: dict[str, tuple[Kind, ...]] = {
    "community": ("community",),
    "mailbox": ("mailbox",),
    "both": ("community", "mailbox"),
}

PATIENCE = 50_000.0
"""Seconds for a life: it has long heard everything."""
SEEDS = 20


@final
class Broken(Exception):
    """Raised when a promise was broken."""


@final
@attrs.define
class Story:
    """What happened in the lives of a program.

    :ivar followed: what it listens to
    :ivar handled: the indexes of what was handled, in order, in all lives
    :ivar gaps: those that were delivered
    :ivar complaints: what must not have happened
    :ivar is_told: whether nothing more happens
    """

    way: Way
    followed: Followed
    handled: list[int] = attrs.field(factory=list[int])
    gaps: list[Gap] = attrs.field(factory=list[Gap])
    complaints: list[str] = attrs.field(factory=list[str])
    is_told: bool = False
    steps: int = 0


@final
class Life:
    """One life of a program."""

    def __init__(self, story: Story, store: Store, seed: int) -> None:
        self._story = story
        self._followed = story.followed
        self._store = store
        self._random = random.Random(seed)
        self._before = self._followed.handled_by(store.text)
        self._handled: list[int] = []
        store.check = self._check_position

    async def run(self, killer: Killer) -> None:
        """Live until everything is heard, or until it is killed."""
        self._store.killer = killer
        with killer.scope:
            await killer.counted(self._listen(killer))

    async def _listen(self, killer: Killer) -> None:
        client = self._followed.town.http_client()
        async with (
            VK("club", http_client=client, limit=20) as api,
            self._followed.listen(api, self._store) as updates,
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

    async def _stop_in_the_end(self, updates: BotUpdates | UserUpdates) -> None:
        with anyio.move_on_after(PATIENCE):
            while not self._is_at_the_end(updates.position):  # noqa: ASYNC110, no event
                await anyio.sleep(5)
        updates.stop()

    def _is_at_the_end(self, position: str) -> bool:
        if self._story.complaints:
            return True
        return is_complete(self._story) and self._followed.is_past_all(position)

    async def _handle(self, update: Update[Any] | Gap) -> None:
        await anyio.sleep(self._random.choice([0, 0.01, 0.5]))
        if isinstance(update, Gap):
            self._story.gaps.append(update)
            return
        key = self._followed.key_of(update)
        index = None if key is None else self._find(key)
        if index is not None:
            self._story.handled.append(index)
            self._handled.append(index)

    def _find(self, key: str) -> int | None:
        """Return the index of what an update reports, None if that came before."""
        same = [n for n, h in enumerate(self._followed.happenings()) if h.key == key]
        known = self._before.union(self._handled)
        if fresh := [n for n in same if n not in known]:
            return fresh[0]
        if not same:
            self._story.complaints.append(f"{key} came, and did not happen")
        elif not self._followed.may_repeat:
            self._story.complaints.append(f"{key} was acknowledged, and came again")
        elif self._followed.is_unique(key) and same[0] in self._handled:
            self._story.complaints.append(f"{key} came twice in a life")
        return None

    def _check_position(self, position: str) -> None:
        """Note what a position lacks, although it was acknowledged."""
        acknowledged = {*self._handled}
        if self._story.way == "loop":  # the last one may still be in hand
            acknowledged = {*self._handled[:-1]}
        covered = self._followed.handled_by(position)
        if lacking := (self._before | acknowledged) - covered:
            complaint = f"a position lacks {sorted(lacking)}, which were acknowledged"
            self._story.complaints.append(complaint)


def is_complete(story: Story) -> bool:
    """Return whether everything was handled, or is in a gap."""
    return story.is_told and not missing(story)


def missing(story: Story) -> list[int]:
    """Return the indexes of what was neither handled nor reported as lost."""
    return [
        index
        for index, each in enumerate(story.followed.happenings())
        if index not in story.handled
        and not any(int(g.before) < each.number <= int(g.after) for g in story.gaps)
    ]


def judge(story: Story, store: Store) -> str | None:
    """Return what was broken, if anything was."""
    if story.complaints:
        return story.complaints[0]
    if not is_complete(story):
        return f"{missing(story)} were lost without a gap"
    happenings = story.followed.happenings()
    for peer in {each.peer for each in happenings}:
        handled = [n for n in story.handled if happenings[n].peer == peer]
        firsts = [*dict.fromkeys(handled)]
        if firsts != sorted(firsts):
            return f"what happened in {peer} was handled in the order {firsts}"
    # What came again may still be in the position: not all of it is recognized.
    if not story.followed.may_repeat and json.loads(store.text or "")["handled"]:
        return f"the last position has more than it needs: {store.text}"
    return None


async def tell(kind: Kind, way: Way, seed: int, at: int) -> Story:
    """Let a program live, end at a step, and live again.

    :param at: the step, 0 for none
    :raises Broken: if a promise was broken
    """
    random.seed(seed)
    followed = FOLLOWED[kind](seed)
    # Nothing is promised of what came before the first position.
    story, store = Story(way, followed), Store(json.dumps(followed.begin))

    async def happen() -> None:
        await followed.happen()
        story.is_told = True

    async with anyio.create_task_group() as tg:
        tg.start_soon(happen)
        killer = Killer(at, kills=(seed + at) % 2 == 0)
        await Life(story, store, seed).run(killer)
        story.steps = killer.steps
        if killer.has_struck:
            await anyio.sleep(followed.chance.choice([0, 1, 30]))
            await Life(story, store, seed + 1).run(Killer(0))
    problem = judge(story, store)
    if problem is not None:
        raise Broken(f"{kind}, {way}, seed {seed}, ended at step {at}: {problem}")
    return story


def run_lives(
    kind: Kind, backend: str, way: Way, seed: int, *, stride: int = 1, first: int = 1
) -> Counter[str]:
    """End a program at each step of a life, or at each of so many.

    :param stride: how many steps apart
    :param first: the first step
    :return: how many lives, gaps and repetitions there were
    :raises Broken: if a promise was broken
    """

    def live(at: int) -> Story:
        return run_in_virtual_time(backend, tell, kind, way, seed, at, seed=seed)

    steps = live(0).steps
    tally = Counter(lives=1, steps=steps)
    for at in range(first, steps + 1, stride):
        story = live(at)
        tally["lives"] += 2
        tally["gaps"] += len(story.gaps)
        tally["again"] += len(story.handled) - len(set(story.handled))
    return tally


@click.command()
@click.option(
    "--kind",
    "kinds",
    default="both",
    show_default=True,
    type=click.Choice([*KINDS]),
    help="What the bot listens to.",
)
@click.option("--seeds", default=SEEDS, show_default=True, help="How many conditions.")
@click.option("--seed", type=int, help="These conditions alone.")
@click.option("--backend", type=click.Choice(LOOPS), help="Only on this event loop.")
@click.option("--stride", default=1, show_default=True, help="Steps between two kills.")
def main(
    kinds: str, seeds: int, seed: int | None, backend: str | None, stride: int
) -> None:
    """Kill a bot at every suspension point, on each event loop that is installed."""
    logging.getLogger("vkanyio").addHandler(logging.NullHandler())  # polls fail
    began = time.perf_counter()
    loops = LOOPS if backend is None else (backend,)
    conditions = range(seeds) if seed is None else (seed,)
    runs = product(conditions, KINDS[kinds], loops, WAYS)
    try:
        for each, kind, loop, way in runs:
            tally = run_lives(kind, loop, way, each, stride=stride)
            shown = ", ".join(f"{k} {v:,}" for k, v in tally.items())
            print(f"seed {each}, {kind}, {loop}, {way}: {shown}", flush=True)
    except Broken as broken:
        print(f"BROKEN: {broken}")
        sys.exit(1)
    print(f"every promise was kept, {time.perf_counter() - began:,.0f} s")


if __name__ == "__main__":
    main(prog_name="python -m proof.updates")
