"""A batch that is cancelled, in virtual time."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any, final

import anyio
import pytest

from vkanyio import VK
from vkanyio.cli._batch_book import Book
from vkanyio.cli._batch_feed import BatchFeed
from vkanyio.cli._batch_files import OutputFiles
from vkanyio.cli._batch_lines import LineReader
from vkanyio.cli._batch_progress import BatchProgress
from vkanyio.cli._batch_records import Recorder
from vkanyio.cli._batch_run import BatchRun
from vkanyio.testing import Simulator

from .batches import carried_out, posts, records, write_calls
from .conftest import TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CALLS = 100


@final
class CancellingOutput:
    """A file of records that cancels the batch, once all calls have ended."""

    def __init__(
        self, files: OutputFiles, simulator: Simulator, scope: anyio.CancelScope
    ) -> None:
        self._files = files
        self._simulator = simulator
        self._scope = scope

    async def write(self, record: Mapping[str, Any]) -> None:
        if not self._scope.cancel_called:
            # The lines are read by a thread, for which virtual time does not wait.
            while carried_out(self._simulator).total() < CALLS:  # noqa: ASYNC110
                await anyio.sleep(0.1)
            await anyio.sleep(10)
            self._scope.cancel()
        await self._files.records.write(record)


@pytest.mark.anyio
async def test_what_had_ended_when_a_batch_is_cancelled_is_recorded(
    tmp_path: Path,
) -> None:
    write_calls(tmp_path / "calls.jsonl", posts(CALLS))
    simulator = Simulator(limit=0, latency=0.1)
    files = OutputFiles(str(tmp_path / "out.jsonl"))
    descriptor = os.open(tmp_path / "calls.jsonl", os.O_RDONLY)
    with (
        anyio.CancelScope() as scope,
        BatchProgress(CALLS, done=0, has_output=True) as progress,
    ):
        recorder = Recorder(CancellingOutput(files, simulator, scope), progress)
        feed = BatchFeed(
            *(LineReader(descriptor), files, Book(), recorder),
            max_in_flight=CALLS,
            checked=True,
            repeat_unknown=False,
        )
        async with VK(
            TOKEN,
            limit=100,
            mode="parallel",
            request_mode="burst",
            http_client=simulator.http_client(),
        ) as api:
            await BatchRun(feed, files, recorder).run(api)
    os.close(descriptor)
    files.close()
    assert scope.cancelled_caught
    lines = [record["line"] for record in records(tmp_path)]
    assert sorted(lines) == [*range(1, CALLS + 1)]
    assert carried_out(simulator) == Counter(lines)
