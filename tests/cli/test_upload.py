"""``vkanyio upload``: a file is sent, and its attachment is printed."""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from vkanyio.cli._app import run
from vkanyio.testing import Simulator, faults

from .conftest import BACKENDS, Start, run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Upload = Callable[..., tuple[int, str, str]]


@pytest.fixture
def upload(base_url: str, capfd: pytest.CaptureFixture[str]) -> Upload:
    """Runs the command: exit code, standard output, and standard error."""

    def again(*words: str) -> tuple[int, str, str]:
        code = run(["upload", *words, "--base-url", base_url, "--limit", "40"])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return again


@pytest.fixture
def cat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cat.jpg"
    path.write_bytes(bytes(300_000))
    return path


@BACKENDS
def test_prints_the_attachment_of_a_file(
    upload: Upload, simulator: Simulator, cat: Path, backend: str
) -> None:
    code, out, err = upload(
        "message_photo", str(cat), "peer_id=5", "--backend", backend
    )
    assert (code, err) == (0, "")
    assert out.startswith("photo1_456239017_")
    [entry] = simulator.ledger.carried_out("photos.getMessagesUploadServer")
    assert entry.params["peer_id"] == "5"
    assert [saved.name for saved in simulator.ledger.saved] == ["cat.jpg"]


def test_several_photos_are_a_line_each(
    upload: Upload, simulator: Simulator, cat: Path
) -> None:
    (cat.parent / "a=b.png").write_bytes(b"x")
    files = ["cat.jpg", "./a=b.png"]
    code, out, _ = upload("market_photos", *files, "group_id=7")
    assert (code, out) == (0, "456239017\n456239018\n")
    assert [saved.name for saved in simulator.ledger.saved] == ["cat.jpg", "a=b.png"]


def test_what_cannot_be_attached_is_printed_as_json(upload: Upload, cat: Path) -> None:
    code, out, _ = upload("owner_photo", "cat.jpg", "square_crop:=[0,0,200]")
    assert code == 0
    assert json.loads(out)["saved"] == 1
    code, out, _ = upload("wall_photo", "cat.jpg", "--json")
    assert code == 0
    assert json.loads(out)["owner_id"] == 1


def test_a_video_of_another_site_is_added(upload: Upload) -> None:
    code, out, _ = upload("video_by_link", "https://youtu.be/1?t=5", "name=Film")
    assert code == 0
    assert out.startswith("video1_")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mesage_photo", "cat.jpg"], "'mesage_photo': did you mean message_photo"),
        (["photo", "cat.jpg"], "there is no upload of kind 'photo'"),
        (["wall_photo"], "wall_photo takes one file, got 0"),
        (["wall_photo", "a", "b"], "wall_photo takes one file, got 2: a b"),
        (["album_photos", "cat.jpg"], "album_photos needs album_id"),
        (["wall_photo", "cat.jpg", "peer_id=1"], "wall_photo has no parameter"),
        (["message_photo", "cat.jpg", "per_id=1"], "did you mean peer_id"),
        (["wall_photo", "no.jpg"], "cannot read 'no.jpg': No such file"),
        (["wall_photo", "cat.txt"], "got 'cat.txt'"),
        (
            ["market_photos", "group_id=7"],
            "files must contain at least one file, got none",
        ),
        (["wall_photo", "cat.jpg", "access_token=x"], "access_token is refused"),
    ],
)
def test_a_wrong_command_line_is_reported_in_a_line(
    upload: Upload, simulator: Simulator, cat: Path, words: list[str], message: str
) -> None:
    cat.with_suffix(".txt").write_bytes(b"x")
    code, out, err = upload(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert simulator.ledger.requests == 0


@pytest.mark.parametrize(
    ("fault", "method", "expected", "message"),
    [
        (faults.early_refusal(), "upload", 1, "refused the file as too large"),
        (faults.html(502), "upload", 3, "nothing was saved, try again later"),
        (faults.drop_after(), "photos.saveWallPhoto", 4, "may have been carried out"),
        (faults.error(15), "photos.getWallUploadServer", 1, "error 15"),
    ],
)
def test_the_exit_code_says_what_became_of_the_file(
    upload: Upload,
    simulator: Simulator,
    cat: Path,
    fault: Any,
    method: str,
    expected: int,
    message: str,
) -> None:
    simulator.fault(fault, method, rate=1)
    code, out, err = upload("wall_photo", "cat.jpg", "--retries", "1")
    assert (code, out) == (expected, "")
    assert message in err


def test_a_video_that_stays_lost_is_named(
    upload: Upload, simulator: Simulator, cat: Path
) -> None:
    cat.with_suffix(".mp4").write_bytes(b"x")
    simulator.fault(faults.html(502), "upload", rate=1)
    code, _, err = upload("video", "cat.mp4", "--retries", "0")
    assert code == 3
    assert "video.save has created video1_" in err


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_a_terminal_shows_how_far_it_is(base_url: str, cat: Path) -> None:
    code, shown = run_on_terminal(
        "upload", "wall_photo", str(cat), "--base-url", base_url
    )
    assert code == 0
    assert "photo1_" in shown
    assert "300.0" in shown or "━" in shown


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_ctrl_c_says_how_far_it_was(
    base_url: str, simulator: Simulator, cat: Path, start: Start
) -> None:
    simulator.fault(faults.hang_after(), "photos.saveWallPhoto", rate=1)
    process = start("upload", "wall_photo", str(cat), "--base-url", base_url)
    deadline = time.monotonic() + 20
    while not simulator.ledger.saved and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted after 300,000 of 300,000 bytes: VK may have saved it" in err
