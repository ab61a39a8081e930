"""The first tokens of a user, from an authorization in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from _stored import CLIENT_ID, Store, frames_of
from vkanyio.vkid import VKID, VKIDError, new_code_verifier

if TYPE_CHECKING:
    from _tokens import Make
    from vkanyio.testing import Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes"),
    pytest.mark.simulator_options(latency=0.25),
]


async def authorize(simulator: Simulator, vkid: VKID, verifier: str) -> Any:
    """Do what the browser of a user does."""
    url = vkid.authorization_url(
        verifier, "https://my.app/vk", state="s1", scope="wall"
    )
    assert url.startswith("https://id.vk.ru/authorize?response_type=code&client_id=51")
    assert "redirect_uri=https%3A%2F%2Fmy.app%2Fvk" in url
    assert "code_challenge_method=s256" in url
    assert url.endswith("state=s1&scope=wall")
    assert verifier not in url
    return simulator.vkid.authorize(
        client_id=CLIENT_ID,
        redirect_uri="https://my.app/vk",
        code_challenge=url.partition("code_challenge=")[2].partition("&")[0],
        state="s1",
        user_id=5,
    )


async def test_a_code_is_exchanged_for_the_first_tokens(
    make: Make, simulator: Simulator
):
    store = Store()
    vkid = VKID(client_id=CLIENT_ID, store=store)
    verifier = new_code_verifier()
    back = await authorize(simulator, vkid, verifier)
    tokens = await vkid.exchange(
        back.code,
        verifier,
        "https://my.app/vk",
        device_id=back.device_id,
        http_client=simulator.http_client(),
    )
    assert tokens == store.tokens
    assert tokens.user_id == 5
    async with make(vkid) as api:
        assert await api.call("test.get", {"id": 1}) == 1
        simulator.expire(tokens.access_token)
        assert await api.call("test.get", {"id": 1}) == 1
    assert simulator.vkid.renewals == 1


async def test_a_code_that_vk_id_refuses_raises_its_error(simulator: Simulator):
    vkid = VKID(client_id=CLIENT_ID, device_id="d", store=Store())
    options: dict[str, Any] = {"http_client": simulator.http_client()}
    with pytest.raises(VKIDError, match="invalid_grant") as caught:
        await vkid.exchange("a-secret-code", "v" * 43, "https://a", **options)
    assert "a-secret-code" not in frames_of(caught.value)


async def test_wrong_arguments_of_an_exchange_are_refused_at_once(
    simulator: Simulator,
):
    vkid = VKID(client_id=CLIENT_ID, store=Store())
    options: dict[str, Any] = {"http_client": simulator.http_client()}
    with pytest.raises(ValueError, match="code_verifier must be a str of 43 to 128"):
        await vkid.exchange("a-code", "short", "https://a", device_id="d", **options)
    with pytest.raises(TypeError, match="device_id is required"):
        await vkid.exchange("a-code", "v" * 43, "https://a", **options)
    assert simulator.ledger.requests == 0
