"""Tokens of VK ID for tests: stored in memory, and searched for in tracebacks."""

from __future__ import annotations

import traceback
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio

from _helpers import LIBRARY
from vkanyio.vkid import StoredTokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vkanyio.testing import Simulator

CLIENT_ID = 51_000_000


class Store:
    """Tokens in memory.

    :ivar saved: those that were new
    :ivar takes: the seconds for each
    :ivar error: raised by all saves
    """

    def __init__(self, tokens: StoredTokens | None = None) -> None:
        self.tokens = tokens
        self.saved: list[StoredTokens] = []
        self.takes = 0.0
        self.error: Exception | None = None
        self.failures = 0  # of the next saves
        self._lock = anyio.Lock()

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        async with self._lock:
            yield

    async def load(self) -> StoredTokens | None:
        return self.tokens

    async def save(self, tokens: StoredTokens) -> None:
        if self.error is not None:
            raise self.error
        if tokens == self.tokens:
            return  # a trial, before a renewal
        await anyio.sleep(self.takes)
        if self.failures:
            self.failures -= 1
            raise OSError("no space left")
        self.tokens = tokens
        self.saved.append(tokens)


def issued(simulator: Simulator, *, life: float = 3600.0) -> StoredTokens:
    """Return tokens as they would be stored after an authorization."""
    tokens = simulator.vkid.issue(client_id=CLIENT_ID, user_id=5)
    return StoredTokens(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=datetime.now(UTC) + timedelta(seconds=life),
        device_id=tokens.device_id,
        user_id=5,
    )


def errors_of(simulator: Simulator) -> list[Any]:
    """Return the outcomes of the calls and renewals that were not carried out."""
    return [each.outcome for each in simulator.ledger if each.outcome != "carried out"]


def frames_of(error: BaseException | None) -> str:
    """Return the local variables of the library's frames, of the causes, too."""
    shown = ""
    while error is not None:
        captured = traceback.TracebackException.from_exception(
            error, capture_locals=True
        )
        for frame in captured.stack:
            if frame.filename.startswith(LIBRARY) and "/testing/" not in frame.filename:
                shown += f"{frame.name}: {frame.locals}\n"
        error = error.__cause__
    assert "VKID(" in shown, shown
    return shown
