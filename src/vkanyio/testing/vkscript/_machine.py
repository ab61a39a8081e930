"""The machine that runs a compiled script: a stack machine, as VK's is said to be.

It does no input or output: it stops at each API call, and continues with its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, final

import attrs

from ._errors import RuntimeFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._session import ScriptSession
    from ._values import Array, Value

Operation: TypeAlias = "Callable[[Machine, Any], None]"

Instruction: TypeAlias = "tuple[Operation, Any, int]"
"""An operation, its argument, and its cost in operations of VK's machine."""


@final
@attrs.frozen
class Program:
    """A compiled script."""

    instructions: Sequence[Instruction]
    variables: int
    """The number of variables; the first is ``Args``."""


@final
class Machine:
    """A running script.

    :param program: the compiled script
    :param args: the value of ``Args``
    :param session: the limits of the script
    """

    __slots__ = (
        "_instructions",
        "position",
        "request",
        "session",
        "stack",
        "variables",
    )

    def __init__(self, program: Program, args: Array, session: ScriptSession) -> None:
        self._instructions = program.instructions
        self.variables: list[Value] = [args, *[None] * (program.variables - 1)]
        self.stack: list[Value] = []
        self.position = 0
        self.session = session
        self.request: tuple[str, dict[str, str]] | None = None

    def advance(self) -> tuple[str, dict[str, str]] | None:
        """Run up to the next API call; the caller pushes its value onto the stack.

        :return: the method and its parameters, or None if the script has ended
        :raises RuntimeFailure: if the script fails
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
        """The value that the script returned, or null."""
        return self.stack[-1] if self.stack else None

    def stop(self) -> None:
        """End the script."""
        self.position = len(self._instructions)

    def take(self, count: int) -> list[Value]:
        """Pop values off the stack, in the order in which they were pushed."""
        start = len(self.stack) - count
        values = self.stack[start:]
        del self.stack[start:]
        return values
