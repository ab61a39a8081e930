"""VK's interface: requests, tokens, envelopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from vkanyio.testing import Account, Call, Simulator, VKFault, _wire, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

URL = "https://api.vk.ru/method"
V = {"v": "5.199"}
BEARER = {"Authorization": "Bearer secret"}


@pytest.fixture
async def simulator() -> Simulator:
    simulator = Simulator(limit=0)
    simulator.add_method("test.echo", lambda call: dict(call.params))
    return simulator


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with simulator.http_client(headers=BEARER) as client:
        yield client


def error_of(response: httpx.Response) -> Any:
    assert response.status_code == 200
    return response.json()["error"]


async def test_a_value_comes_in_the_response_envelope(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post(f"{URL}/users.get", data={**V, "user_ids": "5"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    assert list(response.json()) == ["response"]
    assert response.json()["response"][0]["id"] == 5


async def test_parameters_are_read_from_query_form_and_multipart(
    client: httpx.AsyncClient,
) -> None:
    expected = {**V, "text": "a, b&c=ё", "empty": ""}
    url = f"{URL}/test.echo"
    parts = {name: (None, value) for name, value in expected.items()}
    for response in (
        await client.get(url, params=expected),
        await client.post(url, data=expected),
        await client.post(url, files=parts),
        await client.post(url, params=V, data={"text": "a, b&c=ё", "empty": ""}),
    ):
        assert response.json() == {"response": expected}


async def test_a_part_without_a_name_is_passed_over(client: httpx.AsyncClient) -> None:
    part = b"--x\r\nContent-Disposition: form-data%b\r\n\r\n%b\r\n"
    body = part % (b"", b"lost") + part % (b'; name="a"', b"1") + b"--x--\r\n"
    response = await client.post(
        f"{URL}/test.echo",
        params=V,
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert response.json() == {"response": {**V, "a": "1"}}


async def test_the_body_goes_before_the_query(client: httpx.AsyncClient) -> None:
    response = await client.post(
        f"{URL}/test.echo", params={**V, "a": "query"}, data={"a": "body"}
    )
    assert response.json()["response"]["a"] == "body"


async def test_a_json_body_is_not_read(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    response = await client.post(f"{URL}/test.echo", json=V)
    assert error_of(response)["error_code"] == 8
    assert simulator.ledger.requests == 1
    assert len(simulator.ledger) == 0


async def test_a_token_is_read_from_the_header_or_the_parameters(
    simulator: Simulator,
) -> None:
    async with simulator.http_client() as client:
        ways: tuple[dict[str, Any], ...] = (
            {"headers": BEARER, "params": V},
            {"headers": {"authorization": "bearer secret"}, "params": V},
            {"params": {**V, "access_token": "secret"}},
        )
        for options in ways:
            response = await client.get(f"{URL}/test.echo", **options)
            assert response.json() == {"response": V}
    assert {entry.token for entry in simulator.ledger} == {0}


async def test_without_a_token_access_is_denied(simulator: Simulator) -> None:
    async with simulator.http_client() as client:
        response = await client.get(f"{URL}/users.get", params=V)
    error = error_of(response)
    assert error["error_code"] == 15
    assert error["error_msg"] == "Access denied: token required"
    assert simulator.ledger[0].token is None


async def test_an_unknown_token_is_refused_if_the_valid_ones_are_given() -> None:
    simulator = Simulator(tokens={"secret": Account(id=7)})
    async with simulator.http_client() as client:
        good = await client.get(f"{URL}/users.get", params=V, headers=BEARER)
        bad = await client.get(f"{URL}/users.get", params={**V, "access_token": "bad"})
    assert good.json()["response"][0]["id"] == 7
    assert error_of(bad)["error_code"] == 5
    assert error_of(bad)["error_msg"] == (
        "User authorization failed: invalid access_token (4)."
    )


async def test_a_token_can_expire_and_be_revoked(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    simulator.expire("secret")
    expired = error_of(await client.get(f"{URL}/users.get", params=V))
    simulator.revoke("secret")
    revoked = error_of(await client.get(f"{URL}/users.get", params=V))
    assert (expired["error_code"], revoked["error_code"]) == (5, 5)
    assert "has expired" in expired["error_msg"]
    assert "revoke" in revoked["error_msg"]
    assert simulator.ledger.carried_out() == []


async def test_an_error_echoes_the_parameters_but_never_the_token(
    client: httpx.AsyncClient,
) -> None:
    sent = {**V, "access_token": "secret", "a": "1"}
    response = await client.post(f"{URL}/no.such", data=sent)
    pairs = error_of(response)["request_params"]
    assert {pair["key"]: pair["value"] for pair in pairs} == {
        "method": "no.such",
        "oauth": "1",
        "v": "5.199",
        "a": "1",
    }
    assert "secret" not in response.text


@pytest.mark.parametrize("method", ["no.such", "users.Get", "execute.name"])
async def test_an_unknown_method_is_refused_with_error_3(
    simulator: Simulator, client: httpx.AsyncClient, method: str
) -> None:
    error = error_of(await client.post(f"{URL}/{method}", data=V))
    assert (error["error_code"], error["error_msg"]) == (3, "Unknown method passed")
    assert [entry.outcome for entry in simulator.ledger] == [3]


async def test_the_version_is_mandatory(client: httpx.AsyncClient) -> None:
    error = error_of(await client.get(f"{URL}/users.get"))
    assert error["error_code"] == 8


async def test_a_missing_parameter_is_named(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    simulator.add_method("test.need", lambda call: 1, required=["a", "b"])
    response = await client.get(f"{URL}/test.need", params={**V, "a": "1"})
    error = error_of(response)
    assert error["error_code"] == 100
    assert error["error_msg"] == (
        "One of the parameters specified was missing or invalid: b is undefined"
    )


async def test_other_verbs_than_get_and_post_are_refused(
    client: httpx.AsyncClient,
) -> None:
    error = error_of(await client.put(f"{URL}/users.get", params=V))
    assert error["error_code"] == 9999


async def test_another_path_is_not_found(client: httpx.AsyncClient) -> None:
    response = await client.get("https://api.vk.ru/other")
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html"


async def test_a_url_that_is_too_long_gets_a_page_of_the_web_server(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    response = await client.get(f"{URL}/test.echo", params={**V, "a": "x" * 9000})
    assert response.status_code == 414
    assert response.text.startswith("<html>")
    assert len(simulator.ledger) == 0


@pytest.mark.parametrize(
    ("kind", "code"), [("user", 15), ("group", 27), ("service", 28)]
)
async def test_a_method_refuses_tokens_of_another_kind(kind: Any, code: int) -> None:
    simulator = Simulator(tokens={"secret": Account(kind=kind)})
    kinds: Any = {"user", "group", "service"} - {kind}
    simulator.add_method("test.picky", lambda call: 1, tokens=kinds)
    async with simulator.http_client(headers=BEARER) as client:
        error = error_of(await client.get(f"{URL}/test.picky", params=V))
    assert error["error_code"] == code


async def test_a_handler_can_refuse_with_any_fault(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    async def handler(call: Call) -> None:
        raise VKFault(5, error_subcode=1130)

    simulator.add_method("test.fail", handler)
    error = error_of(await client.get(f"{URL}/test.fail", params=V))
    assert error["error_code"] == 5
    assert error["error_msg"] == "User authorization failed"
    assert error["error_subcode"] == 1130


async def test_a_crash_of_a_handler_reaches_the_test_unchanged(
    simulator: Simulator, client: httpx.AsyncClient
) -> None:
    simulator.add_method("test.crash", lambda call: call.params["missing"])
    with pytest.raises(KeyError, match="missing"):
        await client.get(f"{URL}/test.crash", params=V)


async def test_it_is_an_asgi_application(simulator: Simulator) -> None:
    transport = httpx.ASGITransport(simulator)
    async with httpx.AsyncClient(transport=transport, headers=BEARER) as client:
        response = await client.post(f"{URL}/test.echo", data=V)
    assert response.json() == {"response": V}


async def test_it_follows_the_lifespan_protocol(simulator: Simulator) -> None:
    events = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": next(events)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await simulator({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_it_does_not_support_websockets(simulator: Simulator) -> None:
    nothing: Any = None
    with pytest.raises(NotImplementedError, match="websocket"):
        await simulator({"type": "websocket"}, nothing, nothing)


async def test_a_client_that_disconnects_while_sending_gets_no_response(
    simulator: Simulator,
) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    nothing: Any = None
    await simulator({"type": "http", "path": "/method/a.b"}, receive, nothing)
    assert simulator.ledger.requests == 0


async def test_a_body_that_is_too_large_gets_a_page_of_the_web_server(
    simulator: Simulator, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_wire, "MAX_BODY", 1000)
    monkeypatch.setattr(_wire, "MAX_UPLOAD", 2000)
    for path, size, status in (
        ("method/test.echo", 900, 200),
        ("method/test.echo", 1100, 413),
        ("upload/doc", 1100, 200),
        ("upload/doc", 2100, 413),
    ):
        form = {**V, "a": "x" * size}
        response = await client.post(f"https://api.vk.ru/{path}", data=form)
        assert response.status_code == status
        assert response.text.startswith("<html>") == (status == 413)
    assert simulator.ledger.requests == 4


@pytest.mark.parametrize(
    ("path", "max_size"), [("/method/test.echo", 800), ("/upload/doc", 1600)]
)
@pytest.mark.parametrize("rest", ["short", "endless"])
async def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    max_size: int,
    rest: str,
) -> None:
    monkeypatch.setattr(_wire, "MAX_BODY", 800)
    monkeypatch.setattr(_wire, "MAX_UPLOAD", 1600)
    piece = b"x" * (max_size // 8)
    received = 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal received
        await anyio.lowlevel.checkpoint()
        received += len(piece)
        if sent and rest == "endless":
            await anyio.sleep(1)
        more = not (sent and rest == "short")
        return {"type": "http.request", "body": piece, "more_body": more}

    async def send(message: Any) -> None:
        sent.append((received, message))

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [],
    }
    began = anyio.current_time()
    await simulator(scope, receive, send)
    (read, start), (read_then, body), (_, end) = sent
    assert read == read_then == max_size + len(piece)
    assert start["status"] == 413
    assert body["body"].startswith(b"<html>")
    assert end == {"type": "http.response.body", "body": b"", "more_body": False}
    seconds = anyio.current_time() - began
    assert seconds == pytest.approx(5 if rest == "endless" else 0)


async def test_a_client_that_disconnects_while_waiting_gets_no_response(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.hang_after())
    carried_out = anyio.Event()
    simulator.add_method("test.add", lambda call: carried_out.set())
    events = iter(["http.request", "http.disconnect"])

    async def receive() -> dict[str, Any]:
        event = next(events)
        if event == "http.disconnect":
            await carried_out.wait()
        return {"type": event}

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/method/test.add",
        "query_string": b"v=5.199&access_token=t",
        "headers": [],
    }
    nothing: Any = None
    await simulator(scope, receive, nothing)
    assert len(simulator.ledger.carried_out()) == 1
