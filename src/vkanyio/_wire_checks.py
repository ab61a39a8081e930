"""Validate what is sent verbatim: tokens, method names, headers."""

from __future__ import annotations

import re

from ._masking import kind_of
from ._typeguards import is_mapping

_METHOD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_USUAL_TOKEN = re.compile(r"[A-Za-z0-9._-]+")
"""What VK's tokens look like. Others are not refused: nobody promises their form."""
_AROUND_TOKENS = (
    (
        re.compile(r".*(access_token|expires_in=|://)", re.DOTALL | re.IGNORECASE),
        'more than the token: pass only the part between "access_token=" and "&"',
    ),
    (
        re.compile(r"\s*bearer\s", re.IGNORECASE),
        'one with "Bearer" before it: pass only what comes after it',
    ),
    (
        re.compile(r"\s*[\"']|.*[\"']\s*\Z", re.DOTALL),
        "one with quotes around it: pass it without them",
    ),
    (
        re.compile(r"\s|.*\s\Z", re.DOTALL),
        "one with a space or a line break around it: pass `token.strip()`",
    ),
)
"""What is copied or read together with a token."""
_WHOLE = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
_OWN_HEADERS = frozenset(
    {"authorization", "content-length", "content-type", "host", "transfer-encoding"}
)

_MAX_SHOWN = 500


def shown(value: object) -> str:
    """Return the repr of a value for an error, bounded, even if the repr raises."""
    try:
        text = repr(value)
    except Exception:  # an int of 5,000 digits has no repr
        return f"a value without a repr: {type(value).__name__}"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def check_whole(name: str, value: object, least: int, most: int | None = None) -> None:
    """Refuse what is not a whole number within its bounds.

    :param name: the parameter that it was passed as
    """
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    message = f"{name} must be a whole number {bounds}, got {shown(value)}"
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(message)
    if value < least or (most is not None and value > most):
        raise ValueError(message)


def check_token(name: str, token: object) -> None:
    """Refuse what cannot be an access token, without showing any of it.

    :param name: the option or parameter that holds the token
    """
    wanted = f"{name} must be a VK access token"
    if not isinstance(token, str):
        message = f"{wanted}, a str, got {kind_of(token)}"
        raise TypeError(message)
    if not token:
        message = f"{wanted}, got an empty string"
        raise ValueError(message)
    if _USUAL_TOKEN.fullmatch(token):
        return
    for around, problem in _AROUND_TOKENS:
        if around.match(token):
            message = f"{wanted}, got {problem}"
            raise ValueError(message)
    if not _TOKEN.fullmatch(token):
        message = (
            f"{wanted}, got a string with a space, a line break or another invalid"
            " character in it"
        )
        raise ValueError(message)


def check_random_id(value: str | int) -> None:
    """Refuse a key of a message that VK would not store as it is.

    :param value: the parameter, encoded
    """
    is_whole = isinstance(value, int) or _WHOLE.fullmatch(value)
    if not is_whole or not -(2**31) <= int(value) < 2**31:
        message = (
            f"random_id must be an integer from {-(2**31)} to {2**31 - 1}, since VK"
            f" stores 32 bits of it, got {shown(value)}"
        )
        raise ValueError(message)


def check_method_name(method: object, *, option: str = "method") -> None:
    """Refuse what cannot be a method name: it is put into VKScript verbatim."""
    if not isinstance(method, str) or not _METHOD_NAME.fullmatch(method):
        kind = ValueError if isinstance(method, str) else TypeError
        message = (
            f'{option} must be the name of a method such as "users.get": letters,'
            f" digits and dots, got {shown(method)}"
        )
        raise kind(message)


def check_headers(name: str, headers: object) -> None:
    """Refuse headers that are invalid, or that vkanyio sets itself."""
    if not is_mapping(headers):
        message = f"{name} must be a dict of str to str, got {kind_of(headers)}"
        raise TypeError(message)
    for key, value in headers.items():
        if not isinstance(key, str) or not isinstance(value, str):
            kind = kind_of(value)
            message = f"{name} must be a dict of str to str, got {shown(key)}: a {kind}"
            raise TypeError(message)
        if key.lower() in _OWN_HEADERS:
            instead = "pass the token instead" if key.lower() == "authorization" else ""
            message = f"{name} must not contain {shown(key)}: vkanyio sets it itself"
            raise ValueError(f"{message}; {instead}" if instead else message)
        if not _HEADER_NAME.fullmatch(key) or not _HEADER_VALUE.fullmatch(value):
            message = f"{name} contains {shown(key)}, which is not a valid HTTP header"
            raise ValueError(message)
