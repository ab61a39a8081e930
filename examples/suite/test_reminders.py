"""Tests of ``reminders``; ``pytest examples/suite`` needs no network and no token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from reminders import remind

from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from vkanyio import VK

pytestmark = pytest.mark.anyio


@pytest.fixture
def vk_simulator() -> Simulator:
    """VK with the limit of a community token: 20 requests a second."""
    return Simulator(limit=20)


@pytest.fixture
def vk_options() -> dict[str, object]:
    return {"limit": 20}


async def test_everybody_gets_a_reminder(vk: VK, vk_simulator: Simulator):
    assert await remind(vk, [1, 2, 3], "Tomorrow at ten") == []
    sent = vk_simulator.ledger.carried_out("messages.send")
    assert {entry.params["peer_id"] for entry in sent} == {"1", "2", "3"}


async def test_users_who_do_not_accept_messages_are_returned(
    vk: VK, vk_simulator: Simulator
):
    vk_simulator.add_user(2, can_write_private_message=0)
    assert await remind(vk, [1, 2, 3], "Tomorrow at ten") == [2]


async def test_a_lost_response_reminds_nobody_twice(vk: VK, vk_simulator: Simulator):
    vk_simulator.fault(faults.drop_after(), "messages.send", times=2)
    await remind(vk, [1, 2, 3], "Tomorrow at ten")
    assert len(vk_simulator.ledger.carried_out("messages.send")) == 3


async def test_two_hundred_take_ten_seconds(vk: VK, vk_simulator: Simulator):
    start = anyio.current_time()
    await remind(vk, [*range(1, 201)], "Tomorrow at ten")
    assert 9.9 < anyio.current_time() - start < 10.5  # virtual seconds
    assert not vk_simulator.ledger.refused(6)
