"""`VKID`: the tokens of a user, renewed by the client and stored before anything."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import note
from _probe import Probe
from _stored import CLIENT_ID, Store, errors_of, frames_of, issued
from vkanyio import (
    VK,
    ClientUseError,
    TokenRenewalError,
)
from vkanyio.testing import Simulator, faults
from vkanyio.vkid import VKID, VKIDError

if TYPE_CHECKING:
    from _tokens import Make

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes"),
    pytest.mark.simulator_options(latency=0.25),
]


async def test_stored_tokens_are_used_as_long_as_they_are_valid(
    make: Make, vkid: VKID, simulator: Simulator
):
    async with make(vkid) as api:
        assert await api.call("test.get", {"id": 1}) == 1
    assert simulator.vkid.renewals == 0


async def test_tokens_that_have_expired_are_renewed_at_the_start(
    make: Make, simulator: Simulator
):
    store = Store(issued(simulator, life=-1))
    async with make(VKID(client_id=CLIENT_ID, store=store)) as api:
        assert await api.call("test.get", {"id": 1}) == 1
    assert simulator.vkid.renewals == 1
    assert len(store.saved) == 1
    assert errors_of(simulator) == []


async def test_a_token_that_vk_refuses_is_renewed_once_and_stored(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    first = store.tokens
    outcomes: list[Any] = []
    async with make(vkid) as api, anyio.create_task_group() as tg:
        simulator.expire(first.access_token)
        for i in range(100):
            tg.start_soon(note, outcomes, api.call, "test.post", {"id": i})
    assert sorted(outcomes) == [*range(100)]
    assert simulator.vkid.renewals == 1
    [stored] = store.saved
    assert stored.refresh_token != first.refresh_token
    assert stored.device_id == first.device_id
    assert stored.user_id == 5
    life = stored.expires_at - datetime.now(UTC)
    assert timedelta(minutes=59) < life <= timedelta(hours=1)


async def test_hours_need_a_renewal_each_and_nothing_is_refused(
    make: Make, vkid: VKID, simulator: Simulator
):
    async with make(vkid) as api:
        for i in range(80):
            assert await api.call("test.get", {"id": i}) == i
            await anyio.sleep(300)
    assert errors_of(simulator) == []
    assert 6 <= simulator.vkid.renewals <= 8


async def test_without_expires_in_the_token_is_used_until_vk_refuses_it(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    answer = {"access_token": "vk2.a.new", "refresh_token": "vk2.a.newer"}
    simulator.fault(faults.body(json.dumps(answer).encode()), "vkid")
    assert store.tokens is not None
    simulator.expire(store.tokens.access_token)
    async with make(vkid) as api:
        for i in range(3):
            assert await api.call("test.post", {"id": i}) == i
            await anyio.sleep(7200)
    assert len(store.saved) == 1


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [("3600", 3600), (10**15, 0), (-(10**15), 0), ("soon", 0), (True, 0), (None, 0)],
)
async def test_tokens_are_stored_whatever_is_said_about_their_end(
    make: Make,
    vkid: VKID,
    store: Store,
    simulator: Simulator,
    expires_in: Any,
    seconds: int,
):
    answer = {
        "access_token": "vk2.a.new",
        "refresh_token": "vk2.a.newer",
        "expires_in": expires_in,
        "error": None,
    }
    simulator.fault(faults.body(json.dumps(answer).encode()), "vkid")
    assert store.tokens is not None
    simulator.expire(store.tokens.access_token)
    async with make(vkid) as api:
        assert await api.call("test.post", {"id": 1}) == 1
    [tokens] = store.saved
    assert tokens.refresh_token == "vk2.a.newer"
    life = tokens.expires_at - datetime.now(UTC)
    assert life.total_seconds() == pytest.approx(seconds, abs=60)


async def test_what_another_process_has_renewed_is_found_in_the_store(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    async with make(vkid) as api:
        simulator.expire(store.tokens.access_token)
        store.tokens = issued(simulator)
        assert await api.call("test.get", {"id": 1}) == 1
    assert simulator.vkid.renewals == 0
    assert errors_of(simulator) == [5]


async def test_two_clients_of_one_store_renew_once(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    other = VKID(client_id=str(CLIENT_ID), store=store)
    async with make(vkid) as one, make(other) as two, anyio.create_task_group() as tg:
        simulator.expire(store.tokens.access_token)
        tg.start_soon(one.call, "test.post", {"id": 1})
        tg.start_soon(two.call, "test.post", {"id": 2})
    assert simulator.vkid.renewals == 1


async def test_the_request_goes_with_the_headers_of_the_client_outside_the_limit(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    simulator.vkid.binds_to_address = True
    simulator.expire(store.tokens.access_token)
    headers = {"x-forwarded-for": "10.0.0.9"}
    async with make(vkid, limit=1, headers=headers) as api:
        began = anyio.current_time()
        assert await api.call("test.get", {"id": 1}) == 1
        # The call, the renewal, and the call again: that alone waits for the limit.
        assert anyio.current_time() - began == pytest.approx(1.02 + 0.25, abs=0.3)
        assert api.statistics().sent == 2


async def test_a_token_of_another_address_is_renewed_once(
    store: Store, simulator: Simulator
):
    simulator.vkid.binds_to_address = True
    assert store.tokens is not None
    simulator.expire(store.tokens.access_token)
    http_client = simulator.http_client()
    post = http_client.post

    async def by_several_ways(url: str, *, headers: Any, **more: Any) -> Any:
        address = "10.0.0.1" if "id.vk.ru" in url else "10.0.0.2"
        headers = {**headers, "x-forwarded-for": address}
        return await post(url, headers=headers, **more)

    http_client.post = by_several_ways  # type: ignore[assignment, method-assign]
    vkid = VKID(client_id=CLIENT_ID, store=store)
    async with VK(vkid, http_client=http_client, limit=1000) as api:
        for _ in range(3):
            with pytest.raises(TokenRenewalError, match="same IP address, and through"):
                await api.call("test.get", {"id": 1})
    assert simulator.vkid.renewals == 1
    assert errors_of(simulator) == [5, 5]


# Nothing interrupts a renewal before it is stored.


async def test_leaving_during_a_renewal_stores_the_tokens_first(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    store.takes = 5.0
    simulator.expire(store.tokens.access_token)
    with anyio.move_on_after(1) as scope:
        async with make(vkid) as api:
            await api.call("test.post", {"id": 1})
    assert scope.cancelled_caught
    assert len(store.saved) == simulator.vkid.renewals == 1


async def test_entering_that_is_cancelled_during_a_renewal_stores_the_tokens_first(
    make: Make, simulator: Simulator
):
    store = Store(issued(simulator, life=-1))
    store.takes = 5.0
    with anyio.move_on_after(1) as scope:
        async with make(VKID(client_id=CLIENT_ID, store=store)):
            pytest.fail("it was entered")
    assert scope.cancelled_caught
    assert len(store.saved) == simulator.vkid.renewals == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_entering_that_is_cancelled_natively_stores_the_tokens_first(
    make: Make, simulator: Simulator
):
    import asyncio

    store = Store(issued(simulator, life=-1))
    store.takes = 5.0
    with pytest.raises(TimeoutError):  # noqa: PT012
        async with asyncio.timeout(1):
            async with make(VKID(client_id=CLIENT_ID, store=store)):
                pytest.fail("it was entered")
    assert len(store.saved) == simulator.vkid.renewals == 1


async def test_storing_may_take_thirty_seconds_at_most(
    make: Make, simulator: Simulator
):
    store = Store(issued(simulator, life=-1))
    store.takes = float("inf")
    began = anyio.current_time()
    with pytest.raises(VKIDError, match="within 30 s"):
        async with make(VKID(client_id=CLIENT_ID, store=store)):
            pytest.fail("it was entered")
    assert anyio.current_time() == began + 30


# Arguments, and secrets.


async def test_vkid_works_for_a_client_only(vkid: VKID):
    with pytest.raises(ClientUseError, match="pass it to VK as the token"):
        await vkid(None)


async def test_a_function_of_ones_own_may_be_around_it(
    make: Make, vkid: VKID, simulator: Simulator
):
    asked: list[bool] = []

    async def token(refused: str | None) -> Any:
        asked.append(refused is None)
        return await vkid(refused)

    async with make(token) as api:
        simulator.expire(Probe(api).tokens[0])
        assert await api.call("test.get", {"id": 1}) == 1
    assert asked == [True, False]


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"client_id": True}, TypeError, "client_id must be a number, got True"),
        ({"client_id": "abc"}, ValueError, "client_id must be a number, got 'abc'"),
        ({"store": "tokens.json"}, TypeError, "store must have `lock`, `load` and"),
        ({"store": Store}, TypeError, "store must have `lock`"),
        ({"base_url": 5}, TypeError, "base_url must be a URL such as"),
        ({"base_url": "id.vk.ru"}, ValueError, "got another string"),
        ({"base_url": "http://id.vk.ru"}, ValueError, "sent unencrypted"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: dict[str, Any], kind: type[Exception], text: str
):
    with pytest.raises(kind, match=text):
        VKID(**{"client_id": 1, "store": Store(), **arguments})


def test_a_loopback_address_may_be_without_encryption():
    vkid = VKID(client_id=1, store=Store(), base_url="http://127.0.0.1:8000")
    url = vkid.authorization_url("v" * 43, "https://a")
    assert url.startswith("http://127.0.0.1:8000/authorize?")


async def test_no_token_is_shown(
    make: Make,
    vkid: VKID,
    store: Store,
    simulator: Simulator,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    assert store.tokens is not None
    secrets = [str(store.tokens.access_token), str(store.tokens.refresh_token)]
    quoted = json.dumps({"error": "odd", "error_description": f"no {secrets[1]}"})
    simulator.fault(faults.body(quoted.encode(), 400), "vkid")
    simulator.expire(secrets[0])
    async with make(vkid) as api:
        with pytest.raises(TokenRenewalError) as caught:
            await api.call("test.post", {"id": 1})
    texts = [repr(store.tokens), repr(vkid), str(caught.value), caplog.text]
    texts.append(frames_of(caught.value))
    for secret in secrets:
        assert not [text for text in texts if secret in text]
    assert "no ***" in str(caught.value)
