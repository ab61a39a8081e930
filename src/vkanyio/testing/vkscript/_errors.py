"""How a script fails, in VK's words where they are known."""

from __future__ import annotations

from typing import final

from .._errors import ERROR_TEXTS


class ScriptError(Exception):
    """A script has failed as a whole, and VK answers with an error instead of a value.

    :param detail: what follows the base text of the code
    """

    code: int
    """VK's error code, 12 or 13."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        self.message: str = f"{ERROR_TEXTS[self.code]}: {detail}"
        """VK's ``error_msg``."""
        super().__init__(self.message)


@final
class CompileError(ScriptError):
    """Raised for code that VK does not understand; nothing of it has run."""

    code = 12


@final
class RuntimeFailure(ScriptError):
    """Raised where a running script breaks off; what it has called remains done."""

    code = 13
