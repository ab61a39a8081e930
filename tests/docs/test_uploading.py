"""The guide to uploads: its code does what its text says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import anyio
import pytest
from _pages import Page

from vkanyio import OutcomeUnknownError
from vkanyio._method_facts import METHODS
from vkanyio.testing import faults
from vkanyio.uploads._kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vkanyio import VK
    from vkanyio.testing import Simulator

    MakeClient = Callable[..., VK]

pytestmark = pytest.mark.anyio

UPLOADS = Page("guides/uploads.md")


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"not really a picture")
    return path


def test_the_table_names_the_tokens_that_each_upload_takes():
    names = {
        "a user": "user",
        "a community": "group",
        "an application (service)": "service",
    }
    shown: dict[str, set[str]] = {}
    for line in UPLOADS.text.splitlines():
        cells = line.strip("| ").split(" | ")
        if line.startswith("| ") and len(cells) > 2 and "`" in cells[1]:
            for kind in re.findall(r"`(\w+)[`(]", cells[1]):
                shown[kind] = {names[each] for each in cells[2].strip(" |").split(", ")}
    assert shown.pop("video_by_link") == shown["video"]
    assert shown == {
        name: set(METHODS[kind.get].tokens) & set(METHODS[kind.save or kind.get].tokens)
        for name, kind in KINDS.items()
    }


async def test_a_photo_is_sent(simulator: Simulator, api: VK, cat: Path):
    await UPLOADS.load("def send_cat(")["send_cat"](api, 5, cat)
    [sent] = simulator.ledger.carried_out("messages.send")
    assert sent.params["attachment"].startswith("photo1_456239017_")


async def test_a_file_is_sent_to_an_address(api: VK):
    server = await api.docs.getUploadServer()
    send_to = UPLOADS.load("def send_to(")["send_to"]
    assert set(await send_to(api, server["upload_url"], b"text")) == {"file"}


async def test_bytes_and_streams_are_files(simulator: Simulator, api: VK):
    async def chunks() -> AsyncIterator[bytes]:
        yield b"1234"
        yield b"56"

    names = UPLOADS.load("def send_report(")
    await names["send_report"](api, 5, b"a;b")
    assert (await names["send_stream"](api, chunks(), 6)).startswith("video1_")
    sizes = [(saved.name, saved.size) for saved in simulator.ledger.saved]
    assert sizes == [("report.csv", 3), ("film.mp4", 6)]


async def test_several_files_are_sent_at_once(simulator: Simulator, api: VK):
    simulator.fault(faults.slow_upload(10.0), "upload", rate=1)
    pictures = [b"first", b"second", b"third"]
    start = anyio.current_time()
    await UPLOADS.load("def send_pictures(")["send_pictures"](api, 5, pictures)
    assert anyio.current_time() - start < 20
    [sent] = simulator.ledger.carried_out("messages.send")
    assert len(set(sent.params["attachment"].split(","))) == 3
    assert len(simulator.ledger.saved) == 3


async def test_progress_is_shown(api: VK, capsys: pytest.CaptureFixture[str]):
    # Bytes, since a virtual clock does not wait for the thread that reads a path.
    await UPLOADS.load("def upload_film(")["upload_film"](api, bytes(2**19))
    assert capsys.readouterr().out.split("\n")[:-1] == ["0 %", "50 %", "100 %"]


@pytest.mark.parametrize(
    ("fault", "method", "printed"),
    [
        (faults.early_refusal(), "upload", "VK does not take it"),
        (faults.html(502), "upload", "Nothing was saved, try later"),
        (faults.drop_before(), "docs.save", ""),
    ],
)
async def test_each_failure_asks_for_something_else(
    simulator: Simulator,
    make_client: MakeClient,
    cat: Path,
    capsys: pytest.CaptureFixture[str],
    fault: faults.Fault,
    method: str,
    printed: str,
):
    simulator.fault(fault, method)
    async with make_client(retry_limit=0) as api:
        added = await UPLOADS.load("def add(")["add"](api, str(cat))
    assert printed in capsys.readouterr().out
    assert len(simulator.ledger.saved) == (0 if printed else 1)
    assert (added is None) if printed else added.startswith("doc1_")


async def test_what_was_saved_in_doubt_is_not_saved_again(
    simulator: Simulator, api: VK, cat: Path
):
    simulator.fault(faults.drop_after(), "docs.save")
    with pytest.raises(OutcomeUnknownError):
        await UPLOADS.load("def add(")["add"](api, str(cat))
    assert len(simulator.ledger.saved) == 1


async def test_a_test_sees_what_is_saved(simulator: Simulator, make_client: MakeClient):
    mark = "def test_a_photo_is_saved_once"
    async with make_client() as api:
        await UPLOADS.load(mark)["test_a_photo_is_saved_once"](api, simulator)
