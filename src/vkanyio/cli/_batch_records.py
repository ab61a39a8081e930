"""The fields of a record of ``vkanyio batch`` that describe how a call ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import APIError, ExecuteResult, OutcomeUnknownError

if TYPE_CHECKING:
    from .. import VKError


def describe_result(value: Any) -> tuple[str, dict[str, Any]]:
    """Return how a call with a value ended, and the fields of its record."""
    response, errors = value if isinstance(value, ExecuteResult) else (value, ())
    found: dict[str, Any] = {"response": response}
    if not errors:
        return "succeeded", found
    found["execute_errors"] = [
        {"method": each.method, "code": each.code, "message": each.message}
        for each in errors
    ]
    return "failed", found


def describe_error(error: VKError) -> tuple[str, dict[str, Any]]:
    """Return how a call with an error ended, and the fields of its record."""
    found: dict[str, Any] = {"type": type(error).__name__}
    ending = "failed"
    if isinstance(error, APIError):
        found |= {"code": error.code, "message": error.message}
        if error.subcode is not None:
            found["subcode"] = error.subcode
    else:
        found["message"] = str(error)
        is_doubtful = isinstance(error, OutcomeUnknownError)
        ending = "unknown" if is_doubtful else "got no response"
    found["method"] = getattr(error, "method", "")
    return ending, {"error": found}
