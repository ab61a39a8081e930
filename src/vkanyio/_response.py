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
    from ._secrets import Secrets

_SHOWN_BYTES = 200
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
    status: int, body: bytes, request: APIRequest, secrets: Secrets
) -> Success | Failure:
    """Read the answer to a request, whatever its bytes are.

    :param secrets: what is not to be shown if the answer repeats it
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return _not_an_answer("is not JSON", status, body, request, secrets)
    if is_dict(envelope):
        error = envelope.get("error")
        if is_dict(error) and type(error.get("error_code")) is int:
            return Failure.from_api(api_error(error, body, ["error"], request, secrets))
        if "response" in envelope and error is None:
            return Success(envelope["response"], envelope.get("execute_errors"))
    return _not_an_answer("is not VK's", status, body, request, secrets)


def api_error(
    error: Mapping[str, Any],
    body: bytes,
    place: Sequence[str | int],
    request: APIRequest,
    secrets: Secrets,
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
    raw = secrets.hide_in_json(raw)
    return APIError[code](
        code,
        str(raw.get("error_msg") or ""),
        method=request.method,
        params=request.shown_params(),
        subcode=subcode if type(subcode) is int else None,
        raw=raw,
    )


def shown_bytes(body: bytes, secrets: Secrets) -> bytes:
    """Return the beginning of an answer, for an error to show."""
    return secrets.hide_bytes(body)[:_SHOWN_BYTES]


def too_large(
    status: int, body: bytes, most: int, request: APIRequest, secrets: Secrets
) -> Failure:
    """Judge an answer of more bytes than are allowed.

    :param most: how many are
    """
    what = f"has more than {most} bytes: ask for less at a time, or raise `max_answer`"
    failure = _not_an_answer(what, status, body, request, secrets)
    # It would be as large the next time. What a gateway turned away has no size.
    return failure._replace(is_transient=False, is_too_large=failure.maybe_carried_out)


def _not_an_answer(
    what: str, status: int, body: bytes, request: APIRequest, secrets: Secrets
) -> Failure:
    shown = shown_bytes(body, secrets)
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
