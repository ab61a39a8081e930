"""``vkanyio collect``: JSON lines, and going on after a stop."""

from __future__ import annotations

import io
import json
import signal
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from vkanyio.cli import _collect, _progress_lines
from vkanyio.cli._app import run
from vkanyio.testing import Simulator, faults

from .conftest import BACKENDS, Start, run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    Collect = Callable[..., tuple[int, list[Any], str]]

MEMBERS = ["groups.getMembers", "group_id=7"]


@pytest.fixture
def collect(base_url: str, capfd: pytest.CaptureFixture[str]) -> Collect:
    """Runs the command: exit code, the items, and standard error."""

    def again(*words: str) -> tuple[int, list[int], str]:
        code = run(["collect", *words, "--base-url", base_url, "--limit", "40"])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, [json.loads(line) for line in out.splitlines()], err

    return again


@BACKENDS
def test_prints_each_item_in_a_line(
    collect: Collect, simulator: Simulator, backend: str
) -> None:
    simulator.add_group(7, members=range(1, 2501))
    code, items, err = collect(*MEMBERS, "--backend", backend)
    assert code == 0
    assert items == [*range(1, 2501)]
    assert err.startswith("vkanyio: 2500 items in ")
    assert simulator.ledger.requests == 2  # packed


def test_objects_are_printed_as_json(collect: Collect, simulator: Simulator) -> None:
    posts = [{"owner_id": 1, "id": n, "text": "два\n"} for n in range(3)]
    simulator.add_list("wall.get", posts)
    code, items, _ = collect("wall.get", "owner_id=1", "count=2")
    assert (code, items) == (0, posts)


def test_goes_on_from_the_position_in_a_file(
    collect: Collect, simulator: Simulator, tmp_path: Path
) -> None:
    members = [*range(1, 2001)]
    simulator.add_list("groups.getMembers", members, max_page=1000)
    words = [*MEMBERS, "--resume", str(tmp_path / "place")]
    code, first, _ = collect(*words, "--max-items", "700")
    assert (code, first) == (0, members[:700])
    del members[100:105]
    code, rest, _ = collect(*words)
    assert (code, rest) == (0, [*range(701, 2001)])
    members.append(5000)
    assert collect(*words)[:2] == (0, [5000])
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@BACKENDS
def test_after_kill_9_the_output_has_each_item_once(
    base_url: str, simulator: Simulator, tmp_path: Path, start: Start, backend: str
) -> None:
    simulator.add_list("groups.getMembers", range(40_000), max_page=100)
    output, place = tmp_path / "members", tmp_path / "members.position"
    words = ["collect", *MEMBERS, "--output", str(output), "--backend", backend]
    words += ["--base-url", base_url]
    process = start(*words, "--limit", "20")
    deadline = time.monotonic() + 30
    while (
        not place.exists()
        or json.loads(place.read_text().partition("\n")[0])["read"] == 0
    ):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    with output.open("ab") as file:
        file.write(b"12345")  # as a crash may leave it
    process = start(*words, "--limit", "1000")
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert [int(line) for line in output.read_text().splitlines()] == [*range(40_000)]


def test_an_output_goes_on_where_it_ends(
    collect: Collect, simulator: Simulator, tmp_path: Path
) -> None:
    members = [*range(1, 2001)]
    simulator.add_list("groups.getMembers", members, max_page=1000)
    output, place = tmp_path / "members", tmp_path / "members.position"
    words = [*MEMBERS, "-o", str(output)]
    assert collect(*words, "--max-items", "700")[:2] == (0, [])
    assert stat.S_IMODE(output.stat().st_mode) == 0o600 or sys.platform == "win32"
    assert collect(*words)[:2] == (0, [])
    members.append(5000)
    assert collect(*words)[:2] == (0, [])
    assert [int(line) for line in output.read_text().splitlines()] == members
    assert {path.name for path in tmp_path.iterdir()} == {output.name, place.name}


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("1\n", False, "members.position, which says how much of it was read"),
        ("", True, "members is shorter than"),
    ],
)
def test_an_output_that_is_not_of_the_position_is_left_alone(
    collect: Collect,
    simulator: Simulator,
    tmp_path: Path,
    text: str,
    position: bool,
    problem: str,
) -> None:
    simulator.add_list("groups.getMembers", range(3))
    output, place = tmp_path / "members", tmp_path / "members.position"
    assert collect(*MEMBERS, "-o", str(output))[0] == 0
    if not position:
        place.unlink()
    output.write_text(text)
    requests = simulator.ledger.requests
    code, _, err = collect(*MEMBERS, "-o", str(output))
    assert (code, simulator.ledger.requests) == (2, requests)
    assert problem in err
    assert output.read_text() == text


@pytest.mark.parametrize("option", ["--output", "--resume"])
def test_a_command_that_failed_at_once_does_not_block_the_corrected_one(
    collect: Collect, simulator: Simulator, tmp_path: Path, option: str
) -> None:
    simulator.add_list("wall.get", [{"owner_id": 1, "id": n} for n in range(3)])
    simulator.fault(faults.error(100, "owner_id not integer"), "wall.get", nth=1)
    place = str(tmp_path / "posts")
    assert collect("wall.get", "owner_id=bob", option, place)[0] == 1
    assert [*tmp_path.iterdir()] == []
    assert collect("wall.get", "owner_id=1", option, place)[0] == 0


def test_a_position_with_nothing_read_is_of_no_parameters(
    collect: Collect, simulator: Simulator, tmp_path: Path
) -> None:
    simulator.add_list("wall.get", [])
    output = tmp_path / "posts"
    assert collect("wall.get", "owner_id=2", "-o", str(output))[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"posts", "posts.position"}
    output.write_text('{"id":5')  # as a crash leaves it within the first second
    simulator.add_list("wall.get", [{"owner_id": 1, "id": 1}])
    assert collect("wall.get", "owner_id=1", "-o", str(output))[0] == 0
    assert [json.loads(line)["id"] for line in output.read_text().splitlines()] == [1]


def test_an_output_of_other_parameters_is_left_alone(
    collect: Collect, simulator: Simulator, tmp_path: Path
) -> None:
    simulator.add_list("wall.get", [{"owner_id": 1, "id": 1}])
    output, place = tmp_path / "posts", tmp_path / "posts.position"
    words = ["-o", str(output)]
    assert collect("wall.get", "owner_id=1", *words)[0] == 0
    assert stat.S_IMODE(place.stat().st_mode) == 0o600 or sys.platform == "win32"
    before = output.read_text(), place.read_text(), simulator.ledger.requests
    for call, problem in (
        (
            ["wall.get", "owner_id=2"],
            "wall.get with other parameters: repeat those, or",
        ),
        (MEMBERS, "wall.get, not to groups.getMembers:"),
    ):
        code, _, err = collect(*call, *words)
        assert code == 2
        belongs = f"vkanyio: {place} belongs to {problem} choose another --output"
        assert err == f"{belongs}\n"
    _, _, err = collect("wall.get", "owner_id=2", "--resume", str(place))
    assert err.endswith("or choose another --resume\n")
    after = output.read_text(), place.read_text(), simulator.ledger.requests
    assert after == before


def test_an_output_without_the_size_of_an_output_is_left_alone(
    collect: Collect, simulator: Simulator, tmp_path: Path
) -> None:
    simulator.add_list("groups.getMembers", range(3))
    output, place = tmp_path / "members", tmp_path / "place"
    assert collect(*MEMBERS, "--resume", str(place))[0] == 0
    output.write_text("1\n")
    code, _, err = collect(*MEMBERS, "--resume", str(place), "-o", str(output))
    assert code == 2
    assert f"exists, but {place} is not of a run with --output" in err
    assert output.read_text() == "1\n"


def test_an_error_keeps_the_position(
    collect: Collect, simulator: Simulator, tmp_path: Path
) -> None:
    simulator.add_list("groups.getMembers", range(300), max_page=100)
    simulator.fault(faults.error(15, "Access denied"), "groups.getMembers", nth=2)
    words = [*MEMBERS, "count=100", "--resume", str(tmp_path / "place")]
    code, first, err = collect(*words)
    assert (code, first) == (1, [*range(100)])
    assert err.startswith("vkanyio: groups.getMembers: error 15: Access denied")
    code, rest, _ = collect(*words)
    assert (code, rest) == (0, [*range(100, 300)])


def test_a_signal_keeps_the_position(
    base_url: str, simulator: Simulator, tmp_path: Path, start: Start
) -> None:
    simulator.add_list("groups.getMembers", range(300), max_page=100)
    simulator.fault(faults.hang_before(), "groups.getMembers", nth=2, times=100)
    place = tmp_path / "place"
    words = ["collect", *MEMBERS, "count=100", "--resume", str(place)]
    process = start(*words, "--base-url", base_url, "--mode", "sequential")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(100)]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    rest = "; the same command resumes from here"
    assert err == f"vkanyio: interrupted after 100 items{rest}\n"
    assert [int(line) for line in lines] == [*range(100)]
    assert json.loads(place.read_text())["read"] == 100


def test_a_list_that_is_cut_off_says_so(collect: Collect, simulator: Simulator) -> None:
    users = [{"id": n} for n in range(50)]
    simulator.add_list("users.search", users, max_results=20)
    code, items, err = collect("users.search", "q=a", "count=10")
    assert (code, len(items)) == (1, 20)
    assert (
        "WARNING users.search: VK returns no more items, although it reports 50" in err
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["users.get"], "users.get cannot be collected: it does not return a list"),
        (["wall.get", "owner=1"], "wall.get has no parameter 'owner'"),
        (["wall.get", "count=500"], "count must be a whole number from 1 to 100"),
        (["wall.get", "--max-items", "0"], "Invalid value for '--max-items': 0 is "),
        (["wall.get", "--resume", "no-position"], "no-position has no position of"),
        (["wall.get", "--resume", "of-others"], "of-others has no position of"),
        (
            ["status.get"],
            "status.get cannot be collected: it does not return a list in pages: use `",
        ),
        (["wall.get", "--resume", "/"], "--resume: cannot read '/': Is a directory"),
        (["wall.get", "--resume", "bytes"], "--resume: 'bytes' is not UTF-8 text"),
        (["wall.get", "-o", "x" * 250], f"--output: cannot read '{'x' * 250}.position"),
        (["wall.get", "-o", "out", "--resume", "./out"], "the position would be wr"),
        (["wall.get", "-o", "out.new", "--resume", "out"], "the position would be wr"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_sent(
    collect: Collect,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("no-position").write_text("{}")
    Path("of-others").write_text("a diary")
    Path("bytes").write_bytes(b"\xff")
    code, items, err = collect(*words)
    assert (code, items) == (2, [])
    assert err.startswith(f"vkanyio: {problem}")
    assert "await" not in err
    assert err.count("\n") == 1
    assert simulator.ledger.requests == 0


def test_a_position_that_cannot_be_kept_is_reported(
    collect: Collect, simulator: Simulator
) -> None:
    simulator.add_list("groups.getMembers", range(3))
    code, _, err = collect(*MEMBERS, "--resume", "/nowhere/place")
    assert code == 2
    assert "vkanyio: --resume: cannot write '/nowhere/place': No such file" in err


def test_a_lost_position_is_reported(
    collect: Collect, simulator: Simulator, tmp_path: Path
) -> None:
    members = [*range(100)]
    simulator.add_list("groups.getMembers", members)
    words = [*MEMBERS, "--resume", str(tmp_path / "place")]
    collect(*words)
    members[:] = range(1000, 1100)
    code, items, err = collect(*words)
    assert (code, items) == (1, [])
    place = tmp_path / "place"
    assert err.startswith(f"vkanyio: {place}: the items that were read last")


def test_shows_a_bar_if_the_items_go_elsewhere(
    collect: Collect, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80, _environ={})
    monkeypatch.setattr(_collect, "make_console", lambda **_: console)
    simulator.add_group(7, members=range(1, 2501))
    assert collect(*MEMBERS)[0] == 0
    assert "2500/2500" in shown.getvalue()
    assert "items/s" in shown.getvalue()


def test_a_log_has_the_progress_of_a_verbose_run(
    collect: Collect, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_progress_lines, "EVERY", 0.0)
    simulator.add_group(7, members=[1, 2])
    code, items, err = collect(*MEMBERS, "-v")
    assert (code, items) == (0, [1, 2])
    assert "vkanyio: 1 of 2 items, " in err
    assert "vkanyio: 2 of 2 items, " in err
    assert " items/s" not in collect(*MEMBERS)[2]


def test_shows_no_bar_between_the_items(base_url: str, simulator: Simulator) -> None:
    simulator.add_group(7, members=[1, 2])
    code, shown = run_on_terminal("collect", *MEMBERS, "--base-url", base_url)
    assert code == 0
    assert shown.startswith("1\r\n2\r\nvkanyio: 2 items in ")
