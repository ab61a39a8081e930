"""The guide to the Callback API: its program answers what the simulator delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from _pages import Page

if TYPE_CHECKING:
    from pathlib import Path

    from vkanyio.testing import Simulator

CALLBACK = Page("guides/callback.md")
pytestmark = pytest.mark.anyio


@pytest.mark.usefixtures("on_simulator")
async def test_a_message_is_answered(
    simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    app: Any = CALLBACK.load("receiver = ")["app"]
    try_it = CALLBACK.load("def try_it(")["try_it"]
    async with app.router.lifespan_context(app):
        await try_it(app, simulator)
    assert capsys.readouterr().out == "You wrote: hello\n"
    assert [made.accepted for made in simulator.ledger.updates] == [True]


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_table_keeps_what_was_handled(tmp_path: Path) -> None:
    names = CALLBACK.load("class HandledTable")
    path = str(tmp_path / "handled.db")
    for known in (False, True):
        table: Any = names["HandledTable"](path)
        assert await table.contains(9, "e1") == known
        await table.add(9, "e1")
        await table.add(9, "e1")
        assert await table.contains(9, "e1")
        assert not await table.contains(8, "e1")
    assert names["receiver_with_table"](path).statistics().store_failures == 0
