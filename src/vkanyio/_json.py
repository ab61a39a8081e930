"""JSON as VK writes it."""

from __future__ import annotations

import json
from typing import Any

_DECODER = json.JSONDecoder(strict=False)


def read_json(body: bytes) -> Any:
    """Parse a response of VK, or a part of one.

    VK leaves control characters in strings as they are, and cuts texts in the middle of
    a character (https://github.com/python273/vk_api/issues/473). Neither is a reason to
    lose a response: the first are kept, and a byte that is not UTF-8 becomes U+FFFD.

    :raises ValueError: if it is not JSON otherwise
    :raises RecursionError: if it is nested too deeply
    """
    text = body.decode(json.detect_encoding(body), "replace")
    return _DECODER.decode(text)
