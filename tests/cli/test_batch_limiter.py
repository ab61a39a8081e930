"""``vkanyio batch`` with a limit that several of them share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from proof._redis_server import PACKAGES, redis_server, what_is_missing

from vkanyio.cli._app import run

from .batches import users, write_calls
from .conftest import BACKENDS, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proof._redis_server import RedisServer

    from vkanyio.testing import Simulator

MISSING = what_is_missing()

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)} ({PACKAGES})"
)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def calls(tmp_path: Path) -> str:
    path = tmp_path / "calls.jsonl"
    write_calls(path, users(30))
    return str(path)


@BACKENDS
@pytest.mark.parametrize("name", [[], ["--limiter-name", "group 1"]])
def test_a_batch_gets_its_permits_from_redis(
    redis: RedisServer,
    base_url: str,
    calls: str,
    simulator: Simulator,
    capfd: pytest.CaptureFixture[str],
    backend: str,
    name: list[str],
) -> None:
    options = ["--base-url", base_url, "--limit", "20", "--backend", backend]
    shared = ["--limiter", redis.url, "--processes", "2", *name]
    assert run(["batch", calls, *options, *shared]) == 0
    assert "30 succeeded" in capfd.readouterr().err
    assert simulator.ledger.requests == 2
    stored = [
        redis.command("HGETALL", key.decode())
        for key in redis.command("KEYS", "vkanyio:1:*:state")
    ]
    assert len(stored) == 1
    assert TOKEN not in repr((stored, redis.command("KEYS", "*")))


def test_the_url_may_be_in_a_variable(
    redis: RedisServer,
    base_url: str,
    calls: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VKANYIO_LIMITER", redis.url)
    assert run(["batch", calls, "--base-url", base_url]) == 0
    assert redis.command("KEYS", "vkanyio:1:*:state")


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (["--processes", "2"], "--processes needs --limiter"),
        (["--limiter-name", "group 1"], "--limiter-name needs --limiter"),
        (["--limiter", "localhost"], "--limiter: url must be that of a Redis server"),
        (
            ["--limiter", "redis://h", "--processes", "0"],
            "--limiter: processes must be",
        ),
    ],
)
def test_options_that_cannot_be_used_are_refused_before_anything_is_sent(
    calls: str,
    simulator: Simulator,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    reported: str,
) -> None:
    assert run(["batch", calls, *words]) == 2
    assert reported in capfd.readouterr().err
    assert simulator.ledger.requests == 0


def test_a_redis_that_refuses_ends_the_batch(
    base_url: str, calls: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with redis_server("--requirepass", "right") as redis:
        url = redis.url.replace("//", "//:wrong-secret@")
        assert run(["batch", calls, "--base-url", base_url, "--limiter", url]) == 1
    error = capfd.readouterr().err
    assert "password" in error
    assert "wrong-secret" not in error


def test_without_coredis_the_option_says_what_to_install(
    calls: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vkanyio.redis", None)
    assert run(["batch", calls, "--limiter", "redis://localhost"]) == 2
    assert "--limiter: " in capfd.readouterr().err
