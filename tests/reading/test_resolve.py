"""What a link leads to: `api.resolve`, which asks VK only for screen names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from anyio import create_task_group, move_on_after

from _helpers import assert_at_rest, settle
from vkanyio import AuthError, ClientClosedError
from vkanyio.links import App, Group, Other, User, Wall
from vkanyio.testing import faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.links import Target
    from vkanyio.testing import Call, Simulator

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_left_open")]


def asked(simulator: Simulator) -> list[str]:
    calls = simulator.ledger.carried_out("utils.resolveScreenName")
    return [call.params["screen_name"] for call in calls]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://vk.com/wall-1_2?reply=3", Wall(-1, 2, 3)),
        ("[id1|Ann]", User(1)),
        ("club5", Group(5)),
        ("no link", None),
    ],
)
async def test_vk_is_not_asked_for_what_a_link_says(
    simulator: Simulator, make_client: MakeClient, text: str, target: Any
) -> None:
    async with make_client() as api:
        assert await api.resolve(text) == target
    assert simulator.ledger.requests == 0


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ({"type": "user", "object_id": 1}, User(1)),
        ({"type": "group", "object_id": 5, "group_id": 5}, Group(5)),
        ({"type": "page", "object_id": 5}, Group(5)),
        ({"type": "event", "object_id": 5}, Group(5)),
        ({"type": "application", "object_id": 7}, App(7)),
        ({"type": "vk_app", "object_id": 7}, App(7)),
        ({"type": "planet", "object_id": 7}, Other("planet", 7)),
        ([], None),
        ({}, None),
    ],
)
async def test_vk_says_who_has_a_name(
    simulator: Simulator, make_client: MakeClient, value: Any, target: Any
) -> None:
    def answer(call: Call) -> Any:
        return value if call.params["screen_name"] == "durov" else []

    simulator.add_method("utils.resolveScreenName", answer)
    async with make_client() as api:
        assert await api.resolve("https://vk.com/durov") == target
        assert_at_rest(api)
    assert asked(simulator) == ["durov"]


async def test_nobody_is_nobody_also_by_error_104(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(104), times=1)
    async with make_client() as api:
        assert await api.resolve("nobody") is None
        assert await api.resolve("nobody_either") is None  # the simulator returns []


async def test_other_errors_are_raised(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(5))
    async with make_client() as api:
        with pytest.raises(AuthError):
            await api.resolve("durov")
        with pytest.raises(TypeError, match="text must be a str, got None"):
            await api.resolve(None)  # type: ignore[arg-type]
    with pytest.raises(ClientClosedError):
        await api.resolve("durov")


@pytest.mark.simulator_options(latency=1.0)
async def test_names_are_packed_with_other_calls_and_can_be_cancelled(
    simulator: Simulator, make_client: MakeClient
) -> None:
    found: dict[str, Target | None] = {}

    async def resolve(name: str) -> None:
        found[name] = await api.resolve(name)

    simulator.add_method(
        "utils.resolveScreenName",
        lambda call: {"type": "user", "object_id": len(call.params["screen_name"])},
    )
    async with make_client(mode="parallel") as api:
        async with create_task_group() as tg:
            tg.start_soon(api.users.get)
            for length in range(2, 22):
                tg.start_soon(resolve, "x" * length)
        assert simulator.ledger.requests == 1
        with move_on_after(0.5) as scope:
            await api.resolve("late")
        assert scope.cancelled_caught
        await settle()
        assert_at_rest(api)
    assert found == {"x" * length: User(length) for length in range(2, 22)}
    assert set(found) <= set(asked(simulator))
