"""VKScript, the language of VK's method ``execute``: an interpreter.

::

    async def call(method: str, params: dict[str, str]) -> object:
        return [{"id": 1, "first_name": "Anna"}]

    result = await run("return API.users.get()@.first_name;", call=call)
    assert result.response == ["Anna"]

:class:`~vkanyio.testing.Simulator` answers ``execute`` with it. Its rules are those of
VK's documentation (https://dev.vk.com/method/execute), and where that is silent those
that were found out on the server (https://github.com/sleirsgoevy/vkscript).
"""

from __future__ import annotations

from ._errors import CompileError as CompileError
from ._errors import RuntimeFailure as RuntimeFailure
from ._errors import ScriptError as ScriptError
from ._machine import Program as Program
from ._run import Caller as Caller
from ._run import ScriptResult as ScriptResult
from ._run import compile_script as compile_script
from ._run import run as run
from ._session import Session as Session

for _public in (
    CompileError,
    Program,
    RuntimeFailure,
    ScriptError,
    ScriptResult,
    Session,
    compile_script,
    run,
):
    _public.__module__ = __name__
del _public
