"""The programs of examples/ do what they say, on a simulator behind a real socket."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from anyio import from_thread, to_thread

from vkanyio import VK
from vkanyio.testing import Account, Simulator, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from vkanyio.testing import Call

EXAMPLES = Path(__file__).parents[2] / "examples"
TOKENS = {"anna": Account(id=1), "club": Account(id=9, kind="group")}

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Give the examples a real clock, as they have real sockets."""
    return str(request.param)


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    simulator = Simulator(limit=0, tokens=TOKENS)
    async with simulator.serve() as base_url:
        monkeypatch.setenv("VKANYIO_BASE_URL", base_url)
        monkeypatch.setenv("VK_TOKEN", "club")
        yield simulator


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


async def run(name: str) -> None:
    with anyio.fail_after(30):
        await load(name)["main"]()


async def test_many_are_read_in_few_requests(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
):
    async with VK("club", limit=1000, http_client=simulator.http_client()) as club:
        for user_id in [*range(1, 41), 7, 7]:
            await club.messages.send(peer_id=user_id, message="hello")
    before = simulator.ledger.requests
    await run("read_many")
    *longest, summary = capsys.readouterr().out.splitlines()
    assert longest[0] == "     3 messages with 7"
    assert len(longest) == 5
    sent = simulator.ledger.requests - before
    assert summary == f"41 calls in {sent} requests"
    assert sent <= 4


async def test_one_call_that_fails_leaves_the_others_alone(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
):
    async with VK("club", limit=1000, http_client=simulator.http_client()) as club:
        for user_id in range(1, 4):
            await club.messages.send(peer_id=user_id, message="hello")
    simulator.fault(faults.error(917), "messages.getHistory")
    await run("read_many")
    out = capsys.readouterr().out
    assert "error 917" in out
    assert out.count("messages with") == 2


async def say(simulator: Simulator, *texts: str, **params: Any) -> None:
    """Let a user write to the service, once it listens."""
    while not simulator.ledger.carried_out("groups.getLongPollServer"):  # noqa: ASYNC110
        await anyio.sleep(0.01)
    for text in texts:
        simulator.say(1, 9, text, **params)


async def until_sent(simulator: Simulator, count: int) -> list[str]:
    """Wait until the service has replied, and return its replies."""
    while len(simulator.ledger.carried_out("messages.send")) < count:  # noqa: ASYNC110
        await anyio.sleep(0.01)
    sent = simulator.ledger.carried_out("messages.send")
    return [entry.params["message"] for entry in sent]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture
def position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "bot.json"
    monkeypatch.setenv("BOT_POSITION", str(path))
    return path


async def test_the_service_answers_ends_in_order_and_goes_on(
    simulator: Simulator, position: Path
):
    for life in (0, 1):
        async with anyio.create_task_group() as tg:
            tg.start_soon(run, "service")
            await say(simulator, f"hi {life}")
            sent = await until_sent(simulator, 2 * life + 1)
            os.kill(os.getpid(), signal.SIGTERM)
        assert sent[-1] == f"You said: hi {life}"
        simulator.say(1, 9, f"while it is down {life}")
    [first, second, third] = sent
    assert (first, third) == ("You said: hi 0", "You said: hi 1")
    assert second == "You said: while it is down 0"


async def test_the_service_finishes_what_it_has_in_hand(
    simulator: Simulator, position: Path
):
    arrived, let_go = anyio.Event(), anyio.Event()

    async def send(call: Call) -> int:
        arrived.set()
        await let_go.wait()
        return 1

    simulator.add_method("messages.send", send)
    async with anyio.create_task_group() as tg:
        tg.start_soon(run, "service")
        await say(simulator, "hi")
        await arrived.wait()
        saved = text_of(position)
        os.kill(os.getpid(), signal.SIGTERM)
        let_go.set()
    assert len(simulator.ledger.carried_out("messages.send")) == 1
    assert text_of(position) != saved


async def test_a_second_signal_gives_up(simulator: Simulator, position: Path):
    arrived = anyio.Event()

    async def send(call: Call) -> None:
        arrived.set()
        await anyio.sleep_forever()

    simulator.add_method("messages.send", send)
    async with anyio.create_task_group() as tg:
        tg.start_soon(run, "service")
        await say(simulator, "hi")
        await arrived.wait()
        saved = text_of(position)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    assert text_of(position) == saved


async def test_the_service_lives_through_an_error(simulator: Simulator, position: Path):
    simulator.fault(faults.error(901), "messages.send")
    async with anyio.create_task_group() as tg:
        tg.start_soon(run, "service")
        await say(simulator, "one", "two")
        assert await until_sent(simulator, 1) == ["You said: two"]
        os.kill(os.getpid(), signal.SIGTERM)
    assert len(simulator.ledger.refused(901)) == 1


async def test_a_mistake_in_the_handler_does_not_end_the_service(
    simulator: Simulator, position: Path, caplog: pytest.LogCaptureFixture
):
    async with anyio.create_task_group() as tg:
        tg.start_soon(run, "service")
        await say(simulator)
        simulator.update(9, "message_new", {})
        await say(simulator, "two")
        assert await until_sent(simulator, 1) == ["You said: two"]
        os.kill(os.getpid(), signal.SIGTERM)
    [record] = [each for each in caplog.records if each.name == "root"]
    assert record.getMessage() == "message_new was not answered"
    assert record.exc_info
    assert record.exc_info[0] is KeyError


@pytest.fixture
def pictures(
    position: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Path]:
    """Put two pictures into the arguments of a program."""
    paths = [tmp_path / "cat.jpg", tmp_path / "dog.png"]
    for path in paths:
        path.write_bytes(path.name.encode())
    monkeypatch.setattr("sys.argv", ["pictures.py", *map(str, paths)])
    return paths


async def test_a_photo_is_answered_with_a_photo_and_a_keyboard(
    simulator: Simulator, pictures: list[Path]
):
    async with anyio.create_task_group() as tg:
        tg.start_soon(run, "pictures")
        await say(simulator, "hello")
        [text] = await until_sent(simulator, 1)
        simulator.say(1, 9, "", attachment="photo1_1")
        await until_sent(simulator, 2)
        event_id = simulator.press(1, 9, "Another one")
        answered = "messages.sendMessageEventAnswer"
        while not simulator.ledger.carried_out(answered):  # noqa: ASYNC110
            await anyio.sleep(0.01)
        tg.cancel_scope.cancel()
    assert text == "Send me a photo, and you get one from me."
    first, *others = simulator.ledger.carried_out("messages.send")
    assert '"bold"' in first.params["format_data"]
    assert len(others) == 2
    for each in others:
        assert each.params["attachment"].startswith("photo-9_")
        assert "Another one" in each.params["keyboard"]
    assert {saved.name for saved in simulator.ledger.saved} <= {"cat.jpg", "dog.png"}
    [answer] = simulator.ledger.carried_out(answered)
    assert answer.params["event_id"] == event_id


async def test_a_picture_that_is_not_there_ends_the_program(
    simulator: Simulator, pictures: list[Path]
):
    for path in pictures:
        path.unlink()
    async with anyio.create_task_group() as tg:
        tg.start_soon(partial(say, simulator, "", attachment="photo1_1"))
        with pytest.raises(FileNotFoundError, match=r"cat.jpg|dog.png"):
            await run("pictures")


@pytest.mark.parametrize("kind", ["new", "old"])
async def test_a_person_solves_the_captcha(
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: Any,
):
    answers = iter([lambda question: "wrong", simulator.solve])

    def person(prompt: str) -> str:
        question = capsys.readouterr().out.split()[-1]
        return from_thread.run_sync(next(answers), question)

    monkeypatch.setenv("VK_TOKEN", "anna")
    monkeypatch.setattr("builtins.input", person)
    simulator.fault(faults.captcha(kind), "wall.post")
    await run("captcha")
    assert capsys.readouterr().out == "Posted, the number is 1\n"


async def test_a_person_may_decline_a_captcha(
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("VK_TOKEN", "anna")
    monkeypatch.setattr("builtins.input", lambda prompt: "")
    simulator.fault(faults.captcha(), "wall.post")
    await run("captcha")
    assert "Not posted: wall.post: error 14" in capsys.readouterr().out


async def test_a_script_tells_whose_wall_could_not_be_read(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
):
    async with VK("anna", http_client=simulator.http_client()) as anna:
        await anna.wall.post(message="hello")
    simulator.add_user(2, deactivated="deleted")
    monkeypatch.setenv("VK_TOKEN", "anna")
    program = str(EXAMPLES / "script.py")
    done = await as_a_program(program, anyio_backend)
    assert done.stdout.splitlines() == [
        "user 1: 1 posts",
        "user 2: None posts",
        "user 3: 0 posts",
        "wall.get: error 18: User was deleted or banned",
    ], done.stderr


TRIO = """
import functools, runpy, sys, anyio
anyio.run = functools.partial(anyio.run, backend="trio")
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


async def as_a_program(program: str, backend: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, program]
    if backend == "trio":  # an example leaves the backend to anyio's default
        command = [sys.executable, "-c", f"{TRIO}\n", program]

    def run_command() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=30
        )

    return await to_thread.run_sync(run_command)


@pytest.fixture
async def web(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    monkeypatch.setenv("VK_GROUP_ID", "9")
    monkeypatch.setenv("VK_SECRET", "secret")
    app: Any = load("web")["app"]
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def browse(web: Any) -> AsyncIterator[Callable[[str], Awaitable[httpx.Response]]]:
    transport = httpx.ASGITransport(web)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        yield client.get


async def test_requests_to_a_web_application_share_a_client(
    simulator: Simulator, browse: Callable[[str], Awaitable[httpx.Response]]
):
    simulator.add_user(1, first_name="Anna", last_name="Melnik")
    answers: list[httpx.Response] = []

    async def visit() -> None:
        answers.append(await browse("/users/1"))

    async with anyio.create_task_group() as tg:
        for _ in range(4):
            tg.start_soon(visit)
    assert [answer.json() for answer in answers] == [{"name": "Anna Melnik"}] * 4
    assert simulator.ledger.worst_window(token=0) <= 3


async def test_a_web_application_tells_what_went_wrong(
    simulator: Simulator, browse: Callable[[str], Awaitable[httpx.Response]]
):
    simulator.fault(faults.error(5), "users.get")
    assert (await browse("/users/1")).status_code == 502
    simulator.add_method("users.get", lambda call: [])
    assert (await browse("/users/2")).status_code == 404
    simulator.fault(faults.hang_before(), "users.get", rate=1)
    assert (await browse("/users/1")).status_code == 503


async def test_a_web_application_answers_messages(
    simulator: Simulator, web: Any, caplog: pytest.LogCaptureFixture
):
    async with simulator.callback(web, 9, "secret", path="/vk") as vk:
        simulator.say(1, 9, "hello")
        await vk.delivered()
        [sent] = simulator.ledger.carried_out("messages.send")
        assert sent.params["message"] == "You wrote: hello"
        simulator.fault(faults.error(7), "messages.send")
        simulator.say(1, 9, "again")
        await vk.delivered()
    messages = simulator.ledger.updates.of(9, "message_new")
    assert [each.accepted for each in messages] == [True, True]
    assert "message_new" in caplog.text
    assert "Permission to perform this action is denied" in caplog.text


def test_a_suite_of_tests_passes():
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "suite"], cwd=EXAMPLES, capture_output=True, text=True, check=False
    )
    assert "8 passed" in done.stdout, done.stdout


async def test_the_time_line_has_a_line_for_each_call(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
):
    await run("timeline")
    lines = capsys.readouterr().out.splitlines()
    methods = [line.split()[0] for line in lines]
    assert methods[0] == "utils.getServerTime"
    assert methods[1:] == ["users.get"] * 4 + ["groups.getById"]
    assert [line.rpartition("request ")[2] for line in lines] == [
        f"{request}: value" for request in (1, 2, 2, 2, 2, 3)
    ]
    assert "..=" in lines[1]  # it waited for the limit, and then for VK
    assert "." not in lines[0].partition(" ")[2]
