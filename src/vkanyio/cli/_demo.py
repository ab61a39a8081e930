"""``vkanyio demo``: what vkanyio does, shown on a simulator on this machine."""

from __future__ import annotations

import math
import os
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, final

import attrs
import click
from anyio import create_task_group, current_time, move_on_after, sleep
from rich.progress import BarColumn, Progress, TextColumn

from .. import VK, OutcomeUnknownError, VKError
from ..updates import MessageNew
from ._common import FAILED, backend_option, make_console, run_async
from ._simulator_process import simulator_process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from rich.console import Console

    Scene: TypeAlias = Callable[["Scenery"], Awaitable[str]]

PACKED = 25
"""Calls in one request of packed calls."""
BAD_NETWORK = "drop-after@wall.post=0.25"
"""The fault: one response in four is lost after VK has posted."""
WORKER_SECONDS = 0.5
"""When the worker is cancelled."""
GROUP = 9
"""The community that a user writes to."""
ANSWER_SECONDS = 20.0
"""How long the bot waits for messages that do not come, and a second for each."""
LATER = 0.5
"""Seconds in which a call that was cancelled would have arrived."""


@final
@attrs.define(eq=False, kw_only=True)
class Scenery:
    """What one scene has.

    :ivar limit: requests per second that the simulator allows
    :ivar calls: how many calls to make
    :ivar advance: is called whenever a call has ended
    :ivar errors: calls that failed and should not
    """

    base_url: str
    limit: int
    name: str
    calls: int
    advance: Callable[[], None]
    errors: list[Exception] = attrs.field(factory=list[Exception])

    def client(self, **options: Any) -> VK:
        """Make a client with a token of its own: the scenes do not share a limit."""
        token = f"demo-{self.name.replace(' ', '-')}"
        return VK(token, base_url=self.base_url, limit=self.limit, **options)

    def user(self) -> VK:
        """Make a client of another user."""
        return VK("demo-user", base_url=self.base_url, limit=self.limit)

    async def users_get(self, api: VK, number: int) -> None:
        """Make a call that reads."""
        try:
            await api.users.get(user_ids=[number])
        except VKError as error:
            self.errors.append(error)
        self.advance()

    async def write_to_community(self, user: VK, text: str) -> None:
        """Write to the community, as a user."""
        try:
            await user.messages.send(peer_id=-GROUP, message=text)
        except VKError as error:
            self.errors.append(error)


async def read(stage: Scenery, how: str, **options: Any) -> str:
    """Make calls at once, each in its own task, and say how long they took."""
    async with stage.client(**options) as api:
        start = current_time()
        async with create_task_group() as tg:
            for number in range(1, stage.calls + 1):
                tg.start_soon(stage.users_get, api, number)
        seconds = current_time() - start
        requests = api.statistics().sent
    return f"{stage.calls:,} calls {how}: {requests} requests, {seconds:.1f} s"


async def post_over_a_bad_network(stage: Scenery) -> str:
    """Post while responses are lost: half of the posts have a deduplication key."""
    outcomes: dict[str, VKError | None] = {}

    async def post(api: VK, number: int) -> None:
        text = f"No. {number}"
        guid = text if number % 2 else None
        try:
            await api.wall.post(message=text, guid=guid)
            outcomes[text] = None
        except VKError as error:
            outcomes[text] = error
            if guid is not None or not isinstance(error, OutcomeUnknownError):
                stage.errors.append(error)
        stage.advance()

    async with stage.client(request_mode="burst", wait=0.1) as api:
        async with create_task_group() as tg:
            for number in range(stage.calls):
                tg.start_soon(post, api, number)
        wall = await api.collect(api.wall.get).all()
    return _compare(stage, outcomes, Counter(each.get("text", "") for each in wall))


def _compare(
    stage: Scenery, outcomes: Mapping[str, VKError | None], wall: Mapping[str, int]
) -> str:
    """Compare what the calls returned with what is on the wall."""
    lost = [text for text, error in outcomes.items() if not error and not wall[text]]
    twice = [text for text, times in wall.items() if times > 1]
    unknown = sum(isinstance(e, OutcomeUnknownError) for e in outcomes.values())
    for what, texts in {"lost": lost, "posted twice": twice}.items():
        stage.errors += [RuntimeError(f"{text!r} was {what}") for text in texts]
    return (
        f"{len(outcomes)} posts: {len(lost)} lost, {len(twice)} posted twice,"
        f" {unknown} reported as unknown"
    )


async def cancel_a_worker(stage: Scenery) -> str:
    """Cancel a task group with calls that are waiting for the limit."""
    async with stage.client() as api:
        with move_on_after(WORKER_SECONDS):
            async with create_task_group() as worker:
                for number in range(1, stage.calls + 1):
                    worker.start_soon(stage.users_get, api, number)
        sent = api.statistics().sent
        await sleep(LATER)
        if api.statistics().sent != sent:
            stage.errors.append(RuntimeError("a call was sent after its cancellation"))
    never = stage.calls - sent
    return f"{stage.calls} calls, cancelled: {sent} were sent, {never} never will be"


async def answer_messages(stage: Scenery) -> str:
    """Answer messages to a community, which a bot gets by long poll."""
    answered: list[str] = []
    async with (
        stage.client(request_mode="burst") as api,
        stage.user() as user,
        api.bot_updates(GROUP, kinds=[MessageNew]) as updates,
    ):

        async def answer(update: MessageNew) -> None:
            text = update.object["message"]["text"]
            await api.messages.send(
                peer_id=update.peer_id,
                group_id=GROUP,
                message=f"You said: {text}",
                random_id=update.random_id(),
            )
            stage.advance()
            answered.append(text)
            if len(answered) == stage.calls:
                updates.stop()

        start = current_time()
        async with create_task_group() as tg:
            for number in range(stage.calls):
                tg.start_soon(stage.write_to_community, user, f"No. {number}")
            with move_on_after(stage.calls + ANSWER_SECONDS):
                await updates.handle(answer)
        seconds = current_time() - start
    once = len({*answered})
    twice = len(answered) - once
    if once < stage.calls or twice:
        wrong = f"{stage.calls - once} messages were not answered, {twice} twice"
        stage.errors.append(RuntimeError(wrong))
    return f"{stage.calls} messages to a community: {once} answered, {seconds:.1f} s"


SCENES: dict[str, Scene] = {
    "sequential": partial(read, how="evenly spaced"),
    "burst": partial(read, how="as soon as allowed", request_mode="burst"),
    "packed": partial(read, how="by execute", request_mode="burst", mode="parallel"),
    "bad network": post_over_a_bad_network,
    "cancellation": cancel_a_worker,
    "a bot": answer_messages,
}
SHARES = {"packed": PACKED, "a bot": 1 / 3}
"""How many times as many calls a scene makes, where it is not one."""


@final
@attrs.frozen(kw_only=True)
class Plan:
    """The options of the demo."""

    calls: int
    limit: int
    latency: float


@click.command
@backend_option
@click.option(
    "--calls",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="Calls to make in each scene; packed, 25 times as many; of a bot, a third.",
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
    """Show what vkanyio does, on a simulated VK.

    The simulator runs on this machine and ends with the demo. No token and no network
    are needed.

    \b
    Example:
      vkanyio demo --backend trio --calls 100
    """
    if math.isnan(latency):
        message = "nan is not a number of seconds"
        raise click.BadParameter(message, param_hint="--latency")
    # Bypass a proxy set in the environment: the simulator is on this machine.
    os.environ["no_proxy"] = "127.0.0.1"
    console = make_console()
    _say(
        console,
        f"A simulated VK: {limit} requests per second, responses after {latency:g} s.\n"
        f"Each call has its own task, on {backend}.\n",
    )
    plan = Plan(calls=calls, limit=limit, latency=latency)
    errors, last_words = run_async(backend, lambda: _play_all(console, plan))
    if last_words:
        _say(console, f"\nThe simulator counted {last_words} by the limit.")
    kinds = Counter(type(error).__name__ for error in errors)
    examples = {type(error).__name__: error for error in errors}
    for name, count in kinds.most_common():
        _say(console, f"{count} x {name}, for example: {examples[name]}")
    return FAILED if errors else 0


async def _play_all(console: Console, plan: Plan) -> tuple[list[Exception], str]:
    """Play all scenes, and return what went wrong and the simulator's last words."""
    errors: list[Exception] = []
    async with simulator_process(
        limit=plan.limit, latency=plan.latency, fault=BAD_NETWORK
    ) as simulator:
        with _make_progress(console) as progress:
            for name, scene in SCENES.items():
                calls = max(1, round(plan.calls * SHARES.get(name, 1)))
                bar = progress.add_task(name, total=calls, result="")
                stage = Scenery(
                    base_url=simulator.base_url,
                    limit=plan.limit,
                    name=name,
                    calls=calls,
                    advance=partial(progress.advance, bar),
                    errors=errors,
                )
                result = await scene(stage)
                progress.update(bar, result=result)
                if progress.disable:
                    _say(console, f"{name:<12}  {result}")
    return errors, simulator.last_words


def _make_progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=8),
        TextColumn("{task.fields[result]}"),
        console=console,
        disable=not console.is_terminal or console.is_dumb_terminal,
    )


def _say(console: Console, text: str) -> None:
    # Wrap lines on a terminal only.
    console.print(text, markup=False, soft_wrap=not console.is_terminal)
