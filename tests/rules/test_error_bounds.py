"""An error takes and keeps a bounded amount of a response, however large that is."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import APIError, APIRequest, InvalidResponseError, _response
from vkanyio import _error_fields as bounds
from vkanyio._batch import read_batch
from vkanyio._error_fields import MAX_KEPT, MAX_MESSAGE, is_error
from vkanyio._json import read_json
from vkanyio._masking import Secrets
from vkanyio._outcome import Failure, Success
from vkanyio._response import read_response

TOKEN = "vk1.a.the-secret-token"
REQUEST = APIRequest("users.get", {"user_ids": 1})
SECRETS = Secrets(TOKEN, REQUEST.params)
SIZE = 2 * 2**20
QUESTION = (
    b'"captcha_sid":"5","captcha_img":"https://a/i","captcha_attempt":1,'
    b'"captcha_ts":1718635522.070,"redirect_uri":"https://a/p"'
)
FIELDS = {
    "captcha_sid": "5",
    "captcha_img": "https://a/i",
    "captcha_attempt": 1,
    "captcha_ts": "1718635522.070",
    "redirect_uri": "https://a/p",
}


def read(body: bytes) -> APIError:
    failure = read_response(200, body, REQUEST, SECRETS)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, APIError)
    return failure.error


def error_with(field: bytes) -> bytes:
    return b'{"error":{"error_code":14,%b,%b}}' % (field, QUESTION)


LARGE: dict[str, bytes] = {
    "empty lists": b'"x":[' + b"[]," * (SIZE // 3) + b"[]]",
    "lists": b'"x":[' + b"[[1]]," * (SIZE // 6) + b"0]",
    "nested lists": b'"x":' + b"[" * (SIZE // 2) + b"]" * (SIZE // 2),
    "nested objects": b'"x":' + b'{"":' * (SIZE // 5) + b"1" + b"}" * (SIZE // 5),
    "strings": b'"x":[' + b'"]",' * (SIZE // 4) + b'""]',
    "a message": b'"error_msg":"' + b"\\ud83d\\ude00" * (SIZE // 12) + b'"',
    "a message that is none": b'"error_msg":[' + b"[]," * (SIZE // 3) + b"[]]",
    "escapes": b'"x":"' + b"\\n" * (SIZE // 2) + b'"',
    "the parameters": b'"request_params":[' + b"[]," * (SIZE // 3) + b"[]]",
    "an answer to the captcha": b'"remixstlid":"' + b"x" * SIZE + b'"',
    "no answer to the captcha": b'"remixstlid":[' + b"[]," * (SIZE // 3) + b"[]]",
    "fields": b",".join(b'"f%d":[]' % i for i in range(SIZE // 16)),
}


@pytest.mark.parametrize("field", LARGE.values(), ids=LARGE)
def test_a_huge_error_takes_little_memory_and_keeps_its_question(field: bytes) -> None:
    body = error_with(field)
    tracemalloc.start()
    try:
        error = read(body)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(body)
    assert kept < 20 * MAX_KEPT
    assert len(str(error)) < MAX_MESSAGE + 200
    assert error.code == 14
    assert {name: error.raw.get(name) for name in FIELDS} == FIELDS


def test_a_huge_error_of_a_batch_keeps_little() -> None:
    large = {"method": "users.get", "error_code": 14, "x": [[]] * 10**6, **FIELDS}
    large["error_msg"] = "x" * 10**6
    success = Success([False], [large])
    [failure] = read_batch([REQUEST], success, b"", SECRETS)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, APIError)
    kept = {"method": "users.get", "error_code": 14, **FIELDS}
    kept["error_msg"] = failure.error.message
    assert failure.error.raw == kept
    assert failure.error.message == "x" * MAX_MESSAGE + "..."


def test_a_message_is_shown_up_to_a_bound() -> None:
    for size, shown in (
        (MAX_MESSAGE, "x" * MAX_MESSAGE),
        (MAX_MESSAGE + 1, "x" * MAX_MESSAGE + "..."),
    ):
        error = read(
            json.dumps({"error": {"error_code": 5, "error_msg": "x" * size}}).encode()
        )
        assert error.message == error.raw["error_msg"] == shown


def test_a_secret_where_a_message_is_cut_stays_hidden() -> None:
    for size in range(MAX_MESSAGE - len(TOKEN), MAX_MESSAGE + 2):
        message = "x" * size + TOKEN
        for fill in ("", "y" * bounds.MAX_PARSED):
            error = {"error_code": 5, "error_msg": message, "z": fill}
            shown = str(read(json.dumps({"error": error}).encode()))
            assert TOKEN[:6] not in shown


def test_fields_are_kept_while_they_fit() -> None:
    error = read(
        json.dumps(
            {
                "error": {
                    "error_code": 5,
                    "first": "x" * (MAX_KEPT - 100),
                    "second": "y" * 200,
                    "third": {"z": [1]},
                }
            }
        ).encode()
    )
    assert error.raw.keys() == {"error_code", "first"}


def test_repeated_parameters_leave_room_for_other_fields() -> None:
    value = {"error_code": 5, "request_params": ["x" * bounds.MAX_PARSED], "y": 1}
    error = read(json.dumps({"error": value}).encode())
    assert error.raw == {"error_code": 5, "y": 1}


def test_a_field_of_a_question_may_be_long_but_not_endless() -> None:
    for fill in ("", "y" * bounds.MAX_PARSED):
        for size, is_kept in ((60_000, True), (70_000, False), (400_000, False)):
            value = {"error_code": 14, "captcha_img": "x" * size, "z": fill}
            error = read(json.dumps({"error": value}).encode())
            assert ("captcha_img" in error.raw) is is_kept


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text().filter(lambda key: key != "captcha_ts"), json_values),
    st.sampled_from([None, 1, "\t"]),
    st.dictionaries(st.text().filter(lambda key: key != "error"), json_values),
    st.booleans(),
)
def test_a_large_error_is_read_like_a_small_one(
    fields: dict[str, Any], indent: Any, beside: dict[str, Any], ascii_only: bool
) -> None:
    value = {"error": {**fields, "error_code": 5}, **beside}
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    )
    small = read_response(200, body, REQUEST, SECRETS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_response, "MAX_PARSED", 0)
        assert is_error(body)
        large = read_response(200, body, REQUEST, SECRETS)
    assert isinstance(small, Failure)
    assert isinstance(large, Failure)
    assert type(small.error) is type(large.error)
    if isinstance(small.error, APIError):
        assert vars(large.error) == vars(small.error)


@pytest.mark.parametrize(
    "end",
    [
        b"",
        b"}",
        b"}}}",
        b"}} x",
        b",}}",
        b',"x"}}',
        b',"x":}}',
        b',"x":[}}',
        b',"x":[',
        b',"x":"',
        b',"x":"\\"}}',
        b',"x":nul}}',
        b"},}",
        b'},"x":1',
    ],
)
def test_a_large_error_that_is_cut_or_broken_is_an_invalid_response(
    end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_response, "MAX_PARSED", 0)
    body = b'{"error":{"error_code":5' + end
    failure = read_response(200, body, REQUEST, SECRETS)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, InvalidResponseError)
    assert "is not JSON" in str(failure.error)


def test_an_empty_error_is_not_one_of_vk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_response, "MAX_PARSED", 0)
    failure = read_response(200, b'{"error": { } }', REQUEST, SECRETS)
    assert isinstance(failure, Failure)
    assert "is not a response of the VK API" in str(failure.error)


def test_the_body_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []

    def counted(body: bytes) -> Any:
        parsed.append(len(body))
        return read_json(body)

    for module in (_response, bounds):
        monkeypatch.setattr(module, "read_json", counted)
    body = error_with(b'"error_msg":"no"')
    assert read(body).raw["captcha_ts"] == FIELDS["captcha_ts"]
    assert parsed == [len(body)]


@pytest.mark.parametrize(
    "stamp", ["0.5", "1e400", "-1.50", "1E5", "12", "null", '"1.0"']
)
def test_the_time_of_a_captcha_stays_as_it_was_written(stamp: str) -> None:
    body = b'{"error":{"error_code":14,"error_msg":"\\"captcha_ts\\":0.50",%b}}'
    error = read(body % f'"captcha_ts": {stamp}'.encode())
    expected = stamp if "." in stamp or "e" in stamp.lower() else json.loads(stamp)
    expected = "1.0" if stamp == '"1.0"' else expected
    assert error.raw["captcha_ts"] == expected
