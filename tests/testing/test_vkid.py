"""VK ID, as the simulator has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from vkanyio.testing import Account, Simulator, faults
from vkanyio.vkid import VKID, FileTokens, new_code_verifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx

    from vkanyio.testing import IssuedTokens

    Ask = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

VERIFIER = new_code_verifier()


@pytest.fixture
async def vk_id(simulator: Simulator) -> AsyncIterator[Ask]:
    """Sends a form to VK ID, and returns the status and the JSON."""
    async with simulator.http_client() as client:

        async def ask(address: str = "10.0.0.1", **form: Any) -> Any:
            response = await client.post(
                "https://id.vk.ru/oauth2/auth",
                data=form,
                headers={"x-forwarded-for": address},
            )
            return response.status_code, response.json()

        yield ask


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with simulator.http_client() as client:
        yield client


async def code_of(client: httpx.AsyncClient, token: str, address: str = "") -> Any:
    """Call a method, and return the code and subcode of its error."""
    response = await client.post(
        "https://api.vk.ru/method/users.get",
        data={"v": "5.199"},
        headers={"Authorization": f"Bearer {token}", "x-forwarded-for": address},
    )
    error = response.json().get("error", {})
    return error.get("error_code"), error.get("error_subcode")


def refresh(tokens: IssuedTokens, **other: Any) -> dict[str, Any]:
    return {
        "grant_type": "refresh_token",
        "refresh_token": tokens.refresh_token,
        "client_id": "7",
        "device_id": tokens.device_id,
        "state": "a-state",
        **other,
    }


async def test_a_refresh_token_is_good_for_once(simulator: Simulator, vk_id: Ask):
    tokens = simulator.vkid.issue(client_id=7, user_id=5)
    status, first = await vk_id(**refresh(tokens))
    assert status == 200
    assert first["state"] == "a-state"
    assert first["expires_in"] == 3600
    assert first["user_id"] == 5
    assert first["refresh_token"] != tokens.refresh_token
    status, second = await vk_id(**refresh(tokens))
    assert (status, second["error"]) == (400, "invalid_grant")
    assert simulator.vkid.renewals == 1
    outcomes = [each.outcome for each in simulator.ledger]
    assert outcomes == ["carried out", "invalid_grant"]
    assert tokens.refresh_token not in repr(simulator.ledger[0])


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"client_id": "8"}, "invalid_client"),
        ({"device_id": "another"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_request_gets_an_error(
    simulator: Simulator, vk_id: Ask, other: dict[str, Any], error: str
):
    tokens = simulator.vkid.issue(client_id=7)
    status, answer = await vk_id(**refresh(tokens, **other))
    assert (status, answer["error"]) == (400, error)


async def test_a_code_needs_its_verifier_and_is_good_for_once(
    simulator: Simulator, vk_id: Ask
):
    def authorize() -> Any:
        vkid = VKID(client_id=7, store=FileTokens("unused.json"))
        url = vkid.authorization_url(VERIFIER, "https://a")
        challenge = url.partition("code_challenge=")[2].partition("&")[0]
        return simulator.vkid.authorize(
            client_id=7, redirect_uri="https://a", code_challenge=challenge, state="s"
        )

    def form(**other: Any) -> dict[str, Any]:
        return {
            "grant_type": "authorization_code",
            "code": code.code,
            "code_verifier": VERIFIER,
            "client_id": "7",
            "device_id": code.device_id,
            "redirect_uri": "https://a",
            **other,
        }

    for wrong in (
        {"code_verifier": new_code_verifier()},
        {"code_verifier": "short"},
        {"redirect_uri": "https://b"},
        {"code": "another"},
    ):
        code = authorize()
        _, answer = await vk_id(**form(**wrong))
        assert answer["error"] == "invalid_grant"
    code = authorize()
    assert code.state == "s"
    status, answer = await vk_id(**form())
    assert status == 200
    assert answer["token_type"] == "Bearer"
    assert (await vk_id(**form()))[0] == 400


async def test_an_access_token_expires(simulator: Simulator, client: httpx.AsyncClient):
    simulator.vkid.expires_in = 60.0
    token = simulator.vkid.issue(client_id=7).access_token
    assert await code_of(client, token) == (None, None)
    await anyio.sleep(60)
    assert await code_of(client, token) == (5, None)


async def test_an_access_token_is_bound_to_an_address_on_demand(
    simulator: Simulator, vk_id: Ask, client: httpx.AsyncClient
):
    tokens = simulator.vkid.issue(client_id=7)
    _, renewed = await vk_id(**refresh(tokens), address="10.0.0.1")
    token = renewed["access_token"]
    assert await code_of(client, token, "10.0.0.2") == (None, None)
    simulator.vkid.binds_to_address = True
    assert await code_of(client, token, "10.0.0.2") == (5, 1130)
    assert await code_of(client, token, "10.0.0.1") == (None, None)
    assert await code_of(client, tokens.access_token, "10.0.0.2") == (None, None)


async def test_tokens_of_vk_id_are_valid_beside_those_that_are_listed():
    simulator = Simulator(limit=0, tokens={"anna": Account(id=1)})
    token = simulator.vkid.issue(client_id=7, user_id=8).access_token
    async with simulator.http_client() as client:
        assert await code_of(client, token) == (None, None)
        assert await code_of(client, "another") == (5, None)
    assert "vk2." not in repr(simulator.vkid.issue(client_id=7))


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [(faults.error(10), 500, "server_error"), (faults.html(502), 502, None)],
    ids=["error", "page"],
)
async def test_vk_id_fails_on_demand(
    simulator: Simulator, fault: Any, status: int, error: str | None
):
    simulator.fault(fault, "vkid")
    tokens = simulator.vkid.issue(client_id=7)
    async with simulator.http_client() as client:
        url = "https://id.vk.ru/oauth2/auth"
        response = await client.post(url, data=refresh(tokens))
        assert response.status_code == status
        assert error is None or response.json()["error"] == error
        unreadable = await client.post(url, json={})
        assert unreadable.json()["error"] == "invalid_request"
