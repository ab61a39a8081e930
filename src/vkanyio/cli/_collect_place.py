"""Where a run of ``vkanyio collect`` has got to: the file for ``--resume``.

Beside the position it has the size that the output had then: what was written after it
is cut off when the next run begins, so a crash repeats no item.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, final

from .._typeguards import is_dict
from ._batch_files import LineFile, open_private
from ._common import WRONG_USAGE, CommandError


@final
class Place:
    """The file with the position in a list: a crash leaves it as it was, or as it is.

    :param path: the file; it need not exist
    :param option: the option that another file can be chosen with
    :ivar exists: whether there was such a file
    :ivar position: the position of an earlier run, None if there was none, or if it had
        read nothing: a run with other parameters may then use the file
    :ivar size: how many bytes of the output belong to it, None if it had no output
    :raises CommandError: if it cannot be read
    """

    def __init__(self, path: str, option: str) -> None:
        self._path = path
        self._new = f"{path}.new"
        self._option = option
        self.exists = False
        self.position: str | None = None
        self.size: int | None = None
        try:
            text = Path(path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except OSError as error:
            message = f"{option}: cannot read {path!r}: {error.strerror}"
            raise CommandError(message, WRONG_USAGE) from None
        except UnicodeDecodeError:
            message = f"{option}: {path!r} is not UTF-8 text"
            raise CommandError(message, WRONG_USAGE) from None
        self.exists = True
        position, _, size = text.strip().partition("\n")
        with suppress(ValueError):
            self.size = int(size)
        if items_read(position) != 0:
            self.position = position

    def __str__(self) -> str:
        return self._path

    def why_refused(self, method: str) -> str:
        """Return why a run cannot continue from the position.

        :param method: the method of the run
        """
        other = f"choose another {self._option}"
        belongs_to = _read(self.position or "").get("method")
        if not isinstance(belongs_to, str):
            return f"{self} has no position of `vkanyio collect` in it: {other}"
        if belongs_to != method:
            return f"{self} belongs to {belongs_to}, not to {method}: {other}"
        differs = f"{self} belongs to {method} with other parameters"
        return f"{differs}: repeat those, or {other}"

    def is_in_the_way_of(self, path: str) -> bool:
        """Return whether the position would be written over a file."""
        taken = {os.path.realpath(each) for each in (self._path, self._new)}
        return os.path.realpath(path) in taken

    def remove(self) -> None:
        """Delete the file."""
        Path(self._path).unlink(missing_ok=True)

    def write(self, position: str, size: int | None) -> None:
        """Replace the position.

        :raises CommandError: if it cannot be written
        """
        lines = [position] if size is None else [position, str(size)]
        try:
            with open(self._new, "w", encoding="utf-8", opener=open_private) as file:
                file.writelines(f"{line}\n" for line in lines)
            os.replace(self._new, self._path)
        except OSError as error:
            message = f"{self._option}: cannot write {self._path!r}: {error.strerror}"
            raise CommandError(message, WRONG_USAGE) from None


def items_read(position: str) -> Any:
    """Return how many items were read up to a position, None if it is not one."""
    return _read(position).get("read")


def _read(position: str) -> dict[str, Any]:
    try:
        value = json.loads(position)
    except (ValueError, RecursionError):
        return {}
    return value if is_dict(value) else {}


def open_output(path: str, place: Place) -> LineFile:
    """Open the output, without what an earlier run wrote after its last position.

    :raises CommandError: if it is not the output of the run that wrote the position
    """
    if place.is_in_the_way_of(path):
        message = f"the position would be written over {path}: choose another --resume"
        raise CommandError(message, WRONG_USAGE)
    file = LineFile(path)
    file.lock()
    has, belongs = file.size(), place.size or 0
    if has < belongs:
        message = (
            f"{path} is shorter than {place} says: restore it, or remove both to start"
            " over"
        )
    elif has and place.size is None:
        without = f"there is no {place}, which says how much of it was read"
        if place.exists:
            without = f"{place} is not of a run with --output"
        message = f"{path} exists, but {without}: choose another --output"
    else:
        file.cut(belongs)
        return file
    file.close()
    raise CommandError(message, WRONG_USAGE)
