"""`FileTokens`: a file of tokens that several processes share."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio import to_thread

from _helpers import add_echoes
from vkanyio import VK, TokenRenewalError
from vkanyio.testing import Simulator
from vkanyio.vkid import VKID, FileTokens, StoredTokens, VKIDError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

on_a_real_clock = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])

TOKENS = StoredTokens(
    access_token="vk2.a.the-access-token",
    refresh_token="vk2.a.the-refresh-token",
    expires_at=datetime(2026, 12, 1, 12, tzinfo=UTC),
    device_id="a-device",
    user_id=5,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@on_a_real_clock
async def test_tokens_are_saved_as_documented_and_loaded_again(path: Path):
    store = FileTokens(path)
    async with store.lock():
        assert await store.load() is None
        await store.save(TOKENS)
        assert await FileTokens(str(path)).load() == TOKENS
    assert read(path) == {
        "access_token": "vk2.a.the-access-token",
        "refresh_token": "vk2.a.the-refresh-token",
        "expires_at": "2026-12-01T12:00:00+00:00",
        "device_id": "a-device",
        "user_id": 5,
    }


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@on_a_real_clock
async def test_nobody_else_can_read_the_files(path: Path):
    write(path, "{}")
    before = os.umask(0)
    try:
        store = FileTokens(path)
        async with store.lock():
            await store.save(TOKENS)
    finally:
        os.umask(before)
    for each in path.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each
    assert {each.name for each in path.parent.iterdir()} == {
        "tokens.json",
        "tokens.json.lock",
    }


@on_a_real_clock
async def test_what_a_killed_process_has_left_is_no_obstacle(path: Path):
    write(path.with_name("tokens.json.new"), "{")
    write(path.with_name("tokens.json.lock"), "")
    store = FileTokens(path)
    async with store.lock():
        await store.save(TOKENS)
    assert await store.load() == TOKENS


@on_a_real_clock
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "it is not JSON"),
        ("[]", "the tokens must be an object"),
        ("{}", "expires_at must be a str, got None"),
        ({"expires_at": "tomorrow"}, "Invalid isoformat"),
        ({"expires_at": "2026-12-01T12:00:00"}, "with a time zone"),
        ({"refresh_token": None}, "refresh_token must be a VK access token"),
        ({"device_id": 5}, "device_id must be a str, got 5"),
    ],
    ids=str,
)
async def test_a_file_with_something_else_in_it_is_named(
    path: Path, content: Any, text: str
):
    if isinstance(content, dict):
        content = json.dumps({**TOKENS.to_json(), **content})
    write(path, content)
    with pytest.raises(VKIDError, match=text) as caught:
        await FileTokens(path).load()
    assert str(path) in str(caught.value)
    assert "vk2." not in str(caught.value)


@on_a_real_clock
async def test_the_lock_is_waited_for_and_the_wait_may_be_cancelled(path: Path):
    order: list[str] = []

    async def second() -> None:
        async with FileTokens(path).lock():
            order.append("second")

    async with anyio.create_task_group() as tg, FileTokens(path).lock():
        with anyio.move_on_after(0.1) as scope:
            async with FileTokens(path).lock():
                pytest.fail("there are two locks")
        assert scope.cancelled_caught
        tg.start_soon(second)
        await anyio.sleep(0.05)
        order.append("first")
    assert order == ["first", "second"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
@on_a_real_clock
async def test_a_process_that_is_forked_meanwhile_does_not_keep_the_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    open_file, inherited = os.open, list[int]()

    def open_and_fork(*arguments: Any) -> int:
        descriptor = open_file(*arguments)
        inherited.append(os.dup(descriptor))  # as the other process has it
        return descriptor

    monkeypatch.setattr(os, "open", open_and_fork)
    try:
        for _ in range(2):
            with anyio.fail_after(5):
                async with FileTokens(path).lock():
                    pass
    finally:
        for each in inherited:
            os.close(each)


@on_a_real_clock
async def test_a_link_to_the_file_stays_one_and_has_the_same_lock(path: Path):
    link = path.with_name("link.json")
    link.symlink_to(path)
    store = FileTokens(link)
    async with store.lock():
        await store.save(TOKENS)
        with anyio.move_on_after(0.1) as scope:
            async with FileTokens(path).lock():
                pytest.fail("there are two locks")
        assert scope.cancelled_caught
    assert link.is_symlink()
    assert await FileTokens(path).load() == await store.load() == TOKENS


@on_a_real_clock
async def test_a_lock_that_is_held_for_too_long_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vkanyio.vkid._file_tokens.LOCK_SECONDS", 0.05)
    async with FileTokens(path).lock():
        with pytest.raises(
            VKIDError, match=r"held the lock .*tokens.json.lock"
        ) as caught:
            async with FileTokens(path).lock():
                pytest.fail("there are two locks")
    assert caught.value.is_transient


def test_a_wrong_path_is_named():
    with pytest.raises(TypeError, match="path must be a str or a path, got int"):
        FileTokens(5)  # type: ignore[arg-type]


# Several processes.

CLIENT_ID = 51_000_000
PROGRAM = """
import os, signal, sys
import anyio
from vkanyio import VK
from vkanyio.vkid import VKID, FileTokens

base_url, path, backend, kills = sys.argv[1:]

trials = []

async def save(store, tokens):
    if trials:
        os.kill(os.getpid(), signal.SIGKILL)
    trials.append(tokens)  # the old ones, before the renewal

if kills == "yes":
    FileTokens.save = save

async def main():
    store = FileTokens(path)
    vkid = VKID(client_id=51_000_000, store=store, base_url=base_url[:-7])
    async with VK(vkid, base_url=base_url, limit=1000, request_mode="burst") as api:
        values = await api.gather([("test.post", {"id": i}) for i in range(25)])
    print(values == [*range(25)])

anyio.run(main, backend=backend)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def issue(simulator: Simulator, path: Path) -> StoredTokens:
    """Store tokens that VK refuses, though their time has not come."""
    issued = simulator.vkid.issue(client_id=CLIENT_ID)
    simulator.expire(issued.access_token)
    tokens = StoredTokens(
        access_token=issued.access_token,
        refresh_token=issued.refresh_token,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        device_id=issued.device_id,
    )
    await FileTokens(path).save(tokens)
    return tokens


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_four_processes_with_one_file_renew_the_tokens_once(path: Path):
    simulator = Simulator(limit=0, latency=0.05)
    add_echoes(simulator)
    first = await issue(simulator, path)
    done: list[subprocess.CompletedProcess[str]] = []

    async def start(backend: str) -> None:
        arguments = (base_url, str(path), backend, "no")
        done.append(await to_thread.run_sync(run, *arguments))

    async with simulator.serve() as base_url, anyio.create_task_group() as tg:
        for backend in ("asyncio", "trio", "asyncio", "trio"):
            tg.start_soon(start, backend)
    assert [(each.stdout, each.stderr) for each in done] == [("True\n", "")] * 4
    assert simulator.vkid.renewals == 1
    assert len(simulator.ledger.carried_out("test.post")) == 100
    stored = await FileTokens(path).load()
    assert stored is not None
    assert stored.refresh_token != first.refresh_token


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_process_killed_before_it_stored_the_tokens_leaves_a_clear_error(
    path: Path,
):
    simulator = Simulator(limit=0)
    add_echoes(simulator)
    first = await issue(simulator, path)
    async with simulator.serve() as base_url:
        arguments = (base_url, str(path), "asyncio", "yes")
        done = await to_thread.run_sync(run, *arguments)
        assert done.returncode == -signal.SIGKILL
        assert simulator.vkid.renewals == 1
        assert await FileTokens(path).load() == first
        store = FileTokens(path)
        vkid = VKID(client_id=CLIENT_ID, store=store, base_url=base_url[:-7])
        async with VK(vkid, base_url=base_url) as api:
            with pytest.raises(TokenRenewalError, match="authorize again, and"):
                await api.call("test.post", {"id": 1})
    assert simulator.vkid.renewals == 1
