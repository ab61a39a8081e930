"""The guide to the Callback API: its program answers what the simulator delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from _pages import Page

if TYPE_CHECKING:
    from vkanyio.testing import Simulator

CALLBACK = Page("guides/callback.md")


@pytest.mark.anyio
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
