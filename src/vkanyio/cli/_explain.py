"""Messages for errors of the library, with advice for the command line."""

from __future__ import annotations

from http import HTTPStatus

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
from ._common import FAILED, IN_DOUBT, NO_RESPONSE, CommandError


def command_error(error: VKError) -> CommandError:
    """Return the error with which the command ends."""
    return CommandError(explain(error), exit_code(error))


def exit_code(error: VKError) -> int:
    """Return the exit code for an error."""
    if isinstance(error, TransportError):
        return NO_RESPONSE
    return IN_DOUBT if isinstance(error, OutcomeUnknownError) else FAILED


def explain(error: VKError) -> str:
    """Return a message with advice: the library's own advice is for programs."""
    if isinstance(error, APIError):
        advice = _advice(error)
        if advice:
            return f"{error.method}: error {error.code}: {error.message} ({advice})"
    elif isinstance(error, TransportError) and error.method.startswith("upload."):
        left = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
        return f"{error}: nothing was saved, try again later{left}"
    elif isinstance(error, RequestTimeoutError):
        return f"{error}: try again, or use a longer --timeout"
    elif isinstance(error, ConnectionFailedError):
        return f"{error}: check the network, --proxy and --base-url"
    elif isinstance(error, InvalidResponseError):
        if error.status == HTTPStatus.NOT_FOUND:  # it says what to check
            return f"{error}; --base-url sets it"
        return f"{error}: try again later, or check --proxy and --base-url"
    return str(error)


def _advice(error: APIError) -> str:
    if isinstance(error, ConfirmationError):
        return "add confirm=1 if you mean it"
    if isinstance(error, ValidationError):
        page = error.raw.get("redirect_uri", "VK")
        return f"open {page} in a browser, confirm your identity and try again"
    if isinstance(error, CaptchaError):
        sid, image = error.raw.get("captcha_sid"), error.raw.get("captcha_img")
        if error.raw.get("redirect_uri") is None and sid and image:
            return f"open {image} and add captcha_sid={sid} captcha_key=ITS_TEXT"
        return "this captcha needs a program with `on_captcha`; or try again later"
    return ""
