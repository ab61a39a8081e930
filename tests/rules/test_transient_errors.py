"""Which errors mean that VK or the network is not well: `error.is_transient`."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import (
    APIError,
    CaptchaError,
    ClientClosedError,
    ClientCrashedError,
    ClientUseError,
    ConnectionFailedError,
    InternalServerError,
    InterruptedCallError,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
    TooManyRequestsError,
    TransportError,
    UnknownError,
    VKError,
)
from vkanyio._errors import copy_error
from vkanyio._outcome import Failure

if TYPE_CHECKING:
    from collections.abc import Callable


def page(status: int, *, is_transient: bool | None = None) -> InvalidResponseError:
    return InvalidResponseError(
        "a page", status=status, body=b"<html>", is_transient=is_transient
    )


class MyError(InternalServerError):
    """A subclass by a user."""


TRANSIENT: list[VKError] = [
    UnknownError(1, ""),
    TooManyRequestsError(6, ""),
    InternalServerError(10, ""),
    InterruptedCallError(36, ""),
    APIError(10, "of the class of all codes"),
    MyError(10, ""),
    TransportError("lost"),
    ConnectionFailedError("lost"),
    RequestTimeoutError("late"),
    *(page(status) for status in (200, 204, 299, 408, 429, 500, 502, 503, 504, 599)),
]
LASTING: list[VKError] = [
    VKError("text"),
    CaptchaError(14, ""),
    *(APIError[code](code, "") for code in (5, 9, 14, 15, 17, 24, 29, 100, 901, 1117)),
    ConnectionFailedError("a bad certificate", is_transient=False),
    page(200, is_transient=False),
    *(page(status) for status in (300, 302, 400, 403, 404, 407, 413, 428, 430, 499)),
    OutcomeUnknownError(InternalServerError(10, ""), method="wall.post"),
    OutcomeUnknownError(RequestTimeoutError("late"), method="wall.post"),
    ClientClosedError("closed", maybe_carried_out=True),
    ClientCrashedError("crashed"),
    ClientUseError("entered twice"),
]
COPIES: dict[str, Callable[[VKError], VKError]] = {
    "as it is": lambda error: error,
    "copy_error": copy_error,
    "deepcopy": copy.deepcopy,
    "pickle": lambda error: pickle.loads(pickle.dumps(error)),
}


def name_of(error: VKError) -> str:
    return f"{type(error).__name__}-{error}"


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("error", TRANSIENT, ids=name_of)
def test_it_is_true_where_vk_or_the_network_is_not_well(
    error: VKError, way: str
) -> None:
    assert COPIES[way](error).is_transient is True


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("error", LASTING, ids=name_of)
def test_it_is_false_where_somebody_has_to_act(error: VKError, way: str) -> None:
    assert COPIES[way](error).is_transient is False


def test_a_failure_on_the_way_passes_unless_it_is_said_to_last() -> None:
    for cls in (TransportError, ConnectionFailedError, RequestTimeoutError):
        assert cls("lost").is_transient
        assert not cls("lost", is_transient=False).is_transient


@given(st.integers().filter(lambda code: code not in (1, 6, 10, 36)))
def test_it_is_false_for_every_other_code_of_vk(code: int) -> None:
    assert APIError(code, "").is_transient is False


@pytest.mark.parametrize("error", [*TRANSIENT, *LASTING], ids=name_of)
def test_the_client_retries_by_the_same_decision(error: VKError) -> None:
    failure = Failure(error, maybe_carried_out=False)
    assert failure.is_transient is error.is_transient


def test_an_error_pickled_by_an_older_version_has_it_too() -> None:
    error = ConnectionFailedError("lost")
    del error.__dict__["_is_transient"]
    assert pickle.loads(pickle.dumps(error)).is_transient
