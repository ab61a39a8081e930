"""Errors of the library, as a person at a command line needs them."""

from __future__ import annotations

from .. import (
    APIError,
    CaptchaError,
    ConfirmationError,
    ConnectionFailedError,
    InvalidResponseError,
    OutcomeUnknownError,
    RequestTimeoutError,
    TransportError,
    ValidationError,
    VKError,
)
from ._common import FAILED, IN_DOUBT, NO_ANSWER, Failure


def failure(error: VKError) -> Failure:
    """Make of an error what ends the program."""
    return Failure(explain(error), exit_code(error))


def exit_code(error: VKError) -> int:
    """Return the exit code that tells of an error."""
    if isinstance(error, TransportError):
        return NO_ANSWER
    return IN_DOUBT if isinstance(error, OutcomeUnknownError) else FAILED


def explain(error: VKError) -> str:
    """Say what to do here, where the library's advice is for a program."""
    if isinstance(error, APIError):
        advice = _advice(error)
        if advice:
            return f"{error.method}: error {error.code}: {error.message} ({advice})"
    elif isinstance(error, RequestTimeoutError):
        return f"{error}: try again, or with a longer --timeout"
    elif isinstance(error, ConnectionFailedError):
        return f"{error}: check the network, --proxy and --base-url"
    elif isinstance(error, InvalidResponseError):
        return f"{error}: try again later, or check --proxy and --base-url"
    return str(error)


def _advice(error: APIError) -> str:
    if isinstance(error, ConfirmationError):
        return "add confirm=1 if you mean it"
    if isinstance(error, ValidationError):
        page = error.raw.get("redirect_uri", "VK")
        return f"open {page} in a browser, confirm who you are and try again"
    if isinstance(error, CaptchaError):
        sid, image = error.raw.get("captcha_sid"), error.raw.get("captcha_img")
        if error.raw.get("redirect_uri") is None and sid and image:
            return f"look at {image} and add captcha_sid={sid} captcha_key=ITS_TEXT"
        return "this captcha is for a program with `on_captcha`; or try again later"
    return ""
