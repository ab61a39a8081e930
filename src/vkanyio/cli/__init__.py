"""The command line: the ``vkanyio`` command."""

from __future__ import annotations

import os
import signal
import sys

from .._extras import how_to_install

NEEDED = ("click", "rich")


def main() -> None:
    """Run the command line of this process, and exit.

    Exit codes: 0 for success, 1 for an error from VK, 2 for wrong usage, 3 if no
    response came, 4 if VK may have carried the call out, 130 for Ctrl-C.
    """
    _open_closed_streams()
    try:
        from ._app import run
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in NEEDED:
            raise
        if sys.argv[1:2] == ["simulator"]:
            _run_plain_simulator()
        sys.stderr.write(
            f"vkanyio: the command line needs {missing}: {how_to_install('cli')}\n"
        )
        sys.exit(2)
    except KeyboardInterrupt:  # while the modules are loaded
        sys.stderr.write("vkanyio: interrupted\n")
        sys.exit(128 + signal.SIGINT)
    sys.exit(run(sys.argv[1:]))


def _open_closed_streams() -> None:
    """Open the null device for standard streams that are closed, as by ``>&-``.

    Python has None in place of such a stream, and the system would give its number to
    the next file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _run_plain_simulator() -> None:
    """Run the simulator without the packages of the extra ``cli``, and exit."""
    from ..testing.__main__ import main as run_simulator

    run_simulator(sys.argv[2:])
    sys.exit()
