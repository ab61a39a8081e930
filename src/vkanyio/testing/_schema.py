"""The declarations of VK's schema, as written by ``python -m codegen``."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@functools.cache
def schema() -> Mapping[str, Any]:
    """Load the declarations of methods, objects and errors once; this takes 5 ms."""
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    declarations: Mapping[str, Any] = json.loads(text)
    return declarations


def error_text(code: int) -> str:
    """Derive an error text from the error's name; the schema lacks the server's text.

    :param code: the error code
    :return: for example "Fave aliexpress tag" for 3800
    """
    name: str = schema()["errors"].get(str(code), f"error {code}")
    return name.replace("_", " ").capitalize()
