"""Build the instructions of a script from those of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

import vkanyio.testing.vkscript._operations as do

from ._arithmetic import OPERATORS
from ._errors import ScriptCompileError
from ._machine import Program

if TYPE_CHECKING:
    from ._machine import Instruction, Operation

MAX_DEPTH: Final = 500
"""How often an instruction may be copied during compilation: code nested on the right
side of something is copied once per level."""


@final
class Code:
    """The instructions of a part of a script, with variables still by name."""

    __slots__ = ("depth", "instructions", "path")

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.path: list[str] | None = None
        """The variable and the fields that it reads, if it is assignable."""
        self.depth = 0

    def __len__(self) -> int:
        return len(self.instructions)

    @classmethod
    def simple(cls, operation: Operation, argument: Any, cost: int = 1) -> Code:
        """Return code with one instruction."""
        code = cls()
        code.instructions.append((operation, argument, cost))
        return code

    @classmethod
    def of(cls, *parts: Code) -> Code:
        """Concatenate parts, which must not be used afterwards."""
        return parts[0].then(*parts[1:]) if parts else cls()

    def add(self, operation: Operation, argument: Any = None, cost: int = 1) -> Code:
        """Append an instruction."""
        self.instructions.append((operation, argument, cost))
        self.path = None
        return self

    def then(self, *parts: Code) -> Code:
        """Append the instructions of other parts."""
        for part in parts:
            self.instructions += part.instructions
            self.depth = max(self.depth, part.depth + 1)
        if self.depth > MAX_DEPTH:
            raise ScriptCompileError("code is nested too deeply")
        self.path = None
        return self


def either_way(condition: Code, yes: Code, no: Code | None = None) -> Code:
    """Compile ``if`` or ``?:``.

    :param condition: the condition
    :param yes: the code to run if it holds
    :param no: the code to run otherwise
    :return: the combined code
    """
    if no is None:
        return condition.add(do.jump_unless, len(yes)).then(yes)
    condition.add(do.jump_unless, len(yes) + 1).then(yes)
    return condition.add(do.jump, len(no)).then(no)


_SHORT_CIRCUITS: Final = {"||": (0, do.either), "&&": (1, do.both)}


def combine(parts: list[Any]) -> Code:
    """Compile operations: an operator waits for the next one that binds no tighter.

    :param parts: operands with operators between them
    :return: the combined code
    """
    code: Code = parts[0]
    waiting: list[tuple[int, str, int]] = []

    def settle(min_rank: int) -> None:
        while waiting and waiting[-1][0] >= min_rank:
            _, sign, place = waiting.pop()
            if sign in OPERATORS:
                code.add(do.operate, OPERATORS[sign][1])
            else:
                jump = _SHORT_CIRCUITS[sign][1], len(code) - place - 1, 1
                code.instructions[place] = jump

    for sign, operand in zip(parts[1::2], parts[2::2], strict=True):
        rank: int = (OPERATORS.get(sign) or _SHORT_CIRCUITS[sign])[0]
        settle(rank)
        waiting.append((rank, sign, len(code)))
        if sign in _SHORT_CIRCUITS:
            code.add(do.nothing)
        code.then(operand)
    settle(0)
    return code


def declare_variables(code: list[Instruction]) -> Program:
    """Replace the names of variables by numbers.

    :param code: instructions with the names of variables; it is modified
    :return: the program
    :raises ScriptCompileError: for a variable that has not been declared
    """
    scopes: list[dict[str, int]] = [{"Args": 0}]
    count = 1
    for index, (operation, argument, cost) in enumerate(code):
        if operation is do.nothing:
            if argument == "{":
                scopes.append({})
            else:
                scopes.pop()
        elif operation is do.declare:
            # Another declaration in the same block means the same variable.
            if argument not in scopes[-1]:
                scopes[-1][argument] = count
                count += 1
            code[index] = operation, scopes[-1][argument], cost
        elif operation in _BY_NAME:
            code[index] = operation, _find(argument, scopes), cost
        elif operation in _BY_PATH:
            name, path = argument
            code[index] = operation, (_find(name, scopes), path), cost
    return Program(code, count)


_BY_NAME: Final = {do.load, do.store, do.delete}
_BY_PATH: Final = {do.store_field, do.delete_field, do.put_back}


def _find(name: Any, scopes: list[dict[str, int]]) -> int:
    for scope in reversed(scopes):
        if name in scope:
            return scope[name]
    raise ScriptCompileError(f"undefined identifier '{name}' in line {name.line}")
