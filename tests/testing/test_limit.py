"""The rate limit, latency, and the ledger."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from vkanyio.testing import Account, Call, Ledger, Simulator

pytestmark = pytest.mark.anyio


async def calls(
    simulator: Simulator, *tokens: str, method: str = "users.get"
) -> list[int | None]:
    codes: list[int | None] = []
    async with simulator.http_client() as client:
        for token in tokens:
            response = await client.post(
                f"https://api.vk.ru/method/{method}",
                data={"v": "5.199", "access_token": token},
            )
            codes.append(response.json().get("error", {}).get("error_code"))
    return codes


async def until_a_second_begins() -> None:
    now = anyio.current_time()
    await anyio.sleep_until(now // 1 + 2)


async def test_by_default_three_requests_per_second_are_admitted() -> None:
    simulator = Simulator()
    assert await calls(simulator, *"aaaa") == [None, None, None, 6]
    assert len(simulator.ledger.carried_out()) == 3
    assert [entry.outcome for entry in simulator.ledger.refused(6)] == [6]
    await anyio.sleep(1)
    assert await calls(simulator, *"aaaa") == [None, None, None, 6]


async def test_the_limit_is_reported_with_vks_text() -> None:
    simulator = Simulator(limit=1)
    params = {"v": "5.199", "access_token": "a"}
    async with simulator.http_client() as client:
        await client.get("https://vk/method/users.get", params=params)
        response = await client.get("https://vk/method/users.get", params=params)
    assert response.json()["error"]["error_msg"] == "Too many requests per second"


async def test_each_token_has_a_separate_limit() -> None:
    simulator = Simulator(limit=1)
    assert await calls(simulator, *"abab") == [None, None, 6, 6]


async def test_a_token_can_have_another_limit() -> None:
    tokens = {"a": Account(), "b": Account(limit=2), "c": Account(limit=0)}
    simulator = Simulator(limit=1, tokens=tokens)
    codes = await calls(simulator, *"aabbbccccc")
    assert codes == [None, 6, None, None, 6, *[None] * 5]


async def test_a_limit_of_zero_is_unlimited() -> None:
    simulator = Simulator(limit=0)
    assert await calls(simulator, *"a" * 100) == [None] * 100


async def test_execute_counts_once() -> None:
    simulator = Simulator(limit=1)

    async def execute(call: Call) -> Any:
        return [await call.invoke("users.get") for _ in range(25)]

    simulator.add_method("execute", execute)
    assert await calls(simulator, "a", method="execute") == [None]
    assert len(simulator.ledger.carried_out("users.get")) == 25


async def test_a_sliding_window_counts_back_from_each_request() -> None:
    simulator = Simulator(limit=2, window="sliding")
    await until_a_second_begins()
    await anyio.sleep(0.75)
    assert await calls(simulator, *"aa") == [None, None]
    await anyio.sleep(0.5)
    assert await calls(simulator, *"a") == [6]
    await anyio.sleep(0.5)
    assert await calls(simulator, *"aaa") == [None, None, 6]


async def test_a_fixed_window_restarts_with_each_second() -> None:
    simulator = Simulator(limit=2, window="fixed")
    await until_a_second_begins()
    await anyio.sleep(0.75)
    assert await calls(simulator, *"aaa") == [None, None, 6]
    await anyio.sleep(0.5)
    assert await calls(simulator, *"aaa") == [None, None, 6]
    await anyio.sleep(0.5)
    assert await calls(simulator, *"a") == [6]


async def test_refused_requests_do_not_spend_the_limit() -> None:
    simulator = Simulator(limit=1)
    assert await calls(simulator, *"a") == [None]
    await anyio.sleep(0.5)
    assert await calls(simulator, *"a") == [6]
    await anyio.sleep(0.5)
    assert await calls(simulator, *"a") == [None]


async def test_half_of_the_latency_precedes_the_arrival() -> None:
    simulator = Simulator(latency=0.5)
    start = anyio.current_time()
    await calls(simulator, "a")
    assert anyio.current_time() - start == pytest.approx(0.5)
    assert simulator.ledger.starts == [pytest.approx(start + 0.25)]


async def test_a_client_that_leaves_early_was_never_there() -> None:
    simulator = Simulator(latency=0.5)
    for seconds in (0.2, 0.3):
        with anyio.move_on_after(seconds):
            await calls(simulator, "a")
    assert simulator.ledger.requests == 1
    assert len(simulator.ledger.carried_out()) == 1


async def test_latency_can_be_drawn_from_a_distribution() -> None:
    async def times(seed: int) -> list[float]:
        simulator = Simulator(latency=lambda chance: chance.random(), seed=seed)
        start = anyio.current_time()
        await calls(simulator, *"abcde")
        return [round(time - start, 6) for time in simulator.ledger.starts]

    assert await times(1) == await times(1) != await times(2)


async def test_the_worst_window_is_the_fullest_second() -> None:
    simulator = Simulator(limit=0)
    for pause in (0, 0.6, 0.3, 0.6, 5, 1.0, 1.0):
        await anyio.sleep(pause)
        await calls(simulator, "a")
    assert simulator.ledger.requests == 7
    assert simulator.ledger.worst_window() == 3
    assert simulator.ledger.worst_window(0.5) == 2
    assert simulator.ledger.worst_window(3600) == 7
    assert Simulator().ledger.worst_window() == 0


async def test_a_window_excludes_its_end() -> None:
    ledger = Ledger()
    for time in (0.0, 1.0, 1.5, 2.0):
        ledger.arrived(time, None)
    assert ledger.worst_window() == 2
    assert ledger.worst_window(1.25) == 3


async def test_the_worst_window_can_be_that_of_one_token() -> None:
    simulator = Simulator(limit=0)
    await calls(simulator, *"aabbb")
    ledger = simulator.ledger
    assert [ledger.worst_window(token=n) for n in (0, 1, 2, None)] == [2, 3, 0, 5]


async def test_the_ledger_is_a_sequence_without_tokens_in_it() -> None:
    simulator = Simulator(limit=2)
    await calls(simulator, "secret", "secret", "secret", "other")
    ledger = simulator.ledger
    assert [entry.token for entry in ledger] == [0, 0, 0, 1]
    assert [entry.request for entry in ledger] == [1, 2, 3, 4]
    assert ledger[-1] == ledger[3]
    assert ledger[1:3] == [ledger[1], ledger[2]]
    assert [entry.outcome for entry in ledger] == ["carried out"] * 2 + [
        6,
        "carried out",
    ]
    assert ledger.carried_out("no.such") == ledger.refused(7) == []
    assert "secret" not in repr([*ledger]) + repr(ledger) + repr(simulator)
    assert "3 calls carried out" in repr(simulator)


@pytest.mark.parametrize("options", [{"limit": -1}, {"window": "round"}])
def test_a_wrong_option_is_refused_by_name(options: dict[str, Any]) -> None:
    [name] = options
    with pytest.raises(ValueError, match=name):
        Simulator(**options)
