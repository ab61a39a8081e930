"""``vkanyio updates``: JSON lines, and going on after a stop."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from vkanyio.cli._app import run
from vkanyio.testing import faults

from .conftest import BACKENDS, TOKEN, Start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vkanyio.testing import Simulator

    Updates = Callable[..., tuple[int, list[Any], str]]


@pytest.fixture
def updates(base_url: str, capfd: pytest.CaptureFixture[str]) -> Updates:
    """Runs the command: exit code, the lines, and standard error."""

    def again(*words: str) -> tuple[int, list[Any], str]:
        code = run(["updates", *words, "--base-url", base_url])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, [json.loads(line) for line in out.splitlines()], err

    return again


@pytest.fixture
def position(tmp_path: Path, updates: Updates, simulator: Simulator) -> list[str]:
    """The options of a run that has heard one update."""
    words = ["club9", "--position", str(tmp_path / "position")]
    change_between_polls(simulator, 1)
    code, heard, _ = updates(*words, "--max-updates", "1")
    assert (code, len(heard)) == (0, 1)
    return words


def change_between_polls(simulator: Simulator, *user_ids: int) -> None:
    """Let users like something once the command has its server."""
    left = [*user_ids]

    def change() -> None:
        while left:
            simulator.update(9, "like_add", {"liker_id": left.pop(0)})

    simulator.between("groups.getLongPollServer", change)


def write_between_polls(simulator: Simulator, *texts: str) -> None:
    """Let the owner of the token write, once the command has the mailbox's server."""
    left = [*texts]

    def change() -> None:
        while left:
            simulator.say(1, 9, left.pop(0))

    simulator.between("messages.getLongPollServer", change)


@BACKENDS
@pytest.mark.parametrize("group", ["9", "club9", "public9"])
def test_prints_each_update_in_a_line(
    updates: Updates, simulator: Simulator, backend: str, group: str
) -> None:
    change_between_polls(simulator, 1, 2)
    words = ["--max-updates", "2", "--backend", backend]
    code, lines, err = updates(group, *words)
    assert (code, err) == (0, "vkanyio: 2 updates\n")
    made = simulator.ledger.updates
    assert lines == [
        {
            "type": "like_add",
            "group_id": 9,
            "event_id": each.event_id,
            "v": "5.199",
            "object": {"liker_id": n},
        }
        for n, each in enumerate(made, 1)
    ]


def test_goes_on_from_the_position_in_a_file(
    updates: Updates, simulator: Simulator, position: list[str]
) -> None:
    change_between_polls(simulator, 2, 3)
    _, first, _ = updates(*position, "--max-updates", "1")
    _, second, _ = updates(*position, "--max-updates", "1")
    assert [each["object"]["liker_id"] for each in first + second] == [2, 3]


def test_says_what_vk_has_lost(
    base_url: str, start: Start, simulator: Simulator, position: list[str]
) -> None:
    simulator.long_poll(retention=1)
    change_between_polls(simulator, 2, 3)
    process = start("updates", *position, "--base-url", base_url)
    assert process.stdout is not None
    gap = json.loads(process.stdout.readline())
    assert gap == {"gap": "outdated", "before": "2", "after": "4"}
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert err == "vkanyio: interrupted after 0 updates\n"


def test_prints_only_the_kinds_that_are_asked_for(
    updates: Updates, simulator: Simulator
) -> None:
    def change() -> None:
        for kind in ("like_add", "group_join"):
            simulator.update(9, kind, {})

    simulator.between("groups.getLongPollServer", change)
    _, lines, _ = updates("9", "--kind", "group_join", "--max-updates", "1")
    assert [each["type"] for each in lines] == ["group_join"]


def test_configures_the_long_poll_on_demand(
    updates: Updates, simulator: Simulator
) -> None:
    change_between_polls(simulator, 1)
    words = ["9", "--configure", "--kind", "like_add", "--max-updates", "1"]
    assert updates(*words)[0] == 0
    [entry] = simulator.ledger.carried_out("groups.setLongPollSettings")
    assert entry.params["like_add"] == "1"


@pytest.mark.parametrize("where", ["9", "--mailbox"])
def test_ctrl_c_ends_it_and_keeps_the_position(
    base_url: str, start: Start, simulator: Simulator, tmp_path: Path, where: str
) -> None:
    change_between_polls(simulator, 1)
    write_between_polls(simulator, "one")
    words = ["updates", where, "--position", str(tmp_path / "position")]
    process = start(*words, "--base-url", base_url)
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (
        130,
        "vkanyio: interrupted after 1 updates\n",
    )
    change_between_polls(simulator, 2)
    write_between_polls(simulator, "two")
    process = start(*words, "--max-updates", "1", "--base-url", base_url)
    out, _ = process.communicate(timeout=20)
    [second] = [json.loads(line) for line in out.splitlines()]
    told = [each.get("text", each["object"]) for each in (first, second)]
    assert told == (
        ["one", "two"] if where == "--mailbox" else [{"liker_id": 1}, {"liker_id": 2}]
    )


@BACKENDS
def test_prints_what_happens_in_the_mailbox_of_the_token(
    updates: Updates, simulator: Simulator, backend: str
) -> None:
    write_between_polls(simulator, "a <b>", "two")
    words = ["--max-updates", "2", "--backend", backend]
    code, lines, err = updates("--mailbox", *words)
    assert (code, err) == (0, "vkanyio: 2 updates\n")
    made = simulator.ledger.mailbox_updates
    assert lines == [
        {
            "type": "new_message",
            "key": f"4:{each.message_id}",
            "peer_id": -9,
            "replayed": False,
            "text": text,
            "object": each.value,
            "message": None,
        }
        for each, text in zip(made, ("a <b>", "two"), strict=True)
    ]


@pytest.fixture
def mailbox(updates: Updates, simulator: Simulator, tmp_path: Path) -> list[str]:
    """The options of a run that has heard one message of a mailbox."""
    words = ["--mailbox", "--position", str(tmp_path / "position")]
    write_between_polls(simulator, "one")
    _, heard, _ = updates(*words, "--max-updates", "1")
    assert [each["text"] for each in heard] == ["one"]
    return words


def edit(base_url: str, text: str) -> None:
    """Let the owner of the token edit the first message."""
    params = {"peer_id": -9, "message_id": 1, "message": text}
    more = {"v": "5.199", "access_token": TOKEN}
    response = httpx.post(f"{base_url}/messages.edit", data={**params, **more})
    assert response.json() == {"response": 1}


def test_prints_what_happened_in_a_mailbox_between_two_runs(
    updates: Updates, simulator: Simulator, base_url: str, mailbox: list[str]
) -> None:
    edit(base_url, "new")
    write_between_polls(simulator, "two")
    _, lines, _ = updates(*mailbox, "--max-updates", "2")
    shown = [(each["type"], each["text"], each["replayed"]) for each in lines]
    assert shown == [("message_edited", "new", True), ("new_message", "two", True)]
    assert lines[0]["object"][:2] == [5, 1]
    assert len(lines[0]["object"]) == 4
    assert lines[0]["message"]["from_id"] == 1


def test_prints_only_the_kinds_of_a_mailbox_that_are_asked_for(
    updates: Updates, simulator: Simulator, base_url: str, mailbox: list[str]
) -> None:
    edit(base_url, "new")
    words = [*mailbox, "--kind", "new_message", "--max-updates", "1"]
    for text in ("two", "three"):
        write_between_polls(simulator, text)
        code, lines, err = updates(*words)
        assert (code, err) == (0, "vkanyio: 1 updates\n")
        assert [each["text"] for each in lines] == [text]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["durov"], "GROUP is the id of a community, such as 1 or club1, not 'durov'"),
        (["0"], "not '0'"),
        (["9", "--kind", "like"], "'like'"),
        (["9", "--max-updates", "0"], "--max-updates"),
        (["9", "--mailbox"], "GROUP, '9', and --mailbox exclude each other"),
        (["--mailbox", "--configure"], "--configure is for communities"),
        (["--mailbox", "--kind", "new_mesage"], "did you mean new_message?"),
        (["--mailbox", "--kind", "x"], "not have: its kinds are chat_changed, "),
        ([], "name one as GROUP, such as club1, or use --mailbox"),
    ],
)
def test_wrong_usage_is_one_line(updates: Updates, words: list[str], says: str) -> None:
    code, lines, err = updates(*words)
    assert (code, lines) == (2, [])
    assert says in err
    assert err.count("\n") == 1


def test_an_error_of_vk_is_one_line(updates: Updates, simulator: Simulator) -> None:
    simulator.fault(faults.error(15), "groups.getLongPollServer")
    code, lines, err = updates("9")
    assert (code, lines) == (1, [])
    assert "Access denied" in err
    assert err.count("\n") == 1


def test_a_broken_position_is_refused_and_left_alone(
    updates: Updates, tmp_path: Path
) -> None:
    file = tmp_path / "position"
    file.write_text("not a position")
    code, _, err = updates("9", "--position", str(file))
    assert code == 2
    assert err.startswith("vkanyio: --position: ")
    assert err.count("\n") == 1
    assert file.read_text() == "not a position"
