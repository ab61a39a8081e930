"""Quotas and flood control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

from vkanyio.testing import Call, VKFault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vkanyio.testing import Simulator

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

DAY = 86_400


async def test_a_quota_is_for_one_token_one_method_and_one_day(
    town: Simulator, code: Ask
) -> None:
    town.quota("wall.get", 2)
    assert [await code("wall.get") for _ in range(3)] == [0, 0, 29]
    assert await code("users.get") == await code("wall.get", "boris") == 0
    await anyio.sleep(DAY - 1)
    assert await code("wall.get") == 29
    await anyio.sleep(1)
    assert [await code("wall.get") for _ in range(3)] == [0, 0, 29]


async def test_a_quota_can_have_another_period_and_error(
    town: Simulator, ask: Ask
) -> None:
    text = "Access to adding post denied: you can only add 50 posts a day"
    town.quota("wall.post", 1, seconds=10, code=214, message=text)
    assert await ask("wall.post", message="1") == {"post_id": 1}
    error = await ask("wall.post", message="2")
    assert (error["error_code"], error["error_msg"]) == (214, text)
    await anyio.sleep(10)
    assert await ask("wall.post", message="3") == {"post_id": 2}


async def test_calls_inside_execute_count_one_by_one(town: Simulator, ask: Ask) -> None:
    async def execute(call: Call) -> list[int]:
        codes = []
        for _ in range(3):
            try:
                await call.invoke("wall.get")
                codes.append(0)
            except VKFault as refusal:
                codes.append(refusal.code)
        return codes

    town.add_method("execute", execute)
    town.quota("wall.get", 4)
    town.quota("execute", 2)
    assert await ask("execute") == [0, 0, 0]
    assert await ask("execute") == [0, 29, 29]
    assert (await ask("execute"))["error_code"] == 29


async def test_too_much_of_the_same_is_a_flood(town: Simulator, code: Ask) -> None:
    town.flood_control(times=2, seconds=10)
    same = {"message": "x"}
    codes = [await code("wall.post", guid=n, **same) for n in range(3)]
    assert codes == [0, 0, 9]
    assert await code("wall.post", message="y") == 0
    assert await code("wall.post", "boris", **same) == 0
    await anyio.sleep(9)
    assert await code("wall.post", **same) == 9
    await anyio.sleep(1)
    assert [await code("wall.post", **same) for _ in range(3)] == [0, 0, 9]


async def test_flood_control_can_be_for_one_method(town: Simulator, code: Ask) -> None:
    town.flood_control("wall.post", times=1)
    assert [await code("users.get") for _ in range(2)] == [0, 0]
    assert [await code("wall.post", message="x") for _ in range(2)] == [0, 9]


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (lambda town: town.quota("wall.get", -1), "calls"),
        (lambda town: town.quota("wall.get", 1, seconds=0), "seconds"),
        (lambda town: town.flood_control(times=0), "times"),
        (lambda town: town.flood_control(seconds=-1), "seconds"),
    ],
)
async def test_an_invalid_limit_is_refused(
    town: Simulator, limit: Any, name: str
) -> None:
    with pytest.raises(ValueError, match=name):
        limit(town)
