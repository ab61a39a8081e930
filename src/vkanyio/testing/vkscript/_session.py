"""What a script may use up."""

from __future__ import annotations

from typing import Any, Final, final

from ._errors import RuntimeFailure

CALLS: Final = 25
"""API calls, by VK's documentation of ``execute``."""

OPERATIONS: Final = 10_000
"""Operations of VK's virtual machine, as sleirsgoevy/vkscript has measured them."""

RESPONSE_SIZE: Final = 4_000_000
"""Characters of an answer. VK has such a limit and says not which: it is reported for
25 calls of ``messages.getHistory`` (python273/vk_api issue 425)."""

MEMORY: Final = 8_000_000
"""Characters and entries that a script may write, all copies included. A limit of the
simulator's own: it keeps a script that doubles a string or a list from filling the
memory of the tests."""


@final
class Session:
    """The limits and the failures of a script, shared with the scripts that it runs.

    :param calls: how many API calls it may make
    :param operations: how many operations it may take
    :param response_size: how long its answer may be, in characters of JSON, roughly
    :param runs_execute: whether the interpreter runs ``API.execute`` itself; otherwise
        ``execute`` is a method like all others
    """

    def __init__(
        self,
        *,
        calls: int = CALLS,
        operations: int = OPERATIONS,
        response_size: int = RESPONSE_SIZE,
        runs_execute: bool = True,
    ) -> None:
        self.calls: int = calls
        """How many calls are left."""
        self.operations: int = operations
        """How many operations are left."""
        self.response_size: int = response_size
        self.runs_execute: bool = runs_execute
        self.errors: list[dict[str, Any]] = []
        """An entry of ``execute_errors`` for each call that has failed, in order."""
        self._memory = MEMORY

    def spend_call(self) -> None:
        """Count an API call.

        What VK says to the 26th is not known; the words are the simulator's own.

        :raises RuntimeFailure: if there is none left
        """
        if self.calls <= 0:
            raise RuntimeFailure("Too many API calls")
        self.calls -= 1

    def write(self, size: int) -> None:
        """Count what is written into memory, before it is written.

        :param size: characters or entries
        :raises RuntimeFailure: if there is no room left
        """
        self._memory -= size
        if self._memory < 0:
            raise RuntimeFailure("Memory limit exceeded")
