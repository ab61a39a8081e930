"""Run a script, and make the API calls that it asks for."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, final

import attrs

from .._errors import JSON, VKFault
from ._errors import ScriptError
from ._machine import Machine, Program
from ._output import to_json
from ._session import ScriptSession
from ._values import Array, Value, wrap

ScriptCaller: TypeAlias = Callable[[str, dict[str, str]], JSON | Awaitable[JSON]]
"""Makes the API calls of a script: a function, ``async`` or not, that takes the method
and its parameters, returns a JSON value, and raises :exc:`VKFault` to refuse."""


@final
@attrs.frozen
class ScriptResult:
    """What VK returns for a script that did not fail as a whole."""

    response: JSON
    """The value that the script returned, or None."""

    execute_errors: list[dict[str, JSON]] = attrs.Factory(list[dict[str, JSON]])
    """An entry for each failed call, in order: ``method``, ``error_code``,
    ``error_msg`` and further fields of the error, such as those of a captcha. The value
    of a failed call is ``false``."""


def compile_script(code: str) -> Program:
    """Compile a script; the most recent results are cached.

    This needs the extra ``testing``.

    :param code: its source
    :return: the program, for :func:`run`
    :raises ScriptCompileError: error 12, for code that VK does not understand
    """
    try:
        # Import it here, so that lark is loaded only if a script is run.
        from ._compiler import compile_code
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "VKScript needs lark, which the extra 'testing' of vkanyio installs",
            name="lark",
        ) from missing
    return compile_code(code)


async def run(
    code: str | Program,
    *,
    call: ScriptCaller,
    args: Mapping[str, str] | None = None,
    session: ScriptSession | None = None,
    trailing_error: bool = False,
) -> ScriptResult:
    """Run a script as VK's method ``execute`` does.

    :param code: the script, or the program that :func:`compile_script` returned
    :param call: makes the API calls
    :param args: the value of ``Args`` in the script
    :param session: the limits, by default VK's; scripts that share a session share its
        limits
    :param trailing_error: append to ``execute_errors`` a copy of the last entry with
        "execute" as its method, as VK did until 2017
    :return: the value and the failures of calls
    :raises ScriptCompileError: error 12, before any call is made
    :raises RuntimeFailure: error 13; the calls made so far are not undone
    """
    session = session or ScriptSession()
    program = compile_script(code) if isinstance(code, str) else code
    before = len(session.errors)
    machine = Machine(program, Array(dict(args or {})), session)
    while request := machine.advance():
        method, params = request
        session.spend_call()
        machine.stack.append(await _call_value(method, params, call, session))
    response = to_json(machine.result, session.response_size)
    errors = session.errors[before:]
    if trailing_error and errors:
        errors.append({**errors[-1], "method": "execute"})
    return ScriptResult(response, errors)


async def _call_value(
    method: str, params: dict[str, str], call: ScriptCaller, session: ScriptSession
) -> Value:
    """Make a call, and return its value, or false if it is refused."""
    try:
        if method == "execute" and session.runs_execute:
            return wrap(await _execute(params, call, session))
        value = call(method, params)
        return wrap(await value if inspect.isawaitable(value) else value)
    except VKFault as fault:
        session.errors.append(
            {
                "method": method,
                "error_code": fault.code,
                "error_msg": fault.message,
                **fault.extra,
            }
        )
        return False


async def _execute(
    params: dict[str, str], call: ScriptCaller, session: ScriptSession
) -> JSON:
    """Run a script within a script."""
    if not (code := params.get("code")):
        raise VKFault.parameter("code is a required parameter")
    try:
        result = await run(code, call=call, args=params, session=session)
    except ScriptError as error:
        raise VKFault(error.code, error.message) from error
    return result.response
