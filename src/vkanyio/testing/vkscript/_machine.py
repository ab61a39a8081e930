"""The machine that runs a compiled script: a stack, as VK's own is said to be.

It does no input and output: it stops at each API call, and goes on with its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, final

import attrs

from ._errors import RuntimeFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._session import Session
    from ._values import Array, Value

Operation: TypeAlias = "Callable[[Machine, Any], None]"

Instruction: TypeAlias = "tuple[Operation, Any, int]"
"""What to do, with what, and how many of VK's operations that is."""


@final
@attrs.frozen
class Program:
    """A compiled script."""

    instructions: Sequence[Instruction]
    variables: int
    """How many there are; the first is ``Args``."""


@final
class Machine:
    """A script that runs.

    :param program: what it runs
    :param args: what the script reads as ``Args``
    :param session: its limits
    """

    __slots__ = (
        "_instructions",
        "position",
        "request",
        "session",
        "stack",
        "variables",
    )

    def __init__(self, program: Program, args: Array, session: Session) -> None:
        self._instructions = program.instructions
        self.variables: list[Value] = [args, *[None] * (program.variables - 1)]
        self.stack: list[Value] = []
        self.position = 0
        self.session = session
        self.request: tuple[str, dict[str, str]] | None = None

    def advance(self) -> tuple[str, dict[str, str]] | None:
        """Run up to the next API call, whose value is then to be put on the stack.

        :return: the method and its parameters, or None if the script is at its end
        :raises RuntimeFailure: if the script breaks off
        """
        session, instructions = self.session, self._instructions
        end = len(instructions)
        self.request = None
        while self.request is None and self.position < end:
            operation, argument, cost = instructions[self.position]
            session.operations -= cost
            if session.operations < 0:
                raise RuntimeFailure("Too many operations")
            self.position += 1
            operation(self, argument)
        return self.request

    @property
    def result(self) -> Value:
        """What the script has returned, null if nothing."""
        return self.stack[-1] if self.stack else None

    def stop(self) -> None:
        """Go to the end."""
        self.position = len(self._instructions)

    def take(self, count: int) -> list[Value]:
        """Take values off the stack, in the order in which they were put there."""
        start = len(self.stack) - count
        values = self.stack[start:]
        del self.stack[start:]
        return values
