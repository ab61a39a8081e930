"""``execute`` and stored procedures of the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from vkanyio.testing import Account, Call, Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio

TOKENS = {
    "anna": Account(id=1),
    "club": Account(id=9, kind="group"),
    "app": Account(kind="service"),
}


@pytest.fixture
def simulator() -> Simulator:
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


def outcomes(simulator: Simulator) -> list[tuple[str, int | str]]:
    return [(entry.method, entry.outcome) for entry in simulator.ledger]


async def test_a_script_calls_the_methods_of_the_simulator(
    simulator: Simulator, envelope: Ask
) -> None:
    code = """
        var id = API.wall.post({"message": "Привет"}).post_id;
        var users = API.users.get({"user_ids": [3, Args.id]});
        return {"id": id, "users": users@.id, "wall": API.wall.get().items@.text};
    """
    assert await envelope("execute", code=code, id=4) == {
        "response": {"id": 1, "users": [3, 4], "wall": ["Привет"]}
    }
    assert outcomes(simulator) == [
        ("wall.post", "carried out"),
        ("users.get", "carried out"),
        ("wall.get", "carried out"),
        ("execute", "carried out"),
    ]
    assert simulator.ledger.requests == 1
    assert {entry.request for entry in simulator.ledger} == {1}


async def test_failed_calls_are_listed_in_their_order(envelope: Ask) -> None:
    code = """
        return [
            API.wall.delete({"post_id": 5}),
            API.users.get({"user_ids": "x"}),
            API.users.get({"user_ids": 2})@.id,
            API.messages.send({"peer_id": 1}),
            API.unknown.method(),
        ];
    """
    response = await envelope("execute", code=code)
    assert response["response"] == [False, False, [2], False, False]
    errors = response["execute_errors"]
    assert [(error["method"], error["error_code"]) for error in errors] == [
        ("wall.delete", 104),
        ("users.get", 113),
        ("messages.send", 100),
        ("unknown.method", 3),
    ]
    assert errors[2]["error_msg"].endswith("random_id is a required parameter")


async def test_the_kind_of_token_is_that_of_the_request(envelope: Ask) -> None:
    code = 'return [API.wall.post({"message": "m"}), API.groups.getById().groups@.id];'
    response = await envelope("execute", "club", code=code)
    assert response["response"] == [False, [9]]
    assert [error["error_code"] for error in response["execute_errors"]] == [27]


async def test_a_service_token_may_not_execute(
    simulator: Simulator, envelope: Ask
) -> None:
    simulator.add_procedure("name", "return 1;")
    for method in ("execute", "execute.name"):
        response = await envelope(method, "app", code="return 1;")
        assert response["error"]["error_code"] == 28


async def test_execute_wants_code(envelope: Ask) -> None:
    assert (await envelope("execute"))["error"]["error_code"] == 100
    assert (await envelope("execute", code=""))["error"]["error_code"] == 100


async def test_every_parameter_is_an_argument(envelope: Ask) -> None:
    response = await envelope("execute", code="return Args;", a=1, b="ы")
    assert response == {
        "response": {"v": "5.199", "code": "return Args;", "a": "1", "b": "ы"}
    }


async def test_a_script_that_does_not_compile_does_nothing(
    simulator: Simulator, envelope: Ask
) -> None:
    code = 'API.wall.post({"message": "m"}); return test;'
    error = (await envelope("execute", code=code))["error"]
    assert error["error_code"] == 12
    assert error["error_msg"] == (
        "Unable to compile code: undefined identifier 'test' in line 1"
    )
    assert {"key": "code", "value": code} in error["request_params"]
    assert outcomes(simulator) == [("execute", 12)]


async def test_a_script_that_breaks_off_leaves_done_what_is_done(
    simulator: Simulator, envelope: Ask
) -> None:
    code = 'API.wall.post({"message": "m"}); return API.wall.delete().slice(1);'
    error = (await envelope("execute", code=code))["error"]
    assert error["error_code"] == 13
    assert error["error_msg"].endswith(": Method slice requires an array")
    assert outcomes(simulator) == [
        ("wall.post", "carried out"),
        ("wall.delete", 100),
        ("execute", 13),
    ]


async def test_twenty_five_calls_are_one_request_of_the_limit() -> None:
    simulator = Simulator(limit=1)
    headers = {"Authorization": "Bearer t"}
    calls = ",".join(f'API.users.get({{"user_ids":"{n}"}})' for n in range(1, 26))
    async with simulator.http_client(headers=headers) as client:

        async def execute(code: str) -> Any:
            params = {"v": "5.199", "code": code}
            url = "https://api.vk.ru/method/execute"
            return (await client.post(url, data=params)).json()

        response = await execute(f"return [{calls}];")
        assert [user["id"] for [user] in response["response"]] == [*range(1, 26)]
        assert (await execute("return 1;"))["error"]["error_code"] == 6
    assert simulator.ledger.requests == 2
    assert len(simulator.ledger.carried_out("users.get")) == 25


async def test_a_twenty_sixth_call_is_too_much(
    simulator: Simulator, envelope: Ask
) -> None:
    code = "var i = 0; while (i < 26) { API.users.get(); i = i + 1; }"
    assert (await envelope("execute", code=code))["error"]["error_code"] == 13
    assert len(simulator.ledger.carried_out("users.get")) == 25


async def test_faults_strike_the_calls_of_a_script(
    simulator: Simulator, envelope: Ask
) -> None:
    simulator.fault(faults.error(10), "users.get", nth=2)
    simulator.fault(faults.captcha("old"), "wall.post")
    code = """
        return [API.users.get()@.id, API.users.get(), API.wall.post({"message": "m"})];
    """
    response = await envelope("execute", code=code)
    assert response["response"] == [[1], False, False]
    first, second = response["execute_errors"]
    assert first["error_code"] == 10
    assert second["error_code"] == 14
    assert second["captcha_sid"]
    solved = simulator.solve(second["captcha_sid"])
    code = f"""
        return API.wall.post({{
            "message": "m",
            "captcha_sid": "{second["captcha_sid"]}",
            "captcha_key": "{solved}",
        }});
    """
    assert await envelope("execute", code=code) == {"response": {"post_id": 1}}


async def test_a_procedure_is_a_method_with_arguments(
    simulator: Simulator, envelope: Ask
) -> None:
    simulator.add_procedure("greet", 'return "Hello, " + Args.name;')
    assert await envelope("execute.greet", name="Anna") == {"response": "Hello, Anna"}
    simulator.add_procedure("greet", "return API.wall.delete();")
    response = await envelope("execute.greet", "club")
    assert response["response"] is False
    assert response["execute_errors"][0]["error_code"] == 27
    assert (await envelope("execute.Greet"))["error"]["error_code"] == 3


@pytest.mark.parametrize("name", ["", "a.b", "a b", "1a", "имя"])
async def test_a_procedure_has_a_name(simulator: Simulator, name: str) -> None:
    with pytest.raises(ValueError, match="name must consist"):
        simulator.add_procedure(name, "return 1;")


async def test_a_procedure_must_compile(simulator: Simulator, envelope: Ask) -> None:
    with pytest.raises(ValueError, match="procedure p: ';' expected"):
        simulator.add_procedure("p", "return 1")
    assert (await envelope("execute.p"))["error"]["error_code"] == 3


async def test_a_script_runs_scripts_and_procedures(
    simulator: Simulator, envelope: Ask
) -> None:
    simulator.add_procedure("p", "API.wall.delete(); return Args.a + 1;")
    code = """
        return [API.execute({"code": "return API.users.get()@.id;"}),
                API.execute.p({"a": 7}), API.wall.delete({"post_id": 1}),
                API.execute({"code": "("})];
    """
    response = await envelope("execute", code=code)
    assert response["response"] == [[1], "71", False, False]
    errors = [(e["method"], e["error_code"]) for e in response["execute_errors"]]
    assert errors == [("wall.delete", 100), ("wall.delete", 104), ("execute", 12)]
    assert outcomes(simulator) == [
        ("users.get", "carried out"),
        ("execute", "carried out"),
        ("wall.delete", 100),
        ("execute.p", "carried out"),
        ("wall.delete", 104),
        ("execute", 12),
        ("execute", "carried out"),
    ]


async def test_a_procedure_that_calls_itself_has_no_more_calls_for_it(
    simulator: Simulator, envelope: Ask
) -> None:
    simulator.add_procedure("p", "API.execute.p(); API.users.get(); return 1;")
    response = await envelope("execute.p")
    assert response["error"]["error_code"] == 13
    # It calls itself 25 times; then no calls are left at any depth.
    assert simulator.ledger.carried_out("users.get") == []
    assert len(simulator.ledger.refused(13)) == 26
    assert await envelope("execute", code="return API.users.get()@.id;") == {
        "response": [1]
    }


async def test_execute_errors_can_end_with_one_of_execute() -> None:
    simulator = Simulator(limit=0, trailing_execute_error=True)
    simulator.add_procedure("p", "return API.a.b();")
    code = "return [API.c.d(), API.execute.p()];"
    params = {"v": "5.199", "access_token": "t", "code": code}
    async with simulator.http_client() as client:
        for method, methods in (
            ("execute", ["c.d", "a.b", "execute"]),
            ("execute.p", ["a.b", "execute"]),
        ):
            response = await client.get(
                f"https://api.vk.ru/method/{method}", params=params
            )
            errors = response.json()["execute_errors"]
            assert [error["method"] for error in errors] == methods
            assert {**errors[-1], "method": "a.b"} == errors[-2]


async def test_execute_can_be_replaced(simulator: Simulator, envelope: Ask) -> None:
    def refuse(call: Call) -> Any:
        raise VKFault(13, f"Not {call.params['code']}")

    simulator.add_method("execute", refuse)
    error = (await envelope("execute", code="this"))["error"]
    assert (error["error_code"], error["error_msg"]) == (13, "Not this")
