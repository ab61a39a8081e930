"""The commands together, and what becomes of their errors."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import click
from click.exceptions import NoArgsIsHelpError

from .. import __version__
from ._batch import batch
from ._call import call, execute, procedure
from ._common import SIGNALLED, WRONG_USAGE, Failure, Interrupted, report
from ._completion import VARIABLE, completion
from ._demo import demo
from ._methods import methods
from ._simulator import simulator

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88}
)
@click.version_option(__version__, prog_name="vkanyio", message="%(prog)s %(version)s")
def commands() -> None:
    """Call the VK API, look up its methods, or watch vkanyio at work.

    The access token is taken from the environment variable VK_TOKEN or from a file.

    \b
    Exit codes: 0 success, 1 VK's error, 2 wrong usage, 3 no answer (the network),
    4 VK may have carried it out, 130 Ctrl-C, 143 SIGTERM

    \b
    Example:
      vkanyio call users.get user_ids=1
    """


for _command in (
    *(call, execute, procedure, batch),
    *(methods, demo, simulator, completion),
):
    commands.add_command(_command)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; every expected error becomes one line on standard error.

    :param arguments: the words after the program's name
    :return: the exit code
    """
    try:
        code: object = commands.main(
            list(arguments),
            prog_name="vkanyio",
            complete_var=VARIABLE,
            standalone_mode=False,
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
        return interrupted.exit_code
    except click.Abort:  # click's word for a KeyboardInterrupt, its line ended
        report("interrupted")
        return SIGNALLED + signal.SIGINT
    return code if isinstance(code, int) else 0
