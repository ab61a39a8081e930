"""`VKID`: the tokens of a user, renewed by the client and stored before anything."""

from __future__ import annotations

import json
import logging
import traceback
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import add_echoes, note
from _probe import Probe
from vkanyio import (
    VK,
    ClientUseError,
    ConnectionFailedError,
    TokenRenewalError,
)
from vkanyio.testing import Simulator, faults
from vkanyio.vkid import VKID, StoredTokens, VKIDError, new_code_verifier

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Make = Callable[..., VK]

pytestmark = pytest.mark.anyio

CLIENT_ID = 51_000_000


class Store:
    """Tokens in memory."""

    def __init__(self, tokens: StoredTokens | None = None) -> None:
        self.tokens = tokens
        self.saved: list[StoredTokens] = []
        self.takes = 0.0
        self._lock = anyio.Lock()

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        async with self._lock:
            yield

    async def load(self) -> StoredTokens | None:
        return self.tokens

    async def save(self, tokens: StoredTokens) -> None:
        await anyio.sleep(self.takes)
        self.tokens = tokens
        self.saved.append(tokens)


def issued(simulator: Simulator, *, life: float = 3600.0) -> StoredTokens:
    """Return tokens as they would be stored after an authorization."""
    tokens = simulator.vkid.issue(client_id=CLIENT_ID, user_id=5)
    return StoredTokens(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=datetime.now(UTC) + timedelta(seconds=life),
        device_id=tokens.device_id,
        user_id=5,
    )


@pytest.fixture
def simulator() -> Simulator:
    simulator = Simulator(limit=0, latency=0.25)
    add_echoes(simulator)
    return simulator


@pytest.fixture
def store(simulator: Simulator) -> Store:
    return Store(issued(simulator))


@pytest.fixture
def vkid(store: Store) -> VKID:
    return VKID(client_id=CLIENT_ID, store=store)


@pytest.fixture
def make(simulator: Simulator) -> Make:
    def make(token: Any, **options: Any) -> VK:
        http_client = simulator.http_client()
        options = {"limit": 1000, "request_mode": "burst", **options}
        return VK(token, http_client=http_client, **options)

    return make


def errors_of(simulator: Simulator) -> list[Any]:
    return [each.outcome for each in simulator.ledger if each.outcome != "carried out"]


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
            with pytest.raises(TokenRenewalError, match="the address, and by the pro"):
                await api.call("test.get", {"id": 1})
    assert simulator.vkid.renewals == 1
    assert errors_of(simulator) == [5, 5]


# Without tokens, and with those that are of no use any more.


async def test_without_tokens_the_error_says_what_to_do(make: Make):
    vkid = VKID(client_id=1, store=Store())
    with pytest.raises(VKIDError, match=r"no tokens in .*authorize again.*`exchange`"):
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


# The first tokens.


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


def frames_of(error: BaseException | None) -> str:
    """Return the local variables of the library's frames, of the causes, too."""
    shown = ""
    while error is not None:
        captured = traceback.TracebackException.from_exception(
            error, capture_locals=True
        )
        for frame in captured.stack:
            if "/vkanyio/" in frame.filename and "/testing/" not in frame.filename:
                shown += f"{frame.name}: {frame.locals}\n"
        error = error.__cause__
    assert "vkid" in shown
    return shown


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
