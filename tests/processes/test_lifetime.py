"""The lifetime of a limiter, and what it makes of a Redis that cannot be used."""

from __future__ import annotations

import logging
import math
import os
import socket
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, final

import anyio
import pytest
from anyio import current_time
from proof._redis_server import RedisServer, redis_server

from _helpers import own_tasks
from vkanyio import VK, ClientCrashedError, ClientUseError, Limiter
from vkanyio.redis import RedisBack, RedisLimiter, RedisRefusedError, _link
from vkanyio.redis._script import keys_of
from vkanyio.redis._shared_limit import SharedLimit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from vkanyio.redis import RedisEvent
    from vkanyio.testing import Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
    pytest.mark.usefixtures("nothing_is_left_open"),
    # coredis leaves those of a connection that could not be made.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

NAME = "group 1"
PERMITS, STATE, PROCESSES = keys_of(NAME)


def make(redis: RedisServer, **options: Any) -> RedisLimiter:
    return RedisLimiter(redis.url, **{"name": NAME, "limit": 20, **options})


@final
class Events:
    """The events of a limiter, which a test may wait for."""

    def __init__(self) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[Any](9)

    def __call__(self, event: RedisEvent) -> None:
        self._send.send_nowait(event)

    async def next(self) -> Any:
        with anyio.fail_after(10):
            return await self._receive.receive()

    def close(self) -> None:
        self._send.close()
        self._receive.close()


@pytest.fixture
def events() -> Iterator[Events]:
    events = Events()
    yield events
    events.close()


async def test_clients_make_calls_by_it(
    redis: RedisServer, simulator: Simulator
) -> None:
    limiter = make(redis, request_mode="burst")
    async with limiter:
        for _ in range(2):  # it outlives them
            client = simulator.http_client()
            async with VK("a-token", limiter=limiter, http_client=client) as api:
                assert await api.utils.getServerTime() > 0
                assert api.statistics().margin == limiter.margin(current_time())
        statistics = limiter.statistics()
        assert statistics.granted >= 2
        assert statistics.processes == 1
        assert not statistics.is_away
        assert redis.command("ZCARD", PROCESSES) == 1
        assert own_tasks() == ["vkanyio RedisLimiter._keep_asking"]
    assert own_tasks() == []
    assert redis.command("ZCARD", PROCESSES) == 0
    # What was not used was given back.
    assert redis.command("ZCARD", PERMITS) == statistics.granted - statistics.unused


async def test_its_data_last_for_a_day(redis: RedisServer) -> None:
    async with make(redis):
        keys = sorted(redis.command("KEYS", "*"))
        assert [key.decode() for key in keys] == sorted([STATE, PROCESSES])
        for key in keys:
            assert 86_000 < redis.command("TTL", key.decode()) <= 86_400


async def test_run_keeps_it_open_until_it_is_cancelled(redis: RedisServer) -> None:
    async with anyio.create_task_group() as tasks:
        limiter = await tasks.start(make(redis).run)
        limiter.check_usable()
        tasks.cancel_scope.cancel()
    with pytest.raises(ClientUseError, match="closed"):
        limiter.check_usable()


async def test_it_is_entered_before_the_client_and_once(
    redis: RedisServer, simulator: Simulator
) -> None:
    limiter = make(redis)
    client = VK("a-token", limiter=limiter, http_client=simulator.http_client())
    with pytest.raises(ClientUseError, match="async with RedisLimiter"):
        async with client:
            pass
    async with limiter:
        async with client:
            pass
        with pytest.raises(RuntimeError, match="already been entered"):
            async with limiter:
                pass
    with pytest.raises(ClientUseError, match="entered only once"):
        async with limiter:
            pass


FORKED = """
import os, sys, anyio
from vkanyio.redis import RedisLimiter

limiter = RedisLimiter(sys.argv[1], name="group 1", limit=20)

async def main():
    async with limiter:
        with anyio.fail_after(20):
            while limiter.statistics().processes < 2:
                await anyio.sleep(0.05)
        await anyio.sleep(1.5)  # the other one asks once a second

child = os.fork()
anyio.run(main, backend=sys.argv[2])
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
async def test_processes_that_were_forked_with_it_are_several(
    redis: RedisServer, anyio_backend: str
) -> None:
    command = [sys.executable, "-c", FORKED, redis.url, anyio_backend]
    done = await anyio.run_process(command, check=False)
    assert done.returncode == 0, done.stderr.decode()


async def test_it_belongs_to_one_event_loop(redis: RedisServer) -> None:
    async with make(redis) as limiter:

        async def use() -> None:
            limiter.check_usable()

        with pytest.raises(ClientUseError, match="another event loop"):
            await anyio.to_thread.run_sync(anyio.run, use)


async def test_an_error_in_its_block_leaves_as_it_is(redis: RedisServer) -> None:
    error = KeyError("mine")
    with pytest.raises(KeyError) as caught:
        async with make(redis):
            raise error
    assert caught.value is error


@pytest.fixture
def silent_url() -> Iterator[str]:
    """The URL of a server that accepts connections, and does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"redis://127.0.0.1:{silent.getsockname()[1]}"


async def test_it_may_be_cancelled_while_it_is_entered(silent_url: str) -> None:
    with anyio.move_on_after(0.05) as scope:
        async with RedisLimiter(silent_url, name=NAME, limit=20):
            pytest.fail("it was entered without an answer")
    assert scope.cancelled_caught
    assert own_tasks() == []


async def test_a_server_that_does_not_answer_holds_nothing_up(
    silent_url: str, events: Events
) -> None:
    start = current_time()
    async with RedisLimiter(
        silent_url, name=NAME, limit=20, processes=2, on_event=events
    ) as limiter:
        assert limiter.statistics().is_away
    away = await events.next()
    assert away.limit == 10
    assert "no answer" in away.reason
    assert current_time() - start < 10


async def test_coredis_logs_nothing_of_it_but_what_the_program_does(
    silent_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with RedisLimiter(silent_url, name=NAME, limit=20):
        await anyio.sleep(1)  # it tries several times
    logging.getLogger("coredis").error("of the program")
    found = [each.getMessage() for each in caplog.records if each.name == "coredis"]
    assert found == ["of the program"]


async def test_a_server_that_is_not_there_is_no_error() -> None:
    events: list[Any] = []
    url = "redis://:a-secret@127.0.0.1:1"
    async with RedisLimiter(
        url, name=NAME, limit=20, on_event=events.append
    ) as limiter:
        assert limiter.statistics().is_away
    assert "127.0.0.1:1" in events[0].reason
    assert "a-secret" not in repr((events, limiter))


async def test_a_wrong_password_is_an_error_that_does_not_show_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with redis_server("--requirepass", "right") as redis:
        right = redis.url.replace("//", "//:right@")
        async with RedisLimiter(right, name=NAME, limit=20) as limiter:
            assert not limiter.statistics().is_away
        for url in (redis.url, redis.url.replace("//", "//:wrong-secret@")):
            with pytest.raises(RedisRefusedError) as caught:
                async with RedisLimiter(url, name=NAME, limit=20):
                    pass
            assert "wrong-secret" not in str(caught.value)
            assert "'group 1': check the user and the password" in str(caught.value)
    assert "nothing is sent" not in caplog.text  # nothing will be


async def test_keys_of_another_kind_are_refused(redis: RedisServer) -> None:
    redis.command("SET", STATE, "mine")
    with pytest.raises(RedisRefusedError, match="in use for something else"):
        async with make(redis):
            pass
    assert redis.command("GET", STATE) == b"mine"


async def test_data_of_another_version_are_refused(redis: RedisServer) -> None:
    redis.command("HSET", STATE, "format", "7")
    with pytest.raises(RedisRefusedError, match=r"format 7.* another version"):
        async with make(redis):
            pass


async def test_nothing_is_sent_while_another_version_uses_the_keys(
    redis: RedisServer, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    async with make(redis, processes=2, on_event=events) as limiter:
        redis.command("HSET", STATE, "format", "7")
        limiter.ready_at(current_time())
        away = await events.next()
        assert away.limit == 0
        assert limiter.ready_at(current_time() + 10) == math.inf
        redis.command("DEL", STATE)
        assert isinstance(await events.next(), RedisBack)
    assert "another version" in caplog.text
    assert "nothing is sent until it is back" in caplog.text


async def test_what_on_event_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: object) -> None:
        raise ValueError("mine")

    async with RedisLimiter(
        "redis://127.0.0.1:1", name=NAME, limit=20, on_event=fail
    ) as limiter:
        limiter.check_usable()
    assert "on_event of the RedisLimiter failed" in caplog.text


async def test_a_crash_of_its_task_reaches_the_callers(
    redis: RedisServer, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError

    async def call(limiter: RedisLimiter) -> None:
        client = simulator.http_client()
        async with VK("a-token", limiter=limiter, http_client=client) as api:
            with pytest.raises(ClientCrashedError):
                await api.utils.getServerTime()

    async def use() -> None:
        async with make(redis) as limiter:
            monkeypatch.setattr(SharedLimit, "ask", crash)
            with pytest.raises(ClientCrashedError):
                await call(limiter)
            with pytest.raises(ClientUseError, match="crashed"):
                limiter.check_usable()

    with pytest.raises(ClientCrashedError) as crashed:
        await use()
    assert isinstance(crashed.value.__cause__, ZeroDivisionError)


async def test_a_crash_of_coredis_counts_as_an_outage(
    redis: RedisServer, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = _link.connect
    crashes = [ExceptionGroup("a task has crashed", [OSError("mine")])]

    @asynccontextmanager
    async def crashing(url: str) -> AsyncIterator[Any]:
        async with connect(url) as link:
            yield link
            if crashes:
                raise crashes.pop()

    monkeypatch.setattr(_link, "connect", crashing)
    async with make(redis, on_event=events) as limiter:
        redis.program.kill()
        limiter.ready_at(current_time())
        await events.next()
        redis.program.start()
        await events.next()
        assert crashes == []
        assert not limiter.statistics().is_away


BAD: dict[str, list[tuple[object, type[Exception]]]] = {
    "url": [
        (3, TypeError),
        ("localhost:6379", ValueError),
        ("http://localhost", ValueError),
        ("redis://:a-secret@host:port", ValueError),
        ("redis://localhost/0?unheard_of=1", ValueError),
    ],
    "name": [(None, TypeError), ("", ValueError)],
    "limit": [("20", TypeError), (0, ValueError)],
    "request_mode": [("fast", ValueError), (1, TypeError)],
    "processes": [("4", TypeError), (True, TypeError), (0, ValueError)],
    "on_event": [(3, TypeError)],
}


@pytest.mark.parametrize(
    ("option", "value", "kind"),
    [(option, *case) for option, cases in BAD.items() for case in cases],
)
def test_a_wrong_argument_is_refused_by_its_name(
    anyio_backend: str, option: str, value: object, kind: type[Exception]
) -> None:
    arguments: dict[str, Any] = {"url": "redis://localhost", "name": NAME, "limit": 20}
    arguments[option] = value
    with pytest.raises(kind, match=option) as caught:
        RedisLimiter(arguments.pop("url"), **arguments)
    assert type(caught.value) is kind
    assert "a-secret" not in str(caught.value)


async def test_an_async_on_event_is_refused(redis: RedisServer) -> None:
    async def on_event(event: object) -> None:
        """It would never be awaited."""

    with pytest.raises(TypeError, match="on_event"):
        make(redis, on_event=on_event)


def test_its_repr_shows_no_password(anyio_backend: str) -> None:
    url = "redis://:a-secret@localhost"
    limiter = RedisLimiter(url, name=NAME, limit=20)
    assert repr(limiter) == "<vkanyio.redis.RedisLimiter 'group 1', limit 20, new>"
    assert "a-secret" not in repr(vars(limiter))
    assert RedisLimiter.__module__ == "vkanyio.redis"


def test_a_local_limiter_can_always_be_used(anyio_backend: str) -> None:
    Limiter(20).check_usable()
