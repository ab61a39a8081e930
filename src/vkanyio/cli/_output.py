"""JSON on standard output: for a person on a terminal, for a program elsewhere."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import click
from rich.highlighter import JSONHighlighter
from rich.text import Text

from ._common import make_console

# Control characters that JSON lets through and terminals obey, and halves of
# characters, which no encoding can write.
_UNPRINTABLE = re.compile("[\x7f-\x9f\ud800-\udfff]")


def print_json(value: Any) -> None:
    """Print JSON: indented, in colour on a terminal, characters as they are."""
    text = to_json(value, indent=2)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    if sys.stdout.isatty():
        make_console().print(JSONHighlighter()(Text(text)), soft_wrap=True)
    else:
        click.echo(text)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Write JSON with characters as they are, but for those that terminals obey."""
    separators = None if indent else (",", ":")
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
