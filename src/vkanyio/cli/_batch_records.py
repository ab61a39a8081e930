"""What the records of ``vkanyio batch`` say of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import APIError, OutcomeUnknownError

if TYPE_CHECKING:
    from .. import ExecuteResult, VKError


def describe_answer(result: ExecuteResult) -> tuple[str, dict[str, Any]]:
    """Return what became of a call, and what the record of it has."""
    found: dict[str, Any] = {"response": result.response}
    if not result.errors:
        return "answered", found
    found["execute_errors"] = [
        {"method": each.method, "code": each.code, "message": each.message}
        for each in result.errors
    ]
    return "failed", found


def describe(error: VKError) -> tuple[str, dict[str, Any]]:
    """Return what became of a call that failed, and what the record of it has."""
    found: dict[str, Any] = {"type": type(error).__name__}
    outcome = "failed"
    if isinstance(error, APIError):
        found |= {"code": error.code, "message": error.message}
        if error.subcode is not None:
            found["subcode"] = error.subcode
    else:
        found["message"] = str(error)
        is_doubtful = isinstance(error, OutcomeUnknownError)
        outcome = "unknown" if is_doubtful else "unanswered"
    found["method"] = getattr(error, "method", "")
    return outcome, {"error": found}
