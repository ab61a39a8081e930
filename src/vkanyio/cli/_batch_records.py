"""The records of ``vkanyio batch``: how each line ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, final

from .. import APIError, ExecuteResult, OutcomeUnknownError
from ._batch_files import head_of

if TYPE_CHECKING:
    from .. import VKError
    from ._batch_files import Output
    from ._batch_lines import Line
    from ._batch_progress import BatchProgress


@final
class Recorder:
    """Writes the records, and counts how the lines ended.

    :param output: where the records go
    :param progress: the progress bar
    :ivar endings: how many lines ended in which way
    """

    def __init__(self, output: Output, progress: BatchProgress) -> None:
        self.endings: Counter[str] = Counter()
        self._output = output
        self._progress = progress

    async def write(
        self, line: Line, given: Any, found: dict[str, Any], ending: str
    ) -> None:
        """Write the record of a line; a file takes it without a checkpoint.

        :param given: the ``id`` of the line, if it has one
        :param found: the fields that describe how it ended
        """
        await self._output.write({**head_of(line), **given, **found})
        self.count(ending)

    def count(self, ending: str) -> None:
        """Count a line that has ended."""
        self.endings[ending] += 1
        self._progress.advance(ending)


def describe_result(value: Any) -> tuple[str, dict[str, Any]]:
    """Return how a call with a value ended, and the fields of its record."""
    response, errors = value if isinstance(value, ExecuteResult) else (value, ())
    found: dict[str, Any] = {"response": response}
    if not errors:
        return "succeeded", found
    found["execute_errors"] = [
        {"method": each.method, "code": each.code, "message": each.message}
        for each in errors
    ]
    return "failed", found


def describe_error(error: VKError) -> tuple[str, dict[str, Any]]:
    """Return how a call with an error ended, and the fields of its record."""
    found: dict[str, Any] = {"type": type(error).__name__}
    ending = "failed"
    if isinstance(error, APIError):
        found |= {"code": error.code, "message": error.message}
        if error.subcode is not None:
            found["subcode"] = error.subcode
    else:
        found["message"] = str(error)
        is_doubtful = isinstance(error, OutcomeUnknownError)
        ending = "unknown" if is_doubtful else "got no response"
    found["method"] = getattr(error, "method", "")
    return ending, {"error": found}
