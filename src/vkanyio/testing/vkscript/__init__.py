"""An interpreter of VKScript, the language of VK's method ``execute``.

::

    async def call(method: str, params: dict[str, str]) -> object:
        return [{"id": 1, "first_name": "Anna"}]

    result = await run("return API.users.get()@.first_name;", call=call)
    assert result.response == ["Anna"]

:class:`~vkanyio.testing.Simulator` uses it for ``execute``. It follows VK's
documentation (https://dev.vk.com/method/execute), and where that is silent, what was
observed on the server (https://github.com/sleirsgoevy/vkscript).
"""

from __future__ import annotations

from ._errors import RuntimeFailure as RuntimeFailure
from ._errors import ScriptCompileError as ScriptCompileError
from ._errors import ScriptError as ScriptError
from ._machine import Program as Program
from ._run import ScriptCaller as ScriptCaller
from ._run import ScriptResult as ScriptResult
from ._run import compile_script as compile_script
from ._run import run as run
from ._session import ScriptSession as ScriptSession

for _public in (
    ScriptCompileError,
    Program,
    RuntimeFailure,
    ScriptError,
    ScriptResult,
    ScriptSession,
    compile_script,
    run,
):
    _public.__module__ = __name__
del _public
