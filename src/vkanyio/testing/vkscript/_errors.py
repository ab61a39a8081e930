"""The errors of a script, with VK's texts where they are known."""

from __future__ import annotations

from typing import final

from .._errors import ERROR_TEXTS


class ScriptError(Exception):
    """Base class: a script failed as a whole, so VK returns an error, not a value.

    :param detail: the text after the base text of the code
    """

    code: int
    """VK's error code, 12 or 13."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        self.message: str = f"{ERROR_TEXTS[self.code]}: {detail}"
        """VK's ``error_msg``."""
        super().__init__(self.message)


@final
class ScriptCompileError(ScriptError):
    """Raised for code that VK does not understand; none of it has run."""

    code = 12


@final
class RuntimeFailure(ScriptError):
    """Raised when a running script fails; the calls it made are not undone."""

    code = 13
