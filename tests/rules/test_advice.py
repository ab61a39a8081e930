"""What an error of VK advises, such as the method that was probably meant."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from vkanyio import APIError, APIRequest, _response
from vkanyio._masking import Secrets
from vkanyio._outcome import Failure
from vkanyio._response import read_response
from vkanyio._similar import did_you_mean

SECRETS = Secrets("vk1.a.the-secret-token", {})


def error_of(code: int, method: str) -> APIError:
    body = json.dumps({"error": {"error_code": code, "error_msg": "no"}}).encode()
    failure = read_response(200, body, APIRequest(method), SECRETS)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, APIError)
    return failure.error


@pytest.mark.parametrize(
    ("method", "hint"),
    [
        ("users.gett", "did you mean users.get? "),
        ("Users.get", "did you mean users.get? "),
        ("xylophone", ""),
        ("users.get", ""),  # the schema has it, and VK does not
        ("execute.users", ""),
    ],
)
def test_an_unknown_method_brings_up_the_one_probably_meant(
    method: str, hint: str
) -> None:
    error = error_of(3, method)
    assert error.advice == f"{hint}{APIError[3].advice}"
    assert str(error) == f"{method}: error 3: no ({error.advice})"
    assert pickle.loads(pickle.dumps(error)).advice == error.advice


def test_the_method_probably_meant_is_looked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searches: list[str] = []

    def search(name: str, known: Any) -> str:
        searches.append(name)
        return did_you_mean(name, known)

    monkeypatch.setattr(_response, "did_you_mean", search)
    for _ in range(25):  # a batch, say
        assert "did you mean" in str(error_of(3, "users.getOnce"))
    assert searches == ["users.getOnce"]


def test_the_advice_of_another_error_is_that_of_its_class() -> None:
    assert "advice" not in vars(error_of(5, "users.get"))
