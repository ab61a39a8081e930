from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from vkanyio.cli._app import run
from vkanyio.testing import Simulator, faults

from .batches import hang, wait_for_arrivals
from .conftest import BACKENDS, TOKEN, MakeCall, Start

if TYPE_CHECKING:
    from collections.abc import Sequence


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
        (faults.html(404), (), "ends in /method); --base-url sets it", 3),
        (faults.html(403), (), "check --proxy and --base-url", 3),
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


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["users.get", "user_ids"], "'user_ids'"),
        (["users.get", "=1"], "'=1'"),
        (["users.get", "a=1", "a=2"], "'a'"),
        (["users get"], "'users get'"),
        (["execute"], "code"),
        (["users.get", "--limit", "0"], "vkanyio: --limit must be"),
        (["users.get", "--limit", "many"], "--limit"),
        (["users.get", "--language", "xx"], "language"),
        (["users.get", "--timeout", "0"], "timeout"),
        (["users.get", "--retries", "-1"], "vkanyio: --retries must be"),
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


def test_the_base_url_may_be_in_the_environment(
    base_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VKANYIO_BASE_URL", base_url)
    assert run(["call", "users.get"]) == 0
    assert '"id": 1' in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["call", "users.get"],
        ["execute", "return 1;"],
        ["procedure", "name"],
        ["batch", "calls.jsonl"],
    ],
    ids=lambda words: words[0],
)
def test_plain_http_to_another_machine_must_be_allowed(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("calls.jsonl").write_text('{"method": "users.get"}\n')
    # Nothing listens there, and it is not one of the loopback addresses.
    words = [*words, "--base-url", "http://0.0.0.0:9/method", "--retries", "0"]
    assert run(words) == 2
    assert "--allow-insecure" in capfd.readouterr().err
    assert run([*words, "--allow-insecure"]) == 3
    monkeypatch.setenv("VKANYIO_ALLOW_INSECURE", "0")
    assert run(words) == 2
    monkeypatch.setenv("VKANYIO_ALLOW_INSECURE", "1")
    assert run(words) == 3
    assert TOKEN not in capfd.readouterr().err


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


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@BACKENDS
@pytest.mark.parametrize("method", ["wall.post", "wall.get"])
def test_ctrl_c_ends_a_call_and_says_whether_it_may_have_reached_vk(
    base_url: str, simulator: Simulator, start: Start, backend: str, method: str
) -> None:
    arrived = hang(simulator, method)
    process = start("call", method, "--base-url", base_url, "--backend", backend)
    wait_for_arrivals(arrived, 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, "")
    warning = ": wall.post may have reached VK; check before you repeat it"
    assert err == f"vkanyio: interrupted{warning if method == 'wall.post' else ''}\n"


# Runs the command line, with Ctrl-C at the moment at which it reports how it ended.
IMPATIENT = """
import signal, vkanyio.cli, vkanyio.cli._app as app
report = app.report
def report_late(message):
    signal.raise_signal(signal.SIGINT)
    report(message)
app.report = report_late
vkanyio.cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@BACKENDS
def test_a_second_ctrl_c_does_not_keep_a_call_from_saying_how_it_ended(
    base_url: str, simulator: Simulator, backend: str
) -> None:
    arrived = hang(simulator)
    words = ["call", "wall.post", "--base-url", base_url, "--backend", backend]
    with subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, *words], stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_arrivals(arrived, 1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err == (
        "vkanyio: interrupted: wall.post may have reached VK; check before you repeat"
        " it\n"
    )


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


def test_where_no_signal_can_be_received_calls_work_all_the_same(
    call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*signals: signal.Signals) -> None:
        raise NotImplementedError

    monkeypatch.setattr(anyio, "open_signal_receiver", refuse)
    code, _, _ = call("users.get")
    assert code == 0
