"""Long poll servers on a socket."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest
from anyio import fail_after

from vkanyio.testing import Account, Simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
]

GROUP = 9


def make() -> Simulator:
    accounts = {"club": Account(id=GROUP, kind="group"), "anna": Account(id=1)}
    return Simulator(limit=0, tokens=accounts)


async def ask(client: httpx.AsyncClient, url: str, token: str, **params: Any) -> Any:
    data = {"v": "5.199", "access_token": token, **params}
    return (await client.post(url, data=data)).json()["response"]


async def poll(client: httpx.AsyncClient, server: Any) -> Any:
    query = {"act": "a_check", "key": server["key"], "ts": server["ts"], "wait": 60}
    return (await client.get(server["server"], params=query)).json()


async def test_a_message_ends_a_poll_that_waits_for_it() -> None:
    simulator = make()
    with fail_after(20):
        async with (
            simulator.serve() as base_url,
            httpx.AsyncClient(timeout=None) as client,
            anyio.create_task_group() as tg,
        ):
            method = f"{base_url}/groups.getLongPollServer"
            server = await ask(client, method, "club", group_id=GROUP)
            assert server["server"].startswith(base_url.removesuffix("method"))

            async def listen() -> None:
                answers.append(await poll(client, server))

            answers: list[Any] = []
            tg.start_soon(listen)
            while simulator.ledger.requests < 2:
                await anyio.lowlevel.checkpoint()
            message = {"peer_id": -GROUP, "message": "hello", "random_id": 0}
            await ask(client, f"{base_url}/messages.send", "anna", **message)
    [update] = answers[0]["updates"]
    assert update["object"]["message"]["text"] == "hello"


async def test_leaving_the_block_ends_polls_that_wait() -> None:
    simulator = make()
    errors: list[Exception] = []

    async def listen(client: httpx.AsyncClient, server: Any) -> None:
        try:
            await poll(client, server)
        except httpx.HTTPError as error:
            errors.append(error)

    with fail_after(20):
        async with (
            httpx.AsyncClient(timeout=None) as client,
            anyio.create_task_group() as tg,
            simulator.serve() as base_url,
        ):
            method = f"{base_url}/groups.getLongPollServer"
            server = await ask(client, method, "club", group_id=GROUP)
            tg.start_soon(listen, client, server)
            while simulator.ledger.requests < 2:
                await anyio.lowlevel.checkpoint()
    assert len(errors) == 1
