"""One call of a VK method, before it is sent."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import APIRequest, Config
from vkanyio._encoding import to_form, without_secrets

SECRET = "vk1.a.SECRET"


# Keys against repetition


@pytest.mark.parametrize("method", ["messages.send", "notifications.sendMessage"])
@pytest.mark.parametrize("params", [None, {}, {"random_id": None}, {"message": "hi"}])
def test_a_message_without_a_random_id_gets_one(method: str, params: Any) -> None:
    made = [APIRequest(method, params) for _ in range(200)]
    keys = {request.params["random_id"] for request in made}
    assert len(keys) > 190
    assert all(isinstance(key, int) and 0 < key < 2**31 for key in keys)


def test_a_program_that_seeds_random_does_not_repeat_its_random_ids() -> None:
    keys: set[object] = set()
    for _ in range(2):  # as after a restart
        random.seed(7)
        keys.add(APIRequest("messages.send", {}).params["random_id"])
    assert len(keys) == 2


@pytest.mark.parametrize(
    "random_id", [0, "0", 7, -7, "7", 2**31 - 1, -(2**31), str(-(2**31))]
)
def test_the_random_id_of_the_caller_is_kept(random_id: Any) -> None:
    request = APIRequest("messages.send", {"random_id": random_id})
    assert request.params == {"random_id": random_id}


@pytest.mark.parametrize("method", ["messages.send", "notifications.sendMessage"])
@pytest.mark.parametrize(
    "random_id",
    [
        2**31,
        -(2**31) - 1,
        10**18,
        str(2**31),
        "",
        "x",
        "7.0",
        7.5,
        " 7",
        "1_0",
        "\u0667",
    ],
)
def test_a_random_id_that_vk_would_not_store_is_refused(
    method: str, random_id: Any
) -> None:
    with pytest.raises(ValueError, match=r"^random_id must be .* 2147483647") as caught:
        APIRequest(method, {"random_id": random_id})
    assert repr(str(random_id)) in str(caught.value) or str(random_id) in str(
        caught.value
    )


def test_the_random_id_of_another_method_is_its_own_business() -> None:
    request = APIRequest("execute.send", {"random_id": "any"})
    assert request.params == {"random_id": "any"}


@pytest.mark.parametrize(
    "method",
    ["users.get", "wall.post", "wall.createComment", "messages.edit", "messages.Send"],
)
def test_no_other_call_gets_an_extra_parameter(method: str) -> None:
    assert APIRequest(method, {"a": 1}).params == {"a": 1}


def test_the_parameters_of_the_caller_are_not_changed() -> None:
    params = {"access_token": SECRET, "message": None}
    APIRequest("messages.send", params)
    assert params == {"access_token": SECRET, "message": None}


@pytest.mark.parametrize(
    ("method", "params", "repeatable", "may_be_repeated", "reads"),
    [
        ("users.get", {}, None, True, True),
        ("users.get", {}, False, False, True),
        ("messages.send", {}, None, True, False),
        ("messages.send", {"random_id": 0}, None, False, False),
        ("messages.send", {"random_id": 0}, True, True, False),
        ("messages.send", {}, False, False, False),
        ("wall.post", {}, None, False, False),
        ("wall.post", {"guid": "a"}, None, True, False),
        ("wall.post", {}, True, True, False),
        ("wall.delete", {}, None, False, False),
        ("execute", {"code": "return API.users.get();"}, None, True, True),
        ("execute", {"code": "return API.wall.post();"}, None, False, False),
        ("execute.getUsers", {}, None, False, False),
        ("execute.getUsers", {}, True, True, False),
    ],
)
def test_whether_a_request_may_be_retried(
    method: str,
    params: dict[str, Any],
    repeatable: bool | None,
    may_be_repeated: bool,
    reads: bool,
) -> None:
    request = APIRequest(method, params, repeatable=repeatable)
    assert request.may_be_repeated() is may_be_repeated
    assert request.reads() is reads


@pytest.mark.parametrize("repeatable", ["no", 1, 0, "False"])
def test_repeatable_is_true_or_false(repeatable: Any) -> None:
    with pytest.raises(TypeError, match="repeatable"):
        APIRequest("wall.post", repeatable=repeatable)


# Secrets

SECRETS = [
    "captcha_key",
    "change_password_hash",
    "client_secret",
    "new_password",
    "old_password",
    "password",
    "refresh_token",
    "restore_sid",
    "secret_key",
    "success_token",
    "token",
]


def test_a_request_token_is_not_a_parameter() -> None:
    request = APIRequest("users.get", {"access_token": SECRET, "user_ids": 1})
    assert request._own_token == SECRET
    assert request.params == {"user_ids": 1}
    assert SECRET not in f"{request} {request!r} {to_form(request.params)!r}"


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_sent_but_not_shown(name: str) -> None:
    request = APIRequest("auth.restore", {name: SECRET, "phone": "1"})
    assert request.params[name] == SECRET
    assert SECRET not in repr(request)
    assert without_secrets(request.params) == {"phone": "1"}
    assert SECRET.encode() in to_form(request.params)


@pytest.mark.parametrize("name", ["access_token", "password", "client_secret"])
@pytest.mark.parametrize(
    "value", [SECRET.encode(), f"{SECRET}\ud800", [[SECRET]], {"a": SECRET.encode()}]
)
def test_a_secret_without_a_form_is_refused_without_repeating_it(
    name: str, value: Any
) -> None:
    with pytest.raises((TypeError, ValueError), match=name) as caught:
        APIRequest("users.get", {name: value})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("token", ["", "a b", "a\n", "é", 5, True, ()])
def test_a_value_that_cannot_be_a_token_is_refused(token: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="access_token"):
        APIRequest("users.get", {"access_token": token})


class StoredToken:
    """A token that a program keeps in an object of its own."""

    def to_vk(self) -> str:
        return SECRET


def test_a_request_token_may_be_an_object_that_encodes_itself() -> None:
    request = APIRequest("users.get", {"access_token": StoredToken()})
    assert request._own_token == SECRET
    assert SECRET not in repr(request._own_token)


# Names of methods


@pytest.mark.parametrize(
    "method",
    ["users.get", "execute", "execute.my_procedure2", "appWidgets.update", "a.b.c"],
)
def test_names_of_methods_are_taken_unchanged(method: str) -> None:
    assert str(APIRequest(method)) == f"API.{method}({{}})"


@pytest.mark.parametrize(
    "method",
    [
        "",
        ".",
        "users.",
        ".get",
        "users..get",
        "users get",
        "users.get ",
        "users.get\n",
        "users.get({});API.wall.post",
        'users.get"',
        "users.get/../wall.post",
        "users/get",
        "users.get?access_token=1",
        "users.get%00",
        "users.get#",
        "users.gét",
        "users.get\u2028",
        "1users.get",
        "users.1get",
        "users.get//",
        "users.get\x00",
    ],
)
def test_nothing_can_be_smuggled_in_by_the_name_of_a_method(method: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(method))):
        APIRequest(method)


@pytest.mark.parametrize("method", [None, 5, b"users.get", ["users.get"]])
def test_the_name_of_a_method_is_text(method: Any) -> None:
    with pytest.raises(TypeError, match=f"^method .* got {re.escape(repr(method))}$"):
        APIRequest(method)


@given(st.text())
def test_only_letters_digits_and_dots_are_names(method: str) -> None:
    try:
        APIRequest(method)
    except ValueError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_.]+", method)


# Parameters


@pytest.mark.parametrize("params", ["abc", [("a", 1)], [], "", 0, {1}, b""])
def test_the_parameters_are_a_dict(params: Any) -> None:
    wanted = f"params must be a dict.* got {type(params).__name__}$"
    with pytest.raises(TypeError, match=wanted):
        APIRequest("users.get", params)


def test_a_parameter_that_cannot_be_encoded_is_named_in_the_callers_task() -> None:
    with pytest.raises(TypeError, match="user_ids"):
        APIRequest("users.get", {"user_ids": object()})


def test_encoded_parameters_can_always_be_sent() -> None:
    try:
        request = APIRequest("users.get", {"user_ids": 10**5000})
    except ValueError:
        return
    to_form(request.params)  # in a task of the client an error would be a crash


def test_the_request_shows_itself_as_vkscript() -> None:
    request = APIRequest("users.get", {"user_ids": [1, 2], "q": 'a"b', "no": None})
    assert str(request) == 'API.users.get({"user_ids":"1,2","q":"a\\"b"})'
    shown = """APIRequest('users.get', {'user_ids': '1,2', 'q': 'a"b'})"""
    assert repr(request) == shown


def test_values_are_encoded_once() -> None:
    request = APIRequest("users.get", {"user_ids": (n for n in (1, 2))})
    assert to_form(request.params) == to_form(request.params) == b"user_ids=1,2"


# Headers


@pytest.mark.parametrize("headers", [None, "X-A: 1", [("X-A", "1")], 5])
def test_headers_are_a_dict(headers: Any) -> None:
    wanted = f"headers must be a dict.* got {type(headers).__name__}"
    with pytest.raises(TypeError, match=wanted):
        Config(SECRET, headers=headers)
    if headers is not None:
        with pytest.raises(TypeError, match="headers must be a dict"):
            APIRequest("users.get", headers=headers)


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({1: "SECRET"}, "1: a str"),
        ({"X-A": 1}, "'X-A': a int"),
        ({"Authorization": b"SECRET"}, "'Authorization': a bytes"),
    ],
)
def test_headers_are_text(headers: Any, shown: str) -> None:
    with pytest.raises(TypeError, match="headers must be a dict of str to str") as info:
        Config(SECRET, headers=headers)
    assert str(info.value).endswith(f"got {shown}")


@pytest.mark.parametrize(
    "name", ["Authorization", "AUTHORIZATION", "Content-Type", "content-length", "Host"]
)
def test_headers_that_the_client_writes_itself_are_refused(name: str) -> None:
    for make in (lambda h: Config(SECRET, headers=h), headers_of_a_request):
        with pytest.raises(ValueError, match=f"headers .*{name}") as caught:
            make({name: "SECRET"})
        assert "SECRET" not in str(caught.value)
        is_token = name.lower() == "authorization"
        assert ("token" in str(caught.value)) == is_token
        assert str(caught.value).endswith("it itself") != is_token


def headers_of_a_request(headers: dict[str, str]) -> APIRequest:
    return APIRequest("users.get", headers=headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "1\r\nX-B: 2"),
        ("X-A", "1\n"),
        ("X-A", "\x00"),
        ("X-A", "é"),
        ("X A", "1"),
        ("X-A:", "1"),
        ("X-A\n", "1"),
        ("", "1"),
    ],
)
def test_headers_that_http_cannot_carry_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"headers contains {re.escape(repr(name))}"):
        Config(SECRET, headers={name: value})


def test_headers_are_kept_for_this_request() -> None:
    assert APIRequest("users.get", headers={"X-A": "1"}).headers == {"X-A": "1"}
    assert APIRequest("users.get").headers is None


def test_headers_that_were_checked_do_not_change_afterwards() -> None:
    headers = {"X-A": "1"}
    request = APIRequest("users.get", headers=headers)
    headers["Authorization"] = "Bearer another"
    assert request.headers == {"X-A": "1"}
