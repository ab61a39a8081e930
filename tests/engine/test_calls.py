"""Calls as VK sees them: the wire, groups, scripts and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from vkanyio import (
    VK,
    APIError,
    APIRequest,
    CompileError,
    Config,
    ExecuteError,
    ExecuteResult,
    __version__,
)
from vkanyio.testing import Account, Call, Reply, Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from _helpers import MakeClient

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"
OTHER_TOKEN = "vk1.a.another-token"


@pytest.fixture
def requests() -> list[httpx.Request]:
    """The requests that a client has sent by ``wire``."""
    return []


@pytest.fixture
def wire(requests: list[httpx.Request]) -> httpx.AsyncClient:
    """An HTTP client that records requests, and returns 1."""

    async def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"response": 1})

    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


async def test_a_call_is_a_post_to_the_methods_address_with_a_form(
    make_client: MakeClient, wire: httpx.AsyncClient, requests: list[httpx.Request]
) -> None:
    async with make_client(http_client=wire) as api:
        await api.call("users.get", {"user_ids": [1, 2], "fields": None, "q": "я &"})
    [request] = requests
    assert request.method == "POST"
    assert str(request.url) == "https://api.vk.ru/method/users.get"
    assert request.content == b"v=5.199&user_ids=1,2&q=%D1%8F+%26"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"] == f"vkanyio/{__version__}"


async def test_options_change_what_is_on_the_wire(
    make_client: MakeClient, wire: httpx.AsyncClient, requests: list[httpx.Request]
) -> None:
    async with make_client(
        http_client=wire,
        base_url="https://api.vk.com/method/",
        version="5.131",
        language="en",
        headers={"X-Own": "1"},
    ) as api:
        await api.call("users.get")
        await api.call("users.get", {"v": "5.100", "lang": "ru"})
    first, second = requests
    assert str(first.url) == "https://api.vk.com/method/users.get"
    assert first.content == b"v=5.131&lang=en"
    assert second.content == b"v=5.100&lang=ru"
    # Headers override single defaults, and do not replace them all.
    assert first.headers["x-own"] == "1"
    assert first.headers["user-agent"] == f"vkanyio/{__version__}"


async def test_headers_of_a_request_override_the_clients_for_that_request_only(
    make_client: MakeClient, wire: httpx.AsyncClient, requests: list[httpx.Request]
) -> None:
    headers = {"X-Own": "client", "user-agent": "mine/1"}
    async with make_client(http_client=wire, headers=headers) as api:
        request = APIRequest("users.get", headers={"x-own": "call", "X-More": "1"})
        await api.call_with_request(request)
        await api.call("users.get")
    first, second = requests
    assert first.headers.get_list("x-own") == ["call"]
    assert first.headers["x-more"] == "1"
    assert second.headers["x-own"] == "client"
    assert "x-more" not in second.headers
    assert [r.headers["user-agent"] for r in requests] == ["mine/1", "mine/1"]


async def test_a_request_token_replaces_the_clients_and_stays_out_of_the_form(
    make_client: MakeClient, wire: httpx.AsyncClient, requests: list[httpx.Request]
) -> None:
    async with make_client(http_client=wire) as api:
        await api.call("users.get", {"access_token": OTHER_TOKEN})
        await api.users.get()
    tokens = [request.headers["authorization"] for request in requests]
    assert tokens == [f"Bearer {OTHER_TOKEN}", f"Bearer {TOKEN}"]
    assert requests[0].content == b"v=5.199"


async def test_a_call_runs_under_the_identity_of_its_token() -> None:
    accounts = {TOKEN: Account(id=7), OTHER_TOKEN: Account(id=8)}
    simulator = Simulator(limit=0, tokens=accounts)
    async with VK(TOKEN, http_client=simulator.http_client()) as api:
        [mine] = await api.users.get()
        [theirs] = await api.call("users.get", {"access_token": OTHER_TOKEN})
        with pytest.raises(APIError[5]):
            await api.call("users.get", {"access_token": "unknown"})
    assert (mine["id"], theirs["id"]) == (7, 8)


async def test_methods_are_called_by_vks_names_and_by_snake_case(
    make_client: MakeClient, wire: httpx.AsyncClient, requests: list[httpx.Request]
) -> None:
    async with make_client(http_client=wire) as api:
        await api.groups.getById(group_ids=[1])
        await api.groups.get_by_id(group_ids=[1])
        await api.app_widgets.update(code="return 1;", type="text")
        await api.call("groups.getById", {"group_ids": 1})
    assert [request.url.path.removeprefix("/method/") for request in requests] == [
        *["groups.getById"] * 2,
        "appWidgets.update",
        "groups.getById",
    ]


@pytest.mark.parametrize("response", [0, 1, "", "ok", [], {}, False, None, [{"a": 1}]])
async def test_a_value_is_the_json_that_vk_sent(
    simulator: Simulator, make_client: MakeClient, response: Any
) -> None:
    simulator.add_method("test.get", lambda call: response)
    async with make_client() as api:
        result = await api.call("test.get")
    assert result == response
    assert type(result) is type(response)


# Refused before anything is sent.


async def refused_calls(api: VK) -> None:
    with pytest.raises(ValueError, match="method"):
        await api.call("users.get({}); API.wall.post")
    with pytest.raises(ValueError, match="method"):
        await api.call("")
    with pytest.raises(TypeError, match="method"):
        await api.call(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="user_ids"):
        await api.call("users.get", {"user_ids": object()})
    with pytest.raises(ValueError, match="lat"):
        await api.messages.send(lat=float("nan"))
    with pytest.raises(ValueError, match="code"):
        await api.execute("  ")
    with pytest.raises(TypeError, match="code"):
        await api.execute(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="code"):
        await api.execute("return 1;", code="return 2;")  # type: ignore[misc]
    with pytest.raises(ValueError, match="name"):
        await api.procedure("a.b")
    with pytest.raises(ValueError, match="name"):
        await api.procedure("")
    with pytest.raises(TypeError, match="request"):
        await api.call_with_request("users.get")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="access_token"):
        await api.call("users.get", {"access_token": ""})
    with pytest.raises(ValueError, match="authorization"):
        APIRequest("users.get", headers={"authorization": "Bearer x"})
    with pytest.raises(ValueError, match="x-y"):
        APIRequest("users.get", headers={"x-y": "a\r\nb: c"})


async def test_a_call_that_cannot_be_sent_is_refused_in_the_caller(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client() as api:
        await refused_calls(api)
        statistics = api.statistics()
    assert simulator.ledger.requests == 0
    assert (statistics.calls, statistics.sent) == (0, 0)


async def test_a_failing_encoder_raises_in_the_caller_and_is_not_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    encoded = 0

    class Broken:
        def to_vk(self) -> str:
            nonlocal encoded
            encoded += 1
            raise KeyError("a bug of the caller")

    async with make_client() as api:
        with pytest.raises(KeyError):
            await api.call("users.get", {"user_ids": Broken()})
    assert encoded == 1
    assert simulator.ledger.requests == 0


# Scripts.


def run_script(call: Call) -> Reply:
    """Return errors as VK does: two calls of the script failed, and execute itself."""
    arguments = {k: v for k, v in call.params.items() if k not in ("v", "code")}
    errors = [
        {"method": "users.get", "error_code": 113, "error_msg": "Invalid user id"},
        {"method": "execute", "error_code": 113, "error_msg": "Invalid user id"},
        {"new": "shape"},
    ]
    return Reply(arguments, execute_errors=errors if "fail" in call.params else ())


async def test_a_script_returns_its_response_and_its_errors(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("execute", run_script)
    async with make_client() as api:
        result = await api.execute("return Args;", fail=True, ids=[1, 2], none=None)
        response, errors = result
    assert isinstance(result, ExecuteResult)
    assert response == result.response == {"fail": "1", "ids": "1,2"}
    assert errors is result.errors
    assert isinstance(errors, tuple)
    assert [error.code for error in errors] == [113, 113, 0]
    assert errors[0] == ExecuteError(
        method="users.get",
        code=113,
        message="Invalid user id",
        raw={"method": "users.get", "error_code": 113, "error_msg": "Invalid user id"},
    )
    assert simulator.ledger[0].params["code"] == "return Args;"


async def test_a_script_without_failures_has_no_errors(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("execute", run_script)
    async with make_client() as api:
        assert await api.execute("return Args;", a=1) == ExecuteResult({"a": "1"}, ())


async def test_a_script_that_vk_cannot_read_raises(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def refuse(call: Call) -> None:
        raise VKFault(12)

    simulator.add_method("execute", refuse)
    async with make_client() as api:
        with pytest.raises(CompileError):
            await api.execute("return ;;")
    assert simulator.ledger.requests == 1


async def test_a_procedure_is_run_by_name(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("execute.daily_digest", run_script)
    async with make_client() as api:
        response, errors = await api.procedure("daily_digest", day=1, fail="yes")
    assert response == {"day": "1", "fail": "yes"}
    assert len(errors) == 3


# Requests that several tasks wait for.


async def test_any_task_may_wait_for_a_request(
    simulator: Simulator, make_client: MakeClient
) -> None:
    request = APIRequest("wall.post", {"message": "hello"})
    results: list[Any] = []

    async def wait() -> None:
        results.append(await request.wait())

    async with make_client() as api, anyio.create_task_group() as tg:
        tg.start_soon(wait)
        tg.start_soon(wait)
        await anyio.sleep(1)
        results.append(await api.call_with_request(request))
    assert results == [{"post_id": 1}] * 3
    assert simulator.ledger.requests == 1


async def test_each_waiter_gets_a_separate_error(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(100))
    request = APIRequest("wall.post", {"message": "hello"})
    errors: list[APIError] = []

    async def keep_error(function: Callable[[], Any]) -> None:
        try:
            await function()
        except APIError as error:
            errors.append(error)

    async with make_client() as api, anyio.create_task_group() as tg:
        tg.start_soon(keep_error, request.wait)
        tg.start_soon(keep_error, lambda: api.call_with_request(request))
    assert [error.code for error in errors] == [100, 100]
    assert errors[0] is not errors[1]
    assert errors[0].params == {"message": "hello"}


async def test_an_error_has_all_that_is_known(
    simulator: Simulator, make_client: MakeClient
) -> None:
    extra = {"error_subcode": 1130, "ban_info": {"restore_url": "https://vk.ru/"}}
    simulator.fault(faults.error(5, "User authorization failed: x", **extra))
    async with make_client() as api:
        with pytest.raises(APIError[5]) as caught:
            await api.users.get(user_ids=[1], fields=["city", "bdate"])
    error = caught.value
    assert (error.code, error.subcode) == (5, 1130)
    assert error.message == "User authorization failed: x"
    assert error.method == "users.get"
    assert error.params == {"user_ids": "1", "fields": "city,bdate"}
    assert error.raw["ban_info"] == extra["ban_info"]
    assert error.documentation == "https://dev.vk.com/method/users.get"


# Statistics.


async def test_the_statistics_count_what_was_done(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(502), nth=2)
    simulator.fault(faults.error(6), nth=3)
    async with make_client(wait=0) as api:
        for number in range(5):
            await api.users.get(user_ids=[number + 1])
        with pytest.raises(APIError[100]):
            await api.wall.post()
        statistics = api.statistics()
    assert statistics.calls == 6
    assert statistics.sent == simulator.ledger.requests == 8
    assert statistics.batches == {1: 8}
    assert statistics.retries == {"InvalidResponseError": 1, "TooManyRequestsError": 1}
    assert statistics.too_many_requests == 1
    assert (statistics.waiting, statistics.in_flight) == (0, 0)


async def test_the_statistics_distinguish_waiting_calls_from_those_in_flight() -> None:
    simulator = Simulator(limit=0, latency=10)
    async with (
        VK(TOKEN, limit=1, http_client=simulator.http_client()) as api,
        anyio.create_task_group() as tg,
    ):
        for _ in range(5):
            tg.start_soon(api.call, "users.get")
        await anyio.sleep(1.5)
        statistics = api.statistics()
        assert (statistics.in_flight, statistics.waiting) == (2, 3)
        tg.cancel_scope.cancel()


async def test_a_client_is_made_from_a_configuration(
    simulator: Simulator,
) -> None:
    config = Config(TOKEN, limit=20, http_client=simulator.http_client())
    async with VK.from_config(config) as api:
        assert api.config is config
        assert await api.users.get(user_ids=[1])
