"""What an HTTP response means: bytes in, a success or a failure out.

It neither sends nor retries anything, and knows no clock.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from ._encoding import without_secrets
from ._error_fields import MAX_PARSED, cut, is_error, kept_fields, read_large_error
from ._errors import APIError, InvalidResponseError
from ._outcome import TOO_MANY_REQUESTS, Failure, Success
from ._similar import did_you_mean
from ._typeguards import is_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._encoding import Encoded
    from ._masking import Secrets
    from ._outcome import Result

JSON: TypeAlias = "dict[str, Any] | list[Any] | str | float | None"

_MAX_SHOWN_BYTES = 200
_NOT_FOUND = 404
_REQUEST_TIMEOUT = 408
_DECODER = json.JSONDecoder(strict=False)
_UNKNOWN_METHOD = 3
"""VK's code for a method that it does not have."""


def _no_header(_: str) -> None:
    return None


class Response(NamedTuple):
    """An HTTP response that has been read completely.

    :ivar header: returns a header by its name, such as "Retry-After", or None; only a
        failure is asked for one
    """

    status_code: int
    content: bytes
    header: Callable[[str], str | None] = _no_header


class MethodCall(Protocol):
    """What an error says about the call that failed."""

    @property
    def method(self) -> str:
        """VK's name of the method."""
        ...

    @property
    def params(self) -> Mapping[str, Encoded]:
        """The parameters, encoded."""
        ...


def read_json(body: bytes) -> Any:
    """Parse JSON as VK writes it.

    VK leaves control characters in strings as they are, and cuts texts in the middle of
    a character (https://github.com/python273/vk_api/issues/473). Neither is a reason to
    lose a response: the first are kept, and a byte that is not UTF-8 becomes U+FFFD.

    :raises ValueError: if it is not JSON otherwise
    :raises RecursionError: if it is nested too deeply
    """
    return _DECODER.decode(body.decode(json.detect_encoding(body), "replace"))


def read_response(
    status: int, body: bytes, call: MethodCall, secrets: Secrets
) -> Result:
    """Read the response to a call, whatever its bytes are.

    :param secrets: what to hide if the response repeats it
    """
    envelope: JSON
    try:
        is_large_error = len(body) > MAX_PARSED and is_error(body)
        envelope = (
            read_large_error(body, read_json) if is_large_error else read_json(body)
        )
    except (ValueError, RecursionError):
        return _invalid("is not JSON", status, body, call, secrets)
    if isinstance(envelope, dict):
        error = envelope.get("error")
        if error is None and "response" in envelope:
            return Success(envelope["response"], envelope.get("execute_errors"))
        if is_dict(error) and type(error.get("error_code")) is int:
            return Failure.from_api(api_error(error, body, call, secrets))
    return _invalid("is not a response of the VK API", status, body, call, secrets)


def api_error(
    error: Mapping[str, Any], body: bytes, call: MethodCall, secrets: Secrets
) -> APIError:
    """Convert an error object to an exception, which keeps a bounded part of it.

    :param body: the body of the response
    """
    code: int = error["error_code"]
    subcode = error.get("error_subcode")
    raw = kept_fields(error, body, secrets)
    found = APIError[code](
        code,
        cut(str(raw.get("error_msg") or "")),
        method=call.method,
        params=without_secrets(call.params),
        subcode=subcode if type(subcode) is int else None,
        raw=raw,
    )
    if code == _UNKNOWN_METHOD:
        found.advice = f"{_similar_method(call.method)}{found.advice}"
    return found


@lru_cache(100)  # comparing takes 10 ms, and a program repeats its mistakes
def _similar_method(name: str) -> str:
    """Return a hint with the method that was probably meant, or an empty string."""
    from ._method_facts import METHODS  # lazily, to import vkanyio fast

    if name in METHODS or name.startswith("execute."):
        return ""  # it is VK's alone to know why
    hint = did_you_mean(name, METHODS).removeprefix(": ")
    return f"{hint} " if hint else ""


def shown_bytes(body: bytes, secrets: Secrets) -> bytes:
    """Return the first bytes of a body, for an error to show."""
    return secrets.hide_bytes(body)[:_MAX_SHOWN_BYTES]


def too_large(
    status: int, body: bytes, max_bytes: int, call: MethodCall, secrets: Secrets
) -> Failure:
    """Classify a response with more bytes than are allowed.

    :param max_bytes: how many are allowed
    """
    problem = (
        f"has more than {max_bytes} bytes: request less at a time, or raise"
        " `max_answer`"
    )
    # A retry would bring as many bytes. A gateway's refusal says nothing about the
    # size of VK's own response.
    is_transient = status == TOO_MANY_REQUESTS
    failure = _invalid(problem, status, body, call, secrets, is_transient=is_transient)
    return failure._replace(is_too_large=failure.maybe_carried_out)


def _invalid(
    problem: str,
    status: int,
    body: bytes,
    call: MethodCall,
    secrets: Secrets,
    *,
    is_transient: bool | None = None,
) -> Failure:
    shown = shown_bytes(body, secrets)
    message = (
        f"the response {problem} (HTTP status {status}, begins with {shown[:60]!r})"
    )
    if status == TOO_MANY_REQUESTS:
        message = (
            "a gateway in front of VK keeps refusing the request as too many requests"
            f" (HTTP status 429, begins with {shown[:60]!r}): lower `limit` to what"
            " it allows"
        )
    elif status == _NOT_FOUND:
        message = f"{message}: check base_url (VK's ends in /method)"
    error = InvalidResponseError(
        message,
        method=call.method,
        status=status,
        body=shown,
        is_transient=is_transient,
    )
    # A gateway in front of VK refused the request: VK has not seen it.
    was_refused = 300 <= status < 500 and status != _REQUEST_TIMEOUT
    return Failure(error, maybe_carried_out=not was_refused)
