"""Secrets that mask themselves, and are used like any other value."""

from __future__ import annotations

import copy
import pickle
from enum import Enum
from types import MappingProxyType
from typing import Any

import attrs
import pytest

from vkanyio import APIRequest, Config
from vkanyio._config import OPTION_NAMES
from vkanyio._masking import (
    Masked,
    SecretBytes,
    Secrets,
    SecretStr,
    kind_of,
    mask,
    mask_headers,
    mask_options,
    mask_params,
    mask_token,
)

TOKEN = "vk1.a.the-secret-token"
SECRET = "a-secret-of-the-caller"
PROXY = f"http://user:{SECRET}@proxy.test:3128"


class Word(str, Enum):  # noqa: UP042 - its str() is not its value
    SECRET = SECRET


def test_a_masked_value_is_used_like_the_value() -> None:
    secret = mask(SECRET)
    assert type(secret) is SecretStr
    assert repr(secret) == "'***'"
    assert f"{secret}" == str(secret) == SECRET == secret
    assert {SECRET: 1}[secret] == 1
    for same in (copy.copy(secret), copy.deepcopy(secret)):
        assert type(same) is SecretStr
        assert same == SECRET
    again = pickle.loads(pickle.dumps(secret))
    assert (type(again), again) == (SecretStr, SECRET)
    data = secret.encode()
    assert (type(data), data) == (SecretBytes, SECRET.encode())
    assert repr(data) == repr(mask(SECRET.encode())) == "b'***'"
    assert mask(Word.SECRET) == SECRET
    assert mask(None) is None


def test_another_value_is_wrapped() -> None:
    masked: Any = mask([SECRET])
    assert isinstance(masked, Masked)
    assert mask(masked) is masked
    assert SECRET not in repr(masked)
    assert masked.reveal() == [SECRET]
    kinds = [kind_of(mask(each)) for each in (SECRET, SECRET.encode(), [SECRET], None)]
    assert kinds == ["str", "bytes", "list", "NoneType"]


class Form(str):
    """What a user's class for a form of requests may be."""

    def to_vk(self) -> str:
        return self.upper()


def test_a_string_with_a_form_of_its_own_keeps_it() -> None:
    masked: Any = mask(Form(SECRET))
    assert isinstance(masked, Masked)
    assert masked.reveal().to_vk() == SECRET.upper()


def test_a_masked_string_is_encoded_as_it_is_asked_for() -> None:
    assert mask("ключ").encode("cp1251") == "ключ".encode("cp1251")
    assert mask("ключ").encode("ascii", "replace") == b"????"
    with pytest.raises(UnicodeEncodeError):
        mask("\ud800").encode()


def test_the_kind_of_a_value_that_is_not_masked_is_its_type() -> None:
    assert [kind_of(each) for each in (SECRET, 5, None)] == ["str", "int", "NoneType"]


@pytest.mark.parametrize("kind", [dict, MappingProxyType])
def test_only_the_secrets_among_parameters_are_masked(kind: Any) -> None:
    masked = mask_params(kind({"password": SECRET, "user_ids": "1"}))
    assert masked == {"password": SECRET, "user_ids": "1"}
    assert [type(each) for each in masked.values()] == [SecretStr, str]
    assert isinstance(mask_params([SECRET]), Masked)


async def returns_tokens() -> str:
    return TOKEN


@pytest.mark.parametrize("token", [TOKEN, TOKEN.encode(), [TOKEN]])
def test_whatever_is_given_as_a_token_is_masked(token: object) -> None:
    assert TOKEN not in repr(mask_token(token))


def test_a_function_that_returns_tokens_is_not_masked() -> None:
    assert mask_token(returns_tokens) is returns_tokens


def test_all_headers_are_masked() -> None:
    masked = mask_headers({"a": SECRET, "b": "1"})
    assert masked == {"a": SECRET, "b": "1"}
    assert {type(each) for each in masked.values()} == {SecretStr}
    assert mask_headers(None) is None
    assert isinstance(mask_headers([SECRET]), Masked)


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("token", TOKEN, True),
        ("proxy", PROXY, True),
        ("tokens", TOKEN, True),  # there is no such option
        ("base_url", f"https://u:{SECRET}@vk.test", True),
        ("base_url", "https://vk.test", False),
        ("base_url", [SECRET], False),  # it is refused without being shown
        ("agent", "me@vk.test", False),
        ("limit", 5, False),
    ],
)
def test_options_that_may_contain_a_secret_are_masked(
    name: str, value: object, is_secret: bool
) -> None:
    known = {"token", "proxy", "base_url", "agent", "limit", "headers"}
    masked = mask_options({name: value, "headers": {"a": SECRET}}, known)
    assert isinstance(masked[name], SecretStr) == is_secret
    assert masked[name] == value
    assert repr(masked["headers"]) == "{'a': '***'}"


def test_parameters_without_secrets_are_not_copied() -> None:
    params = {"user_ids": [1]}
    assert mask_params(params) is params
    assert mask_params(None) is None


def test_the_parameters_of_the_caller_stay_as_they_are() -> None:
    params = {"password": SECRET}
    APIRequest("account.changePassword", params)
    assert type(params["password"]) is str


def test_a_secret_parameter_is_encoded_like_any_other() -> None:
    for value, text in (
        (5, "5"),
        (["a", 1], "a,1"),
        ({"a": 1}, '{"a":1}'),
        (Word.SECRET, SECRET),
        ("пароль", "пароль"),
    ):
        request = APIRequest("account.changePassword", {"password": value})
        assert request.params == {"password": text}
        assert type(request.params["password"]) is SecretStr
        assert str(request) == 'API.account.changePassword({"password":%s})' % (
            '"' + text.replace('"', '\\"') + '"'
        )
        assert repr(request) == "APIRequest('account.changePassword', {})"


def test_a_configuration_hides_its_secrets_and_keeps_them() -> None:
    config = Config(TOKEN, proxy=PROXY, headers={"x-key": SECRET}, limit=5)
    assert (config.token, config.proxy) == (TOKEN, PROXY)
    assert config.headers == {"x-key": SECRET}
    for secret in (config.token, config.proxy, config.headers):
        assert SECRET not in repr(secret)
        assert TOKEN not in repr(secret)
    assert attrs.evolve(config, limit=3) == Config(
        TOKEN, proxy=PROXY, headers={"x-key": SECRET}
    )
    assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config


def test_the_options_are_the_fields_of_a_configuration() -> None:
    fields = [field.name for field in attrs.fields(Config)]
    assert fields[0] == "token"
    assert set(fields[1:]) == OPTION_NAMES


def test_other_tokens_that_may_still_be_valid_are_hidden_too() -> None:
    secrets = Secrets(TOKEN, others=[SECRET])
    assert secrets.hide(f"{TOKEN} or {SECRET}") == "*** or ***"
