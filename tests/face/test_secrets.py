"""Tokens and answers to captchas appear nowhere but on the wire."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from _helpers import POST, READ
from vkanyio import VK, APIError, APIRequest, Captcha, Validation, VKError
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"
OTHER_TOKEN = "vk1.a.another-secret-token"
NEW_TOKEN = "vk1.a.the-secret-token-of-a-validation"
ANSWER = "the-secret-answer-to-a-captcha"
COOKIE = "the-secret-cookie-of-a-captcha"
SECRETS = [TOKEN, OTHER_TOKEN, NEW_TOKEN, ANSWER, COOKIE]

OWN_TOKEN = "wall.post", {"message": "hello", "access_token": OTHER_TOKEN}


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def texts_of(thing: Any) -> list[str]:
    """Return everything that a program may print about an object."""
    texts = [repr(thing), str(thing)]
    if isinstance(thing, BaseException):
        texts += traceback.format_exception(thing)
        texts += [repr(thing.args), repr(vars(thing)), repr(pickle.dumps(thing))]
        if thing.__cause__ is not None:
            texts += texts_of(thing.__cause__)
    return texts


def assert_no_secret(*texts: str) -> None:
    for text in texts:
        for secret in SECRETS:
            assert secret not in text


def assert_no_secret_logged(log: pytest.LogCaptureFixture) -> None:
    assert any(record.name == "httpx" for record in log.records)
    for record in log.records:
        assert_no_secret(record.getMessage(), repr(record.args), repr(vars(record)))


async def assert_failure_is_clean(api: VK, call: tuple[str, dict[str, Any]]) -> None:
    with pytest.raises(VKError) as caught:
        await api.call(*call)
    assert_no_secret(
        *texts_of(caught.value),
        *texts_of(api),
        *texts_of(api.config),
        *texts_of(api.statistics()),
    )


OUTCOMES: dict[str, Any] = {
    "refused": faults.refuse(),
    "dropped": faults.drop_after(),
    "late": faults.hang_before(),
    "502": faults.html(502),
    "404": faults.html(404),
    "cut short": faults.body(b'{"respo'),
    **{
        f"error {code}": faults.error(code)
        for code in (1, 5, 9, 10, 14, 15, 17, 24, 29, 100, 1117)
    },
}


@pytest.mark.parametrize("call", [READ, POST, OWN_TOKEN], ids=["read", "post", "own"])
@pytest.mark.parametrize("fault", OUTCOMES.values(), ids=OUTCOMES)
async def test_no_failure_shows_a_token(
    simulator: Simulator,
    make_client: MakeClient,
    log: pytest.LogCaptureFixture,
    fault: Any,
    call: Any,
) -> None:
    async with make_client(retry_limit=1) as api:
        await api.call(*READ)
        simulator.fault(fault, rate=1)
        await assert_failure_is_clean(api, call)
    assert_no_secret_logged(log)


@pytest.mark.parametrize("call", [READ, POST, OWN_TOKEN], ids=["read", "post", "own"])
@pytest.mark.parametrize("before", [0, 190])
@pytest.mark.parametrize("status", [404, 502])
async def test_a_page_that_repeats_the_request_shows_no_token(
    make_client: MakeClient, call: Any, before: int, status: int
) -> None:
    async def echo(request: httpx.Request) -> httpx.Response:
        page = b"x" * before + request.headers["authorization"].encode()
        return httpx.Response(status, content=page + b"\r\n" + request.content)

    client = httpx.AsyncClient(transport=httpx.MockTransport(echo))
    async with make_client(retry_limit=0, http_client=client) as api:
        await assert_failure_is_clean(api, call)


@pytest.mark.parametrize("call", [READ, OWN_TOKEN], ids=["read", "own"])
async def test_an_error_that_repeats_the_token_among_the_parameters_does_not_show_it(
    make_client: MakeClient, call: Any
) -> None:
    async def echo(request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        params = [{"key": "access_token", "value": token}]
        error = {"error_code": 100, "error_msg": "no", "request_params": params}
        return httpx.Response(200, json={"error": error})

    client = httpx.AsyncClient(transport=httpx.MockTransport(echo))
    async with make_client(http_client=client) as api:
        await assert_failure_is_clean(api, call)


async def test_no_success_shows_a_token(
    simulator: Simulator, make_client: MakeClient, log: pytest.LogCaptureFixture
) -> None:
    request = APIRequest(*OWN_TOKEN, headers={"x-trace": "1"})
    async with make_client() as api:
        await api.call_with_request(request)
        with pytest.raises(VKError) as caught:
            await api.call_with_request(request)
    assert_no_secret(*texts_of(request), *texts_of(caught.value), *texts_of(api))
    assert_no_secret_logged(log)


async def test_every_attempt_is_logged_by_the_library_without_parameters(
    simulator: Simulator, make_client: MakeClient, log: pytest.LogCaptureFixture
) -> None:
    simulator.fault(faults.html(502), times=2)
    async with make_client() as api:
        await api.users.get(user_ids=[74839201])
    ours = [record.getMessage() for record in log.records if record.name == "vkanyio"]
    assert sum("users.get, carrying 1" in text for text in ours) == 3
    assert sum("users.get is retried" in text for text in ours) == 2
    assert not any("74839201" in text for text in ours)


@pytest.mark.parametrize("code", [14, 100, 10, 5])
async def test_no_failure_shows_an_answer_to_a_captcha(
    make_client: MakeClient, log: pytest.LogCaptureFixture, code: int
) -> None:
    seen: list[str] = []
    asks = {"error": {"error_code": 14, "redirect_uri": "https://id.vk.ru/page"}}
    forms: list[bytes] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        forms.append(request.content)
        if len(forms) == 1:
            return httpx.Response(200, json=asks)
        keys = [{"key": "success_token", "value": ANSWER}]
        error = {"error_code": code, "error_msg": "no", "request_params": keys}
        return httpx.Response(200, json={"error": error})

    async def solve(captcha: Captcha) -> None:
        seen.extend(texts_of(captcha))
        try:
            await captcha.retry(ANSWER, cookie=COOKIE)
        except VKError as error:
            seen.extend(texts_of(error))
            seen.extend(texts_of(captcha))

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    async with make_client(on_captcha=solve, http_client=client) as api:
        await assert_failure_is_clean(api, POST)
    assert ANSWER.encode() in forms[1]
    assert COOKIE.encode() in forms[1]
    assert_no_secret(*seen)
    assert_no_secret_logged(log)


@pytest.mark.parametrize("answer", [ANSWER.encode(), [ANSWER], {"token": ANSWER}])
async def test_an_answer_of_a_wrong_type_is_refused_without_being_shown(
    simulator: Simulator,
    make_client: MakeClient,
    log: pytest.LogCaptureFixture,
    answer: Any,
) -> None:
    simulator.fault(faults.captcha())

    async def solve(captcha: Captcha) -> None:
        await captcha.retry(answer)

    async with make_client(on_captcha=solve) as api:
        await assert_failure_is_clean(api, POST)
    assert_no_secret_logged(log)


@pytest.mark.parametrize("token", [f"{NEW_TOKEN}\n", NEW_TOKEN.encode(), [NEW_TOKEN]])
async def test_a_token_that_cannot_be_one_is_refused_without_being_shown(
    simulator: Simulator,
    make_client: MakeClient,
    log: pytest.LogCaptureFixture,
    token: Any,
) -> None:
    simulator.fault(faults.validation())

    async def validate(question: Validation) -> Any:
        return token

    async with make_client(on_validation=validate) as api:
        await assert_failure_is_clean(api, POST)
        await api.call(*READ)
    assert_no_secret_logged(log)


async def test_a_token_of_a_validation_is_not_shown(
    simulator: Simulator, make_client: MakeClient, log: pytest.LogCaptureFixture
) -> None:
    simulator.fault(faults.validation())
    questions: list[str] = []

    async def validate(question: Validation) -> str:
        questions.extend(texts_of(question))
        return NEW_TOKEN

    async with make_client(on_validation=validate) as api:
        await api.call(*READ)
        page = f"<html>{NEW_TOKEN}</html>".encode()
        simulator.fault(faults.body(page, 404))
        await assert_failure_is_clean(api, POST)
    assert_no_secret(*questions)
    assert_no_secret_logged(log)


@pytest.mark.parametrize(
    "params",
    [
        {"access_token": f"{OTHER_TOKEN} "},
        {"access_token": [OTHER_TOKEN.encode()]},
        {"captcha_key": ANSWER.encode()},
        {"success_token": {ANSWER}, "x": object()},
    ],
)
async def test_a_call_that_cannot_be_sent_shows_no_secret(
    make_client: MakeClient, params: Any
) -> None:
    async with make_client() as api:
        with pytest.raises((TypeError, ValueError)) as caught:
            await api.call("users.get", params)
    assert_no_secret(*map(repr, [caught.value, caught.value.args]))
    assert_no_secret(str(caught.value))


async def test_secret_parameters_are_in_no_error_and_no_repr(
    make_client: MakeClient,
) -> None:
    params = {"success_token": ANSWER, "password": ANSWER, "user_id": "x"}
    request = APIRequest("status.get", params)
    assert_no_secret(repr(request))
    async with make_client() as api:
        with pytest.raises(VKError) as caught:
            await api.call_with_request(request)
    assert_no_secret(*texts_of(caught.value))


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_nothing_that_a_real_connection_logs_shows_a_token(
    log: pytest.LogCaptureFixture,
) -> None:
    simulator = Simulator(limit=0)
    simulator.fault(faults.html(502), nth=2)
    async with (
        simulator.serve() as base_url,
        VK(TOKEN, base_url=base_url, limit=1000, wait=0) as api,
    ):
        await api.call(*READ)
        await api.call(*READ)
        await api.call(*OWN_TOKEN)
    names = {record.name.partition(".")[0] for record in log.records}
    assert "httpcore" in names
    for record in log.records:
        assert_no_secret(record.getMessage(), repr(record.args))


async def test_a_closed_client_shows_no_token(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.hang_before(), rate=1)
    errors: list[VKError] = []

    async def call(api: VK) -> None:
        try:
            await api.call(*OWN_TOKEN)
        except VKError as error:
            errors.append(error)

    class LeaveError(Exception):
        pass

    async def live() -> None:
        async with make_client() as api:
            outer.start_soon(call, api)
            await anyio.sleep(1)
            raise LeaveError

    async with anyio.create_task_group() as outer:
        with pytest.raises(LeaveError) as caught:
            await live()
    assert len(errors) == 1
    assert_no_secret(*texts_of(errors[0]), *traceback.format_exception(caught.value))


@pytest.mark.parametrize("token", ["t", "1", "4", "token", "{", "\\", ":", "error"])
async def test_a_token_that_is_part_of_a_response_breaks_nothing(
    simulator: Simulator, token: str
) -> None:
    simulator.fault(faults.captcha())
    simulator.fault(faults.error(100, extra=[True, 14, None]), nth=2)
    pages: list[str | None] = []

    async def solve(captcha: Captcha) -> None:
        pages.append(captcha.redirect_uri)
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    client = simulator.http_client()
    async with VK(token, limit=1000, http_client=client, on_captcha=solve) as api:
        with pytest.raises(APIError[100]):
            await api.call(*POST)
    assert len(pages) == 1
