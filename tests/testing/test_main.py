"""``python -m vkanyio.testing``."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from vkanyio.testing.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-W", "error", "-m", "vkanyio.testing"]
CALL = {"v": "5.199", "access_token": "t"}


@contextmanager
def running(*arguments: str) -> Iterator[Any]:
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def call(base_url: str) -> Any:
    response = httpx.post(f"{base_url}/users.get", data=CALL)
    return response.json().get("error", {}).get("error_code")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_url_and_stops_silently_on_a_signal(
    backend: str, number: signal.Signals
) -> None:
    with running("--limit", "2", "--backend", backend) as process:
        base_url = process.stdout.readline().strip()
        assert [call(base_url) for _ in range(3)] == [None, None, 6]
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out == ""
    assert err == "3 requests, 2 calls carried out, 1 refused\n"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_can_end_with_its_standard_input(backend: str) -> None:
    with running("--until-stdin-closes", "--backend", backend) as process:
        base_url = process.stdout.readline().strip()
        process.stdin.write("this is not the end\n")
        process.stdin.flush()
        assert call(base_url) is None
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert err == "1 requests, 1 calls carried out, 0 refused\n"


def test_a_signal_ends_it_while_its_standard_input_stays_open() -> None:
    with running("--until-stdin-closes") as process:
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == "0 requests, 0 calls carried out, 0 refused\n"


def test_it_injects_faults_and_logs_calls() -> None:
    options = ["--limit", "0", "--fault", "error:15@users.get=1", "--log"]
    with running(*options) as process:
        assert call(process.stdout.readline().strip()) == 15
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert "users.get" in err


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("drop", "'drop' is not a fault; known faults: refuse, drop-before"),
        ("html=2", "the rate in 'html=2' is not between 0 and 1"),
        ("html at 2", "'html at 2' does not have the form NAME[@METHOD][=RATE]"),
        ("failed:2@wall.post", "'failed' affects only 'longpoll', not 'wall.post'"),
    ],
)
def test_a_wrong_fault_is_refused(word: str, complaint: str) -> None:
    with running("--fault", word) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert complaint in err
    assert "Traceback" not in err


def test_a_script_is_not_held_up_by_loading_the_parser() -> None:
    code = (
        "import signal, sys; from functools import partial; import anyio\n"
        "from vkanyio.testing import Simulator\n"
        "from vkanyio.testing._process import serve_until_stopped\n"
        "def started(url):\n"
        "    print('lark' in sys.modules)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "simulator = Simulator()\n"
        "anyio.run(partial(serve_until_stopped, simulator, '127.0.0.1', 0,"
        " started=started))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_a_wrong_option_is_refused() -> None:
    with running("--window", "round") as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "round" in err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--port", "65536"], "argument --port: '65536' is not a number from 0 to 6"),
        (["--port", "-1"], "argument --port: '-1' is not a number from 0 to 6"),
        (["--limit", "-1"], "limit must be 0 or more, not -1"),
        (["--latency", "-1"], "latency must be 0 or more, not -1.0"),
        (["--latency", "nan"], "latency must be 0 or more, not nan"),
    ],
)
def test_a_wrong_option_is_named(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(options)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(SystemExit) as caught,
    ):
        main(["--port", str(other.getsockname()[1])])
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "while attempting to bind" in err


def test_ctrl_c_before_it_receives_signals_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(anyio, "run", interrupted)
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("missing", "options", "says"),
    [
        ("hypercorn", [], "needs hypercorn: run pip install '.[testing]' in the"),
        ("lark", [], "needs lark: run pip install '.[testing]' in the clone"),
        (
            "trio",
            ["--backend", "trio"],
            "--backend trio needs trio: run pip install trio",
        ),
    ],
)
def test_a_package_that_is_missing_is_named(
    missing: str, options: list[str], says: str
) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from vkanyio.testing.__main__ import main\n"
        f"main({options})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
