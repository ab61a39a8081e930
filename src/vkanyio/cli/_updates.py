"""``vkanyio updates``: what happens in a community or a mailbox, as JSON lines."""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from .. import VK, Config, ParameterError, VKError
from .._similar import did_you_mean
from ..updates import FilePosition, Gap, PositionError, Update, mailbox
from ._batch_files import StreamOutput
from ._common import WRONG_USAGE, CommandError, Interrupted, report, run_async
from ._explain import command_error
from ._options import ClientOptions, client_options

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import TypeAlias

    from ..updates import BotUpdates, UserUpdates

    Listen: TypeAlias = Callable[[VK], BotUpdates | UserUpdates]

GROUP = re.compile(r"(?:club|public|event|-)?([1-9]\d{0,17})", re.ASCII)
MAILBOX_KINDS = {
    cls(object=[], event_id="", group_id=0).type for cls in mailbox.CLASSES.values()
}
WITH_TEXT = (mailbox.NewMessage, mailbox.MessageEdited, mailbox.MessageFlagsReset)


@click.command()
@click.argument("group", metavar="[GROUP]", required=False)
@click.option(
    "--mailbox",
    "is_mailbox",
    is_flag=True,
    help="Print what happens in the mailbox of the token instead.",
)
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
    is_mailbox: bool,
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

    With --mailbox, print what happens in the mailbox of the token: new and edited
    messages, deletions, reads, typing. The token must be that of a community with the
    right to messages; VK gives this right to tokens of users in exceptional cases only.

    With --position, the next run first prints what happened in between.

    \b
    Example:
      vkanyio updates club1 --kind message_new --position club1.position
      vkanyio updates --mailbox --kind message_edited --position mailbox.position
    """
    store = None if position is None else FilePosition(position)
    if is_mailbox:
        _check_mailbox(group, kinds, configure=configure)
        printer = _Printer(max_updates, kinds)
        listen: Listen = partial(VK.user_updates, position=store)
    else:
        printer = _Printer(max_updates)
        listen = partial(
            VK.bot_updates,
            group_id=None if group is None else _group_id(group),
            position=store,
            configure=configure,
            kinds=kinds or None,
        )
    try:  # before anything is sent, and before anybody is asked for the token
        listen(VK("none"))
    except (TypeError, ValueError) as error:
        raise CommandError(str(error), WRONG_USAGE) from None
    config = client.config()
    try:
        run_async(client.backend, lambda: printer.run(config, listen))
    except Interrupted as interrupted:
        message = f"interrupted after {printer.count} updates"
        raise Interrupted(message, signum=interrupted.signum) from None
    except VKError as error:
        raise _explained(error) from error
    report(f"{printer.count} updates")
    return 0


def _group_id(text: str) -> int:
    if (match := GROUP.fullmatch(text)) is None:
        message = f"GROUP is the id of a community, such as 1 or club1, not {text!r}"
        raise CommandError(message, WRONG_USAGE)
    return int(match[1])


def _check_mailbox(
    group: str | None, kinds: Collection[str], *, configure: bool
) -> None:
    """Refuse what does not go with ``--mailbox``."""
    message = ""
    unknown = [each for each in kinds if each not in MAILBOX_KINDS]
    if group is not None:
        message = (
            f"GROUP, {group!r}, and --mailbox exclude each other: --mailbox prints what"
            " happens in the mailbox of the token"
        )
    elif configure:
        message = "--configure is for communities: leave it out with --mailbox"
    elif unknown:
        kinds_are = f": its kinds are {', '.join(sorted(MAILBOX_KINDS))}"
        hint = did_you_mean(unknown[0], MAILBOX_KINDS) or kinds_are
        message = f"--kind has {unknown[0]!r}, which a mailbox does not have{hint}"
    if message:
        raise CommandError(message, WRONG_USAGE)


def _explained(error: VKError) -> CommandError:
    """Return the error with which the command ends."""
    if isinstance(error, PositionError):
        return CommandError(f"--position: {error}", WRONG_USAGE)
    if isinstance(error, ParameterError) and error.method == "groups.getById":
        message = (
            "the token is not that of a community: name one as GROUP, such as club1,"
            " or use --mailbox"
        )
        return CommandError(message, WRONG_USAGE)
    return command_error(error)


class _Printer:
    """Prints updates, and counts them.

    :param most: how many, None for all
    :param kinds: the types that are printed, all if there are none
    """

    def __init__(self, most: int | None, kinds: Collection[str] = ()) -> None:
        self.count = 0
        self._most = most
        self._kinds = kinds

    async def run(self, config: Config, listen: Listen) -> None:
        async with VK.from_config(config) as api, listen(api) as updates:
            await self._print(updates)

    async def _print(self, updates: BotUpdates | UserUpdates) -> None:
        output = StreamOutput(sys.stdout.fileno())
        async for item in updates:
            if isinstance(item, Update):
                if self._kinds and item.type not in self._kinds:
                    continue
                self.count += 1
            await output.write(_record(item))
            if self.count == self._most:
                updates.stop()  # acknowledges it by the next step of the loop


def _record(item: Update[Any] | Gap) -> dict[str, Any]:
    """Return a line of output."""
    if isinstance(item, Gap):
        return {"gap": item.reason, "before": item.before, "after": item.after}
    if isinstance(item, mailbox.UserUpdate):
        return _record_of_mailbox(item)
    return {
        "type": item.type,
        "group_id": item.group_id,
        "event_id": item.event_id,
        "v": item.v,
        "object": item.object,
    }


def _record_of_mailbox(item: mailbox.UserUpdate) -> dict[str, Any]:
    """Return a line of output; what has a text is the same, replayed or not."""
    record: dict[str, Any] = {
        "type": item.type,
        "key": item.key,
        "peer_id": item.peer_id,
        "replayed": item.replayed,
    }
    if isinstance(item, WITH_TEXT):
        record["text"] = item.text
    return {**record, "object": item.object, "message": item.message}
