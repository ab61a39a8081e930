"""Long poll servers that fail or fall silent: those of communities and of mailboxes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from _bots import Followed, read, write
from anyio import current_time, move_on_after

from vkanyio.testing import faults
from vkanyio.testing.faults import PollFault

if TYPE_CHECKING:
    from anyio import CancelScope

    from vkanyio import VK
    from vkanyio.testing import Simulator

pytestmark = pytest.mark.anyio

HISTORY = "messages.getLongPollHistory"


def waits_between(town: Simulator, method: str) -> list[float]:
    """Return the seconds between two calls of a method, each time."""
    times = [entry.time for entry in town.ledger.carried_out(method)]
    return [b - a for a, b in pairwise(times)]


async def test_whatever_fails_a_server_is_requested_at_most_once_a_minute(
    town: Simulator, followed: Followed
) -> None:
    async with followed.listen() as updates:
        town.fault(faults.drop_before(), "longpoll", rate=0.7)
        town.fault(faults.failed(2), "longpoll", rate=0.5)
        with move_on_after(3600):
            await anext(updates)
        waits = waits_between(town, followed.server)
        assert len(waits) > 10
        assert min(waits) > 59.99
        assert updates.statistics().servers == 1 + len(waits)


def stop_a_flood(town: Simulator, scope: CancelScope) -> None:
    if len(town.ledger.carried_out(HISTORY)) > 100:
        scope.cancel()


@pytest.mark.parametrize("number", [1, 3])
async def test_a_mailbox_that_is_always_outdated_is_read_once_a_minute(
    town: Simulator, club: VK, number: int
) -> None:
    """The answer with the history names another server, too."""
    async with club.user_updates() as updates:
        town.fault(faults.failed(number), "longpoll", rate=1)
        with move_on_after(3600) as hour:
            town.between(HISTORY, lambda: stop_a_flood(town, hour))
            await anext(updates)
        for method in (HISTORY, "messages.getLongPollServer"):
            waits = waits_between(town, method)
            assert min(waits, default=60) > 59.99
        assert len(town.ledger.carried_out(HISTORY)) == pytest.approx(60, abs=2)
        town.clear_faults()
        write(town, 1)
        assert await read(updates, 1) == [1]


async def test_polls_that_fail_are_spaced_by_a_back_off(
    town: Simulator, followed: Followed
) -> None:
    async with followed.listen() as updates:
        town.fault(faults.refuse(), rate=1)
        with move_on_after(3600):
            await anext(updates)
        assert 3600 / 30 < updates.statistics().polls < 600


async def nothing(poll: Any) -> Any:
    return {"ts": str(poll.ts), "updates": []}


async def test_a_server_that_answers_at_once_with_nothing_is_not_flooded(
    town: Simulator, followed: Followed
) -> None:
    async with followed.listen(wait=25) as updates:
        town.fault(PollFault("empty", nothing), rate=1)
        with move_on_after(60):
            await anext(updates)
        assert updates.statistics().polls <= 62


async def test_a_server_that_repeats_the_same_updates_is_not_flooded(
    town: Simulator, followed: Followed
) -> None:
    async with followed.listen() as updates:
        write(town, 1, 2)
        assert await read(updates, 2) == [1, 2]
        minute = move_on_after(60)

        async def again(poll: Any) -> Any:
            if updates.statistics().polls > 100:
                minute.cancel()  # it is flooded, in no time
            return await poll.answer_again(9)

        town.fault(PollFault("again", again), rate=1)
        with minute:
            await anext(updates)
        assert updates.statistics().polls <= 64
        town.clear_faults()
        write(town, 3)
        assert await read(updates, 1) == [3]


async def test_polls_that_keep_failing_are_warned_of(
    town: Simulator, followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed.listen() as updates:
        town.fault(faults.drop_before(), "longpoll", times=2)
        with move_on_after(100):
            await anext(updates)
        assert caplog.text == ""
        town.fault(faults.drop_before(), "longpoll", times=3)
        with move_on_after(100):
            await anext(updates)
    [record] = caplog.records
    assert "lost the connection" in record.getMessage()


async def test_a_silent_session_is_replaced_after_fifteen_minutes(
    town: Simulator, followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    async with followed.listen() as updates:
        write(town, 1)
        await read(updates, 1)
        start = current_time()
        town.fault(faults.silent())
        write(town, 2)
        assert await read(updates, 1) == [2]
        assert 900 <= current_time() - start <= 930
        assert updates.statistics().servers == 2
    assert "VK had updates that polls did not return" in caplog.text


async def test_an_idle_bot_makes_four_calls_an_hour_and_a_poll_every_25_seconds(
    town: Simulator, followed: Followed
) -> None:
    async with followed.listen() as updates:
        with move_on_after(7200):
            await anext(updates)
        made = updates.statistics()
        assert made.servers == pytest.approx(9, abs=1)
        assert made.polls == pytest.approx(7200 / 25, abs=3)
        assert made.failures == {}
        own = len(town.ledger.carried_out("groups.getById"))
        assert town.ledger.requests == made.polls + made.servers + own
