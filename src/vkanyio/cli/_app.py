"""The group of all commands, and the reporting of their errors."""

from __future__ import annotations

import errno
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, final

import click
from click.exceptions import NoArgsIsHelpError

from .. import __version__
from .._similar import did_you_mean
from ._common import (
    COMPLETE_VARIABLE,
    SIGNALLED,
    WRONG_USAGE,
    CommandError,
    Interrupted,
    discard,
    report,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


MODULES = {
    "batch": "_batch",
    "call": "_call",
    "collect": "_collect",
    "completion": "_completion",
    "demo": "_demo",
    "execute": "_call",
    "methods": "_methods",
    "procedure": "_call",
    "simulator": "_simulator",
    "updates": "_updates",
    "upload": "_upload",
}
"""The module of each command."""

NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""Why standard output cannot be written; click itself handles a broken pipe."""


@final
class Commands(click.Group):
    """Loads a command only when it is used: `call` needs no simulator."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return sorted(MODULES)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Load a command."""
        if cmd_name not in MODULES:
            return None
        module = import_module(f".{MODULES[cmd_name]}", __package__)
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest the one that was probably meant."""
        name = args[0]
        if name not in MODULES and name.isalnum() and not ctx.resilient_parsing:
            meant = did_you_mean(name, MODULES)
            raise click.UsageError(f"no such command {name!r}{meant}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(__version__, prog_name="vkanyio", message="%(prog)s %(version)s")
def commands() -> None:
    """Call the VK API, look up its methods, or watch vkanyio at work.

    The access token comes from the environment variable VK_TOKEN or from a file.

    \b
    Exit codes: 0 success, 1 error from VK, 2 wrong usage, 3 no response,
    4 VK may have carried out the call, 130 Ctrl-C, 143 SIGTERM

    \b
    Example:
      vkanyio call users.get user_ids=1
    """


def run(arguments: Sequence[str]) -> int:
    """Run a command line, and report expected errors in one line on standard error.

    :param arguments: the arguments that follow the program name
    :return: the exit code
    """
    try:
        code: object = commands.main(
            list(arguments),
            prog_name="vkanyio",
            complete_var=COMPLETE_VARIABLE,
            standalone_mode=False,
        )
    except NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        # Errors of the parser have no context.
        name = next((word for word in arguments[:1] if word in MODULES), None)
        command = "vkanyio" if name is None else f"vkanyio {name}"
        message = error.format_message().rstrip(".")
        report(f"{message} (see `{command} --help`)")
        return WRONG_USAGE
    except CommandError as error:
        report(str(error))
        return error.exit_code
    except Interrupted as interrupted:
        if sys.stderr.isatty():
            click.echo(err=True)  # end the line that shows ^C
        report(str(interrupted))
        return interrupted.exit_code
    except click.Abort:  # click raises it for KeyboardInterrupt, and ends the line
        report("interrupted")
        return SIGNALLED + signal.SIGINT
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        discard(sys.stdout)
        report(f"cannot write to standard output: {error.strerror}")
        return WRONG_USAGE
    return code if isinstance(code, int) else 0
