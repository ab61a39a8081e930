"""How Python's values become the parameters of a VK method.

A value is encoded once, in the task of the caller, and what comes out serves a plain
request and VKScript alike: a mistake is seen where it was made, and a call means the
same whichever way it is sent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from urllib.parse import urlencode

from ._guards import is_mapping

Encoded = str | int

_SERIES = (Sequence, AbstractSet, Iterator, ValuesView)

# JSON's own escapes are not VKScript's: it knows these four and takes all other text
# as it is (`\uXXXX` would stay six characters).
_VKSCRIPT_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


def encode_params(params: Mapping[str, Any]) -> dict[str, Encoded]:
    """Encode the parameters of a call, leaving out those that are ``None``.

    :raises TypeError: for a value of a type that VK has no form for
    :raises ValueError: for a value that VK has no form for, such as NaN
    """
    encoded: dict[str, Encoded] = {}
    for name, value in params.items():
        if not isinstance(name, str) or not name:
            msg = f"the name of a parameter must be a non-empty string, got {name!r}"
            raise TypeError(msg)
        if value is not None:
            _check_text(name, name)
            encoded[name] = _encode(name, value)
    return encoded


def _encode(name: str, value: Any) -> Encoded:
    if isinstance(value, str) and not isinstance(value, Enum):
        return _check_text(name, value)
    if isinstance(value, int) and not isinstance(value, Enum):
        return int(value)
    to_vk: Any = getattr(value, "to_vk", None)
    if to_vk is not None:
        return _encode(name, to_vk())
    if isinstance(value, Enum):
        return _encode(name, value.value)
    if isinstance(value, float):
        return _fixed_point(name, value)
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, Mapping):
        return _to_json(name, value)
    if _is_series(value):
        return _join(name, value)
    msg = (
        f"{name} must be a str, number, bool, list, dict, datetime, enum or an object"
        f" with to_vk(), got {value!r} ({type(value).__name__})"
    )
    raise TypeError(msg)


def _is_series(value: Any) -> bool:
    return isinstance(
        value, Sequence | AbstractSet | Iterator | ValuesView
    ) and not isinstance(value, bytes | bytearray | memoryview)


def _join(name: str, values: Any) -> Encoded:
    items = list(values)
    if items and all(isinstance(item, Mapping) for item in items):
        # A row of objects has no comma form: the few methods that take one
        # (ads.createAds) want a JSON array.
        return _to_json(name, items)
    encoded: list[str] = []
    for index, item in enumerate(items):
        place = f"{name}[{index}]"
        if item is None or isinstance(item, Mapping) or _is_series_of_values(item):
            msg = f"{place} must be a single value, got {item!r}"
            raise TypeError(msg)
        encoded.append(str(_encode(place, item)))
    return ",".join(encoded)


def _is_series_of_values(item: Any) -> bool:
    return _is_series(item) and not isinstance(item, str) and not hasattr(item, "to_vk")


def _fixed_point(name: str, value: float) -> str:
    if not math.isfinite(value):
        msg = f"{name} must be a finite number, got {value!r}"
        raise ValueError(msg)
    return format(Decimal(repr(float(value))), "f")  # VK reads no exponents


def _to_json(name: str, value: Any) -> str:
    try:
        text = json.dumps(
            value,
            ensure_ascii=False,
            separators=(",", ":"),
            allow_nan=False,
            default=_json_default,
        )
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"{name} has no JSON form: {error}"
        raise type(error)(msg) from None
    return _check_text(name, text)


def _json_default(value: Any) -> Any:
    if hasattr(value, "to_vk"):
        return value.to_vk()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return int(value.timestamp())
    if is_mapping(value):
        return dict(value)
    if _is_series(value):
        return list(value)
    msg = f"{value!r} is of type {type(value).__name__}"
    raise TypeError(msg)


def _check_text(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = f"{name} must be text that UTF-8 can carry, got {text!r}"
        raise ValueError(msg) from None
    return text


def to_form(params: Mapping[str, Encoded]) -> bytes:
    """Write parameters as the body of a POST request."""
    return urlencode(params).encode("ascii")


def to_vkscript(method: str, params: Mapping[str, Encoded]) -> str:
    """Write a call as VKScript: ``API.users.get({"user_ids":1})``."""
    fields = ",".join(f"{_quote(name)}:{_literal(v)}" for name, v in params.items())
    return f"API.{method}({{{fields}}})"


def _literal(value: Encoded) -> str:
    return _quote(value) if isinstance(value, str) else str(value)


def _quote(text: str) -> str:
    return f'"{text.translate(_VKSCRIPT_ESCAPES)}"'
