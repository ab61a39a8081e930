"""The hook that is awaited before a request leaves."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import anyio
import pytest

from _helpers import TOKEN, add_echoes
from vkanyio import VK, ClientCrashedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vkanyio import APIRequest
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ["sequential", "parallel"])
async def test_it_gets_the_calls_of_a_request_before_any_of_them_arrives(
    simulator: Simulator, mode: str
) -> None:
    async def note(calls: Sequence[APIRequest]) -> None:
        await anyio.sleep(0.1)
        groups.append([int(str(call.params["id"])) for call in calls])
        arrived = {entry.params.get("id") for entry in simulator.ledger}
        assert not arrived & {call.params["id"] for call in calls}
        assert not any(call.maybe_carried_out for call in calls)

    add_echoes(simulator)
    groups: list[list[int]] = []
    api = VK(TOKEN, mode=mode, http_client=simulator.http_client())  # type: ignore[arg-type]
    api._before_sending = note
    async with api:
        calls = [("test.get", {"id": n}) for n in range(5)]
        assert await api.gather(calls) == [*range(5)]
    assert sorted(itertools.chain(*groups)) == [*range(5)]
    assert len(groups) == api.statistics().sent
    assert (max(map(len, groups)) > 1) is (mode == "parallel")


async def test_a_call_that_is_cancelled_meanwhile_is_not_sent(
    simulator: Simulator,
) -> None:
    async def note(_: Sequence[APIRequest]) -> None:
        with anyio.CancelScope(shield=True):  # as a thread that cannot be interrupted
            scope.cancel()
            await anyio.sleep(1)

    api = VK(TOKEN, http_client=simulator.http_client())
    api._before_sending = note
    async with api:
        with anyio.CancelScope() as scope:
            await api.users.get(user_ids=1)
    assert scope.cancelled_caught
    assert simulator.ledger.requests == 0


async def test_if_it_raises_nothing_more_is_sent(simulator: Simulator) -> None:
    async def note(_: Sequence[APIRequest]) -> None:
        raise ZeroDivisionError

    api = VK(TOKEN, http_client=simulator.http_client())
    api._before_sending = note
    await api.__aenter__()
    for _ in range(2):
        with pytest.raises(ClientCrashedError):
            await api.users.get(user_ids=1)
    with pytest.raises(ClientCrashedError):
        await api.__aexit__(None, None, None)
    assert simulator.ledger.requests == 0
