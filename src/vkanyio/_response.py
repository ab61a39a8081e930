"""What an HTTP answer means: bytes in, a result or a failure out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ._errors import APIError, InvalidResponseError
from ._execute import ExecuteError, ExecuteResult
from ._guards import is_dict, is_list
from ._retry import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._errors import VKError
    from ._request import APIRequest

_SHOWN_BYTES = 200
_SHORTEST_TOKEN = 16  # VK's are longer; those of tests are found in any text
_REQUEST_TIMEOUT = 408
_TOO_MANY_REQUESTS = 429


Outcome: TypeAlias = "Success | VKError"
"""What becomes of a call."""


class Success(NamedTuple):
    """A call that VK carried out.

    :ivar response: its value
    :ivar execute_errors: the failures in a script, whatever VK has put there
    """

    response: Any
    execute_errors: Any = None

    def to_execute_result(self) -> ExecuteResult:
        """Return the answer as the result of a script."""
        entries = self.execute_errors if is_list(self.execute_errors) else ()
        errors = tuple(ExecuteError.from_raw(raw) for raw in entries)
        return ExecuteResult(self.response, errors)


def read_response(
    status: int, body: bytes, request: APIRequest, token: str
) -> Success | Failure:
    """Read the answer to a request, whatever its bytes are.

    :param token: the token of the request, which a gateway may have put into its page
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return _not_an_answer("is not JSON", status, body, request, token)
    if is_dict(envelope):
        error = envelope.get("error")
        if is_dict(error) and type(error.get("error_code")) is int:
            return Failure.from_api(api_error(error, body, ["error"], request, token))
        if "response" in envelope and error is None:
            return Success(envelope["response"], envelope.get("execute_errors"))
    return _not_an_answer("is not VK's", status, body, request, token)


def api_error(
    error: Mapping[str, Any],
    body: bytes,
    place: Sequence[str | int],
    request: APIRequest,
    token: str,
) -> APIError:
    """Make an error of VK's error object.

    :param body: the bytes of the answer
    :param place: where the object stands in the answer
    """
    code: int = error["error_code"]
    subcode = error.get("error_subcode")
    # They repeat the parameters, and old versions of VK's API the token with them.
    raw = {key: value for key, value in error.items() if key != "request_params"}
    if "captcha_ts" in raw:
        # It goes back just as VK wrote it, which a float does not promise.
        exact = json.loads(body, parse_float=str)
        for step in place:
            exact = exact[step]
        raw["captcha_ts"] = exact["captcha_ts"]
    if _is_shown_in(body, token):
        error, raw = _masked(error, token), _masked(raw, token)
    return APIError[code](
        code,
        str(error.get("error_msg") or ""),
        method=request.method,
        params=request.shown_params(),
        subcode=subcode if type(subcode) is int else None,
        raw=raw,
    )


def shown_bytes(body: bytes, token: str) -> bytes:
    """Return the beginning of an answer, for an error to show."""
    if _is_shown_in(body, token):
        body = body.replace(token.encode(), b"***")
    return body[:_SHOWN_BYTES]


def too_large(
    status: int, body: bytes, most: int, request: APIRequest, token: str
) -> Failure:
    """Judge an answer of more bytes than are allowed.

    :param most: how many are
    """
    what = f"has more than {most} bytes: ask for less at a time, or raise `max_answer`"
    failure = _not_an_answer(what, status, body, request, token)
    # It would be as large the next time. What a gateway turned away has no size.
    return failure._replace(is_transient=False, is_too_large=failure.maybe_carried_out)


def _not_an_answer(
    what: str, status: int, body: bytes, request: APIRequest, token: str
) -> Failure:
    shown = shown_bytes(body, token)
    error = InvalidResponseError(
        f"the answer {what} (HTTP status {status}, begins with {shown[:60]!r})",
        method=request.method,
        status=status,
        body=shown,
    )
    if 300 <= status < 500 and status != _REQUEST_TIMEOUT:
        # A gateway in front of VK turned it away, and says so: VK has not seen it.
        is_transient = status == _TOO_MANY_REQUESTS
        return Failure(error, maybe_carried_out=False, is_transient=is_transient)
    return Failure(error, maybe_carried_out=True, is_transient=True)


def _is_shown_in(body: bytes, token: str) -> bool:
    return len(token) >= _SHORTEST_TOKEN and token.encode() in body


def _masked(value: Any, token: str) -> Any:
    if isinstance(value, str):
        return value.replace(token, "***")
    if is_list(value):
        return [_masked(item, token) for item in value]
    if is_dict(value):
        return {_masked(k, token): _masked(v, token) for k, v in value.items()}
    return value
