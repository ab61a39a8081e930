from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from vkanyio.cli._app import run
from vkanyio.testing import faults
from vkanyio.testing._fault_words import FAULTS, NUMBERED, read_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-W", "error", "-m", "vkanyio", "simulator"]


@contextmanager
def running(*options: str) -> Iterator[Any]:
    with subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def code_of(base_url: str, method: str, token: str = "t", **more: str) -> Any:
    params = {"v": "5.199", "access_token": token, "message": "secret words", **more}
    response = httpx.post(f"{base_url}/{method}", data=params).json()
    return response.get("error", {}).get("error_code")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_prints_where_it_is_and_sums_up_at_the_end(backend: str) -> None:
    with running("--limit", "2", "--backend", backend) as process:
        base_url = process.stdout.readline().strip()
        assert [code_of(base_url, "users.get") for _ in range(3)] == [None, None, 6]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert err == (
        "3 requests, 2 calls carried out, 1 refused; 3 requests in the busiest second\n"
    )


def test_on_demand_it_writes_a_line_for_each_call_and_no_values() -> None:
    with running("--log", "--limit", "0", "--fault", "error:9@wall.post") as process:
        base_url = process.stdout.readline().strip()
        assert code_of(base_url, "users.get", "the-token") is None
        assert code_of(base_url, "wall.post", "the-token") == 9
        assert code_of(base_url, "wall.post", "the-token") is None
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    lines = [line.partition(" ")[2] for line in err.splitlines()[:3]]
    assert lines == [
        "request 1: users.get: carried out",
        "request 2: wall.post: error 9 (fault: error)",
        "request 3: wall.post: carried out",
    ]
    assert "secret words" not in err
    assert "the-token" not in err


def test_a_fault_of_a_method_strikes_a_script_that_calls_it() -> None:
    script = "API.wall.post({message: 1}); return API.wall.post({message: 2});"
    with running("--log", "--limit", "0", "--fault", "drop-after@wall.post") as process:
        base_url = process.stdout.readline().strip()
        with pytest.raises(httpx.RemoteProtocolError):
            code_of(base_url, "execute", code=script)
        assert code_of(base_url, "wall.post") is None
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    lines = [line.partition(" ")[2] for line in err.splitlines()[:4]]
    assert lines == [
        "request 1: wall.post: carried out (fault: drop_after)",
        "request 1: wall.post: carried out",
        "request 1: execute: carried out",
        "request 2: wall.post: carried out",
    ]


def test_tokens_have_the_owners_that_they_were_given() -> None:
    owners = ["--token", "bot=club9", "--token", "a=b=id1", "--limit", "0"]
    with running(*owners) as process:
        base_url = process.stdout.readline().strip()
        method = "groups.getLongPollServer"
        assert code_of(base_url, method, "bot", group_id="9") is None
        assert code_of(base_url, method, "bot", group_id="8") == 15
        assert code_of(base_url, "friends.get", "bot") == 27
        assert code_of(base_url, "friends.get", "a=b") is None
        assert code_of(base_url, "friends.get", "other") == 5


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_can_be_ordered_at_a_rate(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # With a wrong port it ends after parsing the faults, before it serves.
    assert run(["simulator", "--fault", f"{name}@wall.post=0.5", "--port", "x"]) == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "like"), [("drop_after=0.1", "drop-after=0.1"), ("error6", "error:6")]
)
def test_a_fault_may_be_written_as_in_python(word: str, like: str) -> None:
    faults_read = [read_fault(each) for each in (word, like)]
    assert repr(faults_read[0]) == repr(faults_read[1])


def test_no_fault_is_forgotten() -> None:
    ordered = {name.replace("-", "_") for name in (*FAULTS, *NUMBERED)}
    made = {name for name, value in vars(faults).items() if is_fault(name, value)}
    # Faults that need bytes or times are only for Python.
    assert made - ordered == {"body", "delay", "slow_body", "slow_upload"}


def is_fault(name: str, value: object) -> bool:
    return (
        callable(value)
        and not isinstance(value, type)
        and name.islower()
        and not name.startswith("_")
        and getattr(value, "__module__", "") == faults.__name__
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--fault", "drop"],
            "'drop' is not a fault; known faults: refuse, drop-before",
        ),
        (["--fault", "error"], "error:NUMBER"),
        (["--fault", "html:5"], "'html:5' is not a fault"),
        (["--fault", "html=2"], "the rate in 'html=2' is not between 0 and 1"),
        (["--fault", "html=1.2.3"], "NAME[@METHOD][=RATE]"),
        (["--fault", "html="], "NAME[@METHOD][=RATE]; known faults: refuse, "),
        (["--fault", "failed:2@wall.post"], "affects only 'longpoll', not 'wall.post'"),
        (["--fault", "drop-upload@docs.save"], "affects only 'upload', not 'docs.save"),
        (
            ["--token", "bot"],
            "'bot' does not have the form TOKEN=OWNER, such as bot=cl",
        ),
        (["--token", "bot=club0"], "'bot=club0' does not have the form"),
        (["--port", "99999"], "99999"),
        (["--limit", "-1"], "-1"),
        (["--latency", "nan"], "latency must be 0 or more, not nan"),
        (["--window", "round"], "'round'"),
        (["--host", "nosuch.invalid"], "cannot listen on nosuch.invalid, port 0: "),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulator", *options]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert "while attempting" not in err


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with running() as process:
        port = process.stdout.readline().strip().split(":")[2].removesuffix("/method")
        assert run(["simulator", "--port", port]) == 2
    assert f"cannot listen on 127.0.0.1, port {port}: " in capsys.readouterr().err
