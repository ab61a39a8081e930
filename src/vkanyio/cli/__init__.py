"""The command line: the ``vkanyio`` command."""

from __future__ import annotations

import sys

NEEDED = ("click", "rich")


def main() -> None:
    """Run the command line of this process, and exit.

    Exit codes: 0 for success, 1 for an error from VK, 2 for wrong usage, 3 if no
    response came, 4 if VK may have carried the call out, 130 for Ctrl-C.
    """
    try:
        from ._app import run
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in NEEDED:
            raise
        sys.stderr.write(
            f"vkanyio: the command line needs {missing}: pip install 'vkanyio[cli]'\n"
        )
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))
