"""Which of VK's errors are about the token, and which another token may answer."""

from __future__ import annotations

import pytest

from vkanyio import APIError, ConnectionFailedError
from vkanyio._outcome import Failure

PREFIX = "User authorization failed: "


def failure(code: int, message: str = "", subcode: int | None = None) -> Failure:
    return Failure.from_api(APIError[code](code, message, subcode=subcode))


@pytest.mark.parametrize(
    "failed",
    [
        failure(5, f"{PREFIX}access_token has expired."),
        failure(5, f"{PREFIX}invalid access_token (4)."),
        failure(5, f"{PREFIX}access_token was given to another ip address."),
        failure(5, PREFIX, subcode=1130),
        failure(28, "Application authorization failed: access_token has expired."),
        failure(28, "Application authorization failed: refresh service token"),
        *map(failure, (1114, 1116, 1117, 1118)),
    ],
    ids=str,
)
def test_another_token_may_be_accepted(failed: Failure) -> None:
    assert failed.asks_for_new_token
    assert failed.is_of_token


@pytest.mark.parametrize(
    "failed",
    [
        failure(5, f"{PREFIX}user revoke access for this token."),
        failure(5, f"{PREFIX}invalid session."),
    ],
    ids=str,
)
def test_another_token_is_not_asked_for_but_sent_if_there_is_one(
    failed: Failure,
) -> None:
    assert not failed.asks_for_new_token
    assert failed.is_of_token


@pytest.mark.parametrize(
    "failed",
    [
        failure(28, "Application authorization failed: method is unavailable"),
        failure(27, "Group authorization failed: access_token has expired."),
        failure(100, "access_token has expired"),
        failure(1130),
        Failure(ConnectionFailedError("expired"), maybe_carried_out=False),
    ],
    ids=str,
)
def test_other_errors_say_nothing_about_the_token(failed: Failure) -> None:
    assert not failed.asks_for_new_token
    assert not failed.is_of_token
