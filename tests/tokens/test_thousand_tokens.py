"""Many tokens in one client for hours: what they need is what is in use."""

from __future__ import annotations

import gc
import json
import re
import socket
import sys
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, final

import anyio
import pytest
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteStream

from _helpers import assert_gone, own_tasks
from _probe import Probe
from _sockets import GONE, read_request
from vkanyio import API, VK, AuthError
from vkanyio._engine._lanes import MIN_LANES

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("no_proxy_of_the_environment", "nothing_is_left_open"),
]

QUARTER = 900.0
TOKENS = 1000
AT_ONCE = 20
LATENCY = 0.2
REVOKED = "User authorization failed: user revoke access for this token."
EXPIRED = "User authorization failed: access_token has expired."


@final
class Server:
    """VK behind sockets of this process, on which nothing takes time but the server.

    It remembers nothing of a token that works, unlike the simulator: what grows here
    is the client.

    :param tasks: where connections are served
    :ivar refused: the tokens that are refused, with the text of error 5
    :ivar sockets: how many connections are open
    :ivar in_use: how many of them carry a request
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self.refused: dict[str, str] = {}
        self.sockets = self.in_use = 0
        self.most_sockets = self.most_in_use = 0
        self._tasks = tasks

    async def connect(self, *_: object) -> SocketStream:
        """Connect, in place of ``anyio.connect_tcp``."""
        ours, theirs = socket.socketpair()
        self._tasks.start_soon(self._serve, await SocketStream.from_socket(theirs))
        return await SocketStream.from_socket(ours)

    async def _serve(self, connection: SocketStream) -> None:
        self.sockets += 1
        async with connection:
            stream = BufferedByteStream(connection)
            with suppress(*GONE):
                while True:
                    await self._respond(stream, await read_request(stream))
        self.sockets -= 1

    async def _respond(self, stream: BufferedByteStream, request: bytes) -> None:
        self.in_use += 1
        self.most_in_use = max(self.most_in_use, self.in_use)
        await anyio.sleep(LATENCY)
        self.most_sockets = max(self.most_sockets, self.sockets)
        self.in_use -= 1
        found = re.search(rb"authorization: Bearer (\S+)", request, re.IGNORECASE)
        assert found is not None
        text = self.refused.get(found[1].decode())
        error = {"error": {"error_code": 5, "error_msg": text}}
        body = json.dumps({"response": 1} if text is None else error).encode()
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
        await stream.send(body)


@final
class Users:
    """The users of a service, each with a token that makes three calls in 200 s.

    One token in ten is revoked after its first call. Another one comes from a function,
    and expires after the second call.
    """

    def __init__(self, api: VK, server: Server) -> None:
        self.outcomes = Counter[str]()
        self._api = api
        self._server = server

    async def come(self, numbers: range) -> None:
        """Have users come, many of them at the same time, and wait until all went."""
        async with anyio.create_task_group() as tasks:
            for number in numbers:
                user = self._renewed if number % 10 == 5 else self._fixed
                tasks.start_soon(user, f"token-{number}", number % 10 == 0)
                if number % 50 >= AT_ONCE:
                    await anyio.sleep(3)

    async def _fixed(self, token: str, is_revoked: bool) -> None:
        for _ in range(3):
            await self._call(self._api.as_token(token, limit=20))
            if is_revoked:
                self._server.refused[token] = REVOKED
            await anyio.sleep(100)
        self._server.refused.pop(token, None)

    async def _renewed(self, token: str, _: bool) -> None:
        async def source(refused: str | None) -> str:
            self.outcomes["renewed"] += refused is not None
            return token if refused is None else f"{token}-renewed"

        async with self._api.as_token(source, limit=3) as view:
            for i in range(3):
                await self._call(view)
                if i == 1:
                    self._server.refused[token] = EXPIRED
                await anyio.sleep(100)
        self._server.refused.pop(token)

    async def _call(self, view: API) -> None:
        try:
            await view.call("test.get")
        except AuthError:
            self.outcomes["refused"] += 1
        else:
            self.outcomes["done"] += 1


class Level(NamedTuple):
    """What the client holds.

    :ivar blocks: the blocks of memory of the whole process
    """

    lanes: int
    tasks: int
    sockets: int
    blocks: int


async def level_of(api: VK, server: Server) -> Level:
    """Measure a client at rest, at the moment when its idle lanes have gone.

    It keeps as many idle ones as were in use, so it takes some calls with other tokens.
    """
    for number in range(100):
        await api.call("test.get", {"access_token": f"token-at-rest-{number}"})
        await anyio.sleep(1.5)
        if number > 2 * MIN_LANES and len(Probe(api).lanes) == 2:
            break
    gc.collect()
    return Level(
        len(Probe(api).lanes),
        len(own_tasks()),
        server.sockets,
        sys.getallocatedblocks(),
    )


async def test_a_thousand_tokens_in_an_hour_some_dying_need_what_is_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    levels: list[Level] = []
    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        server = Server(tasks)
        monkeypatch.setattr(anyio, "connect_tcp", server.connect)
        async with VK("token", limit=20, base_url="http://127.0.0.1:1/method") as api:
            users = Users(api, server)
            for quarter in range(4):
                first = quarter * TOKENS // 4
                await users.come(range(first, first + TOKENS // 4))
                levels.append(await level_of(api, server))
                await anyio.sleep_until(began + (quarter + 1) * QUARTER)
        assert_gone(api)
    # That of the client, and that of the last call; each has two tasks.
    assert [each[:3] for each in levels] == [(2, 4, 1)] * 4
    # Each quarter has had other tokens: one block for each of them would be 750.
    assert levels[-1].blocks - levels[0].blocks < 300
    assert AT_ONCE < server.most_in_use < 2 * AT_ONCE
    assert server.most_sockets <= server.most_in_use
    assert server.sockets == 0
    assert users.outcomes == {"done": 2800, "refused": 200, "renewed": 100}
    assert anyio.current_time() == pytest.approx(began + 4 * QUARTER)
