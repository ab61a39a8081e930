"""The limits of a script, and how much of them is left."""

from __future__ import annotations

from typing import Any, Final, final

from ._errors import RuntimeFailure

MAX_CALLS: Final = 25
"""API calls, according to VK's documentation of ``execute``."""

MAX_OPERATIONS: Final = 10_000
"""Operations of VK's virtual machine, as measured by sleirsgoevy/vkscript."""

MAX_RESPONSE_SIZE: Final = 4_000_000
"""Characters of a response. VK has such a limit, but does not document it: users report
it for 25 calls of ``messages.getHistory`` (python273/vk_api issue 425)."""

MAX_MEMORY: Final = 8_000_000
"""Characters and entries that a script may write, including all copies. VK has no such
limit: it prevents a script that keeps doubling a string or a list from filling the
memory of the tests."""


@final
class ScriptSession:
    """The limits and the failed calls of a script, shared with the scripts it runs.

    :param calls: the maximum number of API calls
    :param operations: the maximum number of operations
    :param response_size: the approximate maximum length of the response, in characters
        of JSON
    :param runs_execute: whether the interpreter runs ``API.execute`` itself; otherwise
        ``execute`` is a method like any other
    """

    def __init__(
        self,
        *,
        calls: int = MAX_CALLS,
        operations: int = MAX_OPERATIONS,
        response_size: int = MAX_RESPONSE_SIZE,
        runs_execute: bool = True,
    ) -> None:
        self.calls: int = calls
        """The number of calls left."""
        self.operations: int = operations
        """The number of operations left."""
        self.response_size: int = response_size
        self.runs_execute: bool = runs_execute
        self.errors: list[dict[str, Any]] = []
        """An entry of ``execute_errors`` for each failed call, in order."""
        self._memory = MAX_MEMORY

    def spend_call(self) -> None:
        """Count an API call.

        VK's error for the 26th call is not known; the text is the simulator's.

        :raises RuntimeFailure: if there are no calls left
        """
        if self.calls <= 0:
            raise RuntimeFailure("Too many API calls")
        self.calls -= 1

    def write(self, size: int) -> None:
        """Count characters or entries before they are written to memory.

        :param size: how many
        :raises RuntimeFailure: if there is no memory left
        """
        self._memory -= size
        if self._memory < 0:
            raise RuntimeFailure("Memory limit exceeded")
