"""The guides about tokens: their programs run on the simulator."""

from __future__ import annotations

import builtins
import os
from typing import TYPE_CHECKING, Any

import pytest
from _pages import Page

from vkanyio import VK
from vkanyio.testing import Account, Simulator

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = Page("guides/tokens.md")
COMMUNITIES = Page("guides/communities.md")

anyio_mark = pytest.mark.anyio


@anyio_mark
async def test_a_function_returns_tokens(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
):
    names = TOKENS.load("async def ask_my_server(")
    first = await names["token"](None)
    assert first.value == "vk2.a.first"
    names["VK"] = lambda token, **options: VK(
        token, http_client=simulator.http_client(), **options
    )
    await names["main"]()
    assert "first_name" in capsys.readouterr().out


@anyio_mark
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_user_authorizes_the_program_and_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    simulator = Simulator()
    monkeypatch.chdir(tmp_path)
    names, work = TOKENS.load("async def authorize("), TOKENS.load("async def work(")
    vkid, exchange = names["vkid"], names["vkid"].exchange

    async def exchange_here(*arguments: Any, **options: Any) -> Any:
        http_client = simulator.http_client()
        return await exchange(*arguments, http_client=http_client, **options)

    def answer(question: str) -> str:
        if question.startswith("code"):
            address = capsys.readouterr().out
            challenge = address.partition("code_challenge=")[2].partition("&")[0]
            back = simulator.vkid.authorize(
                client_id=51_000_000,
                redirect_uri="https://my.app/vk",
                code_challenge=challenge,
            )
            answers.append(back.device_id)
            return back.code
        return answers.pop()

    answers: list[str] = []
    monkeypatch.setattr(builtins, "input", answer)
    monkeypatch.setattr(type(vkid), "exchange", staticmethod(exchange_here))
    await names["authorize"]()
    assert "tokens.json" in os.listdir(tmp_path)
    work["VK"] = lambda token, **options: VK(
        token, http_client=simulator.http_client(), **options
    )
    await work["work"]()
    assert len(simulator.ledger.carried_out("wall.post")) == 1


@anyio_mark
async def test_a_renewal_is_tested_on_the_simulator():
    mark = "def test_an_expired_token_is_renewed("
    await TOKENS.load(mark)["test_an_expired_token_is_renewed"]()


@anyio_mark
async def test_each_community_has_a_view(capsys: pytest.CaptureFixture[str]):
    tokens = {f"token-{i}": Account(id=i, kind="group") for i in range(1, 4)}
    simulator = Simulator(limit=20, tokens=tokens)
    simulator.add_group(1, members=[5, 6])
    simulator.revoke("token-2")
    async with VK("token-3", http_client=simulator.http_client()) as api:
        report = COMMUNITIES.load("async def report(")["report"]
        await report(api, {1: "token-1", 2: "token-2"})
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines[0] == "1 2"
    assert lines[1].startswith("2 groups.getMembers: error 5")


@anyio_mark
async def test_a_block_gets_the_first_token(simulator: Simulator):
    async def token(refused: str | None) -> str:
        return "vk2.a.users"

    async with VK("a-token", http_client=simulator.http_client()) as api:
        post_as = COMMUNITIES.load("async def post_as(")["post_as"]
        await post_as(api, token, ["one", "two"])
    assert len(simulator.ledger.carried_out("wall.post")) == 2


@anyio_mark
async def test_walls_are_read_by_several_tokens():
    simulator = Simulator(limit=3)
    async with VK("a-token", http_client=simulator.http_client()) as api:
        read_walls = COMMUNITIES.load("async def read_walls(")["read_walls"]
        counts = await read_walls(api, ["one", "two", "three"], range(1, 301))
    assert counts.keys() == {*range(1, 301)}
    assert len({each.token for each in simulator.ledger}) == 3
