"""The code of the README and of the pages in docs/ runs, and has its types right."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import vkanyio
from vkanyio import VK
from vkanyio.testing import Reply, Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ELSEWHERE = {
    "index.md",
    "tutorial.md",
    "typed-api.md",
}  # in tests/docs, with those below docs/*/
PAGES = [
    README,
    *(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "docs").glob("*.md")
        if path.name not in ELSEWHERE
    ),
]
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL)
]

TESTED = {
    "def show(": "test_the_first_program_prints_every_user",
    "def total_posts(": "test_a_stream_makes_a_call_for_each_owner",
    "def post(": "test_posting_looks_before_it_repeats",
    "def first_name(": "test_a_call_is_bounded_in_time",
    "def answer(": "test_a_bot_answers_each_message_once",
    "def names(": "test_a_script_returns_what_it_found_and_what_failed",
    "def solve(": "test_a_captcha_is_answered",
    "def test_a_lost_response": "test_the_example_of_a_test_passes",
    "pytest_plugins": "test_the_suite_of_the_page_passes",
    "def congratulate(": "test_the_suite_of_the_page_passes",
    "def try_it(": "test_the_simulator_is_two_lines",
    "def first_names(": "test_a_script_runs_by_itself",
    "def a_day(": "test_a_day_of_virtual_time_is_short",
}


def load(mark: str) -> dict[str, Any]:
    """Run the block with a mark in it, and return the names that it defines."""
    [block] = [block for block in BLOCKS if mark in block]
    names: dict[str, Any] = {}
    exec(compile(block, "an example", "exec"), names)
    return names


def test_every_block_has_a_test():
    assert len(BLOCKS) == len(TESTED)
    for mark, test in TESTED.items():
        assert sum(mark in block for block in BLOCKS) == 1
        assert test in globals()


def test_every_block_passes_a_type_checker(tmp_path: Path):
    for number, block in enumerate(BLOCKS):
        (tmp_path / f"block_{number}.py").write_text(block, encoding="utf-8")
    settings = {"typeCheckingMode": "strict", "reportUnusedFunction": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    checked = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_the_suite_of_the_page_passes(tmp_path: Path):
    [plugin] = [block for block in BLOCKS if block.startswith("pytest_plugins")]
    [suite] = [block for block in BLOCKS if "def congratulate(" in block]
    (tmp_path / "conftest.py").write_text(plugin, encoding="utf-8")
    (tmp_path / "test_suite.py").write_text(suite, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "6 passed" in done.stdout, done.stdout


def test_a_complete_program_ends_before_line_40():
    before = README.splitlines()[:40]
    assert "anyio.run(main)" in "\n".join(before)
    assert before.count("```") >= 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_first_program_prints_every_user(
    backend: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    [block] = re.findall(r"```text\n(.*?)\n\.\.\.\n```", README, re.DOTALL)
    simulator = Simulator(limit=0)
    statuses: dict[str, str] = {}
    for user_id, line in enumerate(block.splitlines(), 1):
        name, statuses[str(user_id)] = line.split(" ", 1)
        simulator.add_user(user_id, first_name=name)
    simulator.add_method(
        "status.get", lambda call: {"text": statuses.get(call.params["user_id"], "")}
    )
    client = partial(VK, http_client=simulator.http_client())

    def fast_client(token: str, **options: Any) -> VK:
        return client(token, **{**options, "limit": 1000})

    monkeypatch.setenv("VK_TOKEN", "any")
    monkeypatch.setattr(vkanyio, "VK", fast_client)
    monkeypatch.setattr(anyio, "run", partial(anyio.run, backend=backend))
    load("def show(")
    assert len(simulator.ledger.carried_out("users.get")) == 1
    assert len(simulator.ledger.carried_out("status.get")) == 100
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 100
    assert {*block.splitlines()} <= {*printed}


@pytest.mark.parametrize(
    "name", ["README.md", "README.ru.md", "docs/index.md", "docs/ru/index.md"]
)
def test_its_figures_are_those_of_the_page_about_performance(name: str):
    readme = (ROOT / name).read_text(encoding="utf-8").replace(",", ".")
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    clients = cells(page, "work")
    columns = [
        clients.index(each) for each in cells(readme, "")[1:] if each != "vkanyio"
    ]

    def measured(work: str, pick: Callable[[str], str]) -> list[str]:
        row = cells(page, work)
        ours = max((pick(each) for each in row[1:4]), key=len)
        return [ours, *(pick(row[column]) for column in columns)]

    def first(cell: str) -> str:
        return cell.split(" / ")[0]

    def second(cell: str) -> str:
        return cell.split(" / ")[1]

    lines = readme.splitlines()
    [top] = [number for number, line in enumerate(lines) if "| | vkanyio" in line]
    rows = [line.split(" | ") for line in lines[top + 2 : top + 5]]
    for row, work, pick in zip(
        rows,
        ("300 posts", "300 posts", "300 reads"),
        (second, first, first),
        strict=True,
    ):
        shown = [each.strip("*| ") for each in row[1:]]
        assert shown == measured(work, pick)
    ours = cells(page, "10,000 calls, packed, by `api.stream`")[1]
    others = cells(page, "10,000 calls, packed: s")
    seconds = [ours, *(others[column] for column in columns)]
    shown = cells(readme, "10 000" if "ru" in name else "10.000")[1:]
    assert shown == [f"{float(each):.1f}" for each in seconds]


def cells(page: str, first: str) -> list[str]:
    """Return the cells of the first table row that begins so."""
    for line in page.splitlines():
        row = [each.strip() for each in line[1:-1].split("|")]
        if line.startswith("| ") and len(row) > 4 and row[0].startswith(first):
            return row
    raise AssertionError(first)


@pytest.mark.anyio
async def test_a_stream_makes_a_call_for_each_owner(
    simulator: Simulator, make_client: Callable[..., VK]
):
    async with make_client(mode="parallel") as api:
        await api.wall.post(message="one")
        assert await load("def total_posts(")["total_posts"](api, range(1, 60)) == 1
    assert len(simulator.ledger.carried_out("wall.get")) == 59


@pytest.mark.anyio
async def test_posting_looks_before_it_repeats(
    simulator: Simulator, make_client: Callable[..., VK]
):
    post = load("def post(")["post"]
    async with make_client() as api:
        assert await post(api, "one") == 1
        simulator.fault(faults.drop_after(), "wall.post")
        assert await post(api, "two") == 2
        simulator.fault(faults.drop_before(), "wall.post")
        assert await post(api, "three") is None
        simulator.fault(faults.error(9), "wall.post")
        assert await post(api, "four") is None
    assert len(simulator.ledger.carried_out("wall.post")) == 2


@pytest.mark.anyio
async def test_a_call_is_bounded_in_time(
    simulator: Simulator, make_client: Callable[..., VK]
):
    first_name = load("def first_name(")["first_name"]
    async with make_client() as api:
        assert await first_name(api)
        simulator.fault(faults.hang_before(), "users.get")
        start = anyio.current_time()
        with pytest.raises(TimeoutError):
            await first_name(api)
        assert anyio.current_time() == start + 5


@pytest.mark.anyio
async def test_a_bot_answers_each_message_once(
    town: Simulator,
    club: VK,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    answer = load("def answer(")["answer"]
    monkeypatch.chdir(tmp_path)
    for text in ("one", "two"):  # the second time from the position
        with anyio.move_on_after(10):
            await answer(club)
        town.say(1, 9, text)
        town.update(9, "group_join", {"user_id": 1})
    with anyio.move_on_after(10):
        await answer(club)
    sent = [e.params["message"] for e in town.ledger.carried_out("messages.send")]
    assert sent == ["You said: one", "You said: two"]
    assert capsys.readouterr().out.count("GroupJoin") == 2


@pytest.mark.anyio
async def test_a_script_returns_what_it_found_and_what_failed(
    simulator: Simulator,
    make_client: Callable[..., VK],
    capsys: pytest.CaptureFixture[str],
):
    failed = {"method": "users.get", "error_code": 113, "error_msg": "Invalid user id"}
    simulator.add_method(
        "execute", lambda call: Reply([call.text("ids")], execute_errors=[failed])
    )
    async with make_client() as api:
        assert await load("def names(")["names"](api) == ["1,2,3"]
    assert capsys.readouterr().out == "users.get 113 Invalid user id\n"


@pytest.mark.anyio
async def test_a_captcha_is_answered(
    simulator: Simulator,
    make_client: Callable[..., VK],
    monkeypatch: pytest.MonkeyPatch,
):
    names = load("def solve(")
    assert isinstance(names["client"]("any-token"), VK)

    async def ask_a_person(captcha: vkanyio.Captcha) -> str:
        return simulator.solve(captcha.redirect_uri or "")

    monkeypatch.setitem(names, "ask_a_person", ask_a_person)
    simulator.fault(faults.captcha(), "wall.post")
    async with make_client(on_captcha=names["solve"]) as api:
        assert await api.wall.post(message="hello") == {"post_id": 1}


@pytest.mark.anyio
async def test_the_example_of_a_test_passes():
    mark = "def test_a_lost_response"
    names = load(mark)
    await names["test_a_lost_response_is_no_reason_to_post_twice"]()


@pytest.mark.anyio
async def test_the_simulator_is_two_lines():
    assert await load("def try_it(")["try_it"]() == 1


@pytest.mark.anyio
async def test_a_script_runs_by_itself():
    assert await load("def first_names(")["first_names"]() == ["No. 1", "No. 2"]


def test_a_day_of_virtual_time_is_short():
    began = time.monotonic()
    load("def a_day(")
    assert time.monotonic() - began < 60
