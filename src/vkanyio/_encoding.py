"""How Python values become the parameters of a VK method.

A value is encoded once, in the caller's task, and the result serves a plain request and
VKScript alike: a mistake is reported where it was made, and a call means the same
whichever way it is sent.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import quote_plus

from ._masking import (
    SECRET_PARAMS,
    Masked,
    SecretBytes,
    SecretStr,
    kind_of,
    mask,
)
from ._typeguards import is_mapping
from ._wire_checks import check_token, shown

Encoded = str | int
_Result = TypeVar("_Result", str, Encoded)

_SINGLE = (str, int, float)
_PLAIN = {str, int}
_QUICK_SERIES = {list, tuple}

# VKScript knows only these four escapes, not those of JSON, and takes all other text
# literally (`\uXXXX` would stay six characters).
_VKSCRIPT_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


_MAX_FORMS = 10
"""How often `to_vk()` may return an object with `to_vk()`: a Mock does so for ever."""

_MAX_PLAIN = 2**63
"""Beyond it, a number may have too many digits to be written out."""

_MAX_NUMBER = 2**31
"""VKScript was seen to have 32-bit numbers (https://habr.com/ru/post/464099)."""


def encode_params(params: Mapping[str, Any]) -> dict[str, Encoded]:
    """Encode the parameters of a call, leaving out those that are ``None``.

    :raises TypeError: for a value of a type that cannot be encoded, naming it
    :raises ValueError: for a value that cannot be encoded, such as NaN, naming it
    """
    if not (isinstance(params, dict) or is_mapping(params)):
        message = f"params must be a dict of parameters, got {kind_of(params)}"
        raise TypeError(message)
    encoded: dict[str, Encoded] = {}
    for name, value in params.items():
        if not isinstance(name, str) or not name:
            message = (
                f"the name of a parameter must be a non-empty string, got {shown(name)}"
            )
            raise TypeError(message)
        if value is None:
            continue
        if not name.isascii():
            _check_text(repr(name), name)
        if name in SECRET_PARAMS:
            encoded[name] = _encode_secret(name, value)
        elif _is_plain(value):
            encoded[name] = value
        else:
            encoded[name] = _encode_deep(_encode, name, value)
    return encoded


def _is_plain(value: Any) -> bool:
    """Return whether a value is sent unchanged, as most are: the quick case."""
    if type(value) is int:
        return -_MAX_PLAIN < value < _MAX_PLAIN
    return type(value) is str and value.isascii()


def _encode_secret(name: str, value: Any) -> SecretStr:
    """Encode a value that no frame of an error shows."""
    value = mask(value)
    if isinstance(value, SecretStr) and value.isascii():  # no error is possible
        return value
    try:
        encoded = mask(_encode_deep(_encode, name, _reveal(value)))
        if name == "access_token":  # a number is none, though it could be sent
            check_token(name, encoded)
        return SecretStr(_reveal(encoded))
    except (TypeError, ValueError) as error:
        problem = type(error)(str(error))
    # Another exception, without the frames and the causes of the first.
    raise problem


def _reveal(masked: Any) -> Any:
    if isinstance(masked, Masked):
        return masked.reveal()
    return bytes(masked) if isinstance(masked, bytes) else str(masked)


def without_secrets(params: Mapping[str, Encoded]) -> dict[str, Encoded]:
    """Return the parameters that may be shown."""
    return {k: v for k, v in params.items() if k not in SECRET_PARAMS}


def encode_json(name: str, value: Any) -> str:
    """Encode a value of a parameter as JSON.

    :raises TypeError: for a value of a type that cannot be encoded, naming it
    :raises ValueError: for a value that cannot be encoded, such as NaN, naming it
    """
    return _encode_deep(_to_json, name, value)


def _encode_deep(
    encode: Callable[[str, Any], _Result], name: str, value: Any
) -> _Result:
    try:
        return encode(name, value)
    except RecursionError:
        raise _too_deep(name) from None


def _encode(name: str, value: Any) -> Encoded:
    value = _simplify(name, value)
    if isinstance(value, _SINGLE):
        return _to_single(value)
    if type(value) in _QUICK_SERIES:
        return _join(name, value)
    if is_mapping(value):
        return _to_json(name, value)
    if _is_series(value):
        return _join(name, list(value))
    raise _wrong_type(name, value)


def _simplify(name: str, value: Any) -> Any:
    """Reduce a value to a type that JSON has, or a mapping or series of values."""
    if type(value) is int:  # the usual types first, for speed
        return _check_int(name, value)
    if type(value) is str:
        return _check_text(name, value)
    if type(value) in _QUICK_SERIES:
        return value
    # `to_vk()` goes before the type of the value: an attachment may be a dict.
    for _ in range(_MAX_FORMS):
        to_vk: Any = None if isinstance(value, type) else getattr(value, "to_vk", None)
        if to_vk is None:
            break
        value = to_vk()
    else:
        raise _too_deep(name)
    if isinstance(value, Enum):
        return _simplify(name, value.value)
    if isinstance(value, str):
        return _check_text(name, str(value))
    if isinstance(value, int):
        return _check_int(name, int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            message = f"{name} must be a finite number, got {value!r}"
            raise ValueError(message)
        return float(value)
    if isinstance(value, datetime):
        return _to_unix_time(name, value)
    return value


def _is_series(value: Any) -> bool:
    # Strings and classes are iterable, but stand for one value.
    is_one = isinstance(value, str | bytes | bytearray | memoryview | type)
    return not is_one and isinstance(value, Iterable)


def _join(name: str, values: list[Any] | tuple[Any, ...]) -> Encoded:
    if set(map(type, values)) <= _PLAIN:  # usual: 1,000 ids in 0.1 ms, not 0.5
        with suppress(ValueError):  # the wrong item is found below
            return _check_text(name, ",".join(map(str, values)))
    items = [_simplify(f"{name}[{i}]", value) for i, value in enumerate(values)]
    if items and all(map(is_mapping, items)):
        # Objects cannot be joined by commas: the few methods that take several of them
        # (ads.createAds) expect a JSON array.
        return _to_json(name, items)
    for i, item in enumerate(items):
        if not isinstance(item, _SINGLE):
            message = f"{name}[{i}] must be a single value, got {_shown(name, item)}"
            raise TypeError(message)
    return ",".join([str(_to_single(item)) for item in items])


def _to_single(value: str | float) -> Encoded:
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")  # VK does not read exponents
    return value


def _to_json(name: str, value: Any) -> str:
    plain = _to_plain(name, value)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _to_plain(name: str, value: Any) -> Any:
    # JSON has true and false; only parameters write them as 1 and 0.
    value = value if isinstance(value, bool) else _simplify(name, value)
    if value is None or isinstance(value, str | int | float):
        return value
    if is_mapping(value):
        return {
            _to_key(name, key): _to_plain(f"{name}.{key}", item)
            for key, item in value.items()
        }
    if _is_series(value):
        return [_to_plain(f"{name}[{i}]", item) for i, item in enumerate(value)]
    raise _wrong_type(name, value)


def _to_key(name: str, key: Any) -> str:
    if isinstance(key, bool):
        return json.dumps(key)
    plain = _simplify(name, key)
    if not isinstance(plain, str | int):
        message = f"the keys of {name} must be strings, got {shown(key)}"
        raise TypeError(message)
    return str(plain)


def _too_deep(name: str) -> ValueError:
    return ValueError(f"{name} is nested too deeply, or contains itself")


def _wrong_type(name: str, value: Any) -> TypeError:
    return TypeError(
        f"{name} must be a str, number, bool, list, dict, datetime, enum or an object"
        f" with to_vk(), got {_shown(name, value)}"
    )


def _shown(name: str, value: Any) -> str:
    kind = type(value).__name__
    is_secret = re.split(r"[.[]", name)[0] in SECRET_PARAMS
    return kind if is_secret else f"{shown(value)} ({kind})"


def _to_unix_time(name: str, value: datetime) -> int:
    try:
        return int(value.timestamp())
    except (ValueError, OverflowError, OSError):
        message = (
            f"{name} must be a time within the range of Unix time, got {shown(value)}"
        )
        raise ValueError(message) from None


def _check_int(name: str, value: int) -> int:
    try:
        str(value)
    except ValueError:
        message = (
            f"{name} must be a number short enough for str(), got one of"
            f" {value.bit_length()} bits"
        )
        raise ValueError(message) from None
    return value


def _check_text(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        message = (
            f"{name} must be text that UTF-8 can encode, but it contains a lone"
            " surrogate"
        )
        raise ValueError(message) from None
    return text


def to_form(params: Mapping[str, Encoded]) -> bytes:
    """Write parameters as the body of a POST request."""
    pairs = [f"{_quote_form(name)}={_quote_form(v)}" for name, v in params.items()]
    form = "&".join(pairs).encode("ascii")
    return form if SECRET_PARAMS.isdisjoint(params) else SecretBytes(form)


_FORM_SAFE = ","  # a list of ids has a thousand commas, which a form may contain
_PLAIN_IN_FORMS = re.compile(r"[A-Za-z0-9_.~,-]*", re.ASCII)
_QUOTED = re.compile(r"[A-Za-z0-9_.~,%+-]*", re.ASCII)
_SCRIPT_ESCAPES = [
    # Escapes have "%", and a space becomes "+": these two come first, and it comes last
    (char, quote_plus(char))
    for char in '%+"{}:()[]; '
]


def _quote_form(value: Encoded) -> str:
    """Do what ``quote_plus`` does, the usual values and scripts more quickly."""
    if isinstance(value, int):
        return str(value)
    if _PLAIN_IN_FORMS.fullmatch(value):
        return value
    quoted = value
    for char, escape in _SCRIPT_ESCAPES:
        quoted = quoted.replace(char, escape)
    return quoted if _QUOTED.fullmatch(quoted) else quote_plus(value, safe=_FORM_SAFE)


def to_vkscript(method: str, params: Mapping[str, Encoded]) -> str:
    """Write a call as VKScript: ``API.users.get({"user_ids":1})``."""
    fields = ",".join([f"{_quote_name(k)}:{_literal(v)}" for k, v in params.items()])
    script = f"API.{method}({{{fields}}})"
    return script if SECRET_PARAMS.isdisjoint(params) else SecretStr(script)


def _literal(value: Encoded) -> str:
    if isinstance(value, int) and abs(value) < _MAX_NUMBER:
        return str(value)
    return _quote(str(value))  # VK reads every parameter as text


@lru_cache(1000)
def _quote_name(name: str) -> str:
    return _quote(name)


def _quote(text: str) -> str:
    return f'"{text.translate(_VKSCRIPT_ESCAPES)}"'
