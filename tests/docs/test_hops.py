"""The tables of a call's hops: functions that are there, each once and in order."""

from __future__ import annotations

import re
import subprocess
import sys

from _pages import DOCS

PAGE = (DOCS / "concepts" / "call.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \d+[a-z]? \| `([\w/.]+)` \| `([\w.]+)` \|", re.MULTILINE)
PLAIN, PACKED = map(ROW.findall, PAGE.split("### A packed call"))
# The benchmark follows a call through the HTTP client of a simulator instead.
OVER_A_SOCKET = {
    ("_engine/_connection.py", "Connection.request"),
    ("_engine/_response_body.py", "read_limited"),
}
SOURCE = DOCS.parent / "src" / "vkanyio"


def followed() -> list[list[tuple[str, str]]]:
    """Follow a plain and a packed call through the client."""
    printed = subprocess.run(
        [sys.executable, "-m", "benchmarks.hops", "--list"],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    ways = re.split(r"^a .*\n", printed, flags=re.MULTILINE)[1:]
    return [re.findall(r"^ +(\S+) +(\S+)$", way, re.MULTILINE) for way in ways]


def test_the_tables_name_the_hops_in_order():
    for rows, hops in zip((PLAIN, PACKED), followed(), strict=True):
        left = iter(hops)
        for row in rows:
            assert row in OVER_A_SOCKET or row in left, row


def test_no_two_hops_have_one_name():
    rows = PLAIN + PACKED
    assert len(rows) > 40
    assert len(set(rows)) == len(rows)
    names = [function.rpartition(".")[2].strip("_") for _, function in rows]
    repeated = {name for name in names if names.count(name) > 1}
    assert repeated <= {"run"}  # what each task does


def test_hops_that_need_a_socket_are_there():
    for file, function in OVER_A_SOCKET:
        name = function.rpartition(".")[2]
        text = (SOURCE / file).read_text(encoding="utf-8")
        assert f"async def {name}(" in text
