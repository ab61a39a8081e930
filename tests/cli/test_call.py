from __future__ import annotations

import getpass
import io
import json
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import pytest

from vkanyio.cli._app import run
from vkanyio.cli._output import print_json
from vkanyio.testing import Call, Simulator, faults

from .conftest import TOKEN, Start, run_on_terminal

MakeCall: TypeAlias = Callable[..., tuple[int, str, str]]

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture
def call(base_url: str, capsys: pytest.CaptureFixture[str]) -> MakeCall:
    """Makes a call in this process: exit code, standard output, standard error."""

    def make(*words: str) -> tuple[int, str, str]:
        code = run(["call", *words, "--base-url", base_url])
        out, err = capsys.readouterr()
        assert TOKEN not in out + err
        return code, out, err

    return make


@BACKENDS
def test_prints_the_value_as_indented_json(call: MakeCall, backend: str) -> None:
    code, out, err = call("users.get", "user_ids=1", "--backend", backend)
    assert (code, err) == (0, "")
    [user] = json.loads(out)
    assert user["id"] == 1
    assert out.startswith('[\n  {\n    "id": 1,\n')


def test_sends_values_as_they_are_written(call: MakeCall, simulator: Simulator) -> None:
    code, _, _ = call("messages.send", "peer_id=-1", "message=a=b, c", "random_id=7")
    assert code == 0
    [entry] = simulator.ledger.carried_out()
    sent = {name: entry.params[name] for name in ("peer_id", "message", "random_id")}
    assert sent == {"peer_id": "-1", "message": "a=b, c", "random_id": "7"}


def test_options_reach_vk(call: MakeCall, simulator: Simulator) -> None:
    code, _, _ = call("users.get", "--language", "uk", "--api-version", "5.131")
    assert code == 0
    [entry] = simulator.ledger.carried_out()
    assert (entry.params["lang"], entry.params["v"]) == ("uk", "5.131")


def test_an_error_of_vk_is_one_line(call: MakeCall) -> None:
    code, out, err = call("users.nope", "--unchecked")
    assert (code, out) == (1, "")
    assert err.startswith("vkanyio: users.nope: error 3: ")
    assert err.count("\n") == 1


def test_no_text_of_vk_controls_the_terminal(
    call: MakeCall, simulator: Simulator
) -> None:
    simulator.fault(faults.error(15, "Denied\n\x1b[2J\x9b2Jfor you"))
    _, _, err = call("users.get")
    assert err == "vkanyio: users.get: error 15: Denied [2J 2Jfor you\n"


@pytest.mark.parametrize(
    ("fault", "words", "advice", "expected"),
    [
        (faults.confirmation(), (), "confirm=1", 1),
        (faults.validation("https://vk.ru/v"), (), "https://vk.ru/v", 1),
        (faults.captcha("new"), (), "on_captcha", 1),
        (faults.captcha("old"), (), "captcha_key=", 1),
        (faults.html(404), (), "--base-url", 3),
        (faults.hang_before(), ("--timeout", "0.05", "--retries", "0"), "--timeout", 3),
        (faults.drop_before(), ("--retries", "0"), "check the network", 3),
    ],
)
def test_errors_say_what_to_do_on_a_command_line(
    call: MakeCall,
    simulator: Simulator,
    fault: faults.Fault,
    words: Sequence[str],
    advice: str,
    expected: int,
) -> None:
    simulator.fault(fault)
    code, out, err = call("users.get", *words)
    assert (code, out) == (expected, "")
    assert advice in err
    assert err.count("\n") == 1


def test_a_confirmed_call_is_carried_out(call: MakeCall, simulator: Simulator) -> None:
    simulator.fault(faults.confirmation())
    code, _, _ = call("wall.post", "message=hello", "confirm=1")
    assert code == 0


def test_a_post_that_may_be_there_is_not_repeated(
    call: MakeCall, simulator: Simulator
) -> None:
    simulator.fault(faults.drop_after())
    code, out, err = call("wall.post", "message=hello")
    assert (code, out) == (4, "")
    assert "may have been carried out" in err
    assert len(simulator.ledger.carried_out("wall.post")) == 1


def test_no_connection_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/method"
    assert run(["call", "users.get", "--base-url", url, "--retries", "0"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("vkanyio: users.get: could not connect to 127.0.0.1")
    assert err.count("\n") == 1


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


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["users.get", "user_ids"], "'user_ids'"),
        (["users.get", "=1"], "'=1'"),
        (["users.get", "a=1", "a=2"], "'a'"),
        (["users get"], "'users get'"),
        (["execute"], "code"),
        (["users.get", "--limit", "0"], "limit"),
        (["users.get", "--limit", "many"], "--limit"),
        (["users.get", "--language", "xx"], "language"),
        (["users.get", "--timeout", "0"], "timeout"),
        (["users.get", "--retries", "-1"], "retry_limit"),
        (["users.get", "--proxy", "ftp://a:hidden@b"], "proxy"),
        (["users.get", "--api-version", "five"], "version"),
        (["users.get", "user_ids:=[1"], "'user_ids:=[1' is not JSON"),
        (["users.get", "fields:=@nowhere.json"], "cannot read 'nowhere.json'"),
        (["users.get", "@nowhere.json"], "cannot read 'nowhere.json'"),
        (["users.get", "name_case@."], "cannot read '.'"),
        (["users.gte"], "did you mean users.get"),
        (["users.get_followers"], "did you mean users.getFollowers"),
        (["users.get", "user_id=1"], "users.get has no parameter 'user_id'"),
        (["users.get", "user_id=1"], "did you mean user_ids"),
        (["users.get", "xyz=1"], "it has user_ids, fields, name_case"),
        (["account.getInfo", "xyz=1"], "it has fields"),
        (["friends.getRecentLists", "xyz=1"], "no method"),
        (["wall.getById"], "wall.getById needs posts"),
        (["users.get", "--mode", "fast"], "'fast'"),
        (["users.get", "--token-file", "nowhere"], "cannot read 'nowhere'"),
        (["users.get", "--tiemout", "1"], "--timeout"),
    ],
)
def test_wrong_usage_is_one_line_that_names_it(
    call: MakeCall, simulator: Simulator, words: Sequence[str], named: str
) -> None:
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert named in err
    assert "hidden" not in err
    assert err.count("\n") == 1
    assert simulator.ledger.requests == 0


def test_values_are_json_where_they_say_so(
    call: MakeCall, simulator: Simulator
) -> None:
    code, _, _ = call(
        *["messages.send", "peer_ids:=[1,2]", 'payload:={"a": ["b", 1]}'],
        *["dont_parse_links:=true", "message=@durov, a:=b", "lat:=null"],
    )
    assert code == 0
    [entry] = simulator.ledger.carried_out()
    assert entry.params["peer_ids"] == "1,2"
    assert json.loads(entry.params["payload"]) == {"a": ["b", 1]}
    assert entry.params["dont_parse_links"] == "1"
    assert entry.params["message"] == "@durov, a:=b"
    assert "lat" not in entry.params


def test_values_come_from_files_and_from_standard_input(
    call: MakeCall,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("Ёж, a=b\n", encoding="utf-8")
    Path("params.json").write_text('{"peer_id": 7, "random_id": 5}', encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"c": 1}'))
    code, _, _ = call(*["messages.send", "@params.json", "message@text", "payload:=@-"])
    assert code == 0
    [entry] = simulator.ledger.carried_out()
    sent = {name: entry.params[name] for name in ("peer_id", "random_id", "message")}
    assert sent == {"peer_id": "7", "random_id": "5", "message": "Ёж, a=b\n"}
    assert json.loads(entry.params["payload"]) == {"c": 1}


def test_files_that_hold_something_else_are_named(
    call: MakeCall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.json").write_text("[]", encoding="utf-8")
    Path("bytes").write_bytes(b"\xff")
    Path("secret.json").write_text('{"access_token": "x"}', encoding="utf-8")
    for word, says in [
        ("@list.json", "'@list.json' must contain a JSON object"),
        ("fields@bytes", "'bytes' is not UTF-8 text"),
        ("@secret.json", "VK_TOKEN"),
    ]:
        code, out, err = call("users.get", word)
        assert (code, out) == (2, "")
        assert says in err


def test_what_the_schema_does_not_have_is_sent_on_demand(
    call: MakeCall, simulator: Simulator
) -> None:
    code, _, _ = call("users.get", "user_id=1", "--unchecked")
    assert code == 0
    [entry] = simulator.ledger.carried_out()
    assert entry.params["user_id"] == "1"


def test_a_parameter_of_every_method_is_not_unknown(call: MakeCall) -> None:
    assert call("users.get", "lang=en", "v=5.131", "test_mode=1")[0] == 0


@pytest.mark.parametrize("content", [f"{TOKEN}\n", f"  {TOKEN}"])
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


def test_the_base_url_may_be_in_the_environment(
    base_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VKANYIO_BASE_URL", base_url)
    assert run(["call", "users.get"]) == 0
    assert '"id": 1' in capsys.readouterr().out


def test_verbosity_logs_to_standard_error(call: MakeCall, simulator: Simulator) -> None:
    simulator.fault(faults.html())
    code, out, err = call("users.get", "-vv")
    assert (code, json.loads(out)[0]["id"]) == (0, 1)
    assert re.search(r"^[\d:]{8} DEBUG users\.get \S", err, re.MULTILINE)
    assert re.search(r"INFO finished after \d.*, 2 HTTP requests$", err, re.MULTILINE)
    simulator.fault(faults.html())
    _, _, err = call("users.get", "-v")
    _, message, _ = [line.split(" ", 2)[2] for line in err.splitlines()]
    assert message.startswith("finished after ")
    simulator.fault(faults.html())
    assert call("users.get")[2] == ""


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


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@BACKENDS
@pytest.mark.parametrize("method", ["wall.post", "wall.get"])
def test_ctrl_c_ends_a_call_and_says_whether_it_may_have_reached_vk(
    base_url: str, simulator: Simulator, start: Start, backend: str, method: str
) -> None:
    arrived = threading.Event()

    async def never_respond(call: Call) -> Any:
        arrived.set()
        await anyio.sleep_forever()

    simulator.add_method(method, never_respond)
    process = start("call", method, "--base-url", base_url, "--backend", backend)
    assert arrived.wait(10)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, "")
    warning = ": wall.post may have reached VK, check before you repeat it"
    assert err == f"vkanyio: interrupted{warning if method == 'wall.post' else ''}\n"


def test_a_reader_that_goes_away_ends_it_quietly(
    base_url: str, start: Start, simulator: Simulator
) -> None:
    simulator.add_method("big.get", lambda call: ["x" * 1000] * 10_000)
    process = start("call", "big.get", "--unchecked", "--base-url", base_url)
    assert process.stdout is not None
    assert process.stdout.read(1)
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (1, "")


def test_characters_are_printed_unescaped(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"имя": "Ёж 🦔"})
    assert capsys.readouterr().out == '{\n  "имя": "Ёж 🦔"\n}\n'


def test_control_characters_and_lone_surrogates_are_escaped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    value = ["\x1b[2J", "\x9b2J\x7f", "\ud83d"]
    print_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert out.replace("\n", "").isprintable()


def test_characters_that_the_output_cannot_encode_are_escaped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", output)
    print_json("Ёж")
    output.seek(0)
    assert json.loads(output.read()) == "Ёж"


def test_where_no_signal_can_be_received_calls_work_all_the_same(
    call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*signals: signal.Signals) -> None:
        raise NotImplementedError

    monkeypatch.setattr(anyio, "open_signal_receiver", refuse)
    code, _, _ = call("users.get")
    assert code == 0
