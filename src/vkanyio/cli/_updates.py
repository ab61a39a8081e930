"""``vkanyio updates``: what happens in a community, as JSON lines."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from .. import VK, Config, VKError
from ..updates import FilePosition, Gap, Update
from ._batch_files import StreamOutput
from ._common import WRONG_USAGE, CommandError, Interrupted, report, run_async
from ._explain import command_error
from ._options import ClientOptions, client_options

if TYPE_CHECKING:
    from ..updates import BotUpdates

GROUP = re.compile(r"(?:club|public|event|-)?([1-9]\d{0,17})", re.ASCII)


@click.command()
@click.argument("group", metavar="[GROUP]", required=False)
@click.option(
    "--position",
    metavar="FILE",
    help="Resume from the position in FILE, and store it there.",
)
@click.option(
    "--kind",
    "kinds",
    metavar="KIND",
    multiple=True,
    help="Print updates of this kind, such as message_new, and no others.",
)
@click.option(
    "--configure",
    is_flag=True,
    help="Switch on long poll in the settings of the community, with these kinds.",
)
@click.option(
    "--max-updates", type=click.IntRange(1), metavar="N", help="Stop after N updates."
)
@client_options
def updates(
    group: str | None,
    position: str | None,
    kinds: tuple[str, ...],
    configure: bool,
    max_updates: int | None,
    client: ClientOptions,
) -> int:
    """Print the updates of the community GROUP, one per line, until Ctrl-C.

    GROUP is an id, such as 1 or club1; it may be left out if the token is that of the
    community. Long poll must be enabled in the settings of the community, and only the
    types that are ticked there are delivered.

    With --position, the next run first prints what happened in between.

    \b
    Example:
      vkanyio updates club1 --kind message_new --position club1.position
    """
    options: dict[str, Any] = {"configure": configure, "kinds": kinds or None}
    options["group_id"] = None if group is None else _group_id(group)
    options["position"] = None if position is None else FilePosition(position)
    try:  # before anything is sent, and before anybody is asked for the token
        VK("none").bot_updates(**options)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error), WRONG_USAGE) from None
    printer = _Printer(max_updates)
    config = client.config()
    try:
        run_async(client.backend, lambda: printer.run(config, options))
    except Interrupted as interrupted:
        message = f"interrupted after {printer.count} updates"
        raise Interrupted(message, signum=interrupted.signum) from None
    except VKError as error:
        raise command_error(error) from error
    report(f"{printer.count} updates")
    return 0


def _group_id(text: str) -> int:
    if (match := GROUP.fullmatch(text)) is None:
        message = f"GROUP is the id of a community, such as 1 or club1, not {text!r}"
        raise CommandError(message, WRONG_USAGE)
    return int(match[1])


class _Printer:
    """Prints updates, and counts them."""

    def __init__(self, most: int | None) -> None:
        self.count = 0
        self._most = most

    async def run(self, config: Config, options: dict[str, Any]) -> None:
        async with (
            VK.from_config(config) as api,
            api.bot_updates(**options) as updates,
        ):
            await self._print(updates)

    async def _print(self, updates: BotUpdates) -> None:
        output = StreamOutput(sys.stdout.fileno())
        async for item in updates:
            await output.write(_record(item))
            self.count += isinstance(item, Update)
            if self.count == self._most:
                updates.stop()  # acknowledges it by the next step of the loop


def _record(item: Update[Any] | Gap) -> dict[str, Any]:
    """Return a line of output."""
    if isinstance(item, Gap):
        return {"gap": item.reason, "before": item.before, "after": item.after}
    return {
        "type": item.type,
        "group_id": item.group_id,
        "event_id": item.event_id,
        "v": item.v,
        "object": item.object,
    }
