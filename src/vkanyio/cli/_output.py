"""JSON on standard output, coloured on a terminal."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import click
from rich.highlighter import JSONHighlighter
from rich.text import Text

from ._common import make_console

# Control characters that JSON leaves unescaped but terminals interpret, and lone
# surrogates, which cannot be encoded.
_UNPRINTABLE = re.compile("[\x7f-\x9f\ud800-\udfff]")


def print_json(value: Any) -> None:
    """Print indented JSON without ASCII escapes, coloured on a terminal."""
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
    """Return JSON without ASCII escapes, except for control characters."""
    separators = None if indent else (",", ":")
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
