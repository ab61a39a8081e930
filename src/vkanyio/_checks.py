"""Checks of what reaches VK's wire as it stands, shared by options and requests."""

from __future__ import annotations

import re

from ._guards import is_mapping

_METHOD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
_OWN_HEADERS = frozenset(
    {"authorization", "content-length", "content-type", "host", "transfer-encoding"}
)


_MOST_SHOWN = 500


def shown(value: object) -> str:
    """Return what an error shows of a value, whatever the value's own repr does."""
    try:
        text = repr(value)
    except Exception:  # a number of 5,000 digits has none
        return f"something without a repr: {type(value).__name__}"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def check_token(name: str, token: object) -> None:
    """Refuse what cannot be an access token, without repeating any of it.

    :param name: the option or parameter that holds the token
    """
    wanted = f"{name} must be an access token of VK's"
    if not isinstance(token, str):
        message = f"{wanted}, a str, got {type(token).__name__}"
        raise TypeError(message)
    if not token:
        message = f"{wanted}, got an empty string"
        raise ValueError(message)
    if not _TOKEN.fullmatch(token):
        message = f"{wanted}, got a string with a space, a line break or the like in it"
        raise ValueError(message)


def check_method_name(method: object, *, option: str = "method") -> None:
    """Refuse what VK cannot have as a method: names go into VKScript as they stand."""
    if not isinstance(method, str) or not _METHOD_NAME.fullmatch(method):
        kind = ValueError if isinstance(method, str) else TypeError
        message = (
            f'{option} must be the name of a method such as "users.get": letters,'
            f" digits and dots, got {shown(method)}"
        )
        raise kind(message)


def check_headers(name: str, headers: object) -> None:
    """Refuse what is no HTTP header, or is one that vkanyio writes itself."""
    if not is_mapping(headers):
        message = f"{name} must be a dict of str to str, got {type(headers).__name__}"
        raise TypeError(message)
    for key, value in headers.items():
        if not isinstance(key, str) or not isinstance(value, str):
            kind = type(value).__name__
            message = f"{name} must be a dict of str to str, got {shown(key)}: a {kind}"
            raise TypeError(message)
        if key.lower() in _OWN_HEADERS:
            instead = "give the token instead" if key.lower() == "authorization" else ""
            message = f"{name} must not hold {shown(key)}: vkanyio writes it itself"
            raise ValueError(f"{message}; {instead}" if instead else message)
        if not _HEADER_NAME.fullmatch(key) or not _HEADER_VALUE.fullmatch(value):
            message = f"{name} holds {shown(key)}, which HTTP cannot carry in this form"
            raise ValueError(message)
