"""What a type checker makes of errors: checked, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

from vkanyio import (
    VK,
    APIError,
    AuthError,
    ClientClosedError,
    ConnectionFailedError,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
    TooManyRequestsError,
    TransportError,
    VKError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


async def errors_of_vk(api: VK) -> None:
    try:
        await api.users.get()
    except APIError[901] as error:
        assert_type(error, APIError)
    except AuthError as error:
        assert_type(error, AuthError)
    except (APIError[6], TooManyRequestsError) as error:
        assert_type(error, APIError | TooManyRequestsError)
    except APIError as error:
        assert_type(error.code, int)
        assert_type(error.message, str)
        assert_type(error.method, str)
        assert_type(error.params, dict[str, str | int | float])
        assert_type(error.subcode, int | None)
        assert_type(error.raw, dict[str, Any])
        assert_type(error.documentation, str)
        raw: Mapping[str, Any] = error.raw
        assert raw


async def errors_of_the_way(api: VK) -> None:
    try:
        await api.users.get()
    except TimeoutError as error:
        assert_type(error, TimeoutError)
    except InvalidResponseError as error:
        assert_type(error.status, int)
        assert_type(error.body, bytes)
    except (ConnectionFailedError, TransportError) as error:
        assert_type(error.method, str)
    except OutcomeUnknownError as error:
        assert_type(error.method, str)
        assert_type(error.__cause__, BaseException | None)
    except ClientClosedError as error:
        assert_type(error.maybe_carried_out, bool)
    except VKError as error:
        assert_type(error, VKError)


def classes() -> None:
    assert_type(APIError[901], type[APIError])
    APIError["901"]  # type: ignore[index]  # pyright: ignore[reportArgumentType]
    _timeout: TimeoutError = RequestTimeoutError("late")
    _other: TimeoutError = ConnectionFailedError("lost")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    InvalidResponseError("text", status=502)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    APIError("5", "no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
