"""What an upload server's response means: bytes in, parameters or a failure out.

Upload servers refuse a file with HTTP status 200, and each in its own way.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import InvalidResponseError, UploadRefusedError
from .._outcome import TOO_MANY_REQUESTS, Failure
from .._response import read_json
from .._retry_after import parse_retry_after
from .._typeguards import is_dict
from .._wire_checks import shown

if TYPE_CHECKING:
    from .._response import Response
    from ._kinds import FileKind

_TOO_LARGE = 413
_REQUEST_TIMEOUT = 408
_TOO_FAST = -12
"""VK's code for files that come too fast, known from videos
(https://github.com/FrediKats/VkLibrary/issues/13)."""
_EMPTY: tuple[Any, ...] = (None, "", "[]", "{}", [], {})
"""How servers write that there is no file: some return a list without photos, as text
(https://github.com/VKCOM/vk-php-sdk/issues/119)."""
_MAX_SHOWN_BYTES = 200


class Answer(NamedTuple):
    """What an upload server returned for a file that it took.

    :ivar value: its JSON, without an envelope
    :ivar text: the whole response as text
    """

    value: Any
    text: str


def read_answer(response: Response, kind: str) -> Answer | Failure:
    """Read the response of any upload server, which takes or refuses the file.

    1. It is too large, says a gateway.
    2. A gateway or the server failed: the file may be sent again.
    3. The body is not JSON, or a text that says no more than that it is an error.
    4. The server refuses the file in its own words.

    :param kind: the method of ``api.upload``, for errors
    """
    status, body = response.status_code, response.content
    if status == _TOO_LARGE:
        message = (
            "the server refused the file as too large (HTTP status 413): send a"
            " smaller one"
        )
        return _refusal(message, kind, _text(body))
    if status >= 500 or status in (_REQUEST_TIMEOUT, TOO_MANY_REQUESTS):
        return _invalid("is an error of the server", response, kind)
    try:
        value: Any = read_json(body)
    except (ValueError, RecursionError):
        return _invalid("is not JSON", response, kind)
    if is_dict(value):
        words = _words_of(value)
        if words is not None:
            is_too_fast = _is_too_fast(value, words)
            hint = ", try again later" if is_too_fast else ""
            message = f"VK refused the file{hint}: {words}"
            return _refusal(message, kind, value, is_transient=is_too_fast)
        if "response" in value:
            value = value["response"]
    if status >= 400:
        return _invalid("is an error of the server", response, kind)
    return Answer(value, _text(body))


def find_refusal(answer: Answer, kind: FileKind) -> Failure | None:
    """Return a failure if an answer lacks what saves the file."""
    for key in kind.needed:
        value = answer.value
        if key != "*":
            value = value.get(key) if is_dict(value) else None
        if value in _EMPTY:
            what = "nothing" if key == "*" else f"no {key}"
            message = (
                f"VK returned {what}, so it did not accept the file: it must be"
                f" {kind.limits} (VK returned {shown(answer.value)})"
            )
            return _refusal(message, kind.name, answer.value)
    return None


def _words_of(value: dict[str, Any]) -> str | None:
    """Return how a server says that it failed, None if it does not."""
    error = value.get("error")
    if is_dict(error):  # as the methods of VK write it
        value, error = error, error.get("error_msg")
    code = value.get("error_code")
    words = [error, value.get("error_msg"), value.get("error_descr")]
    found = [each for each in words if isinstance(each, str) and each]
    if code:
        found.append(f"code {code}")
    if not found and error not in _EMPTY and error != 0:
        found.append(str(error))
    return shown(" ".join(dict.fromkeys(found)))[1:-1] if found else None


def _is_too_fast(value: dict[str, Any], words: str) -> bool:
    return value.get("error_code") == _TOO_FAST or "too fast" in words.lower()


def _refusal(
    message: str, kind: str, response: Any, *, is_transient: bool = False
) -> Failure:
    error = UploadRefusedError(
        message, kind=kind, response=response, is_transient=is_transient
    )
    return Failure(error, maybe_carried_out=False)


def _invalid(problem: str, response: Response, kind: str) -> Failure:
    body, status = response.content[:_MAX_SHOWN_BYTES], response.status_code
    error = InvalidResponseError(
        f"the response {problem} (HTTP status {status}, begins with {body[:60]!r})",
        method=f"upload.{kind}",
        status=status,
        body=body,
    )
    header = response.header("Retry-After")
    retry_after = None
    if header is not None:
        date = response.header("Date")
        retry_after = parse_retry_after(header, date, time.time())
    return Failure(error, maybe_carried_out=False, retry_after=retry_after)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
