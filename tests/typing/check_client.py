"""What a type checker makes of a client: checked, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

import httpx
import httpx2

from vkanyio import (
    VK,
    APIRequest,
    CallStream,
    Captcha,
    Config,
    Confirmation,
    ExecuteError,
    ExecuteResult,
    Limiter,
    MethodGroup,
    SettledCall,
    Statistics,
    Token,
    TokenFunction,
    TokenView,
    Validation,
)
from vkanyio.vkid import VKID, FileTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable


async def solve(captcha: Captcha) -> None:
    await captcha.retry("answer", cookie="cookie")


async def validate(validation: Validation) -> str:
    return "token"


async def confirm(confirmation: Confirmation) -> bool:
    return True


def solve_at_once(captcha: Captcha) -> None: ...


async def confirm_by_word(confirmation: Confirmation) -> str:
    return "yes"


# Options


def options() -> None:
    assert_type(VK("token"), VK)
    VK(
        "token",
        limit=20,
        wait=1,
        mode="parallel",
        request_mode="burst",
        execute_count=25,
        execute_methods=["messages.send"],
        execute_unsupported_methods={"docs.save"},
        retry_limit=3,
        retry_unsafe=True,
        timeout=5,
        version="5.199",
        base_url="http://localhost",
        headers={"X-A": "1"},
        language="ru",
        proxy=None,
        http_client=httpx.AsyncClient(),
        limiter=Limiter(3, request_mode="burst", window=1),
        max_waiting=1,
        max_connections=1,
        on_captcha=solve,
        on_validation=validate,
        on_confirmation=confirm,
    )
    VK("token", http_client=httpx2.AsyncClient())
    VK()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    VK(b"token")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    VK("token", limt=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    VK("token", limit="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    VK("token", mode="fast")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    VK("token", language="xx")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    VK("token", http_client=httpx.Client())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    VK("token", on_captcha=solve_at_once)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    VK("token", on_confirmation=confirm_by_word)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def token(refused: str | None) -> str | Token:
    return "token" if refused is None else Token("another")


async def token_alone(refused: str | None) -> str:
    return refused or "token"


async def token_without_argument() -> str:
    return "token"


def plain_token(refused: str | None) -> str:
    return refused or "token"


def token_functions() -> None:
    assert_type(VK(token), VK)
    assert_type(VK(token_alone, limit=20), VK)
    VK(VKID(client_id=1, store=FileTokens("tokens.json")))
    VK(token_without_argument)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    VK(plain_token)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def views(api: VK) -> None:
    view = api.as_token("another", limit=20, mode="parallel")
    assert_type(view, TokenView)
    assert_type(view.statistics(), Statistics)
    assert_type((await view.users.get(user_ids=[1]))[0]["id"], int)
    async with api.as_token(token) as held:
        assert_type(held, TokenView)
    assert_type(api.stream([("users.get", {})], views=[api, view]), CallStream)
    api.stream([("users.get", {})], views=["token"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    api.as_token("another", timeout=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    api.as_token("another", limit="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def configuration() -> None:
    config = Config("token", limit=20, language="en", on_captcha=solve)
    assert_type(config.token, str | TokenFunction)
    assert_type(config.limit, int)
    assert_type(config.timeout, float)
    Config("token", limiter=Limiter(20))
    Config("token", limiter=20)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(VK.from_config(config), VK)
    assert_type(VK("token").config, Config)
    Config("token", timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Config("token", time_out=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    config.limit = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    VK.from_config("token")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Calls


async def calls() -> None:
    async with VK("token") as api:
        assert_type(api, VK)
        group: MethodGroup = api.users
        assert_type(repr(group), str)
        assert_type(await api.call("users.get", {"user_ids": 1}), Any)
        assert_type(await api.call("users.get"), Any)
        assert_type(api.statistics(), Statistics)
        await api.call("users.get", user_ids=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        await api.call("users.get", [1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await api.users  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
        await api.call_with_request("users.get")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def requests(api: VK) -> None:
    request = APIRequest("users.get", {"user_ids": 1}, headers={}, repeatable=None)
    assert_type(await api.call_with_request(request), Any)
    assert_type(await api.gather([request, ("users.get", {"user_ids": 1})]), list[Any])
    assert_type(await request.wait(), Any)
    assert_type(str(request), str)
    APIRequest("users.get", repeatable="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    APIRequest("users.get", {}, {})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await api.gather(["users.get"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


async def streams(
    api: VK, ids: list[int], later: AsyncIterable[tuple[str, dict[str, str]]]
) -> None:
    calls = (("users.get", {"user_ids": i}) for i in ids)
    async with api.stream(calls, ordered=True, max_pending=5) as settled:
        assert_type(settled, CallStream)
        async for call in settled:
            assert_type(call, SettledCall)
            assert_type(call.index, int)
            assert_type(call.request, APIRequest | None)
            assert_type(call.result(), Any)
    assert_type(api.stream(later), CallStream)
    api.stream([APIRequest("users.get")])
    api.stream("users.get")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    api.stream([], True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def scripts(api: VK) -> None:
    result = await api.execute("return Args.a;", a=1)
    assert_type(result, ExecuteResult)
    assert_type(result.response, Any)
    assert_type(result.errors, tuple[ExecuteError, ...])
    response, errors = result
    assert_type(response, Any)
    assert_type(errors, tuple[ExecuteError, ...])
    for error in result.errors:
        assert_type(error.code, int)
        assert_type(error.method, str)
    assert_type(await api.execute(code="return Args.a;", a=1), ExecuteResult)
    assert_type(await api.procedure("mine", count=1), ExecuteResult)
    result.response = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def a_call_is_awaitable(api: VK) -> Awaitable[Any]:
    return api.users.get()
