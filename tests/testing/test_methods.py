"""The methods that the simulator knows, and those that a test adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

from vkanyio.testing import Account, Call, Reply, Simulator, VKFault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

HOUR = 3600
TOKENS = {
    "anna": Account(id=1),
    "boris": Account(id=2),
    "club": Account(id=9, kind="group"),
    "app": Account(kind="service"),
}


@pytest.fixture
async def simulator() -> Simulator:
    return Simulator(limit=0, tokens=TOKENS)


@pytest.fixture
async def envelope(simulator: Simulator) -> AsyncIterator[Ask]:
    async with simulator.http_client() as client:

        async def send(method: str, token: str = "anna", **params: Any) -> Any:
            response = await client.post(
                f"https://api.vk.ru/method/{method}",
                data={"v": "5.199", **params},
                headers={"Authorization": f"Bearer {token}"},
            )
            return response.json()

        yield send


@pytest.fixture
async def call(envelope: Ask) -> Ask:
    async def call(method: str, token: str = "anna", **params: Any) -> Any:
        response = await envelope(method, token, **params)
        return response["response"] if "response" in response else response["error"]

    return call


async def test_the_servers_time_passes_with_the_clock(call: Ask) -> None:
    before = await call("utils.getServerTime")
    await anyio.sleep(10)
    assert await call("utils.getServerTime") - before == 10


async def test_users_have_names_that_depend_on_the_seed_alone(call: Ask) -> None:
    users = await call("users.get", user_ids="1, id2,3")
    assert [user["id"] for user in users] == [1, 2, 3]
    assert users[1:] == await call("users.get", user_ids="2,3")

    async def names(seed: int) -> list[str]:
        simulator = Simulator(limit=0, seed=seed)
        params = {"v": "5.199", "access_token": "t", "user_ids": "1,2,3,4,5"}
        async with simulator.http_client() as client:
            response = await client.get("https://vk/method/users.get", params=params)
        return [user["first_name"] for user in response.json()["response"]]

    assert await names(1) == await names(1) != await names(2)


async def test_without_ids_a_user_gets_themselves(call: Ask) -> None:
    assert [user["id"] for user in await call("users.get", "boris")] == [2]
    assert (await call("users.get", "club"))["error_code"] == 100


async def test_an_id_that_is_not_a_number_is_refused(call: Ask) -> None:
    assert (await call("users.get", user_ids="1,x"))["error_code"] == 113


async def test_groups_are_found_by_their_ids(call: Ask) -> None:
    value = await call("groups.getById", group_ids="1,club2")
    assert [group["id"] for group in value["groups"]] == [1, 2]
    value = await call("groups.getById", group_id="3")
    assert [group["id"] for group in value["groups"]] == [3]
    assert (await call("groups.getById", "club"))["groups"][0]["id"] == 9
    assert (await call("groups.getById"))["error_code"] == 100


async def test_posts_appear_on_the_wall_newest_first(call: Ask) -> None:
    ids = [(await call("wall.post", message=f"m{n}"))["post_id"] for n in range(5)]
    wall = await call("wall.get", offset=1, count=2)
    assert wall["count"] == 5
    assert [post["id"] for post in wall["items"]] == [ids[3], ids[2]]
    assert wall["items"][0]["text"] == "m3"
    assert (await call("wall.get", owner_id=2))["items"] == []


async def test_an_empty_post_is_refused(call: Ask) -> None:
    assert (await call("wall.post"))["error_code"] == 100


async def test_a_wall_wants_sensible_numbers(call: Ask) -> None:
    assert (await call("wall.get", offset=-1))["error_code"] == 100
    assert (await call("wall.get", count="many"))["error_code"] == 100


async def test_a_guid_keeps_a_post_from_appearing_twice(
    simulator: Simulator, call: Ask
) -> None:
    first = await call("wall.post", message="m", guid="g")
    await anyio.sleep(HOUR - 1)
    assert await call("wall.post", message="m", guid="g") == first
    assert (await call("wall.get"))["count"] == 1
    assert len(simulator.ledger.carried_out("wall.post")) == 1
    assert len(simulator.ledger.repeated("wall.post")) == 1
    assert simulator.ledger.refused() == []


async def test_a_guid_is_forgotten_after_an_hour(call: Ask) -> None:
    first = await call("wall.post", message="m", guid="g")
    await anyio.sleep(HOUR)
    assert await call("wall.post", message="m", guid="g") != first


async def test_a_guid_is_valid_for_one_person_and_one_wall(call: Ask) -> None:
    values = [
        await call("wall.post", "anna", message="m", guid="g", owner_id=1),
        await call("wall.post", "anna", message="m", guid="g", owner_id=2),
        await call("wall.post", "boris", message="m", guid="g", owner_id=2),
        await call("wall.post", "boris", message="m", owner_id=2),
        await call("wall.post", "boris", message="m", owner_id=2),
    ]
    assert [value["post_id"] for value in values] == [1, 1, 2, 3, 4]


async def test_a_deleted_post_is_gone_and_cannot_be_deleted_again(call: Ask) -> None:
    post_id = (await call("wall.post", message="m"))["post_id"]
    assert await call("wall.delete", post_id=post_id) == 1
    assert (await call("wall.get"))["count"] == 0
    assert (await call("wall.delete", post_id=post_id))["error_code"] == 104
    assert (await call("wall.delete"))["error_code"] == 100


async def test_a_message_needs_a_random_id(call: Ask) -> None:
    error = await call("messages.send", peer_id=5, message="m")
    assert error["error_code"] == 100
    assert error["error_msg"].endswith("random_id is a required parameter")


@pytest.mark.parametrize(
    "params",
    [
        {"peer_id": 5, "message": "m", "random_id": "x"},
        {"peer_id": 5, "random_id": 1},
        {"message": "m", "random_id": 1},
    ],
)
async def test_a_message_needs_a_number_a_text_and_a_peer(
    call: Ask, params: dict[str, Any]
) -> None:
    assert (await call("messages.send", **params))["error_code"] == 100


async def test_a_random_id_keeps_a_message_from_going_twice(
    simulator: Simulator, call: Ask
) -> None:
    message = {"peer_id": 5, "message": "m", "random_id": 77}
    first = await call("messages.send", **message)
    await anyio.sleep(HOUR - 1)
    assert await call("messages.send", **message) == first
    assert len(simulator.ledger.carried_out("messages.send")) == 1
    await anyio.sleep(1)
    assert await call("messages.send", **message) != first


async def test_a_random_id_is_valid_for_one_sender_and_one_peer(call: Ask) -> None:
    assert (await call("messages.createChat"))["chat_id"] == 1
    ids = [
        await call("messages.send", "anna", peer_id=5, message="m", random_id=1),
        await call("messages.send", "club", peer_id=5, message="m", random_id=1),
        await call("messages.send", "anna", user_id=6, message="m", random_id=1),
        await call("messages.send", "anna", chat_id=1, message="m", random_id=1),
        await call("messages.send", "anna", peer_id=5, message="m", random_id=2),
    ]
    assert len(set(ids)) == 5
    again = await call("messages.send", peer_id=2000000001, message="m", random_id=1)
    assert again == ids[3]


async def test_a_random_id_of_zero_does_not_deduplicate(call: Ask) -> None:
    message = {"peer_id": 5, "message": "m", "random_id": 0}
    assert await call("messages.send", **message) != await call(
        "messages.send", **message
    )


async def test_a_message_to_several_peers_has_a_result_for_each(
    simulator: Simulator, call: Ask
) -> None:
    message = {"message": "m", "random_id": 1}
    value = await call("messages.send", peer_ids="5,6", **message)
    assert [sent["peer_id"] for sent in value] == [5, 6]
    assert await call("messages.send", peer_ids="5,6", **message) == value
    assert len(simulator.ledger.repeated()) == 1
    more = await call("messages.send", peer_ids="6,7", **message)
    assert more[0] == value[1]
    assert len(simulator.ledger.repeated()) == 1


async def test_a_status_stays_as_it_was_set(call: Ask) -> None:
    assert await call("status.get") == {"text": ""}
    assert await call("status.set", text="busy") == 1
    assert await call("status.set", text="ours", group_id=1) == 1
    assert await call("status.get") == {"text": "busy"}
    assert await call("status.get", "boris", user_id=1) == {"text": "busy"}
    assert await call("status.get", "boris", group_id=1) == {"text": "ours"}
    assert await call("status.get", "boris") == {"text": ""}


async def test_likes_are_counted_once_for_each_person(call: Ask) -> None:
    post = {"type": "post", "owner_id": 1, "item_id": 3}
    assert await call("likes.add", "anna", **post) == {"likes": 1}
    assert await call("likes.add", "boris", **post) == {"likes": 2}
    assert await call("likes.add", "boris", **post) == {"likes": 2}
    assert await call("likes.add", type="photo", item_id=3) == {"likes": 1}
    assert (await call("likes.add", type="photo"))["error_code"] == 100


async def test_the_hook_for_captchas_always_asks_for_one(
    simulator: Simulator, call: Ask
) -> None:
    error = await call("captcha.force")
    assert error["error_code"] == 14
    token = simulator.solve(error["redirect_uri"])
    again = await call("captcha.force", success_token=token)
    assert again["redirect_uri"] != error["redirect_uri"]


async def test_a_user_method_refuses_a_community(call: Ask) -> None:
    assert (await call("status.set", "club", text="x"))["error_code"] == 27
    assert (await call("wall.post", "app", message="x"))["error_code"] == 28


async def test_a_method_can_be_added_and_replaced(
    simulator: Simulator, call: Ask
) -> None:
    async def slow(call: Call) -> float:
        await anyio.sleep(5)
        return call.time

    simulator.add_method("users.get", slow)
    before = anyio.current_time()
    assert await call("users.get") == before
    assert anyio.current_time() - before == pytest.approx(5)


async def test_execute_can_return_errors_beside_its_value(
    simulator: Simulator, envelope: Ask
) -> None:
    failure = {"method": "users.get", "error_code": 1, "error_msg": "x"}
    simulator.add_method(
        "execute", lambda call: Reply([False], execute_errors=[failure])
    )
    assert await envelope("execute") == {
        "response": [False],
        "execute_errors": [failure],
    }


async def test_a_procedure_can_call_other_methods(
    simulator: Simulator, call: Ask
) -> None:
    async def procedure(call: Call) -> Any:
        await call.invoke("wall.post", {"message": call.text("a")})
        try:
            await call.invoke("wall.delete", {"post_id": "99"})
        except VKFault as refusal:
            return [refusal.code, await call.invoke("users.get")]

    simulator.add_method("execute.name", procedure)
    code, [user] = await call("execute.name", a="hello")
    assert (code, user["id"]) == (104, 1)
    assert [(entry.method, entry.outcome) for entry in simulator.ledger] == [
        ("wall.post", "carried out"),
        ("wall.delete", 104),
        ("users.get", "carried out"),
        ("execute.name", "carried out"),
    ]
    assert {entry.request for entry in simulator.ledger} == {1}
    assert simulator.ledger.requests == 1
