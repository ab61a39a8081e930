"""The Python blocks of the documentation, and how tests run them."""

from __future__ import annotations

import io
import os
import re
import textwrap
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import anyio
import trio.testing

import vkanyio
from vkanyio import VK
from vkanyio.testing import Simulator, VirtualClockLoop

DOCS = Path(__file__).parents[2] / "docs"

_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A block of Python, and the block of text behind it: what it prints."""

    code: str
    output: str | None


def blocks_of(text: str) -> list[Block]:
    """Find the Python blocks of a page."""
    found = [
        (language, textwrap.dedent(code)) for _, language, code in _BLOCK.findall(text)
    ]
    return [
        Block(code, _output(found[number + 1 : number + 3]))
        for number, (language, code) in enumerate(found)
        if language == "python"
    ]


def _output(following: list[tuple[str, str]]) -> str | None:
    # What a shell is told to do may stand between a program and what it prints.
    if following and following[0][0] == "shell":
        following = following[1:]
    return following[0][1] if following and following[0][0] == "text" else None


class Page:
    """A page in English, by its name below docs/."""

    def __init__(self, name: str) -> None:
        self.text = (DOCS / name).read_text(encoding="utf-8")
        self.blocks = blocks_of(self.text)
        self.printed = ""

    def find(self, mark: str) -> Block:
        """Find the one block with a mark in it."""
        [block] = [block for block in self.blocks if mark in block.code]
        return block

    def load(self, mark: str, name: str = "an_example") -> dict[str, Any]:
        """Run the block with a mark in it, and return the names that it defines.

        :param name: the name of the module; as "__main__" it runs its `main`
        """
        names: dict[str, Any] = {"__name__": name}
        exec(compile(self.find(mark).code, "an example", "exec"), names)
        return names

    def run(
        self,
        mark: str,
        backend: str,
        simulator: Simulator | None = None,
        *,
        in_any_order: bool = False,
        **env: str,
    ) -> None:
        """Run a program in virtual time, and see that it prints what the page says.

        :param in_any_order: whether the lines may be printed in another order, as by
            tasks of trio
        """
        simulator = simulator or Simulator(limit=20)

        def client(token: str, **options: Any) -> VK:
            options.pop("base_url", None)
            return VK(token, http_client=simulator.http_client(), **options)

        virtual: dict[str, Any] = {"loop_factory": VirtualClockLoop}
        if backend == "trio":
            virtual = {"clock": trio.testing.MockClock(autojump_threshold=0)}
        run = partial(anyio.run, backend=backend, backend_options=virtual)
        printed = io.StringIO()
        with (
            mock.patch.dict(os.environ, env),
            mock.patch.object(vkanyio, "VK", client),
            mock.patch.object(anyio, "run", run),
            redirect_stdout(printed),
        ):
            self.load(mark, "__main__")
        self.printed = printed.getvalue()
        expected = self.find(mark).output or self.printed
        if in_any_order:
            assert sorted(self.printed.splitlines()) == sorted(expected.splitlines())
        else:
            assert self.printed == expected
