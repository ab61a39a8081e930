"""The guides and concepts: what their code does is what their text says."""

from __future__ import annotations

import json
import logging
import ssl
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _pages import Page
from anyio import to_thread
from anyio.lowlevel import checkpoint

from vkanyio import VK, CaptchaError, ConfirmationError, OutcomeUnknownError
from vkanyio.telemetry import OpenTelemetry
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vkanyio.testing import Call

    MakeClient = Callable[..., VK]

LIMITS = Page("guides/limits.md")
READING = Page("guides/reading.md")
EXECUTE = Page("guides/execute.md")
ERRORS = Page("guides/errors.md")
QUESTIONS = Page("guides/questions.md")
SERVICES = Page("guides/services.md")
PROXIES = Page("guides/proxies.md")
OBSERVING = Page("guides/observing.md")
CANCELLATION = Page("concepts/cancellation.md")

on_both = pytest.mark.parametrize("backend", ["asyncio", "trio"])
anyio_mark = pytest.mark.anyio


def nobody_answers(prompt: str) -> str:
    raise AssertionError(prompt)


@anyio_mark
@pytest.mark.usefixtures("on_simulator")
async def test_packed_reads_are_few_requests(simulator: Simulator):
    counts = await LIMITS.load("def count_all(")["count_all"]("any", [*range(1, 101)])
    assert len(counts) == 100
    assert simulator.ledger.requests == 4


@on_both
def test_statistics_show_the_batches(backend: str):
    LIMITS.run("done.batches", backend, Simulator(limit=3))


@anyio_mark
async def test_a_call_may_bring_its_own_token(
    simulator: Simulator, make_client: MakeClient
):
    async with make_client() as api:
        await api.wall.post(message="mine")
        assert await LIMITS.load("def post_as(")["post_as"](api, "other", "theirs")
    mine, theirs = simulator.ledger.carried_out("wall.post")
    assert mine.token != theirs.token


@anyio_mark
async def test_two_clients_share_a_limit():
    plain, packing = LIMITS.load("def two_clients(")["two_clients"]("any")
    assert plain.config.limiter is packing.config.limiter
    assert packing.config.mode == "parallel"


@anyio_mark
async def test_a_list_is_cut_into_thousands(
    simulator: Simulator, make_client: MakeClient
):
    def user(call: Call) -> list[dict[str, Any]]:
        ids = call.params["user_ids"].split(",")
        return [{"id": int(i), "city": {"title": f"city {i}"}} for i in ids]

    simulator.add_method("users.get", user)
    ids = [*range(1, 2502)]
    async with make_client(mode="parallel") as api:
        found = await READING.load("def by_thousands(")["cities"](api, ids)
    assert found == {i: f"city {i}" for i in ids}
    assert len(simulator.ledger.carried_out("users.get")) == 3


@anyio_mark
async def test_a_stream_has_an_error_for_each_call(
    simulator: Simulator, make_client: MakeClient, capsys: pytest.CaptureFixture[str]
):
    simulator.fault(faults.error(18), "wall.get", times=1)
    async with make_client() as api:
        await api.wall.post(message="hello")
        [me] = await api.users.get()
        owners = [1000, me["id"], 1001]
        counts = await READING.load("def count_posts(")["count_posts"](api, owners)
    assert counts == {me["id"]: 1, 1001: 0}
    assert capsys.readouterr().out.startswith("1000 ")


@anyio_mark
async def test_a_bad_line_of_a_file_stops_no_other(
    make_client: MakeClient, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    path = tmp_path / "calls"
    path.write_text(
        '["users.get", {"user_ids": 1}]\n["users;get", {}]\n5\n["users.gett", {}]\n'
        '["users.get", {"user_ids": 2}]\n{',
        encoding="utf-8",
    )
    async with make_client(mode="parallel") as api:
        with pytest.raises(json.JSONDecodeError):
            await READING.load("def calls_in(")["run"](api, path)
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0])[0]["id"] == 1
    assert [line[:7] for line in lines[1:4]] == ["line 2:", "line 3:", "line 4:"]
    assert json.loads(lines[4])[0]["id"] == 2


@anyio_mark
async def test_a_few_calls_are_gathered(make_client: MakeClient):
    async with make_client() as api:
        _, count = await READING.load("def page_of(")["page_of"](api, 1)
    assert count == 0


@anyio_mark
async def test_tokens_are_mixed_in_a_stream(
    simulator: Simulator, make_client: MakeClient
):
    statuses = READING.load("def statuses(")["statuses"]
    async with make_client(limit=3) as api:
        texts = await statuses(api, ["one", "two"], [*range(1, 13)])
    assert len(texts) == 12
    assert len({entry.token for entry in simulator.ledger}) == 2


@anyio_mark
async def test_a_script_uses_what_a_call_returned(
    simulator: Simulator, make_client: MakeClient, capsys: pytest.CaptureFixture[str]
):
    last_posts = EXECUTE.load("def last_posts(")["last_posts"]
    async with make_client() as api:
        await api.wall.post(message="hello")
        owner = (await api.users.get())[0]["id"]
        found = await last_posts(api, owner)
        assert found["texts"] == ["hello"]
        assert len(found["authors"]) == 1
        simulator.fault(faults.error(18), "wall.get")
        await last_posts(api, owner)
    assert capsys.readouterr().out.startswith("wall.get 18 ")


@anyio_mark
async def test_a_script_is_built_of_calls(make_client: MakeClient):
    two_values = EXECUTE.load("def two_values(")["two_values"]
    async with make_client() as api:
        assert len(await two_values(api, 'id7"})]; return 1; //')) == 2
        resolved, [user] = await two_values(api, "id7")
        assert resolved["object_id"] == user["id"] == 7


@anyio_mark
async def test_a_script_is_tried_without_a_client():
    mark = "def test_what_is_missing"
    await EXECUTE.load(mark)["test_what_is_missing_is_added"]()


@anyio_mark
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (None, "post 1"),
        (faults.error(9), "too often: later"),
        (faults.error(214, "no"), "refused: 214 no"),
        (faults.drop_after(), "look before you repeat"),
        (faults.html(404), "later"),
    ],
)
async def test_each_error_asks_for_something_else(
    simulator: Simulator, make_client: MakeClient, fault: Any, outcome: str
):
    if fault is not None:
        simulator.fault(fault, "wall.post")
    async with make_client() as api:
        try_to_post = ERRORS.load("def try_to_post(")["try_to_post"]
        assert await try_to_post(api, "hello") == outcome


@anyio_mark
@pytest.mark.parametrize("method", ["users.get", "wall.post", "messages.send"])
@pytest.mark.parametrize(
    ("fault", "for_reads", "for_others"),
    [
        (faults.refuse(), "retried", "retried"),
        (faults.error(6), "retried", "retried"),
        (faults.drop_after(), "retried", "unknown"),
        (faults.hang_after(), "retried", "unknown"),
        (faults.html(502), "retried", "unknown"),
        (faults.html(408), "retried", "unknown"),
        (faults.truncated(), "retried", "unknown"),
        (faults.error(1), "retried", "unknown"),
        (faults.error(10), "retried", "unknown"),
        (faults.error(36), "retried", "unknown"),
        (faults.html(429), "retried", "retried"),
        (faults.html(503, headers={"retry-after": "2"}), "retried", "unknown"),
        (faults.html(403), "InvalidResponseError", "InvalidResponseError"),
        (faults.error(15), "AccessDeniedError", "AccessDeniedError"),
    ],
)
async def test_the_table_of_what_is_retried_is_true(
    simulator: Simulator,
    make_client: MakeClient,
    method: str,
    fault: Any,
    for_reads: str,
    for_others: str,
):
    assert "| errors 1, 10, 36: VK failed" in ERRORS.text
    simulator.fault(fault, method)
    outcome = "retried"
    async with make_client() as api:
        try:
            await api.call(method, {"user_ids": 1, "peer_id": 1, "message": "hello"})
        except OutcomeUnknownError:
            outcome = "unknown"
        except Exception as error:
            outcome = type(error).__name__
    assert outcome == (for_others if method == "wall.post" else for_reads)


@anyio_mark
async def test_a_post_with_a_key_is_made_once(
    simulator: Simulator, make_client: MakeClient
):
    post_once = ERRORS.load("def post_once(")["post_once"]
    simulator.fault(faults.drop_after(), "wall.post")
    async with make_client() as api:
        assert await post_once(api, 4, "hello") == await post_once(api, 4, "hello")
    assert len(simulator.ledger.carried_out("wall.post")) == 1


@anyio_mark
async def test_looking_tells_whether_it_was_done(
    simulator: Simulator, make_client: MakeClient
):
    open_topic = ERRORS.load("def open_topic(")["open_topic"]
    topics: list[dict[str, object]] = []

    def add(call: Call) -> int:
        topics.append({"id": 40, "title": call.text("title")})
        return 40

    simulator.add_method("board.addTopic", add)
    simulator.add_method(
        "board.getTopics", lambda call: {"count": len(topics), "items": topics}
    )
    async with make_client() as api:
        assert await open_topic(api, 9, "one") == 40
        simulator.fault(faults.drop_after(), "board.addTopic")
        assert await open_topic(api, 9, "two") == 40
        simulator.fault(faults.drop_before(), "board.addTopic")
        with pytest.raises(OutcomeUnknownError):
            await open_topic(api, 9, "three")


@anyio_mark
async def test_a_harmless_call_is_repeated(
    simulator: Simulator, make_client: MakeClient
):
    like = ERRORS.load("def like(")["like"]
    async with make_client() as api:
        post = await api.wall.post(message="hello")
        owner = (await api.users.get())[0]["id"]
        simulator.fault(faults.drop_before(), "likes.add")
        assert await like(api, owner, post["post_id"]) == 1


@anyio_mark
async def test_a_call_is_bounded_as_a_whole(
    simulator: Simulator, make_client: MakeClient
):
    is_online = ERRORS.load("def is_online(")["is_online"]
    async with make_client() as api:
        assert await is_online(api, 1) in (True, False)
        simulator.fault(faults.hang_before(), "users.get")
        start = anyio.current_time()
        assert await is_online(api, 1) is None
        assert anyio.current_time() == start + 5


@anyio_mark
@pytest.mark.usefixtures("on_simulator")
async def test_a_wrong_answer_brings_a_new_captcha(
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    names = QUESTIONS.load("def patient_client(")
    answers = iter([lambda question: "wrong", simulator.solve])

    async def ask_a_service(address: str) -> str:
        return next(answers)(address)

    monkeypatch.setitem(names, "ask_a_service", ask_a_service)
    simulator.fault(faults.captcha(), "wall.post")
    async with names["patient_client"]("any") as api:
        await api.wall.post(message="hello")
    assert capsys.readouterr().out == "wrong, attempt 1\n"


@anyio_mark
@pytest.mark.usefixtures("on_simulator")
async def test_a_captcha_without_an_address_is_raised(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("builtins.input", nobody_answers)
    simulator.fault(faults.error(14), "wall.post")
    patient_client = QUESTIONS.load("def patient_client(")["patient_client"]
    async with patient_client("any") as api:
        with pytest.raises(CaptchaError):
            await api.wall.post(message="hello")


@anyio_mark
@pytest.mark.usefixtures("on_simulator")
async def test_what_is_wanted_is_confirmed(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
):
    careful_client = QUESTIONS.load("def careful_client(")["careful_client"]
    simulator.fault(faults.confirmation(), "account.changePassword")
    simulator.fault(faults.confirmation(), "wall.post")
    async with careful_client("any") as api:
        await api.account.changePassword(new_password="long enough")
        with pytest.raises(ConfirmationError):
            await api.wall.post(message="hello")
    assert capsys.readouterr().out == "Are you sure?\n" * 2


@anyio_mark
@pytest.mark.usefixtures("on_simulator")
async def test_a_validation_brings_a_new_token(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("builtins.input", lambda prompt: "the-new-token")
    mark = "def client_that_validates("
    client_that_validates = QUESTIONS.load(mark)["client_that_validates"]
    simulator.fault(faults.validation(), "wall.post")
    async with client_that_validates("any") as api:
        await api.wall.post(message="hello")
        await api.wall.post(message="hello again")
    asked, *later = simulator.ledger
    assert {entry.token for entry in later} == {1}
    assert asked.token == 0


@anyio_mark
async def test_the_simulator_knows_the_answer():
    mark = "def test_a_captcha_is_solved"
    await QUESTIONS.load(mark)["test_a_captcha_is_solved_and_the_post_made"]()


@anyio_mark
async def test_a_deadline_is_a_cancellation(
    simulator: Simulator, make_client: MakeClient
):
    members = SERVICES.load("def members(")["members"]
    async with make_client() as api:
        assert await members(api, "9") == 0
        simulator.fault(faults.hang_before(), "groups.getMembers")
        assert await members(api, "9") is None


@on_both
def test_one_client_serves_the_whole_program(backend: str):
    simulator = Simulator(limit=20)
    simulator.add_group(9, members=[4], name="Club")
    SERVICES.run("def show_name(", backend, simulator, VK_TOKEN="any")
    assert SERVICES.printed == "['Club']\n"
    [sent] = simulator.ledger.carried_out("messages.send")
    assert sent.params["peer_id"] == "4"


@anyio_mark
@pytest.mark.usefixtures("on_simulator")
async def test_a_task_keeps_a_client_open_for_a_framework():
    application_class = SERVICES.load("class Application")["Application"]
    answers: list[Any] = []

    async def ask() -> None:
        answers.append(await application.api.users.get(user_ids=[1]))

    async with anyio.create_task_group() as tasks:
        application = application_class("any", tasks)
        await application.start()
        tasks.start_soon(ask)
        await checkpoint()
        await application.stop()
        assert len(answers) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_thread_comes_back_to_the_client(make_client: MakeClient):
    in_a_thread = SERVICES.load("def in_a_thread(")["in_a_thread"]
    async with make_client() as api:
        [user] = await api.users.get(user_ids=[1])
        name = await to_thread.run_sync(in_a_thread, api, 1)
    assert name == user["first_name"]


def test_a_proxy_is_an_option():
    behind_a_proxy = PROXIES.load("def behind_a_proxy(")["behind_a_proxy"]
    assert "password" not in repr(behind_a_proxy("any").config)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_http_client_of_ones_own_is_used(monkeypatch: pytest.MonkeyPatch):
    names = PROXIES.load("def name_by_own_client(")
    simulator = Simulator()
    async with simulator.serve() as base_url:

        def client(token: str, **options: Any) -> VK:
            return VK(token, base_url=base_url, **options)

        monkeypatch.setitem(names, "VK", client)
        context = ssl.create_default_context()
        assert await names["name_by_own_client"]("any", context)


@anyio_mark
async def test_a_shielded_call_is_finished(
    simulator: Simulator, make_client: MakeClient
):
    mark = "def post_even_if_cancelled("
    post = CANCELLATION.load(mark)["post_even_if_cancelled"]
    simulator.fault(faults.delay(10), "wall.post")
    async with make_client(timeout=30) as api:
        with anyio.move_on_after(1):
            await post(api, "hello")
    assert len(simulator.ledger.carried_out("wall.post")) == 1


@on_both
def test_the_log_tells_that_a_client_opens_and_closes(
    backend: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "vkanyio")
    OBSERVING.run("logging.basicConfig(", backend)
    told = [record.getMessage().partition(":")[0] for record in caplog.records]
    assert told == ["open", "closed"]


@anyio_mark
async def test_slow_calls_are_seen_by_events(capsys: pytest.CaptureFixture[str]):
    names = OBSERVING.load("def slow_calls(")
    slow = Simulator(limit=0, latency=7)
    on_event = names["client"]("any").config.on_event
    async with VK("any", on_event=on_event, http_client=slow.http_client()) as api:
        await api.users.get(user_ids=[1])
    assert capsys.readouterr().out == "users.get took 7.0 s, of which it waited 0.0 s\n"


@anyio_mark
async def test_a_client_is_traced():
    api = OBSERVING.load("def traced_client(")["traced_client"]("any")
    assert isinstance(api.config.on_event, OpenTelemetry)
