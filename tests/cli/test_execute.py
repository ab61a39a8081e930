from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from vkanyio.cli._app import run
from vkanyio.testing import Simulator, faults

from .conftest import BACKENDS, MakeCall

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def test_a_script_has_its_value_and_its_errors(
    call: MakeCall, simulator: Simulator
) -> None:
    failed = {"method": "wall.post", "error_code": 15, "error_msg": "Access denied"}
    response = {"response": [1, False], "execute_errors": [failed]}
    simulator.fault(faults.body(json.dumps(response).encode()))
    code, out, err = call("execute", "code=return [1, API.wall.post()];", "a=1")
    assert (code, json.loads(out)) == (1, [1, False])
    assert err == "vkanyio: wall.post: error 15: Access denied\n"


def test_a_stored_procedure_is_called_by_its_name(
    call: MakeCall, simulator: Simulator
) -> None:
    simulator.add_method("execute.twice", lambda call: call.integer("n") * 2)
    assert call("execute.twice", "n=21") == (0, "42\n", "")


@BACKENDS
def test_a_script_comes_from_an_argument_a_file_or_standard_input(
    base_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    backend: str,
) -> None:
    code = 'return [Args.n, API.users.get({"user_ids": 5})[0].id];'
    path = tmp_path / "script"
    path.write_text(code, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO(code))
    options = ["--base-url", base_url, "--backend", backend]
    for script in (code, f"@{path}", "-"):
        assert run(["execute", script, "n:=7", *options]) == 0
        out, err = capsys.readouterr()
        assert (json.loads(out), err) == (["7", 5], "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["@nowhere"], "cannot read 'nowhere'"),
        ([" "], "the script is empty"),
        (["return 1;", "code=2"], "code= is reserved for the script"),
        (["return 1;", "n"], "'n' is not NAME=VALUE"),
        (["return 1;", "access_token=a"], "VK_TOKEN"),
    ],
)
def test_a_script_that_cannot_be_sent_is_one_line(
    words: Sequence[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["execute", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


def test_a_script_that_does_not_compile_is_an_error_from_vk(
    base_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["execute", "return (", "--base-url", base_url]) == 1
    assert "execute: error 12: " in capsys.readouterr().err


def test_a_procedure_is_run_by_its_name(
    base_url: str, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator.add_procedure("twice", "return Args.n * 2;")
    assert run(["procedure", "twice", "n=21", "--base-url", base_url]) == 0
    assert capsys.readouterr().out == "42\n"
    assert run(["procedure", "a b", "--base-url", base_url]) == 2
    assert "'execute.a b'" in capsys.readouterr().err
