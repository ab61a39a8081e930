"""Whole runs over a bad network: nothing is carried out twice, nothing is lost."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from vkanyio import VK, OutcomeUnknownError, VKError
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from vkanyio.testing.faults import Fault

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"
CALLS = 60
RATE = 0.05

EVERY_FAULT: list[Fault] = [
    faults.refuse(),
    faults.drop_before(),
    faults.drop_after(),
    faults.hang_before(),
    faults.hang_after(),
    faults.html(502),
    faults.html(504, after=True),
    faults.body(b'{"respon', after=True),
    faults.delay(2.0),
    *map(faults.error, (1, 6, 9, 10, 36, 100)),
]


def make_call(kind: str, mark: str) -> tuple[str, dict[str, Any]]:
    """Make a call whose parameters show the mark in the ledger."""
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "read": ("users.get", {"user_ids": 1, "mark": mark}),
        "message": ("messages.send", {"peer_id": 1, "message": "hi", "mark": mark}),
        "message without a key": (
            "messages.send",
            {"peer_id": 1, "message": "hi", "mark": mark, "random_id": 0},
        ),
        "post": ("wall.post", {"message": "hi", "mark": mark}),
        "post with a key": ("wall.post", {"message": "hi", "mark": mark, "guid": mark}),
        "setting": ("status.set", {"text": "hi", "mark": mark}),
    }
    return calls[kind]


KINDS = ["message", "message without a key", "post", "post with a key", "setting"]


@pytest.mark.parametrize("seed", range(30))
async def test_nothing_is_carried_out_twice_over_a_bad_network(seed: int) -> None:
    chance = random.Random(seed)
    simulator = Simulator(
        limit=20, seed=seed, latency=lambda network: network.uniform(0.01, 0.2)
    )
    for fault in EVERY_FAULT:
        simulator.fault(fault, rate=RATE)
    kinds = {f"{n}": chance.choice(["read", *KINDS]) for n in range(CALLS)}
    outcomes: dict[str, Any] = {}

    async def carry_out(api: VK, mark: str) -> None:
        try:
            outcomes[mark] = await api.call(*make_call(kinds[mark], mark))
        except VKError as error:
            outcomes[mark] = error

    async with (
        VK(
            TOKEN,
            limit=20,
            request_mode=chance.choice(["burst", "sequential"]),
            http_client=simulator.http_client(),
        ) as api,
        anyio.create_task_group() as tg,
    ):
        for mark in kinds:
            tg.start_soon(carry_out, api, mark)
            await anyio.sleep(chance.choice([0, 0, 0.3]))

    assert outcomes.keys() == kinds.keys()
    done = Counter(entry.params["mark"] for entry in simulator.ledger.carried_out())
    for mark, kind in kinds.items():
        outcome = outcomes[mark]
        if kind == "read":
            assert not isinstance(outcome, OutcomeUnknownError)
        elif isinstance(outcome, OutcomeUnknownError):
            assert done[mark] <= 1
        elif isinstance(outcome, VKError):
            assert done[mark] == 0, f"{kind} was carried out, against {outcome!r}"
        else:
            assert done[mark] == 1


@pytest.mark.parametrize("seed", range(10))
async def test_a_cancelled_call_is_carried_out_at_most_once(seed: int) -> None:
    chance = random.Random(seed)
    simulator = Simulator(limit=20, seed=seed, latency=0.1)
    for fault in EVERY_FAULT:
        simulator.fault(fault, rate=RATE)
    finished: set[str] = set()

    async def carry_out(api: VK, kind: str, mark: str, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            try:
                await api.call(*make_call(kind, mark))
            except VKError:
                return
            finished.add(mark)

    async with (
        VK(TOKEN, limit=20, http_client=simulator.http_client()) as api,
        anyio.create_task_group() as tg,
    ):
        for number in range(CALLS):
            kind, seconds = chance.choice(KINDS), chance.uniform(0, 5)
            tg.start_soon(carry_out, api, kind, f"{number}", seconds)
    done = Counter(entry.params["mark"] for entry in simulator.ledger.carried_out())
    assert all(count == 1 for count in done.values())
    assert finished <= done.keys()
