"""The API calls of a script, and how failed ones are reported."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import anyio
import pytest
from _script_api import Api, evaluate

from vkanyio.testing import VKFault
from vkanyio.testing.vkscript import (
    RuntimeFailure,
    ScriptCompileError,
    ScriptError,
    ScriptSession,
    compile_script,
    run,
)

pytestmark = pytest.mark.anyio


def failed(method: str, code: int = 1) -> dict[str, Any]:
    message = "Unknown method passed" if code == 3 else "No luck"
    return {"method": method, "error_code": code, "error_msg": message}


async def test_a_failed_call_is_false_and_the_script_goes_on() -> None:
    code = """
        var a = API.test.fail({"code": 5});
        if (a == false) return [a, API.test.echo({"b": 2}), API.no.such(), a.items];
    """
    result = await run(code, call=Api())
    assert result.response == [False, {"b": "2"}, False, None]
    assert result.execute_errors == [failed("test.fail", 5), failed("no.such", 3)]


async def test_errors_come_in_the_order_of_the_calls() -> None:
    codes = [7, 100, 15, 7, 6]
    calls = ", ".join(f'API.test.fail({{"code": {code}}})' for code in codes)
    result = await run(f"return [{calls}, API.test.echo()];", call=Api())
    assert result.response == [False] * 5 + [[]]
    assert [error["error_code"] for error in result.execute_errors] == codes


async def test_without_failures_there_are_no_errors() -> None:
    result = await run("return API.test.echo();", call=Api(), trailing_error=True)
    assert result.execute_errors == []


async def test_an_error_keeps_its_further_fields() -> None:
    def call(_method: str, _params: dict[str, str]) -> Any:
        raise VKFault(14, captcha_sid="77", captcha_img="https://img")

    result = await run("return API.a.b();", call=call)
    assert result.execute_errors == [
        {
            "method": "a.b",
            "error_code": 14,
            "error_msg": "Captcha needed",
            "captcha_sid": "77",
            "captcha_img": "https://img",
        }
    ]


async def test_the_last_error_can_be_copied_for_execute() -> None:
    code = "return [API.test.fail(), API.test.fail({code: 9}), API.test.echo()];"
    result = await run(code, call=Api(), trailing_error=True)
    errors = [failed("test.fail"), failed("test.fail", 9), failed("execute", 9)]
    assert result.execute_errors == errors


async def test_a_call_may_take_its_time() -> None:
    async def call(method: str, params: dict[str, str]) -> Any:
        await anyio.sleep(2)
        if method == "a.fail":
            raise VKFault(1)
        return [method, params]

    began = anyio.current_time()
    result = await run("return [API.a.b({c: 1}), API.a.fail()];", call=call)
    assert anyio.current_time() - began == pytest.approx(4)
    assert result.response == [["a.b", {"c": "1"}], False]
    assert len(result.execute_errors) == 1


async def test_what_else_a_call_raises_is_nobody_elses_business() -> None:
    def call(_method: str, _params: dict[str, str]) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run("return API.a.b();", call=call)


async def test_a_list_of_values_is_searched_as_scripts_do() -> None:
    value = '{"count": 3, "items": [{"id": 5}, {"id": 6, "x": 1}, 7]}'
    code = f"""
        var wall = API.test.json({{"text": '{value}'}});
        var ids = wall["items"]@.id;
        return API.test.echo({{"ids": ids, "n": wall.count - 1}});
    """
    assert await evaluate(code) == {"ids": "5,6,", "n": "2"}


async def test_lists_of_several_calls_are_joined() -> None:
    code = """
        var items = [], i = 0;
        while (i < 3) {
            items = items + API.test.json({"text": "[" + i + ", " + i + "]"});
            i = i + 1;
        }
        return items;
    """
    assert await evaluate(code) == [0, 0, 1, 1, 2, 2]


async def test_a_script_runs_another_and_has_its_errors() -> None:
    code = """
        return [
            API.test.fail({code: 4}),
            API.execute({code: "return [Args.n, API.test.fail({code: 7})];", n: 5}),
            API.test.fail({code: 8}),
        ];
    """
    result = await run(code, call=Api())
    assert result.response == [False, ["5", False], False]
    codes = [error["error_code"] for error in result.execute_errors]
    assert codes == [4, 7, 8]


@pytest.mark.parametrize(
    ("code", "error_code"), [("return", 12), ("return null.slice(1);", 13), ("", 100)]
)
async def test_a_script_within_a_script_fails_as_a_call(
    code: str, error_code: int
) -> None:
    outer = f'return [API.execute({{code: "{code}"}}), 1];'
    result = await run(outer, call=Api())
    assert result.response == [False, 1]
    [error] = result.execute_errors
    assert (error["method"], error["error_code"]) == ("execute", error_code)


async def test_scripts_within_each_other_share_their_limits() -> None:
    session = ScriptSession(calls=3, operations=50)
    code = 'API.execute({code: "API.test.echo({n: 1}); API.test.echo();"}); '
    assert await evaluate(code + "API.test.echo();", session=session) == (
        "13 Too many API calls"
    )
    spent = ScriptSession(operations=1000)
    assert await evaluate('API.execute({code: "while(1);"});', session=spent) == (
        "13 Too many operations"
    )


async def test_a_session_can_leave_execute_to_the_caller() -> None:
    api = Api()
    session = ScriptSession(runs_execute=False)
    code = "return API.execute({code: 1});"
    result = await run(code, call=api, session=session)
    assert api.calls == [("execute", {"code": "1"})]
    assert result.execute_errors == session.errors == [failed("execute", 3)]


async def test_a_failed_script_reports_its_code_and_reason() -> None:
    with pytest.raises(ScriptCompileError) as compile_error:
        await run("test;", call=Api())
    error = compile_error.value
    assert isinstance(error, ScriptError)
    assert (error.code, error.detail) == (12, "undefined identifier 'test' in line 1")
    assert error.message == (
        "Unable to compile code: undefined identifier 'test' in line 1"
    )
    api = Api()
    with pytest.raises(RuntimeFailure) as failure:
        await run("API.test.echo(); return [] == 1;", call=api)
    assert failure.value.code == 13
    assert str(failure.value) == (
        "Runtime error occurred during code invocation: "
        "Comparing values of different or unsupported types"
    )
    assert len(api.calls) == 1


async def test_a_compiled_script_runs_as_often_as_one_likes() -> None:
    program = compile_script("var a = [Args.n]; a.push(1); return a;")
    for n in ("1", "2"):
        result = await run(program, call=Api(), args={"n": n})
        assert result.response == [n, 1]


def test_a_short_script_is_compiled_once() -> None:
    short, long = "return 12345;", f"return '{'x' * 10_000}';"
    assert compile_script(short) is compile_script(short)
    assert compile_script(long) is not compile_script(long)


def test_lark_is_loaded_by_those_who_run_a_script() -> None:
    check = """
import sys
from vkanyio.testing import Simulator
from vkanyio.testing.vkscript import compile_script
Simulator()
assert "lark" not in sys.modules
compile_script("return 1;")
assert "lark" in sys.modules
"""
    subprocess.run([sys.executable, "-c", check], check=True)


def test_without_lark_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.endswith("vkscript._compiler")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lark", None)
    with pytest.raises(
        ModuleNotFoundError, match="needs lark, which the extra 'testing'"
    ):
        compile_script("return 1;")
