"""Where a run of ``vkanyio collect`` has got to: the file for ``--resume``.

Beside the position it has the size that the output had then: what was written after it
is cut off when the next run begins, so a crash repeats no item.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import final

from ._batch_files import LineFile
from ._common import WRONG_USAGE, CommandError


@final
class Place:
    """The file with the position in a list: a crash leaves it as it was, or as it is.

    :param path: the file; it need not exist
    :ivar position: the position of an earlier run, None if there was none
    :ivar size: how many bytes of the output belong to it, None if it had no output
    :raises CommandError: if it cannot be read
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.position: str | None = None
        self.size: int | None = None
        try:
            text = Path(path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            message = f"--resume: cannot read {path!r}: {error}"
            raise CommandError(message, WRONG_USAGE) from None
        self.position, _, size = text.strip().partition("\n")
        with suppress(ValueError):
            self.size = int(size)

    def __str__(self) -> str:
        return self._path

    def write(self, position: str, size: int | None) -> None:
        """Replace the position.

        :raises CommandError: if it cannot be written
        """
        lines = [position] if size is None else [position, str(size)]
        new = f"{self._path}.new"
        try:
            Path(new).write_text("".join(f"{x}\n" for x in lines), encoding="utf-8")
            os.replace(new, self._path)
        except OSError as error:
            message = f"--resume: cannot write {self._path!r}: {error.strerror}"
            raise CommandError(message) from None


def open_output(path: str, place: Place) -> LineFile:
    """Open the output, without what an earlier run wrote after its last position.

    :raises CommandError: if it is not the output of the run that wrote the position
    """
    file = LineFile(path)
    file.lock()
    has, belongs = file.size(), place.size or 0
    if has < belongs:
        message = (
            f"{path} is shorter than {place} says: restore it, or remove both to start"
            " over"
        )
    elif has and place.size is None:
        message = (
            f"{path} exists, but {place} has no position in it: choose another --output"
        )
    else:
        file.cut(belongs)
        return file
    file.close()
    raise CommandError(message, WRONG_USAGE)
