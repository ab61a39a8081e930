"""One sweep: servers repeat the request in every way, and nothing shows a secret.

Everything that a program could print is searched: raised errors with their causes,
notes and tracebacks, the client and its parts, and each log record.
"""

from __future__ import annotations

import copy
import gzip
import json
import pickle
import re
import traceback
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote_plus

import anyio
import pytest

from _bad_responses import chunked, http_response
from _helpers import LIBRARY
from _probe import Probe
from _sockets import listening, read_request
from vkanyio import VK, APIRequest, Captcha, Validation, VKError
from vkanyio._masking import Secrets
from vkanyio.testing import Call, Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.streams.buffered import BufferedByteStream

TOKEN = "vk1.a.the-secret-token-of-a-client"
OWN_TOKEN = "vk1.a.the-secret-token-of-one-call"
NEW_TOKEN = "vk1.a.the-secret-token-of-a-validation"
ANSWER = "the+secret/answer=to a captcha&all"
SHORT_ANSWER = "xq7fz"
COOKIE = "the secret cookie; of a captcha"
PASSWORD_OF_ASCII = "a-password-of-a-proxy"
PASSWORD = "pässword&of a person"
SECRETS = [TOKEN, OWN_TOKEN, NEW_TOKEN, ANSWER, SHORT_ANSWER, COOKIE, PASSWORD]
FORMS = [
    form
    for secret in SECRETS
    for form in (secret, quote_plus(secret), json.dumps(secret)[1:-1])
]
ANY_FORM = re.compile("|".join(map(re.escape, FORMS)))

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("users.get", {"user_ids": 1}),
    ("wall.post", {"message": "hello"}),
    ("wall.post", {"message": "hello", "access_token": OWN_TOKEN}),
    ("account.changePassword", {"new_password": PASSWORD, "old_password": PASSWORD}),
    ("users.search", {"q": "a", "captcha_key": SHORT_ANSWER}),
    ("messages.send", {"peer_id": 1, "message": "hi"}),
]


class Echo:
    """A request, as a server repeats it."""

    def __init__(self, request: bytes) -> None:
        head, _, self.form = request.partition(b"\r\n\r\n")
        token = re.search(rb"(?i)authorization: bearer (\S+)", head)
        assert token is not None
        self.token = token[1].decode()
        # Quotes of it are truncated, so the secrets come first.
        line = self.token.encode() + b" " + self.form + b" " + request
        self.line = line.replace(b"\r\n", b" ")
        self.params = {**dict(parse_qsl(self.form.decode())), "t": self.token}
        self.pairs = [{"key": k, "value": v} for k, v in self.params.items()]
        self.page = b"<pre>" + self.line + b"</pre>" + repr(self.params).encode()

    def error(self, code: int, **more: Any) -> bytes:
        error = {"error_code": code, "request_params": self.pairs, **more}
        return json_response({"error": error})


def json_response(value: Any) -> bytes:
    return http_response(json.dumps(value).encode())


def nest(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


ECHOES: dict[str, Callable[[Echo], bytes]] = {
    "as a page": lambda e: http_response(e.page),
    "as a page of a gateway": lambda e: http_response(e.page, status="403 Forbidden"),
    "as a page of a failure": lambda e: http_response(e.page, status="502 Bad Gateway"),
    "in gzip": lambda e: http_response(gzip.compress(e.page), "content-encoding: gzip"),
    "beyond what is shown": lambda e: http_response(b"x" * 190 + e.page),
    "as too large a page": lambda e: http_response(e.page + b" " * 2000),
    "instead of a status": lambda e: e.line + b"\r\n\r\n",
    "as a reason": lambda e: http_response(b"{}", status=f"200 {e.token}"),
    "as a broken header": lambda e: b"HTTP/1.1 200 OK\r\n" + e.line + b": 1\r\n\r\n",
    "as a length": lambda e: b"HTTP/1.1 200 OK\r\ncontent-length: %b\r\n\r\n" % e.line,
    "as a chunk": lambda e: chunked(end=e.line + b"\r\n"),
    "as a chunk of an error": lambda e: chunked(e.page),
    "with error 100": lambda e: e.error(100),
    "with error 10": lambda e: e.error(10, error_msg="oh"),
    "with error 14": lambda e: e.error(14, captcha_sid="1", captcha_img="http://x"),
    "with error 17": lambda e: e.error(17, redirect_uri=f"http://x/?t={e.token}"),
    "in the text of an error": lambda e: e.error(100, error_msg=f"no: {e.token}"),
    "in fields of an error": lambda e: e.error(
        100, error_text=e.token, x=[{e.token: e.params["t"]}]
    ),
    "deep in an error": lambda e: e.error(100, x=nest(e.token, 500)),
    "escaped in an error": lambda e: http_response(
        b'{"error":{"error_code":100,"error_msg":"\\u%04x%b"}}'
        % (ord(e.token[0]), e.token[1:].encode())
    ),
    "as another error": lambda e: json_response({"error": e.params}),
    "as a list": lambda e: json_response([e.params]),
    "in errors of a script": lambda e: json_response(
        {
            "response": [False] * 6,
            "execute_errors": [
                {"method": "x", "error_code": 1, "request_params": e.pairs}
            ],
        }
    ),
}


def chain(error: BaseException) -> list[BaseException]:
    """Return an error with its causes and contexts."""
    found: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and one not in found:
            found.append(one)
            todo += [one.__cause__, one.__context__]
            todo += one.exceptions if isinstance(one, BaseExceptionGroup) else []
    return found


def texts_of(thing: Any) -> list[str]:
    """Return everything that a program may print about an object."""
    texts = [repr(thing), str(thing), f"{thing}", repr(copy.copy(thing))]
    if isinstance(thing, BaseException):
        for error in chain(thing):
            texts += [repr(error), str(error), repr(error.args), repr(vars(error))]
            texts += getattr(error, "__notes__", [])
            if isinstance(error, VKError):
                texts.append(repr(pickle.dumps(error)))
        texts += traceback.format_exception(thing)
        texts += locals_of_the_library(thing)
    return texts


def locals_of_the_library(error: BaseException) -> list[str]:
    """Return what error reporters show of local variables of the library."""
    texts: list[str] = []
    for one in chain(error):
        shown = traceback.TracebackException.from_exception(one, capture_locals=True)
        for frame in shown.stack:
            if frame.filename.startswith(LIBRARY):
                texts += (frame.locals or {}).values()
    return texts


def parts_of(api: VK) -> list[Any]:
    """Return a client and the parts of it that somebody may print."""
    return [api, api.config, api.statistics(), *Probe(api).parts]


def assert_no_secret(texts: list[str]) -> None:
    found = ANY_FORM.search("\n".join(set(texts)))
    assert found is None, found.string[max(0, found.start() - 500) : found.end()]


def assert_no_secret_logged(log: pytest.LogCaptureFixture) -> None:
    assert "httpcore" in {record.name.partition(".")[0] for record in log.records}
    texts: list[str] = []
    for record in log.records:
        # httpcore logs the head of a response unchanged, even if it is not HTTP.
        is_of_the_response = record.name.startswith("httpcore") and (
            record.getMessage().startswith("receive_response_")
        )
        if not is_of_the_response:
            texts += [record.getMessage(), repr(vars(record))]
    assert_no_secret(texts)


@pytest.fixture(autouse=True)
def log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    caplog.set_level(1)  # below DEBUG, where httpx once had its TRACE level
    for scheme in ("http", "https", "all"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)
    return caplog


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_a_server_that_repeats_the_request_reveals_no_secret(
    echo: Callable[[Echo], bytes], log: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    sent: list[bytes] = []
    shown: list[str] = []
    key = "success_token"

    async def serve(stream: BufferedByteStream) -> None:
        request = await read_request(stream)
        sent.append(request)
        has_answer = key.encode() in request
        if b"/messages.send " in request and not has_answer:
            asks = {"error_code": 14, "redirect_uri": "https://id.vk.ru/page"}
            await stream.send(json_response({"error": asks}))
        elif b"/status.get " in request and NEW_TOKEN.encode() not in request:
            asks = {"error_code": 17, "redirect_uri": "https://id.vk.ru/page"}
            await stream.send(json_response({"error": asks}))
        else:
            await stream.send(echo(Echo(request)))

    async def solve(captcha: Captcha) -> None:
        shown.extend(texts_of(captcha))
        try:
            await captcha.retry(ANSWER, cookie=COOKIE)
        except VKError as error:
            shown.extend(texts_of(error))
            shown.extend(texts_of(captcha))
            raise

    async def validate(question: Validation) -> str:
        shown.extend(texts_of(question))
        return NEW_TOKEN

    async def call(api: VK, request: APIRequest) -> None:
        try:
            seen.append(await api.call_with_request(request))
        except VKError as error:
            shown.extend(texts_of(error))
        shown.append(repr(request))

    async def run_script(api: VK) -> None:
        try:
            result = await api.execute("return API.users.get();", password=PASSWORD)
        except VKError as error:
            shown.extend(texts_of(error))
        else:
            shown.append(repr([error for error in result.errors if error.code != 1]))
            assert all("request_params" not in error.raw for error in result.errors)

    options: dict[str, Any] = {"on_captcha": solve, "on_validation": validate}
    with warnings.catch_warnings(record=True) as warned, anyio.fail_after(20):
        async with listening(serve) as base_url:
            for mode in ("sequential", "parallel"):
                async with VK(
                    TOKEN,
                    base_url=base_url,
                    limit=1000,
                    wait=0,
                    retry_limit=0,
                    mode=mode,
                    max_answer=1500,
                    **options,
                ) as api:
                    async with anyio.create_task_group() as tg:
                        tg.start_soon(run_script, api)
                        for name, params in CALLS:
                            tg.start_soon(call, api, APIRequest(name, params))
                    await call(api, APIRequest("status.get"))
                    for part in parts_of(api):
                        shown.extend(texts_of(part))
    forms = b"\n".join(sent)
    for secret in SECRETS:
        assert quote_plus(secret).encode() in forms or secret.encode() in forms
    assert shown
    assert warned == []
    assert_no_secret(shown)
    assert_no_secret_logged(log)


@pytest.mark.anyio
@pytest.mark.parametrize("token", [f"{NEW_TOKEN}\n", [NEW_TOKEN]])
async def test_a_token_that_cannot_be_one_is_in_no_local_variable(
    simulator: Simulator, make_client: Callable[..., VK], token: Any
) -> None:
    async def validate(question: Validation) -> Any:
        return token

    simulator.fault(faults.validation())
    async with make_client(on_validation=validate) as api:
        with pytest.raises(VKError) as caught:
            await api.call("users.get")
    assert isinstance(caught.value.__cause__, TypeError | ValueError)
    assert_no_secret(texts_of(caught.value))


@pytest.mark.anyio
async def test_a_simulator_shows_no_secret(
    simulator: Simulator, make_client: Callable[..., VK], log: pytest.LogCaptureFixture
) -> None:
    async def solve(captcha: Captcha) -> None:
        with suppress(VKError):
            await captcha.retry(ANSWER, cookie=COOKIE)

    shown: list[str] = []

    def note(call: Call) -> int:
        shown.append(repr(call))
        return 1

    simulator.add_method("account.changePassword", note)
    simulator.fault(faults.captcha(), "messages.send", rate=1)
    async with make_client(on_captcha=solve, mode="parallel") as api:
        for name, params in CALLS:
            with suppress(VKError):
                await api.call(name, params)
    values = [value for entry in simulator.ledger for value in entry.params.values()]
    assert {ANSWER, COOKIE, PASSWORD, SHORT_ANSWER} <= set(values)
    assert len(shown) == 1
    shown += [repr(simulator), str(simulator), repr(simulator.ledger)]
    shown += [f"{entry!r} {entry}" for entry in simulator.ledger]
    shown += [record.getMessage() for record in log.records]
    shown += [repr(vars(record)) for record in log.records]
    assert_no_secret(shown)


@pytest.mark.anyio
async def test_headers_of_the_user_are_in_no_repr(
    make_client: Callable[..., VK],
) -> None:
    async with make_client(headers={"x-key": PASSWORD_OF_ASCII}) as api:
        for part in parts_of(api):
            assert PASSWORD_OF_ASCII not in f"{part!r} {part}"


def test_a_secret_of_a_request_is_hidden_as_text_and_form_encoded() -> None:
    secrets = Secrets(
        TOKEN, {"password": PASSWORD, "q": "text"}, {"captcha_key": "a b"}
    )
    text = f"{TOKEN} {PASSWORD} {quote_plus(PASSWORD)} text a b {TOKEN}"
    assert secrets.hide(text) == "*** *** *** text a b ***"
    assert secrets.hide_bytes(text.encode()) == b"*** *** *** text a b ***"
    assert_no_secret([repr(secrets)])


def test_a_secret_that_contains_another_is_hidden_whole() -> None:
    secrets = Secrets(TOKEN, {"password": f"{TOKEN}-and-more"}, {"token": TOKEN[:9]})
    assert secrets.hide(f"{TOKEN}-and-more {TOKEN[:9]}") == "*** ***"


def test_the_fields_of_an_error_that_programs_use_lose_only_long_secrets() -> None:
    secrets = Secrets(TOKEN, {"captcha_key": SHORT_ANSWER})
    error = {TOKEN: [f"?{TOKEN}&sid={SHORT_ANSWER}", 1, None], "x": {"y": TOKEN}}
    hidden = {"***": [f"?***&sid={SHORT_ANSWER}", 1, None], "x": {"y": "***"}}
    assert secrets.hide_in_json(error) == hidden


def test_secrets_are_hidden_in_an_error_of_any_depth() -> None:
    hidden = Secrets(TOKEN).hide_in_json(nest(TOKEN, 900))
    while isinstance(hidden, list):
        [hidden] = hidden
    assert hidden == "***"
