"""Requests to the receiver of the Callback API, as an ASGI server passes them on."""

from __future__ import annotations

import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from _callbacks import (
    GROUP,
    SECRET,
    Handled,
    event,
    is_asked_to_repeat,
    post,
    receiver,
)
from anyio import current_time, sleep

from vkanyio import VK, ClientUseError
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable

    from vkanyio.updates import CallbackReceiver, Update

pytestmark = pytest.mark.anyio


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
    "too deep to read": b"[" * 100_000,
    "deep": b'{"object":' + b"[" * 101 + b"]" * 101 + b"}",
    "deep objects": b'{"object":' * 102 + b"1" + b"}" * 102,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_no_update_is_refused(app: CallbackReceiver, body: bytes) -> None:
    assert (await post(app, body or b" ")).status_code == 400


@pytest.mark.parametrize(
    ("written", "text"),
    [(b"a\x01b", "a\x01b"), (b"a\nb", "a\nb"), (b"a\xd0", "a\ufffd")],
    ids=["a control character", "a line break", "half a character"],
)
async def test_an_update_is_read_as_vk_writes_json(written: bytes, text: str) -> None:
    """https://github.com/python273/vk_api/issues/473"""
    found: list[str] = []

    async def note(update: Update[Any]) -> None:
        found.append(update.object["message"]["text"])

    app = receiver()
    async with app.updates() as updates, anyio.create_task_group() as tg:
        tg.start_soon(updates.handle, note)
        body = json.dumps(event(object={"message": {"text": "TEXT"}})).encode()
        response = await post(app, body.replace(b"TEXT", written))
        assert (response.status_code, response.text) == (200, "ok")
        updates.stop()
    assert found == [text]


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


@pytest.mark.parametrize("value", [None, {}, {"code": None}, {"code": ""}, "1a2b3c"])
async def test_a_code_that_vk_does_not_return_is_asked_for_again(
    simulator: Simulator, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    simulator.add_method("groups.getCallbackConfirmationCode", lambda _: value)
    async with VK("club", http_client=simulator.http_client()) as api:
        app = receiver(confirmations=None, api=api)
        assert is_asked_to_repeat(await post(app, event(type="confirmation")))
    assert "community 9 is unknown: VK returned none" in caplog.text


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


def test_a_receiver_in_another_event_loop_is_an_error() -> None:
    app = receiver()

    async def serve() -> None:
        with pytest.raises(ClientUseError, match="run both in one") as caught:
            await post(app)
        frames = traceback.walk_tb(caught.tb)
        own = [f.f_locals for f, _ in frames if "_receiver" in f.f_code.co_filename]
        assert own
        assert SECRET not in repr(own)

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
