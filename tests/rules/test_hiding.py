"""Secrets that are hidden in a response that repeats the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vkanyio._masking import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "vk1.a.the-secret-token"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"no {TOKEN} or {TOKEN}", "no *** or ***"),
        ("pass word&1", "***"),
        ("q=1&password=pass+word%261&v=5", "q=1&password=***&v=5"),
        ("nothing of 12345", "nothing of 12345"),
    ],
)
def test_secrets_are_hidden_plain_and_form_encoded(text: str, hidden: str) -> None:
    secrets = Secrets(TOKEN, {"password": "pass word&1", "user_id": 12345})
    assert secrets.hide(text) == hidden
    assert secrets.hide_bytes(text.encode()) == hidden.encode()


def test_a_number_may_be_a_secret() -> None:
    assert Secrets(TOKEN, {"captcha_key": 12345}).hide("key 12345") == "key ***"


def test_the_secrets_of_all_parameters_are_hidden() -> None:
    secrets = Secrets(TOKEN, {"password": "first"}, {"success_token": "second"})
    assert secrets.hide("first second third") == "*** *** third"


def test_a_secret_within_another_leaves_no_rest() -> None:
    secrets = Secrets("abzz12cd", {"password": "zz12"})
    assert secrets.hide("abzz12cd zz12") == "*** ***"
    assert secrets.hide_bytes(b"abzz12cd zz12") == b"*** ***"


@pytest.mark.parametrize(("secret", "shown"), [("abc", "abc"), ("abcd", "***")])
def test_a_value_too_short_to_be_a_secret_is_shown(secret: str, shown: str) -> None:
    secrets = Secrets(TOKEN, {"password": secret})
    assert secrets.hide(f"<{secret}>") == f"<{shown}>"
    assert secrets.hide_bytes(f"<{secret}>".encode()) == f"<{shown}>".encode()


@pytest.mark.parametrize(("length", "shown"), [(15, "z" * 15), (16, "***")])
def test_fields_that_programs_use_keep_short_secrets(length: int, shown: str) -> None:
    assert Secrets("z" * length).hide_in_json(["z" * length]) == [shown]


def nested(wrap: Callable[[Any], Any], levels: int) -> Any:
    value: Any = f"deep {TOKEN}"
    for _ in range(levels):
        value = wrap(value)
    return value


def innermost(value: Any) -> Any:
    while not isinstance(value, str):
        [value] = value.values() if isinstance(value, dict) else value
    return value


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"a": v}])
def test_an_error_is_searched_to_a_certain_depth(wrap: Callable[[Any], Any]) -> None:
    hidden = Secrets(TOKEN).hide_in_json(nested(wrap, 100))
    assert innermost(hidden) == "deep ***"


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"a": v}])
@pytest.mark.parametrize("levels", [101, 5000])
def test_deeper_parts_are_hidden_whole(wrap: Callable[[Any], Any], levels: int) -> None:
    assert innermost(Secrets(TOKEN).hide_in_json(nested(wrap, levels))) == "***"


def test_no_repr_shows_a_secret() -> None:
    assert TOKEN not in repr(Secrets(TOKEN, {"password": TOKEN}))
