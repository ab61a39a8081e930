"""VK's errors, and the ways in which a connection can fail."""

from __future__ import annotations

from typing import Any, Final

from ._schema import error_text

JSON = Any
"""A value that :func:`json.dumps` accepts."""

ERROR_TEXTS: Final = {
    1: "Unknown error occurred",
    3: "Unknown method passed",
    5: "User authorization failed",
    6: "Too many requests per second",
    7: "Permission to perform this action is denied",
    8: "Invalid request",
    9: "Flood control",
    10: "Internal server error: Unknown error, try later",
    12: "Unable to compile code",
    13: "Runtime error occurred during code invocation",
    14: "Captcha needed",
    15: "Access denied",
    17: "Validation required",
    18: "User was deleted or banned",
    22: "Upload error",
    24: "Confirmation required",
    27: "Group authorization failed",
    28: "Application authorization failed",
    29: "Rate limit reached",
    30: "This profile is private",
    36: "Method execution was interrupted due to timeout",
    100: "One of the parameters specified was missing or invalid",
    104: "Not found",
    105: "Couldn't save file",
    113: "Invalid user id",
    114: "Invalid album id",
    118: "Invalid server",
    121: "Invalid hash",
    125: "Invalid group id",
    129: "Invalid photo",
    174: "Cannot add user himself as friend",
    177: "Cannot add this user to friends as user not found",
    200: "Access denied",
    210: "Access to wall's post denied",
    211: "Access to wall's comment denied",
    213: "Access to status replies denied",
    214: "Access to adding post denied",
    243: "Comment has not been deleted",
    900: "Can't send messages for users from blacklist",
    901: "Can't send messages for users without permission",
    902: "Can't send messages to this user due to their privacy settings",
    909: "Can't edit this message, because it's too old",
    911: "Keyboard format is invalid",
    914: "Message is too long",
    917: "You don't have access to this chat",
    920: "Can't edit this kind of message",
    921: "Can't forward these messages",
    924: "Can't delete this message for everybody",
    925: "You are not admin of this chat",
    935: "User not found in chat",
    936: "Contact not found",
    1117: "Access token has expired",
    9999: "Not supported http method",
}
"""The base texts from VK's schema, for the codes that the simulator uses."""


class VKFault(Exception):
    """Raised by the handler of a method to return a VK error.

    :param code: VK's error code
    :param message: VK's text; by default the text that belongs to the code
    :param extra: further fields of the error object, such as ``error_subcode``
    """

    def __init__(self, code: int, message: str | None = None, **extra: JSON) -> None:
        self.code = code
        self.message: str = message or ERROR_TEXTS.get(code) or error_text(code)
        self.extra = extra
        super().__init__(f"[{code}] {self.message}")

    @classmethod
    def parameter(cls, detail: str) -> VKFault:
        """Create an error 100 about a parameter.

        :param detail: what is wrong, such as "user_id is undefined"
        :return: the fault, to raise
        """
        return cls(100, f"{ERROR_TEXTS[100]}: {detail}")


class ConnectionFault(Exception):
    """Raised when the connection should fail instead of delivering a response.

    The ASGI application raises it. :meth:`Simulator.serve` and
    :meth:`Simulator.http_client` turn it into what a client would see; another ASGI
    server is likely to respond with status 500.
    """


class ConnectionDropped(ConnectionFault):
    """Raised when the connection is lost before a response was sent."""


class ConnectionRefused(ConnectionFault):
    """Raised when there is no connection, so that the request never arrives."""
