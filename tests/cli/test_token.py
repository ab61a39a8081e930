from __future__ import annotations

import getpass
import io
import sys
from typing import TYPE_CHECKING

import pytest

from vkanyio.cli._app import run
from vkanyio.testing import Simulator, faults

from .conftest import TOKEN, MakeCall, run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.mark.parametrize("content", [f"{TOKEN}\n", f"  {TOKEN}", f"\ufeff{TOKEN}\r\n"])
def test_the_token_comes_from_a_file(
    call: MakeCall,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
) -> None:
    monkeypatch.delenv("VK_TOKEN")
    path = tmp_path / "token"
    path.write_text(content, encoding="utf-8")
    assert call("users.get", "--token-file", str(path))[0] == 0
    [entry] = simulator.ledger.carried_out()
    assert entry.token == 0


@pytest.mark.parametrize("content", [b"", b"a b", b"\xff\xfe"])
def test_a_file_without_a_token_is_one_line(
    call: MakeCall, simulator: Simulator, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    code, out, err = call("users.get", "--token-file", str(path))
    assert (code, out) == (2, "")
    assert "--token-file: " in err
    assert err.count("\n") == 1
    assert simulator.ledger.requests == 0


def test_a_token_from_a_file_is_in_no_message(
    call: MakeCall,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VK_TOKEN")
    path = tmp_path / "token"
    path.write_text(TOKEN, encoding="utf-8")
    simulator.fault(faults.error(15, f"you are {TOKEN}"))
    code, _, err = call("users.get", "--token-file", str(path))
    assert (code, err) == (1, "vkanyio: users.get: error 15: you are ***\n")


@pytest.mark.parametrize("name", ["access_token", "ACCESS_TOKEN", " access_token"])
def test_a_token_among_the_parameters_is_refused(
    call: MakeCall, simulator: Simulator, name: str
) -> None:
    code, out, err = call("users.get", f"{name}=vk1.a.another-token")
    assert (code, out) == (2, "")
    assert "VK_TOKEN" in err
    assert "another-token" not in err
    assert simulator.ledger.requests == 0


@pytest.mark.parametrize("words", [["call", TOKEN], ["call", "a.b", TOKEN], [TOKEN]])
def test_a_token_in_the_wrong_place_is_not_repeated(
    capsys: pytest.CaptureFixture[str], words: Sequence[str]
) -> None:
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert TOKEN not in out + err


def test_a_token_in_place_of_a_method_is_not_sent(
    call: MakeCall, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VK_TOKEN", "abcdef0123456789")  # could be a method's name
    code, _, err = call("abcdef0123456789")
    assert (code, simulator.ledger.requests) == (2, 0)
    assert "abcdef" not in err


@pytest.mark.parametrize("token", [None, "", " \n"])
def test_without_a_token_and_a_terminal_nothing_is_sent(
    call: MakeCall,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    token: str | None,
) -> None:
    monkeypatch.delenv("VK_TOKEN")
    if token is not None:
        monkeypatch.setenv("VK_TOKEN", token)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    code, out, err = call("users.get")
    assert (code, out) == (2, "")
    assert "VK_TOKEN" in err
    assert simulator.ledger.requests == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("typed", "code", "expected"),
    [
        (f"{TOKEN}\n", 0, '"id"'),
        ("\n", 2, "VK_TOKEN"),
        ("\x04", 2, "VK_TOKEN"),
        ("\x03", 130, "vkanyio: interrupted"),
    ],
)
def test_a_terminal_is_asked_for_the_token_and_does_not_show_it(
    base_url: str, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, expected: str
) -> None:
    monkeypatch.delenv("VK_TOKEN")
    ended, shown = run_on_terminal(
        "call",
        "users.get",
        "--base-url",
        base_url,
        awaited="not shown): ",
        typed=typed,
    )
    assert ended == code
    assert TOKEN not in shown
    assert expected in shown
    assert ("\x1b[" in shown) == (code == 0)  # coloured on a terminal
    assert "Traceback" not in shown


def test_options_are_checked_before_a_token_is_asked_for(
    call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VK_TOKEN")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: pytest.fail(prompt))
    code, _, err = call("users.get", "--limit", "0")
    assert (code, "limit" in err) == (2, True)


@pytest.mark.parametrize(
    ("around", "advice"),
    [
        ("access_token={}", "between"),
        ("https://oauth.vk.com/blank.html#access_token={}&expires_in=0", "between"),
        ("'{}'", "quotes"),
        ("Bearer {}", "Bearer"),
    ],
)
@pytest.mark.parametrize("source", ["VK_TOKEN", "--token-file"])
def test_what_was_copied_with_a_token_is_refused_with_advice(
    call: MakeCall,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    around: str,
    advice: str,
) -> None:
    text = around.format(TOKEN)
    options: tuple[str, ...] = ()
    monkeypatch.setenv("VK_TOKEN", text)
    if source == "--token-file":
        path = tmp_path / "token"
        path.write_text(text, encoding="utf-8")
        options = ("--token-file", str(path))
    code, out, err = call("users.get", *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"vkanyio: {source}: ")
    assert advice in err or "one token and nothing else" in err
    assert TOKEN not in err
    assert err.count("\n") == 1
    assert simulator.ledger.requests == 0
