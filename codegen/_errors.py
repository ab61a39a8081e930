"""Write VK's error codes, and classes for those that any method may return."""

from __future__ import annotations

from typing import TYPE_CHECKING

import vkanyio._errors as written

from ._names import to_camel
from ._schema import SchemaError
from ._source import module

if TYPE_CHECKING:
    from ._model import Model


def write_error_codes(model: Model) -> str:
    """Write the module of error codes and classes."""
    codes = [f"    {name.upper()} = {code}" for code, name in model.error_codes.items()]
    enum = '''\
class ErrorCode(IntEnum):
    """VK's error codes, with VK's names: https://dev.vk.com/reference/errors

    ``except APIError[ErrorCode.MESSAGES_USER_BLOCKED]`` catches a single one.
    """

    __module__ = "vkanyio"

'''
    by_hand = _written_by_hand()
    classes = [
        _write_class(code, model.error_codes[code])
        for code in model.global_codes
        if code not in by_hand
    ]
    imports = "from enum import IntEnum\nfrom ._errors import APIError\n"
    summary = (
        "VK's error codes, and the classes of errors that ``_errors`` does not define."
    )
    body = "\n".join([enum, *codes, "", *classes])
    return module(model, summary, imports, body)


def _written_by_hand() -> dict[int, str]:
    """Return the codes that have a hand-written class."""
    return {
        code: cls.__name__
        for code, cls in written.classes_by_code().items()
        if hasattr(written, cls.__name__)
    }


def _write_class(code: int, name: str) -> str:
    class_name = f"{to_camel(name)}Error"
    if hasattr(written, class_name):
        raise SchemaError("errors.json", f"{class_name} is defined already: {name}")
    return f'''\
class {class_name}(APIError, code={code}):
    """Raised when VK returns error {code}, {name.upper()}."""
'''
