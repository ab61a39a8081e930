"""Facts about a method: plain values, without rules or the table of methods."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Repetition(enum.Enum):
    """What happens if VK executes a method twice.

    A client retries reads and keyed calls by itself. A state-setting method is
    idempotent, but a retry may return an error. So the caller must allow its retries,
    just as those of a method that is not repeatable.
    """

    READ = "reads"
    KEYED = "keyed"
    STATE = "state-setting"
    NEVER = "not repeatable"


class MethodFacts(NamedTuple):
    """Facts about a method.

    :ivar repetition: the effect of a second call, unless parameters change it
    :ivar tokens: the kinds of token that may call it, empty if unknown
    :ivar key: the parameter by which VK deduplicates calls
    :ivar changes_if: the parameter that turns a read into a state-setting call
    """

    repetition: Repetition
    tokens: tuple[str, ...] = ()
    key: str | None = None
    changes_if: str | None = None
