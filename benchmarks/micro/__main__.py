"""Measure the parts of vkanyio: ``uv run python -m benchmarks.micro``, in ten seconds.

Each line has the best of several rounds, in microseconds, and by how much the median
exceeded it. That is mostly noise, and so is any smaller difference between two runs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# So that modules import each other by name, as in the other benchmarks.
sys.path.insert(0, str(Path(__file__).parents[1]))

from micro.parts import parts
from micro.starting import starting
from micro.timing import Figure, timed
from micro.waiting import waiting


def main() -> None:
    """Print a line for each part."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.micro", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "only",
        nargs="*",
        default=[""],
        metavar="NAME",
        help="parts whose names begin with this",
    )
    only = tuple(parser.parse_args().only)
    for name, part in parts().items():
        if name.startswith(only):
            show({name: timed(part)})
    if "settle".startswith(only):
        show(waiting("asyncio"))
        show(waiting("trio"))
    if "import".startswith(only):
        show(starting())


def show(figures: dict[str, Figure]) -> None:
    """Print a line for each figure."""
    for name, figure in figures.items():
        print(f"{name:42} {1e6 * figure.best:10.2f} us  +{figure.spread:.0%}")


if __name__ == "__main__":
    main()
