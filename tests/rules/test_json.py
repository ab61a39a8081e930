"""JSON as VK writes it, wherever a response has it."""

from __future__ import annotations

from typing import Any

import pytest

from vkanyio import APIRequest, CaptchaError, ParameterError
from vkanyio._batch import read_batch
from vkanyio._error_fields import MAX_PARSED
from vkanyio._json import read_json
from vkanyio._masking import Secrets
from vkanyio._outcome import Failure, Success
from vkanyio._response import read_response

REQUEST = APIRequest("users.get")
SECRETS = Secrets("vk1.a.the-secret-token")

ODD: dict[str, tuple[bytes, str]] = {
    "a control character": (b"a\x01b", "a\x01b"),
    "a line end": (b"a\r\nb\tc", "a\r\nb\tc"),
    "a zero": (b"a\x00b", "a\x00b"),
    "a cut character": (b"\xd0\xb0\xd0b", "\u0430\ufffdb"),
    "a byte of another encoding": (b"a\xe6b", "a\ufffdb"),
    "half of a pair": (b"a\xed\xa0\xbdb", "a\ufffd\ufffd\ufffdb"),
    "an escaped half of a pair": (b"a\\ud83db", "a\ud83db"),
}
odd = pytest.mark.parametrize(("raw", "text"), ODD.values(), ids=ODD)


def read(body: bytes) -> Any:
    return read_response(200, body, REQUEST, SECRETS)


@odd
def test_a_value_is_read(raw: bytes, text: str) -> None:
    body = b'{"response":[{"id":7,"nickname":"' + raw + b'","' + raw + b'":1}]}'
    assert read(body) == Success([{"id": 7, "nickname": text, text: 1}])


@odd
def test_an_error_is_read(raw: bytes, text: str) -> None:
    body = b'{"error":{"error_code":100,"error_msg":"' + raw + b'","more":"'
    result = read(body + raw + b'"}}')
    assert isinstance(result, Failure)
    assert isinstance(result.error, ParameterError)
    assert result.error.message == text
    assert result.error.raw["more"] == text
    assert not result.maybe_carried_out


@odd
def test_a_large_error_is_read(raw: bytes, text: str) -> None:
    filler = b'"request_params":"' + b"x" * MAX_PARSED + b'",'
    body = b'{"error":{' + filler + b'"' + raw + b'":"' + raw
    result = read(body + b'","error_msg":"' + raw + b'","error_code":100}}')
    assert isinstance(result, Failure)
    assert isinstance(result.error, ParameterError)
    assert result.error.message == text
    assert result.error.raw[text] == text


@odd
def test_a_captcha_is_read(raw: bytes, text: str) -> None:
    body = b'{"error":{"error_code":14,"error_msg":"' + raw
    result = read(body + b'","captcha_sid":"5","captcha_img":"http://a"}}')
    assert isinstance(result, Failure)
    assert isinstance(result.error, CaptchaError)
    assert result.error.raw["captcha_sid"] == "5"
    assert result.error.message == text


@odd
def test_a_batch_is_read(raw: bytes, text: str) -> None:
    calls = [APIRequest("users.get", {"user_ids": i}) for i in range(3)]
    entry = b'{"method":"users.get","error_code":100,"error_msg":"' + raw + b'"}'
    body = b'{"response":[1,"' + raw + b'",false],"execute_errors":[' + entry + b"]}"
    success = read(body)
    one, odd_one, failed = read_batch(calls, success, body, SECRETS)
    assert (one, odd_one) == (Success(1), Success(text))
    assert isinstance(failed, Failure)
    assert isinstance(failed.error, ParameterError)
    assert failed.error.message == text


@pytest.mark.parametrize(
    "body",
    [
        *(b'{"response":1,}', b'{"response":[1', b'{"response":"a}', b"", b"\xff"),
        *(b"{'response':1}", b'{"response":1}x', b'\x01{"response":1}'),
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of Python's own
        read_json(body)
    result = read(body)
    assert isinstance(result, Failure)
    assert result.maybe_carried_out


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    assert read_json(b'\xef\xbb\xbf{"response":1}') == {"response": 1}
