"""What an HTTP answer means: bytes in, a result or a failure out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from ._errors import APIError, InvalidResponseError
from ._execute import ExecuteError, ExecuteResult
from ._retry import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._request import APIRequest

_SHOWN_BYTES = 200
# The gateway in front of VK refused these, and says so: nothing was carried out.
_REFUSED_FOR_NOW = frozenset({408, 429})


@attrs.frozen
class Answer:
    """A call that VK carried out."""

    response: Any
    execute_errors: Sequence[Any] = ()

    def to_execute_result(self) -> ExecuteResult:
        """Return the answer as the result of a script."""
        errors = tuple(ExecuteError.from_raw(raw) for raw in self.execute_errors)
        return ExecuteResult(self.response, errors)


def read_answer(
    status: int, body: bytes, request: APIRequest, token: str
) -> Answer | Failure:
    """Read the answer to a request; there is none that this fails on.

    :param token: the token of the request, which a gateway may have put into its page
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return _not_an_answer("is not JSON", status, body, request, token)
    if isinstance(envelope, dict):
        code = _error_code(envelope.get("error"))
        if code is not None:
            return Failure.from_api(_api_error(code, envelope["error"], request))
        if "response" in envelope and "error" not in envelope:
            errors = envelope.get("execute_errors")
            return Answer(
                envelope["response"], errors if isinstance(errors, list) else ()
            )
    return _not_an_answer("is not VK's", status, body, request, token)


def _error_code(error: object) -> int | None:
    code = error.get("error_code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _api_error(code: int, raw: dict[str, Any], request: APIRequest) -> APIError:
    subcode = raw.get("error_subcode")
    shown = {key: value for key, value in raw.items() if key != "request_params"}
    return APIError[code](
        code,
        str(raw.get("error_msg", "")),
        method=request.method,
        params=request.shown_params(),
        subcode=subcode if isinstance(subcode, int) else None,
        raw=shown,
    )


def _not_an_answer(
    what: str, status: int, body: bytes, request: APIRequest, token: str
) -> Failure:
    shown = body.replace(token.encode(), b"***")[:_SHOWN_BYTES]
    error = InvalidResponseError(
        f"the answer {what} (HTTP status {status}, begins with {shown[:60]!r})",
        method=request.method,
        status=status,
        body=shown,
    )
    if 300 <= status < 500:
        may_pass = status in _REFUSED_FOR_NOW
        return Failure(error, maybe_carried_out=False, may_pass=may_pass)
    return Failure(error, maybe_carried_out=True, may_pass=True)
