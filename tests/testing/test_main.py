"""``python -m vkanyio.testing``."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

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


def test_a_wrong_option_is_refused() -> None:
    with running("--window", "round") as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "round" in err
