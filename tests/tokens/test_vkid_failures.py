"""`VKID` without tokens, with spent ones, and while VK ID is not well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import note
from _stored import CLIENT_ID, Store, errors_of
from vkanyio import ConnectionFailedError, TokenRenewalError
from vkanyio.testing import faults
from vkanyio.vkid import VKID, StoredTokens, VKIDError

if TYPE_CHECKING:
    from _tokens import Make
    from vkanyio.testing import Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes"),
    pytest.mark.simulator_options(latency=0.25),
]


# Without tokens, and with those that are of no use any more.


async def test_without_tokens_the_error_says_what_to_do(make: Make):
    vkid = VKID(client_id=1, store=Store())
    with pytest.raises(VKIDError, match=r"no tokens in .*: authorize, .*`exchange`"):
        async with make(vkid):
            pytest.fail("it was entered")


async def test_a_spent_refresh_token_is_tried_once_and_the_error_says_what_to_do(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    await spend(make, store, simulator)
    simulator.expire(store.tokens.access_token)
    outcomes: list[Any] = []
    async with make(vkid) as api, anyio.create_task_group() as tg:
        for i in range(25):
            tg.start_soon(note, outcomes, api.call, "test.post", {"id": i})
    assert errors_of(simulator).count("invalid_grant") == 1
    for error in outcomes:
        assert isinstance(error, TokenRenewalError)
        assert isinstance(error.__cause__, VKIDError)
        assert error.__cause__.error == "invalid_grant"
        assert not error.is_transient
        assert "authorize again, and pass the new code to `exchange`" in str(error)
    with pytest.raises(VKIDError, match="were not stored"):
        async with make(VKID(client_id=1, store=Store(expired(store.tokens)))):
            pytest.fail("it was entered")


def expired(tokens: StoredTokens) -> StoredTokens:
    fields = {**tokens.to_json(), "expires_at": "2020-01-01T00:00:00+00:00"}
    return StoredTokens.from_json(fields)


async def spend(make: Make, store: Store, simulator: Simulator) -> None:
    """Renew the tokens, but keep the old ones in the store."""
    assert store.tokens is not None
    lost = Store(expired(store.tokens))
    async with make(VKID(client_id=CLIENT_ID, store=lost)):
        assert simulator.vkid.renewals == 1


# VK ID is not well.


async def test_a_renewal_that_was_never_sent_is_repeated_by_itself(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    simulator.fault(faults.refuse(), "vkid", times=3)
    simulator.expire(store.tokens.access_token)
    async with make(vkid) as api:
        assert await api.call("test.post", {"id": 1}) == 1
    assert simulator.vkid.renewals == 1


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (faults.html(502), VKIDError, "HTTP status 502"),
        (faults.error(10), VKIDError, "server_error"),
        (faults.drop_before(), ConnectionFailedError, "lost the connection"),
        (faults.hang_before(), VKIDError, "within 30 s"),
    ],
    ids=["page", "error", "lost", "hangs"],
)
async def test_a_renewal_that_fails_for_now_is_tried_again_later(
    make: Make,
    vkid: VKID,
    store: Store,
    simulator: Simulator,
    fault: Any,
    kind: type,
    text: str,
):
    assert store.tokens is not None
    simulator.fault(fault, "vkid")
    simulator.expire(store.tokens.access_token)
    async with make(vkid, retry_limit=0) as api:
        with pytest.raises(TokenRenewalError, match=text) as caught:
            await api.call("test.post", {"id": 1})
        assert caught.value.is_transient
        assert isinstance(caught.value.__cause__, kind)
        await anyio.sleep(10)
        assert await api.call("test.post", {"id": 2}) == 2


async def test_a_store_that_cannot_be_written_costs_no_refresh_token(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    store.error = OSError("the disk is full")
    simulator.expire(store.tokens.access_token)
    async with make(vkid) as api:
        with pytest.raises(TokenRenewalError, match="the disk is full") as caught:
            await api.call("test.post", {"id": 1})
        assert caught.value.is_transient
        assert simulator.vkid.renewals == 0
        store.error = None
        await anyio.sleep(10)
        assert await api.call("test.post", {"id": 2}) == 2
    assert simulator.vkid.renewals == 1


# The store is not well.


async def test_a_store_that_fails_for_a_moment_loses_no_tokens(
    make: Make,
    vkid: VKID,
    store: Store,
    simulator: Simulator,
    caplog: pytest.LogCaptureFixture,
):
    assert store.tokens is not None
    store.failures = 4
    simulator.expire(store.tokens.access_token)
    async with make(vkid) as api:
        assert await api.call("test.post", {"id": 1}) == 1
    assert simulator.vkid.renewals == len(store.saved) == 1
    assert caplog.text.count("could not save the tokens of VK ID, retrying: OSEr") == 4
    assert "vk2." not in caplog.text


async def test_a_store_that_goes_on_failing_raises_its_error(
    make: Make, vkid: VKID, store: Store, simulator: Simulator
):
    assert store.tokens is not None
    store.failures = 100
    simulator.expire(store.tokens.access_token)
    async with make(vkid, retry_limit=0) as api:
        with pytest.raises(TokenRenewalError, match="no space left"):
            await api.call("test.post", {"id": 1})
    assert simulator.vkid.renewals == 1
    assert store.failures == 95


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"[]", "not one of VK ID"),
        (b"{}", "not one of VK ID"),
        (b"<html>", "not one of VK ID"),
        (b'{"access_token":"vk2.a.abc"}', "cannot be used: refresh_token must be"),
        (b'{"access_token":5,"refresh_token":"r"}', "access_token must be a VK acc"),
    ],
)
async def test_an_odd_response_of_vk_id_is_an_error(
    make: Make,
    vkid: VKID,
    store: Store,
    simulator: Simulator,
    body: bytes,
    text: str,
):
    simulator.fault(faults.body(body), "vkid")
    assert store.tokens is not None
    simulator.expire(store.tokens.access_token)
    async with make(vkid) as api:
        with pytest.raises(TokenRenewalError, match=text) as caught:
            await api.call("test.post", {"id": 1})
        assert not caught.value.is_transient
    assert "vk2.a.abc" not in str(caught.value)
