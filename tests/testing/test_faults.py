"""Faults, as an in-process client sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import httpx
import pytest

from vkanyio.testing import Call, Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Ask: TypeAlias = Callable[..., Awaitable[Any]]

pytestmark = pytest.mark.anyio


@pytest.fixture
async def simulator() -> Simulator:
    simulator = Simulator(limit=0, latency=0.2)
    simulator.add_method("test.get", lambda call: "got")
    simulator.add_method("test.add", lambda call: "added")
    return simulator


@pytest.fixture
async def send(simulator: Simulator) -> AsyncIterator[Ask]:
    async with simulator.http_client() as client:

        async def send(method: str = "test.add", **params: str) -> httpx.Response:
            return await client.post(
                f"https://api.vk.ru/method/{method}",
                data={"v": "5.199", "access_token": "t", **params},
            )

        yield send


@pytest.fixture
async def call(send: Ask) -> Ask:
    async def call(method: str = "test.add", **params: str) -> Any:
        response = (await send(method, **params)).json()
        return response["response"] if "response" in response else response["error"]

    return call


@pytest.fixture
async def codes(call: Ask) -> Ask:
    async def codes(*methods: str) -> list[int]:
        values = [await call(method) for method in methods]
        return [each["error_code"] if isinstance(each, dict) else 0 for each in values]

    return codes


def outcomes(simulator: Simulator) -> list[tuple[Any, str | None]]:
    return [(entry.outcome, entry.fault) for entry in simulator.ledger]


async def test_an_error_keeps_a_call_from_being_carried_out(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.error(10, error_text="sorry"))
    error = await call()
    assert error["error_code"] == 10
    assert error["error_msg"].startswith("Internal server error")
    assert error["error_text"] == "sorry"
    assert await call() == "added"
    assert outcomes(simulator) == [(10, "error"), ("carried out", None)]


async def test_an_error_can_have_any_code_and_text(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.error(7777))
    simulator.fault(faults.error(103, "you can only add 50 posts a day"))
    assert (await call())["error_msg"] == "Error 7777"
    assert (await call())["error_msg"] == "you can only add 50 posts a day"


async def test_faults_strike_in_the_order_in_which_they_were_ordered(
    simulator: Simulator, codes: Ask
) -> None:
    simulator.fault(faults.error(1), times=2)
    simulator.fault(faults.error(10))
    assert await codes(*["test.add"] * 4) == [1, 1, 10, 0]


async def test_a_fault_can_be_meant_for_one_method(
    simulator: Simulator, codes: Ask
) -> None:
    simulator.fault(faults.error(1), "test.add")
    assert await codes("test.get", "test.add", "test.add") == [0, 1, 0]


async def test_a_fault_can_begin_with_the_nth_call_of_its_kind(
    simulator: Simulator, codes: Ask
) -> None:
    simulator.fault(faults.error(1), "test.add", nth=2, times=2)
    methods = ["test.add", "test.get", "test.add", "test.add", "test.add"]
    assert await codes(*methods) == [0, 0, 1, 1, 0]


async def test_a_rate_strikes_its_share_the_same_in_every_run(codes: Ask) -> None:
    async def run(seed: int, rate: float) -> list[Any]:
        simulator = Simulator(limit=0, seed=seed)
        simulator.fault(faults.error(1), rate=rate)
        async with simulator.http_client() as client:
            url = "https://vk/method/users.get?v=5.199&access_token=t"
            for _ in range(200):
                await client.get(url)
        return [entry.outcome for entry in simulator.ledger]

    assert await run(1, 0.25) == await run(1, 0.25) != await run(2, 0.25)
    assert 25 < (await run(1, 0.25)).count(1) < 75
    assert set(await run(1, 1)) == {1}
    assert set(await run(1, 0)) == {"carried out"}


async def test_a_rate_can_be_bounded_by_a_number(
    simulator: Simulator, codes: Ask
) -> None:
    simulator.fault(faults.error(1), rate=1, times=2)
    assert await codes(*["test.add"] * 3) == [1, 1, 0]


async def test_faults_can_be_taken_back(simulator: Simulator, codes: Ask) -> None:
    simulator.fault(faults.error(1), rate=1)
    simulator.clear_faults()
    assert await codes("test.add") == [0]


@pytest.mark.parametrize("options", [{"nth": 0}, {"times": 0}, {"rate": 1.5}])
async def test_an_invalid_rule_is_refused(
    simulator: Simulator, options: dict[str, Any]
) -> None:
    [name] = options
    with pytest.raises(ValueError, match=name):
        simulator.fault(faults.error(1), **options)


async def test_the_limit_goes_before_the_faults() -> None:
    simulator = Simulator(limit=1)
    simulator.fault(faults.error(10), nth=2)
    url = "https://vk/method/users.get?v=5.199&access_token=t"
    async with simulator.http_client() as client:
        for pause in (0, 0, 1, 1):
            await anyio.sleep(pause)
            await client.get(url)
    assert [entry.outcome for entry in simulator.ledger] == [
        "carried out",
        6,
        10,
        "carried out",
    ]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(faults.drop_before(), "drop_before"), (faults.drop_after(), "carried out")],
)
async def test_a_dropped_connection_is_an_error_of_httpx(
    simulator: Simulator, send: Ask, fault: Any, outcome: str
) -> None:
    simulator.fault(fault)
    with pytest.raises(httpx.ReadError) as caught:
        await send()
    assert caught.value.request.url.path == "/method/test.add"
    assert outcomes(simulator) == [(outcome, fault.name)]


async def test_a_refused_connection_leaves_no_trace(
    simulator: Simulator, send: Ask
) -> None:
    simulator.fault(faults.refuse())
    with pytest.raises(httpx.ConnectError) as caught:
        await send()
    assert caught.value.request.url.path == "/method/test.add"
    assert simulator.ledger.requests == len(simulator.ledger) == 0
    assert (await send()).status_code == 200


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(faults.hang_before(), "hang_before"), (faults.hang_after(), "carried out")],
)
async def test_a_hang_lasts_until_the_client_has_enough(
    simulator: Simulator, send: Ask, fault: Any, outcome: str
) -> None:
    simulator.fault(fault)
    with anyio.move_on_after(3600) as scope:
        await send()
    assert scope.cancelled_caught
    assert outcomes(simulator) == [(outcome, fault.name)]


async def test_a_timeout_of_httpx_ends_a_hang(simulator: Simulator) -> None:
    simulator.fault(faults.hang_before())
    start = anyio.current_time()
    async with simulator.http_client(timeout=7) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("https://vk/method/test.get?v=5.199&access_token=t")
    assert anyio.current_time() - start == pytest.approx(7)


@pytest.mark.parametrize("after", [False, True])
async def test_an_error_page_replaces_the_response(
    simulator: Simulator, send: Ask, after: bool
) -> None:
    simulator.fault(faults.html(after=after))
    response = await send()
    assert response.status_code == 502
    assert response.headers["content-type"] == "text/html"
    assert "502 Bad Gateway" in response.text
    assert outcomes(simulator) == [("carried out" if after else "html", "html")]


async def test_an_error_page_may_have_further_headers(
    simulator: Simulator, send: Ask
) -> None:
    simulator.fault(faults.html(503, headers={"Retry-After": "2"}))
    response = await send()
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"
    assert response.headers["content-type"] == "text/html"
    assert "retry-after" not in (await send()).headers


@pytest.mark.parametrize("after", [False, True])
async def test_any_bytes_replace_the_response(
    simulator: Simulator, send: Ask, after: bool
) -> None:
    simulator.fault(faults.body(b'{"response":[1,', after=after))
    response = await send()
    assert (response.status_code, response.content) == (200, b'{"response":[1,')
    assert outcomes(simulator) == [("carried out" if after else "body", "body")]


@pytest.mark.parametrize(("after", "lag"), [(False, 5), (True, 0)])
async def test_a_delay_is_added_to_the_latency(
    simulator: Simulator, call: Ask, after: bool, lag: float
) -> None:
    simulator.fault(faults.delay(5, after=after))
    start = anyio.current_time()
    assert await call() == "added"
    assert anyio.current_time() - start == pytest.approx(5.2)
    assert simulator.ledger[0].time == pytest.approx(start + 0.1 + lag)
    assert outcomes(simulator) == [("carried out", "delay")]


async def test_a_call_that_is_refused_anyway_is_not_carried_out(
    simulator: Simulator, send: Ask
) -> None:
    simulator.fault(faults.html(504, after=True))
    assert (await send("no.such")).status_code == 504
    assert outcomes(simulator) == [(3, "html")]


async def test_the_new_captcha_is_solved_by_its_page(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.captcha(), rate=1)
    error = await call()
    assert (error["error_code"], error["error_msg"]) == (14, "Captcha needed")
    assert "not_robot_captcha" in error["redirect_uri"]
    token = simulator.solve(error["redirect_uri"])
    assert await call(success_token=token) == "added"
    assert outcomes(simulator) == [(14, "captcha"), ("carried out", None)]


async def test_the_old_captcha_is_solved_by_its_image(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.captcha("old"), rate=1)
    error = await call()
    assert "redirect_uri" not in error
    sid, key = error["captcha_sid"], simulator.solve(error["captcha_img"])
    assert key == simulator.solve(sid)
    assert await call(captcha_sid=sid, captcha_key=key) == "added"


async def test_a_wrong_answer_to_a_captcha_gets_a_new_one(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.captcha("old"))
    first = await call()
    wrong = {"captcha_sid": first["captcha_sid"], "captcha_key": "wrong"}
    second = await call(**wrong)
    assert second["error_code"] == 14
    assert second["captcha_sid"] != first["captcha_sid"]
    key = simulator.solve(second["captcha_img"])
    third = await call(captcha_sid=first["captcha_sid"], captcha_key=key)
    assert third["error_code"] == 14
    assert await call(captcha_sid=second["captcha_sid"], captcha_key=key) == "added"


async def test_a_wrong_token_gets_a_new_page(simulator: Simulator, call: Ask) -> None:
    simulator.fault(faults.captcha())
    first = await call()
    second = await call(success_token="wrong")
    assert second["redirect_uri"] not in ("", first["redirect_uri"])


async def test_a_new_captcha_does_not_accept_an_old_ones_answer(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.captcha())
    first = await call()
    token = simulator.solve(first["redirect_uri"])
    second = await call(captcha_sid=first["captcha_sid"], captcha_key=token)
    assert second["redirect_uri"] not in ("", first["redirect_uri"])


async def test_an_answer_to_a_captcha_is_valid_for_one_call(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.captcha())
    token = simulator.solve((await call())["redirect_uri"])
    assert await call(success_token=token) == "added"
    assert (await call(success_token=token))["error_code"] == 14


async def test_a_captcha_lives_for_five_minutes(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.captcha())
    question = (await call())["redirect_uri"]
    token = simulator.solve(question)
    await anyio.sleep(300)
    assert (await call(success_token=token))["error_code"] == 14
    with pytest.raises(ValueError, match="no unsolved captcha"):
        simulator.solve(question)


async def test_a_solved_captcha_does_not_keep_other_faults_away(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.captcha())
    token = simulator.solve((await call())["redirect_uri"])
    simulator.fault(faults.error(10))
    assert (await call(success_token=token))["error_code"] == 10


async def test_a_confirmed_call_is_accepted(simulator: Simulator, call: Ask) -> None:
    simulator.fault(faults.confirmation("Really?"), rate=1)
    error = await call()
    assert error["error_code"] == 24
    assert error["confirmation_text"] == "Really?"
    assert (await call(confirm="0"))["error_code"] == 24
    assert await call(confirm="1") == "added"


async def test_validation_sends_the_person_to_a_page(
    simulator: Simulator, call: Ask
) -> None:
    simulator.fault(faults.validation("https://vk/validate"))
    error = await call()
    assert error["error_code"] == 17
    assert error["redirect_uri"] == "https://vk/validate"


async def test_a_call_of_a_handler_gets_faults_like_one_of_a_script(
    simulator: Simulator, call: Ask
) -> None:
    async def execute(call: Call) -> Any:
        try:
            return await call.invoke("test.add")
        except VKFault as refusal:
            return refusal.code

    simulator.add_method("execute", execute)
    simulator.fault(faults.error(15), "test.add")
    simulator.fault(faults.drop_before(), "test.add")
    assert await call("execute") == 15
    with pytest.raises(httpx.ReadError):
        await call("execute")
    assert await call("execute") == "added"
    assert outcomes(simulator) == [
        (15, "error"),
        ("carried out", None),
        ("drop_before", "drop_before"),
        ("drop_before", None),
        ("carried out", None),
        ("carried out", None),
    ]


async def test_a_function_that_was_not_called_is_not_a_fault(
    simulator: Simulator,
) -> None:
    with pytest.raises(TypeError, match=r"such as faults\.drop_after\(\), not <func"):
        simulator.fault(faults.drop_before)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [5, 1117])
async def test_a_token_can_expire_for_one_call(
    simulator: Simulator, call: Ask, code: Any
) -> None:
    simulator.fault(faults.expired_token(code))
    error = await call()
    assert error["error_code"] == code
    assert (
        error["error_msg"]
        .rstrip(".")
        .endswith("ccess" + ("_" if code == 5 else " ") + "token has expired")
    )
    assert await call() == "added"
    assert outcomes(simulator) == [(code, "expired_token"), ("carried out", None)]


@pytest.mark.parametrize(
    ("after", "outcome"), [(False, "truncated"), (True, "carried out")]
)
async def test_a_complete_response_can_have_half_a_json_body(
    simulator: Simulator, send: Ask, after: bool, outcome: str
) -> None:
    simulator.fault(faults.truncated(after=after))
    response = await send()
    assert response.status_code == 200
    assert response.headers["content-length"] == str(len(response.content))
    assert response.text.startswith('{"respon')
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        response.json()
    assert outcomes(simulator) == [(outcome, "truncated")]


async def test_a_connection_can_break_in_the_middle_of_the_body(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.drop_midway())
    url = "https://vk/method/test.add?v=5.199&access_token=t"
    received = bytearray()

    async def read(response: httpx.Response) -> None:
        async for chunk in response.aiter_raw():
            received.extend(chunk)

    async with simulator.http_client() as client, client.stream("GET", url) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="closed connection"):
            await read(response)
    assert 0 < len(received) < int(response.headers["content-length"])
    assert outcomes(simulator) == [("carried out", "drop_midway")]


async def test_a_slow_body_comes_by_and_by_and_as_a_whole(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.slow_body(60))
    url = "https://vk/method/test.add?v=5.199&access_token=t"
    start = anyio.current_time()
    async with (
        simulator.http_client(timeout=10) as client,
        client.stream("GET", url) as response,
    ):
        assert anyio.current_time() - start == pytest.approx(0.2)
        pieces = [piece async for piece in response.aiter_raw()]
    assert b"".join(pieces) == b'{"response":"added"}'
    assert len(pieces) == 20
    assert anyio.current_time() - start == pytest.approx(60.2)


async def test_a_body_that_is_too_slow_causes_an_httpx_timeout(
    simulator: Simulator,
) -> None:
    simulator.fault(faults.slow_body(60))
    async with simulator.http_client(timeout=1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("https://vk/method/test.add?v=5.199&access_token=t")
