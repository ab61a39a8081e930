"""Other people's clients work on the simulator, unchanged but for the address."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from install import NODE, PLACE, PYTHON, python_of

PROGRAMS = Path(__file__).with_name("programs")
SIMULATOR = [sys.executable, "-m", "vkanyio", "simulator"]

pytestmark = pytest.mark.foreign


def run_on_simulator(
    command: list[str], *options: str, **environment: str
) -> tuple[Any, str]:
    """Run a program on a separate simulator.

    :param options: options of the simulator
    :return: what the program printed, and the simulator's summary
    """
    with subprocess.Popen(
        [*SIMULATOR, "--limit", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as simulator:
        assert simulator.stdout is not None
        base_url = simulator.stdout.readline().strip()
        try:
            done = subprocess.run(
                [*command, base_url],
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                cwd=PLACE,  # vkbottle keeps a file there
                env={**os.environ, "no_proxy": "127.0.0.1", **environment},
            )
        finally:
            simulator.send_signal(signal.SIGINT)
        _, summary = simulator.communicate(timeout=20)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), summary


def program_of(name: str, part: str = "") -> list[str]:
    """Return the command of a foreign client's program, or skip the test."""
    package = PYTHON.get(name) or NODE[name]
    if not (PLACE / name / package).exists():
        pytest.skip(f"{package} is not installed: run tests/foreign/install.py")
    if name in PYTHON:
        return [str(python_of(name)), str(PROGRAMS / f"with_{name}{part}.py")]
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node")
    return [node, str(PROGRAMS / f"with_{name}{part}.cjs")]


def test_vk_api_works_with_its_pools_functions_tools_and_uploads() -> None:
    found, summary = run_on_simulator(program_of("vk_api"))
    assert found == {
        "plain": [1, 2],
        "pooled": [*range(1, 31)],
        "failed in a pool": 104,
        "after the failure": 99,
        "by parameter": [*range(1, 31)],
        "errors by parameter": {},
        "script": [3, 4, 5],
        "wall": 130,
        "texts": ["No. 0 Ёж"],
        "posts": 130,
        "refused": 104,
        "photo of": 1,
    }
    # 193 calls and more in a handful of requests: the pools are made of `execute`.
    assert int(summary.split()[0]) < 40


def test_vkbottle_works_with_its_scripts_and_uploads() -> None:
    found, summary = run_on_simulator(program_of("vkbottle"))
    assert found == {
        "plain": [1, 2],
        "many": [*range(1, 9)],
        "wall": True,
        "sent once": True,
        "refused": 104,
        "script": [2, 3, 4],
        "photo": True,
    }
    assert "1 refused" in summary


def test_vk_io_works_in_all_its_modes_and_collects_and_uploads() -> None:
    modules = str(PLACE / "vk_io" / "node_modules")
    found, summary = run_on_simulator(program_of("vk_io"), NODE_PATH=modules)
    assert found == {
        "plain": [1, 2],
        "parallel": [*range(1, 31)],
        "refused in a batch": 104,
        "beside it": 7,
        "collected": 130,
        "total": 130,
        "text": True,
        "sent once": True,
        "photo of": 1,
    }
    assert int(summary.split()[0]) < 40


OWNERS = ("--token", "bot=club9", "--token", "anna=id1")
CONVERSATION: dict[str, Any] = {
    "answers": ["You wrote: one", "You wrote: two", "You wrote: three"],
    "heard": 3,
}


def test_a_bot_of_vk_io_answers_each_message_once() -> None:
    modules = str(PLACE / "vk_io" / "node_modules")
    command = program_of("vk_io", "_bot")
    found, _ = run_on_simulator(command, *OWNERS, NODE_PATH=modules)
    found["answers"].sort(key=CONVERSATION["answers"].index)  # it waits for no answer
    assert found == CONVERSATION


def test_a_bot_of_vkbottle_answers_each_message_once() -> None:
    found, _ = run_on_simulator(program_of("vkbottle", "_bot"), *OWNERS)
    found["answers"].sort(key=CONVERSATION["answers"].index)
    assert found == CONVERSATION


def test_uploads_of_all_kinds_of_vk_api_are_saved() -> None:
    found, summary = run_on_simulator(program_of("vk_api", "_uploads"), *OWNERS)
    assert found == {
        "album": [True, True, True],
        "message photo": 1,
        "wall photo": "A cat",
        "widget": "-9",
        "profile": 1,
        "chat": "Cats",
        "market album": -7,
        "video": -7,
        "video by link": 1,
        "thumb": True,
        "document": "T",
        "wall document": "txt",
        "message document": "doc",
        "audio message": "audio_message",
        "graffiti": "graffiti",
        "cover": 1590,
        "story": True,
        "story video": 200,
    }
    assert ", 0 refused" in summary


def test_uploads_of_all_kinds_of_vk_io_are_saved() -> None:
    modules = str(PLACE / "vk_io" / "node_modules")
    command = program_of("vk_io", "_uploads")
    found, summary = run_on_simulator(command, *OWNERS, NODE_PATH=modules)
    assert found == {
        "album": [True, True, True],
        "message photo": 1,
        "owner photo": 1,
        "chat": "Cats",
        "market album": -7,
        "video": -7,
        "video by link": 1,
        "document": "txt",
        "wall document": "txt",
        "message document": "T",
        "audio message": 1,
        "graffiti": 1,
        "cover": 1,
        "story": 1,
        "story video": 1,
        "poll": "tile",
    }
    assert ", 0 refused" in summary
