"""The commands together, and what becomes of their errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from click.exceptions import NoArgsIsHelpError

from .. import __version__
from ._call import call
from ._common import INTERRUPTED, WRONG_USAGE, Failure, Interrupted, report
from ._demo import demo
from ._simulator import simulator

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88}
)
@click.version_option(__version__, prog_name="vkanyio", message="%(prog)s %(version)s")
def commands() -> None:
    """Call the VK API, or watch vkanyio at work.

    \b
    Example:
      vkanyio call users.get user_ids=1
    """


commands.add_command(call)
commands.add_command(demo)
commands.add_command(simulator)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; every expected error becomes one line on standard error.

    :param arguments: the words after the program's name
    :return: the exit code
    """
    try:
        code: object = commands.main(
            list(arguments), prog_name="vkanyio", standalone_mode=False
        )
    except NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "vkanyio"
        message = error.format_message().rstrip(".")
        report(f"{message} (see `{command} --help`)")
        return WRONG_USAGE
    except Failure as failure:
        report(str(failure))
        return failure.exit_code
    except Interrupted as interrupted:
        if sys.stderr.isatty():
            click.echo(err=True)  # ends the line with the terminal's ^C
        report(str(interrupted))
        return INTERRUPTED
    except click.Abort:  # click's word for a KeyboardInterrupt, its line ended
        report("interrupted")
        return INTERRUPTED
    return code if isinstance(code, int) else 0
