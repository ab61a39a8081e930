"""``execute`` and stored procedures: scripts that call the simulator's methods."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

import attrs

from ._call import Call, Reply, SimulatedMethod
from ._errors import VKFault
from .vkscript import (
    ScriptCompileError,
    ScriptError,
    ScriptSession,
    compile_script,
    run,
)

if TYPE_CHECKING:
    from .vkscript import Program

_TOKENS: Final = ("user", "group")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@final
@attrs.frozen(eq=False)
class Scripts:
    """Makes the methods that run scripts.

    :param trailing_error: whether ``execute_errors`` ends with a copy of the last entry
    """

    trailing_error: bool

    def execute(self) -> SimulatedMethod:
        """Return the method ``execute``."""

        async def handler(call: Call) -> Reply:
            return await self._run(call.text("code"), call)

        return SimulatedMethod(handler, ("code",), _TOKENS)

    def procedure(self, name: str, code: str) -> SimulatedMethod:
        """Return the method ``execute.<name>``.

        :param name: the name
        :param code: its script
        :return: the method
        :raises ValueError: if the name is invalid or the script cannot be compiled
        """
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"name must consist of letters, digits and _, not {name!r}"
            )
        try:
            program = compile_script(code)
        except ScriptCompileError as error:
            raise ValueError(f"procedure {name}: {error.detail}") from error

        async def handler(call: Call) -> Reply:
            return await self._run(program, call)

        return SimulatedMethod(handler, (), _TOKENS)

    async def _run(self, code: str | Program, call: Call) -> Reply:
        """Run a script; a nested script shares the limits of the outer one."""
        inner = call.session is not None
        session = call.session or ScriptSession(runs_execute=False)
        caller = attrs.evolve(call, session=session)
        try:
            result = await run(
                code,
                call=caller.invoke,
                args=call.params,
                session=session,
                trailing_error=self.trailing_error and not inner,
            )
        except ScriptError as error:
            raise VKFault(error.code, error.message) from error
        return Reply(result.response, execute_errors=result.execute_errors)
