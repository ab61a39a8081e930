"""The receiver of the Callback API: what VK is answered, and what the program gets."""

from __future__ import annotations

import json
import logging
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from anyio import current_time, sleep

from _helpers import settle
from vkanyio import VK, ClientClosedError, ClientUseError
from vkanyio.testing import Simulator, faults
from vkanyio.updates import CallbackReceiver, MessageNew, UnknownUpdate, Update

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable

pytestmark = pytest.mark.anyio

SECRET = "the-callback-secret"
GROUP = 9


def receiver(**options: Any) -> CallbackReceiver:
    return CallbackReceiver(
        **{"secrets": {GROUP: SECRET}, "confirmations": {GROUP: "1a2b3c"}, **options}
    )


def event(n: int = 1, peer: int = 1, **more: Any) -> dict[str, Any]:
    message = {"id": n, "peer_id": peer, "text": str(n)}
    return {
        "type": "message_new",
        "group_id": GROUP,
        "event_id": f"e{n}",
        "v": "5.199",
        "object": {"message": message},
        "secret": SECRET,
        **more,
    }


async def post(
    app: CallbackReceiver, content: Any = None, url: str = "/vk", **options: Any
) -> httpx.Response:
    """Send one request as VK does."""
    body = content if isinstance(content, bytes) else json.dumps(content or event())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as vk:
        return await vk.request(
            options.pop("verb", "POST"), url, content=body, **options
        )


class Handled:
    """A handler that takes some seconds, and notes what it has handled."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.attempts: list[int] = []

    async def __call__(self, update: Update[Any]) -> None:
        self.begun.append(update.event_id)
        self.attempts.append(update.attempt)
        await sleep(self.seconds)
        self.ended.append(update.event_id)


@pytest.fixture
def handler() -> Handled:
    return Handled()


@pytest.fixture
async def app(handler: Handled) -> AsyncIterator[CallbackReceiver]:
    """A receiver whose updates are handled."""
    app = receiver()
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        await settle()
        yield app
        updates.stop()


def is_asked_to_repeat(response: httpx.Response) -> bool:
    date = parsedate_to_datetime(response.headers["retry-after"])
    assert 0 <= date.timestamp() - time.time() <= 11
    return response.status_code == 503


async def test_vk_gets_ok_once_the_update_was_handled(
    app: CallbackReceiver, handler: Handled
) -> None:
    handler.seconds = 3
    start = current_time()
    response = await post(app)
    assert (response.status_code, response.content) == (200, b"ok")
    assert current_time() == pytest.approx(start + 3)
    assert handler.ended == ["e1"]


async def test_updates_have_the_classes_that_they_have_by_long_poll() -> None:
    app = receiver()
    got: list[Any] = []
    async with app.updates() as updates, anyio.create_task_group() as tg:

        async def take() -> None:
            async for update in updates:
                got.append(update)
                if len(got) == 2:
                    updates.stop()

        tg.start_soon(take)
        await settle()
        assert (await post(app)).text == "ok"
        unknown = event(2, type="something_new", event_id="")
        assert (await post(app, unknown, headers={"X-Retry-Counter": "2"})).text == "ok"
    first, second = got
    match first:
        case MessageNew(object={"message": message}):
            assert message["text"] == "1"
    assert (first.event_id, first.group_id, first.v) == ("e1", GROUP, "5.199")
    assert (first.peer_id, first.attempt) == (1, 0)
    assert isinstance(second, UnknownUpdate)
    assert (second.type, second.attempt, len(second.event_id)) == (
        "something_new",
        2,
        40,
    )
    assert SECRET not in repr(got)


async def test_an_update_that_takes_too_long_is_repeated_and_handled_once(
    app: CallbackReceiver, handler: Handled
) -> None:
    handler.seconds = 6
    start = current_time()
    assert is_asked_to_repeat(await post(app))
    assert current_time() == pytest.approx(start + 4)
    assert (await post(app)).text == "ok"
    assert current_time() == pytest.approx(start + 6)
    assert (await post(app)).text == "ok"
    assert current_time() == pytest.approx(start + 6)
    assert handler.begun == handler.ended == ["e1"]


async def test_a_late_update_may_be_answered_with_ok() -> None:
    app, handler = receiver(late="ok", answer_within=2), Handled(3)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        start = current_time()
        assert (await post(app)).text == "ok"
        assert current_time() == pytest.approx(start + 2)
        assert handler.ended == []
        updates.stop()
    assert handler.ended == ["e1"]


async def test_updates_of_a_peer_are_handled_in_order_and_others_at_once(
    app: CallbackReceiver, handler: Handled
) -> None:
    handler.seconds = 1
    start = current_time()
    async with anyio.create_task_group() as tg:
        for n, peer in ((1, 1), (2, 1), (3, 2)):
            tg.start_soon(post, app, event(n, peer))
            await settle()
    assert current_time() == pytest.approx(start + 2)
    assert sorted(handler.ended[:2]) == ["e1", "e3"]
    assert handler.ended[2:] == ["e2"]


async def test_a_client_that_hangs_up_cancels_no_handler(
    app: CallbackReceiver, handler: Handled
) -> None:
    handler.seconds = 3
    with anyio.move_on_after(1):
        await post(app)
    assert handler.begun == ["e1"]
    assert (await post(app)).text == "ok"
    assert handler.begun == handler.ended == ["e1"]


async def test_nobody_who_takes_updates_means_later() -> None:
    app = receiver()
    assert is_asked_to_repeat(await post(app))
    async with app.updates() as updates:
        start = current_time()
        assert is_asked_to_repeat(await post(app))  # nobody has taken it in time
        assert current_time() == pytest.approx(start + 4)
        async for update in updates:  # it is still there
            assert update.event_id == "e1"
            break
        updates.acknowledge()
        updates.acknowledge()
        assert (await post(app)).text == "ok"
    assert (await post(app)).text == "ok"
    assert is_asked_to_repeat(await post(app, event(2)))
    assert current_time() == pytest.approx(start + 4)


async def test_an_update_in_hand_is_not_acknowledged_by_leaving_the_loop() -> None:
    app = receiver()
    responses = []

    async def deliver() -> None:
        responses.append(await post(app))

    async with anyio.create_task_group() as tg, app.updates() as updates:
        tg.start_soon(deliver)
        async for _ in updates:
            break
        start = current_time()
    assert is_asked_to_repeat(responses[0])
    assert current_time() == start  # at once
    handler = Handled()
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        assert (await post(app)).text == "ok"
        updates.stop()
    assert handler.ended == ["e1"]


async def test_a_loop_that_was_left_gives_its_update_to_the_workers() -> None:
    app, handler = receiver(), Handled()
    responses = []

    async def deliver() -> None:
        responses.append(await post(app))

    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(deliver)
        async for _ in updates:
            break
        tg.start_soon(updates.handle, handler)
        await settle()
        assert responses[0].text == "ok"
        updates.stop()
    assert handler.ended == ["e1"]


async def test_the_error_of_a_handler_leaves_as_itself_and_vk_repeats() -> None:
    app = receiver()
    error = ValueError("no such order")

    async def fail(update: Update[Any]) -> None:
        if update.attempt == 0:
            raise error

    responses = []

    async def deliver() -> None:
        responses.append(await post(app))

    async with anyio.create_task_group() as tg, app.updates() as updates:
        tg.start_soon(deliver)
        with pytest.raises(ValueError, match="no such order") as caught:
            await updates.handle(fail)
    assert caught.value is error
    assert is_asked_to_repeat(responses[0])
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, fail)
        assert (await post(app, headers={"X-Retry-Counter": "1"})).text == "ok"
        updates.stop()


async def test_a_failed_update_is_handled_by_the_next_workers_without_vk() -> None:
    app, handler = receiver(), Handled()

    async def fail(_update: Update[Any]) -> None:
        raise ValueError("once")

    async with app.updates() as updates, anyio.create_task_group() as tg:
        responses = []

        async def deliver() -> None:
            responses.append(await post(app))

        tg.start_soon(deliver)
        with pytest.raises(ValueError, match="once"):
            await updates.handle(fail)
        tg.start_soon(updates.handle, handler)
        await settle()
        updates.stop()
    assert handler.ended == ["e1"]
    assert responses[0].text == "ok"


async def test_an_error_that_was_dealt_with_is_handled() -> None:
    app = receiver()
    errors: list[Exception] = []

    async def fail(_update: Update[Any]) -> None:
        raise ValueError("poison")

    async with app.updates() as updates, anyio.create_task_group() as tg:

        async def handle() -> None:
            await updates.handle(fail, on_error=lambda _, error: errors.append(error))

        tg.start_soon(handle)
        assert (await post(app)).text == "ok"
        updates.stop()
    assert [str(error) for error in errors] == ["poison"]


async def test_a_stop_finishes_what_was_begun_and_begins_no_more() -> None:
    app, handler = receiver(answer_within=60), Handled(5)
    responses: dict[int, httpx.Response] = {}

    async def deliver(n: int) -> None:
        responses[n] = await post(app, event(n))

    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(lambda: updates.handle(handler, max_pending=2))
        for n in (1, 2, 3):
            tg.start_soon(deliver, n)
            await sleep(1)
        updates.stop()
        tg.start_soon(deliver, 4)
        await settle()
        assert is_asked_to_repeat(responses[3])
        assert is_asked_to_repeat(responses[4])
    assert responses[1].text == responses[2].text == "ok"
    assert handler.ended == ["e1", "e2"]
    with pytest.raises(ClientClosedError):
        await updates.handle(handler)


async def test_there_is_a_bound_on_what_waits() -> None:
    app, handler = receiver(max_pending=2), Handled(1)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        for n in (1, 2):
            tg.start_soon(post, app, event(n))
        await settle()
        start = current_time()
        assert is_asked_to_repeat(await post(app, event(3)))
        assert current_time() == start
        tg.start_soon(updates.handle, handler)
        assert (await post(app, event(2))).text == "ok"  # one of the two
        assert (await post(app, event(3))).text == "ok"
        updates.stop()
    assert sorted(handler.ended) == ["e1", "e2", "e3"]


async def test_only_so_many_handled_updates_are_remembered(handler: Handled) -> None:
    app = receiver(remembered=2)
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        for n in (1, 2, 3, 3, 2, 1):
            assert (await post(app, event(n))).text == "ok"
        updates.stop()
    assert handler.ended == ["e1", "e2", "e3", "e1"]


async def test_event_ids_are_those_of_one_community(handler: Handled) -> None:
    app = receiver(secrets={8: "other", GROUP: SECRET})
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, handler)
        for group_id, secret in ((GROUP, SECRET), (8, "other")):
            same = event(1, group_id=group_id, secret=secret)
            assert (await post(app, same)).text == "ok"
        updates.stop()
    assert handler.ended == ["e1", "e1"]


WRONG: dict[str, dict[str, Any]] = {
    "a wrong secret": {"secret": SECRET + "x"},
    "an empty one": {"secret": ""},
    "none": {"secret": None},
    "one that is no text": {"secret": 5},
    "one that is not even Unicode": {"secret": "\ud800"},
    "another community": {"group_id": 8},
    "no community": {"group_id": None},
    "true, which is 1": {"group_id": True},
    "a confirmation with a wrong secret": {"type": "confirmation", "secret": "x"},
}


@pytest.mark.parametrize("more", WRONG.values(), ids=WRONG)
async def test_what_is_not_genuine_is_refused(
    app: CallbackReceiver, handler: Handled, more: dict[str, Any]
) -> None:
    response = await post(app, event(**more))
    assert response.status_code == 403
    assert handler.begun == []


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"group_id=9",
    "no object": b"[]",
    "broken UTF-8": b'{"group_id":9,"secret":"\xff"}',
    "too deep to read": b"[" * 100_000,
    "deep": b'{"object":' + b"[" * 101 + b"]" * 101 + b"}",
    "deep objects": b'{"object":' * 102 + b"1" + b"}" * 102,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_no_update_is_refused(app: CallbackReceiver, body: bytes) -> None:
    assert (await post(app, body or b" ")).status_code == 400


async def test_only_post_is_allowed(app: CallbackReceiver) -> None:
    response = await post(app, verb="GET")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "url", "root", "found"),
    [
        (None, "/anything", "", True),
        ("/vk", "/vk", "", True),
        ("/vk/", "/vk", "", True),
        ("/vk", "/vk/", "", True),
        ("/vk", "/", "/vk", True),
        ("/vk", "/vk/other", "", False),
        ("/vk", "/", "", False),
    ],
)
async def test_there_is_one_path(
    path: str | None, url: str, root: str, found: bool
) -> None:
    app = receiver(path=path)
    transport = httpx.ASGITransport(app, root_path=root)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as vk:
        response = await vk.post(url, json=event(type="confirmation"))
    assert response.status_code == (200 if found else 404)


async def endless() -> AsyncIterable[bytes]:
    while True:
        yield b" " * 1000


async def slow() -> AsyncIterable[bytes]:
    while True:
        yield b" "
        await sleep(1)


def raw_request(
    *messages: dict[str, Any], **headers: str
) -> tuple[dict[str, Any], Callable[[], Any]]:
    """Return a scope, and a function that returns these messages."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/vk",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }
    left = [*messages]

    async def receive() -> dict[str, Any]:
        if not left:
            await anyio.sleep_forever()
        return left.pop(0)

    return scope, receive


async def status_of(
    app: CallbackReceiver, scope: dict[str, Any], receive: Callable[[], Any]
) -> list[int]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return [each["status"] for each in sent if "status" in each]


async def test_a_body_has_a_bound(app: CallbackReceiver) -> None:
    assert (await post(app, b" " * (2**20 + 1))).status_code == 413
    piece = {"type": "http.request", "body": b" " * 600_000, "more_body": True}
    unread: list[dict[str, Any]] = [piece] * 2  # the third would never come
    assert await status_of(app, *raw_request(*unread)) == [413]
    announced = {"content-length": str(2**20 + 1)}
    assert await status_of(app, *raw_request(**announced)) == [413]
    small = receiver(max_body=10)
    assert (await post(small, b" " * 10)).status_code == 400
    assert (await post(small, b" " * 11)).status_code == 413


async def test_a_body_that_never_ends_is_given_up(app: CallbackReceiver) -> None:
    start = current_time()
    assert await status_of(app, *raw_request()) == [408]
    assert current_time() == pytest.approx(start + 10)


async def test_a_client_that_disconnects_gets_no_response(
    app: CallbackReceiver, handler: Handled
) -> None:
    gone = {"type": "http.disconnect"}
    assert await status_of(app, *raw_request(gone)) == []
    whole = {"type": "http.request", "body": json.dumps(event()).encode()}

    async def broken(_message: Any) -> None:
        raise BrokenPipeError

    await app(*raw_request(whole), broken)
    assert handler.ended == ["e1"]


async def test_a_confirmation_gets_the_code_with_or_without_the_secret() -> None:
    app = receiver()
    asked = {"type": "confirmation", "group_id": GROUP}
    for more in ({}, {"secret": SECRET}):
        response = await post(app, {**asked, **more})
        assert (response.status_code, response.text) == (200, "1a2b3c")


async def test_a_code_that_nobody_knows_is_an_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = receiver(confirmations=None)
    response = await post(app, event(type="confirmation"))
    assert response.status_code == 403
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "pass confirmations={...} or api=" in record.message


async def test_the_code_may_come_from_vk(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    method = "groups.getCallbackConfirmationCode"
    codes = iter(["first", "second"])
    simulator.add_method(method, lambda _: {"code": next(codes)})
    simulator.fault(faults.error(15), method)
    async with VK("a-token", http_client=simulator.http_client()) as api:
        app = receiver(confirmations=None, api=api)
        asked = event(type="confirmation")
        assert is_asked_to_repeat(await post(app, asked))
        assert "Access denied" in caplog.text
        for code in ("first", "first", "second"):
            assert (await post(app, asked)).text == code
            await sleep(31)
    entries = simulator.ledger.carried_out(method)
    assert [entry.params["group_id"] for entry in entries] == ["9", "9"]


async def test_a_web_socket_is_closed_and_a_lifespan_completed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Any:
        return events.pop(0)

    app = receiver()
    await app({"type": "lifespan"}, receive, send)
    await app({"type": "websocket"}, receive, send)
    assert [each["type"] for each in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
        "websocket.close",
    ]


async def test_updates_are_taken_by_one_task_in_one_block() -> None:
    app = receiver()
    updates = app.updates()
    with pytest.raises(ClientClosedError, match=r"async with receiver\.updates\(\)"):
        await anext(updates)
    async with updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, Handled())
        await settle()
        with pytest.raises(ClientUseError, match="another task"):
            await anext(updates)
        with pytest.raises(ClientUseError, match="in use"):
            async with app.updates():
                pytest.fail("there are two")
        assert (await post(app)).text == "ok"
        updates.stop()
    with pytest.raises(ClientUseError, match="twice"):
        async with updates:
            pytest.fail("it was entered again")
    async with app.updates() as other:
        other.stop()
        assert [update async for update in other] == []


async def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    app = receiver()
    got = []
    async with app.updates() as updates, anyio.create_task_group() as tg:
        for n in range(1, 6):
            with anyio.move_on_after(0.5):
                await anext(updates)
            tg.start_soon(post, app, event(n))
            got.append((await anext(updates)).event_id)
        updates.stop()
    assert got == ["e1", "e2", "e3", "e4", "e5"]


def test_a_receiver_in_another_event_loop_is_an_error() -> None:
    app = receiver()

    async def serve() -> None:
        with pytest.raises(ClientUseError, match="run both in one"):
            await post(app)

    async def main() -> None:
        async with app.updates():
            await anyio.to_thread.run_sync(anyio.run, serve)

    anyio.run(main)


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no secrets": ({"secrets": {}}, "secrets must have"),
    "an empty secret": ({"secrets": {9: ""}}, "secrets has an empty text for comm"),
    "a name": ({"secrets": {"club9": "s"}}, "ids of communities, got 'club9'"),
    "an owner": ({"secrets": {-9: "s"}}, "ids of communities, got -9"),
    "no such secret": ({"confirmations": {8: "c"}}, "has community 8, but secrets"),
    "a path": ({"path": "vk"}, "path must begin with '/', got 'vk'"),
    "no time": ({"answer_within": 0}, "answer_within must be positive, got 0"),
    "late": ({"late": "never"}, "late must be 'repeat' or 'ok', got 'never'"),
    "too late": ({"retry_after": 10801}, "retry_after must be .* 10800"),
    "no room": ({"max_pending": 0}, "max_pending must be"),
    "no body": ({"max_body": 0}, "max_body must be"),
    "no memory": ({"remembered": 0}, "remembered must be"),
}


@pytest.mark.parametrize(("options", "message"), OPTIONS.values(), ids=OPTIONS)
def test_a_wrong_option_is_refused_at_once(
    options: dict[str, Any], message: str
) -> None:
    options = {"confirmations": None, **options}
    with pytest.raises(ValueError, match=message):
        receiver(**options)


def test_the_secret_is_in_no_repr() -> None:
    app = receiver()
    assert repr(app) == "<CallbackReceiver of communities [9]>"
    assert SECRET not in repr(vars(app))
