"""What the bytes of an HTTP response mean."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vkanyio import (
    APIError,
    APIRequest,
    AuthError,
    ExecuteError,
    InvalidResponseError,
)
from vkanyio._masking import Secrets
from vkanyio._outcome import Failure, Success
from vkanyio._response import read_response, too_large

TOKEN = "vk1.a.the-secret-token"
REQUEST = APIRequest("users.get", {"user_ids": 1, "password": "PASSWORD"})
SECRETS = Secrets(TOKEN, REQUEST.params)


def read(body: bytes | str, status: int = 200) -> Success | Failure:
    data = body if isinstance(body, bytes) else body.encode()
    return read_response(status, data, REQUEST, SECRETS)


def read_json(value: Any, status: int = 200) -> Success | Failure:
    return read(json.dumps(value), status)


def api_error(error: Any) -> APIError:
    failure = read_json({"error": error})
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, APIError)
    return failure.error


def invalid(body: bytes | str, status: int = 200) -> tuple[Failure, bytes]:
    failure = read(body, status)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, InvalidResponseError)
    assert failure.error.status == status
    assert str(status) in str(failure.error)
    assert "users.get" in str(failure.error)
    return failure, failure.error.body


# Nothing breaks it


def check_outcome(outcome: Success | Failure) -> None:
    if isinstance(outcome, Success):
        result = outcome.to_execute_result()
        assert all(isinstance(error, ExecuteError) for error in result.errors)
        for error in result.errors:
            assert type(error.code) is int
            assert isinstance(error.method, str)
            assert isinstance(error.message, str)
    else:
        assert isinstance(outcome.error, InvalidResponseError | APIError)
        assert isinstance(str(outcome.error), str)


statuses = st.integers(100, 599)


@given(st.binary(), statuses)
@example(b"", 200)
@example(b"\xff\xfe\x00", 200)
@example(b"\xef\xbb\xbf{}", 200)
@example(b"NaN", 200)
def test_no_bytes_break_the_reader(body: bytes, status: int) -> None:
    check_outcome(read(body, status))


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ERROR_FIELDS = [
    "error_code",
    "error_msg",
    "error_subcode",
    "request_params",
    "method",
    "captcha_sid",
    "captcha_ts",
    "redirect_uri",
]
error_objects = st.dictionaries(st.sampled_from(ERROR_FIELDS), json_values)
likely_errors = st.builds(
    lambda error, code: {**error, "error_code": code},
    error_objects,
    st.integers(-5, 20000) | st.booleans() | st.floats() | st.text(),
)


@given(json_values, statuses)
def test_no_json_breaks_the_reader(value: Any, status: int) -> None:
    check_outcome(read_json(value, status))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "response": json_values,
            "error": json_values | error_objects | likely_errors,
            "execute_errors": json_values | st.lists(error_objects | likely_errors),
        },
    )
)
def test_no_envelope_breaks_the_reader(envelope: Any) -> None:
    check_outcome(read_json(envelope))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"response":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"response":' + b"1" * 10_000 + b"}",
        b'{"error":{"error_code":' + b"1" * 10_000 + b"}}",
    ],
    ids=["open", "array", "object", "result", "code"],
)
def test_json_that_python_cannot_read_is_an_invalid_response(body: bytes) -> None:
    invalid(body)


def test_nesting_near_the_limit_of_python_breaks_nothing() -> None:
    max_depth = sys.getrecursionlimit()
    for depth in range(max_depth // 2, max_depth + 50):
        deep = b"[" * depth + b"]" * depth
        check_outcome(read(b'{"error":{"error_code":1,"error_msg":' + deep + b"}}"))
        error = b'{"error_code":1,"error_msg":' + deep + b"}"
        outcome = read(b'{"response":1,"execute_errors":[' + error + b"]}")
        check_outcome(outcome)


# Results


@pytest.mark.parametrize(
    "response", [None, False, True, 0, 1, "", "a", [], {}, [None], {"error": 1}]
)
def test_any_value_that_vk_sends_is_the_result(response: Any) -> None:
    success = read_json({"response": response})
    assert isinstance(success, Success)
    assert success.value == response
    assert type(success.value) is type(response)
    assert success.to_execute_result().errors == ()


def test_unknown_fields_of_the_envelope_change_nothing() -> None:
    success = read_json({"response": 1, "new": {"of": "VK"}})
    assert isinstance(success, Success)
    assert success.value == 1


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "[]",
        "{}",
        "1",
        '"response"',
        '[{"response":1}]',
        '{"Response":1}',
        '{"error":{}}',
        '{"error":{"error_msg":"no code"}}',
        '{"error":{"error_code":"5"}}',
        '{"error":{"error_code":5.0}}',
        '{"error":{"error_code":true}}',
        '{"error":{"error_code":null}}',
        '{"error":[]}',
        '{"error":5}',
        '{"error":"invalid_grant","error_description":"of the OAuth server"}',
        '{"response":1,"error":"invalid_grant"}',
        '{"response":[1,2',
        '{"response":1}}',
        "<html><body><h1>502 Bad Gateway</h1></body></html>",
        "",
        " ",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_a_call_with_a_foreign_response_may_have_been_carried_out(
    body: bytes | str,
) -> None:
    failure, shown = invalid(body)
    assert failure.maybe_carried_out
    assert failure.is_transient
    assert not failure.retry_at_once
    assert shown == (body if isinstance(body, bytes) else body.encode())


@pytest.mark.parametrize(
    ("status", "maybe_carried_out", "is_transient"),
    [
        (200, True, True),
        (299, True, True),
        (300, False, False),
        (301, False, False),
        (304, False, False),
        (400, False, False),
        (403, False, False),
        (404, False, False),
        (408, True, True),
        (413, False, False),
        (414, False, False),
        (429, False, True),
        (499, False, False),
        (500, True, True),
        (502, True, True),
        (504, True, True),
    ],
)
def test_the_status_of_a_page_tells_what_may_have_happened(
    status: int, maybe_carried_out: bool, is_transient: bool
) -> None:
    failure, _ = invalid("<html>nginx</html>", status)
    assert failure.maybe_carried_out is maybe_carried_out
    assert failure.is_transient is is_transient


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410, 503])
def test_a_page_that_was_not_found_brings_up_the_address(status: int) -> None:
    advice = "begins with b'<html>'): check base_url (VK's ends in /method)"
    failure, _ = invalid("<html>", status)
    assert str(failure.error).endswith(advice) is (status == 404)


@pytest.mark.parametrize("status", [200, 404, 428, 429, 430, 503])
def test_429_is_the_error_6_of_a_gateway(status: int) -> None:
    failure, _ = invalid("<html>nginx</html>", status)
    assert failure.is_too_many is (status == 429)
    assert ("too many requests" in str(failure.error)) is (status == 429)
    assert ("not JSON" in str(failure.error)) is (status != 429)
    assert "<html>nginx" in str(failure.error)


@pytest.mark.parametrize("code", [5, 6, 9, 29, 429])
def test_error_6_is_the_only_error_of_vk_for_too_many_requests(code: int) -> None:
    for status in (200, 429):
        failure = read_json({"error": {"error_code": code}}, status)
        assert isinstance(failure, Failure)
        assert failure.is_too_many is (code == 6)


@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_an_envelope_of_vk_counts_for_more_than_the_status(status: int) -> None:
    success = read_json({"response": 1}, status)
    assert isinstance(success, Success)
    failure = read_json({"error": {"error_code": 5}}, status)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, AuthError)


@pytest.mark.parametrize("before", ["", "x" * 50, "x" * 165, "x" * 190])
def test_a_token_that_is_echoed_in_a_page_is_masked(before: str) -> None:
    # VK's tokens are longer than this: a truncated one would still be visible.
    failure, body = invalid(f"<p>{before}Authorization: {TOKEN} {TOKEN}</p>", 502)
    for shown in (str(failure.error), repr(failure.error), repr(body)):
        assert "secret" not in shown
        assert TOKEN[:10] not in shown
    assert body == f"<p>{before}Authorization: *** ***</p>".encode()[:200]


@pytest.mark.parametrize(("length", "shown"), [(3, b"zzz"), (4, b"***")])
def test_a_secret_that_could_be_in_any_text_is_not_masked(
    length: int, shown: bytes
) -> None:
    failure = read_response(502, b"<p>" + b"z" * length, REQUEST, Secrets("z" * length))
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, InvalidResponseError)
    assert failure.error.body == b"<p>" + shown


def test_a_token_that_is_echoed_in_an_error_is_masked_wherever_it_is() -> None:
    error = api_error(
        {
            "error_code": 5,
            "error_msg": f"no {TOKEN} here",
            "list": [TOKEN, 7, {"a": f"{TOKEN}{TOKEN}", TOKEN: None}],
        }
    )
    assert error.message == "no *** here"
    assert error.raw == {
        "error_code": 5,
        "error_msg": "no *** here",
        "list": ["***", 7, {"a": "******", "***": None}],
    }


@pytest.mark.parametrize(
    ("body", "what"),
    [("<html>", "is not JSON"), ('{"ok": 1}', "is not a response of the VK API")],
)
def test_a_response_that_is_not_json_is_distinguished_from_a_foreign_one(
    body: str, what: str
) -> None:
    failure, _ = invalid(body)
    assert f"the response {what} (HTTP status 200" in str(failure.error)


@pytest.mark.parametrize(
    ("status", "is_too_large"), [(200, True), (502, True), (404, False), (429, False)]
)
def test_a_response_that_is_too_large_is_not_requested_again_unchanged(
    status: int, is_too_large: bool
) -> None:
    body = f"{TOKEN} is too much".encode()
    failure = too_large(status, body, 10, REQUEST, SECRETS)
    assert failure.is_transient is (status == 429)
    assert failure.is_too_large is failure.maybe_carried_out is is_too_large
    assert isinstance(failure.error, InvalidResponseError)
    assert failure.error.method == "users.get"
    assert failure.error.status == status
    assert failure.error.body == b"*** is too much"
    for part in ("more than 10 bytes", "raise `max_answer` (HTTP"):
        assert (part in str(failure.error)) is (status != 429)
    assert failure.is_too_many is (status == 429)


def test_only_the_first_bytes_of_a_page_are_kept() -> None:
    failure, body = invalid("x" * 100_000, 502)
    assert body == b"x" * 200
    assert str(failure.error).endswith(f"begins with {b'x' * 60!r})")


# Errors


def test_an_error_has_all_that_vk_sends() -> None:
    extra = {"redirect_uri": "https://id.vk.ru/captcha", "view": "alert"}
    error = api_error(
        {
            "error_code": 5,
            "error_msg": "User authorization failed.",
            "error_subcode": 1130,
            "request_params": [{"key": "access_token", "value": TOKEN}],
            **extra,
        }
    )
    assert type(error) is APIError[5] is AuthError
    assert error.code == 5
    assert error.message == "User authorization failed."
    assert error.subcode == 1130
    assert error.method == "users.get"
    assert error.params == {"user_ids": 1}
    assert {**extra, "error_code": 5}.items() <= error.raw.items()


def test_request_params_are_not_kept_since_they_may_hold_the_token() -> None:
    params = [{"key": "access_token", "value": TOKEN}]
    error = api_error({"error_code": 10, "request_params": params})
    assert "request_params" not in error.raw
    assert TOKEN not in f"{error} {error!r} {error.__dict__}"


def test_secrets_of_the_call_are_not_in_its_error() -> None:
    error = api_error({"error_code": 5, "error_msg": "no"})
    assert "PASSWORD" not in f"{error} {error!r} {error.__dict__}"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, ""),
        ({"error_msg": "no"}, "no"),
        ({"error_msg": None}, ""),
        ({"error_msg": 5}, "5"),
    ],
)
def test_an_error_without_its_text_is_still_an_error(
    fields: dict[str, Any], message: str
) -> None:
    error = api_error({"error_code": 10, **fields})
    assert error.code == 10
    assert error.message == message


@pytest.mark.parametrize("subcode", [None, "1130", 1.5, [], True])
def test_a_subcode_that_is_not_a_number_is_ignored(subcode: Any) -> None:
    assert api_error({"error_code": 5, "error_subcode": subcode}).subcode is None


@pytest.mark.parametrize("code", [0, -1, 901, 123_456_789, 2**63])
def test_an_unknown_code_has_a_separate_class(code: int) -> None:
    error = api_error({"error_code": code})
    assert type(error) is APIError[code]
    assert error.code == code


def test_an_error_counts_for_more_than_a_response_beside_it() -> None:
    failure = read_json({"response": 1, "error": {"error_code": 5}})
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, AuthError)


@pytest.mark.parametrize(
    ("code", "ambiguous"),
    [(1, True), (10, True), (36, True)]
    + [(code, False) for code in (3, 5, 6, 9, 12, 14, 15, 17, 24, 29, 100, 901, 1117)],
)
def test_only_three_codes_leave_open_what_was_done(code: int, ambiguous: bool) -> None:
    failure = read_json({"error": {"error_code": code}})
    assert isinstance(failure, Failure)
    assert failure.maybe_carried_out is ambiguous
    assert failure.is_transient is (ambiguous or code == 6)


def test_the_time_of_a_captcha_is_kept_unchanged() -> None:
    body = '{"error":{"error_code":14,"captcha_ts":1718635522.0730000}}'
    failure = read(body)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, APIError)
    assert failure.error.raw["captcha_ts"] == "1718635522.0730000"


# Errors inside a script


def test_errors_inside_a_script_keep_their_order() -> None:
    raw = {"method": "wall.get", "error_code": 15, "error_msg": "Access denied", "x": 1}
    other = {"method": "users.get", "error_code": 113, "error_msg": "no"}
    success = read_json({"response": [False, False], "execute_errors": [raw, other]})
    assert isinstance(success, Success)
    response, errors = success.to_execute_result()
    assert response == [False, False]
    assert [(e.method, e.code, e.message) for e in errors] == [
        ("wall.get", 15, "Access denied"),
        ("users.get", 113, "no"),
    ]
    assert errors[0].raw == raw


@pytest.mark.parametrize("errors", [None, 5, "x", {}, {"0": {"error_code": 1}}, True])
def test_script_errors_that_are_not_a_list_are_ignored(errors: Any) -> None:
    success = read_json({"response": 1, "execute_errors": errors})
    assert isinstance(success, Success)
    assert success.to_execute_result().errors == ()


@pytest.mark.parametrize(
    "entry",
    [None, 5, "x", [], {}, {"error_code": "5"}, {"error_code": True}, {"method": None}],
)
def test_a_malformed_entry_is_an_error_without_details(entry: Any) -> None:
    success = read_json({"response": 1, "execute_errors": [entry]})
    assert isinstance(success, Success)
    [error] = success.to_execute_result().errors
    assert (error.method, error.code, error.message) == ("", 0, "")
