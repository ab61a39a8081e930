"""Kill a bot by SIGKILL in the middle of its messages, again and again.

::

    uv run python -m proof.killed_bot

A bot in a process of its own answers the messages of users, and keeps its position in a
file. It is killed and started again, 20 times in 1,000 messages. The ledger of the
simulator shows that every message was answered, and none twice: the answers that a bot
sends again have the same ``random_id``, since they come from the same update. Time is
real, so two runs differ.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from subprocess import DEVNULL
from typing import TYPE_CHECKING, Any, final

import anyio
import attrs
import click
from anyio import open_process
from anyio.lowlevel import checkpoint

from vkanyio.testing import Account, Simulator

from ._clock import BACKENDS
from ._echo_bot import TOKEN
from .updates import WAYS

if TYPE_CHECKING:
    from anyio.abc import Process

    from .updates import Way

ROOT = Path(__file__).parent.parent
GROUP = 9
USERS = 7
AHEAD = 100
"""How many messages wait for an answer."""
BEGIN: dict[str, Any] = {"group_id": GROUP, "ts": "1", "handled": []}
"""The position before the first message, whenever the first bot is ready."""
PATIENCE = 60.0
"""Seconds for a life of a bot."""
LOOK = 0.005


@final
@attrs.frozen(kw_only=True)
class Result:
    """What came of a run.

    :ivar missing: the numbers that were not answered
    :ivar twice: those that were answered more than once
    :ivar repeated: how many answers were sent again, and recognized by the simulator
    """

    messages: int
    kills: int
    missing: list[int]
    twice: list[int]
    repeated: int

    @property
    def is_kept(self) -> bool:
        """Whether each message was answered once."""
        return not self.missing and not self.twice

    def __str__(self) -> str:
        return (
            f"{self.messages:,} messages, {self.kills} kills, {self.repeated} answers"
            f" sent again, {len(self.missing)} missing, {len(self.twice)} twice"
        )


@final
class Run:
    """One run: the simulator, and one bot after the other."""

    def __init__(self, messages: int, kills: int, seed: int) -> None:
        self._messages = messages
        self._kills = kills
        self._random = random.Random(seed)
        club = Account(id=GROUP, kind="group")
        self._town = Simulator(limit=0, tokens={TOKEN: club}, seed=seed)
        self._town.long_poll(retention=10 * messages)

    async def run(self, backend: str, way: Way) -> Result:
        """Let bots answer, and kill them; the last one finishes."""
        with tempfile.TemporaryDirectory() as directory:
            position = Path(directory) / "bot.json"
            position.write_text(json.dumps(BEGIN), encoding="utf-8")
            async with (
                self._town.serve() as base_url,
                anyio.create_task_group() as tg,
            ):
                tg.start_soon(self._write)
                command = [sys.executable, "-m", "proof._echo_bot", backend]
                command += [base_url, str(position), way]
                for _ in range(self._kills):
                    # Enough is left for the lives that follow.
                    share = (self._messages - self._answered) // (self._kills + 1)
                    more = self._random.randint(1, max(share, 1))
                    await self._live(command, self._answered + more)
                await self._live(command, self._messages)
        return self._judge()

    @property
    def _answered(self) -> int:
        return len(self._town.ledger.carried_out("messages.send"))

    async def _write(self) -> None:
        """Let users write, not too far ahead of the answers."""
        for number in range(self._messages):
            while number - self._answered > AHEAD:  # noqa: ASYNC110, no event
                await anyio.sleep(LOOK)
            self._town.say(1 + number % USERS, GROUP, str(number))
            await checkpoint()

    async def _live(self, command: list[str], until: int) -> None:
        """Run a bot until so many messages are answered, and kill it."""
        process = await open_process(command, stdout=DEVNULL, stderr=None, cwd=ROOT)
        try:
            with anyio.move_on_after(PATIENCE):
                while self._answered < until and process.returncode is None:  # noqa: ASYNC110
                    await anyio.sleep(LOOK)
        finally:
            await _kill(process)

    def _judge(self) -> Result:
        entries = self._town.ledger.carried_out("messages.send")
        answers = Counter(int(entry.params["message"]) for entry in entries)
        return Result(
            messages=self._messages,
            kills=self._kills,
            missing=[n for n in range(self._messages) if not answers[n]],
            twice=[n for n, times in answers.items() if times > 1],
            repeated=len(self._town.ledger.repeated("messages.send")),
        )


async def _kill(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.aclose()


@click.command()
@click.option(
    "--messages", default=1000, show_default=True, help="How many are written."
)
@click.option(
    "--kills", default=20, show_default=True, help="How often a bot is killed."
)
@click.option("--backend", type=click.Choice(BACKENDS), help="Only on this event loop.")
@click.option("--seed", default=0, show_default=True, help="Changes when it is killed.")
def main(messages: int, kills: int, backend: str | None, seed: int) -> None:
    """Kill a bot by SIGKILL in the middle of its messages, again and again."""
    began, is_kept = time.perf_counter(), True
    for each in BACKENDS if backend is None else (backend,):
        for way in WAYS:
            run = Run(messages, kills, seed)
            result = anyio.run(run.run, each, way, backend=each)
            is_kept = is_kept and result.is_kept
            print(f"{each}, {way}: {result}", flush=True)
            for name in ("missing", "twice"):
                if numbers := getattr(result, name):
                    print(f"  {name}: {numbers}")
    verdict = "every message was answered once" if is_kept else "BROKEN"
    print(f"{verdict}, {time.perf_counter() - began:,.0f} s")
    sys.exit(not is_kept)


if __name__ == "__main__":
    main(prog_name="python -m proof.killed_bot")
