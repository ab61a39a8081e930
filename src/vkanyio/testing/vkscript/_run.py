"""Running a script: what is between it and the methods that it calls."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, final

import attrs

from .._errors import JSON, VKFault
from ._errors import ScriptError
from ._machine import Machine, Program
from ._output import to_json
from ._session import Session
from ._values import Array, Value, wrap

Caller: TypeAlias = Callable[[str, dict[str, str]], JSON | Awaitable[JSON]]
"""Carries out a call of the API: a function, ``async`` or not, that takes the method
and its parameters, returns a JSON value, and raises :exc:`VKFault` to refuse."""


@final
@attrs.frozen
class ScriptResult:
    """What VK answers to a script that did not fail as a whole."""

    response: JSON
    """What the script has returned, None if nothing."""

    execute_errors: list[dict[str, JSON]] = attrs.Factory(list[dict[str, JSON]])
    """An entry for each call that has failed, in the order of the calls: ``method``,
    ``error_code``, ``error_msg`` and what else the error has, such as the fields of a
    captcha. The value of such a call is ``false``."""


def compile_script(code: str) -> Program:
    """Compile a script; what was compiled lately is remembered.

    Needs the extra ``testing``.

    :param code: its source
    :return: what can be run, for :func:`run`
    :raises CompileError: error 12, for code that VK does not understand
    """
    try:
        # Here and not above: lark is loaded by those alone who run a script.
        from ._compiler import compile_code
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "VKScript needs lark: pip install 'vkanyio[testing]'", name="lark"
        ) from missing
    return compile_code(code)


async def run(
    code: str | Program,
    *,
    call: Caller,
    args: Mapping[str, str] | None = None,
    session: Session | None = None,
    trailing_error: bool = False,
) -> ScriptResult:
    """Run a script as VK's method ``execute`` does.

    :param code: the script, or what :func:`compile_script` has made of it
    :param call: carries out the calls of the API
    :param args: what the script reads as ``Args``
    :param session: the limits; by default VK's, and a session that several scripts
        share lets them together do what one may do
    :param trailing_error: end ``execute_errors`` with a copy of the last entry under
        the method "execute", as VK did until 2017
    :return: the answer
    :raises CompileError: error 12, before any call is made
    :raises RuntimeFailure: error 13; the calls that were made remain made
    """
    session = session or Session()
    program = compile_script(code) if isinstance(code, str) else code
    before = len(session.errors)
    machine = Machine(program, Array(dict(args or {})), session)
    while request := machine.advance():
        method, params = request
        session.spend_call()
        machine.stack.append(await _outcome(method, params, call, session))
    response = to_json(machine.result, session.response_size)
    errors = session.errors[before:]
    if trailing_error and errors:
        errors.append({**errors[-1], "method": "execute"})
    return ScriptResult(response, errors)


async def _outcome(
    method: str, params: dict[str, str], call: Caller, session: Session
) -> Value:
    """Make a call: its value is false where it is refused."""
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


async def _execute(params: dict[str, str], call: Caller, session: Session) -> JSON:
    """Run a script within a script."""
    if not (code := params.get("code")):
        raise VKFault.parameter("code is a required parameter")
    try:
        result = await run(code, call=call, args=params, session=session)
    except ScriptError as error:
        raise VKFault(error.code, error.message) from error
    return result.response
