from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

from vkanyio.cli._output import print_json

if TYPE_CHECKING:
    import pytest


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
