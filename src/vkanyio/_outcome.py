"""The results of attempts, and the outcomes of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ._errors import (
    APIError,
    AppAuthError,
    AuthError,
    InvalidResponseError,
    RequestTimeoutError,
    TooManyRequestsError,
)
from ._execute import ExecuteError, ExecuteResult
from ._typeguards import is_list

if TYPE_CHECKING:
    from ._errors import VKError

AMBIGUOUS_CODES = frozenset({1, 10, 36})
"""Errors inside VK: it may have carried out the call before it failed."""
ENDED_TOKEN_CODES = frozenset({1114, 1116, 1117, 1118})
"""Errors that only a token meets which has expired; the first is for anonymous ones."""
OTHER_ADDRESS = 1130
"""The subcode of error 5 where a token was issued to another IP address."""
_BAD_TOKEN = ("access_token has expired", "invalid access_token", "another ip address")
_ENDED_SERVICE_TOKEN = ("access_token has expired", "refresh service token")
TOO_MANY_REQUESTS = 429
"""The HTTP status of a gateway in front of VK: it has not passed the request on."""


class Success(NamedTuple):
    """A call that VK carried out.

    :ivar value: the value that VK returned
    :ivar execute_errors: the failures inside a script, in whatever form VK sent them
    """

    value: Any
    execute_errors: Any = None

    def to_execute_result(self) -> ExecuteResult:
        """Return the value as the result of a script."""
        entries = self.execute_errors if is_list(self.execute_errors) else ()
        errors = tuple(ExecuteError.from_raw(raw) for raw in entries)
        return ExecuteResult(self.value, errors)


class Failure(NamedTuple):
    """An attempt that brought no value.

    :ivar error: the error that the caller would get
    :ivar maybe_carried_out: whether VK may have carried out the call nevertheless
    :ivar retry_at_once: whether the first retry needs no back-off
    :ivar is_too_large: whether VK's response was larger than ``max_answer``
    :ivar retry_after: the seconds that the header ``Retry-After`` asks to wait before a
        retry, None without one
    """

    error: VKError
    maybe_carried_out: bool
    retry_at_once: bool = False
    is_too_large: bool = False
    retry_after: float | None = None

    @property
    def is_transient(self) -> bool:
        """Whether the same request could succeed later."""
        return self.error.is_transient

    @property
    def is_too_many(self) -> bool:
        """Whether a rate limit was exceeded: that of VK, or that of a gateway."""
        if isinstance(self.error, InvalidResponseError):
            return self.error.status == TOO_MANY_REQUESTS
        return isinstance(self.error, TooManyRequestsError)

    @property
    def is_of_token(self) -> bool:
        """Whether VK refused the token, and not what was called with it."""
        return isinstance(self.error, AuthError) or self.asks_for_new_token

    @property
    def asks_for_new_token(self) -> bool:
        """Whether another token of the same owner may be accepted.

        Error 5 has many reasons, and 28 is the error of the wrong kind of token, too.
        """
        error = self.error
        if not isinstance(error, APIError):
            return False
        text = error.message.lower()
        if isinstance(error, AppAuthError):
            return any(each in text for each in _ENDED_SERVICE_TOKEN)
        if isinstance(error, AuthError):
            is_bound = error.subcode == OTHER_ADDRESS
            return is_bound or any(each in text for each in _BAD_TOKEN)
        return error.code in ENDED_TOKEN_CODES

    @property
    def is_timeout(self) -> bool:
        """Whether no response arrived in time to a request that was sent."""
        return isinstance(self.error, RequestTimeoutError)

    @classmethod
    def from_api(cls, error: APIError) -> Failure:
        """Classify an error that VK returned."""
        return cls(error, maybe_carried_out=error.code in AMBIGUOUS_CODES)


Result: TypeAlias = "Success | Failure"
"""What an attempt brought."""
Outcome: TypeAlias = "Success | VKError"
"""What becomes of a call."""
