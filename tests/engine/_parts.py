"""Parts of the engine outside a client."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from anyio import Semaphore
from anyio.lowlevel import current_token

from _helpers import TOKEN
from vkanyio import APIRequest, Config, Limiter
from vkanyio._engine._credentials import FixedToken
from vkanyio._engine._gate import Gate
from vkanyio._engine._observer import Observer
from vkanyio._engine._sender import Sender
from vkanyio._engine._transport import Transport
from vkanyio._statistics import Counters

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio.testing import Simulator


def sender_of(simulator: Simulator, **options: Any) -> Sender:
    """Make a sender to an in-process simulator."""
    return sender_with(http_client=simulator.http_client(), **options)


def sender_to(base_url: str, **options: Any) -> Sender:
    """Make a sender with its own connections."""
    return sender_with(base_url=base_url, **options)


def sender_with(
    *,
    token: str = TOKEN,
    limiter: Limiter | None = None,
    replaced_tokens: dict[str, str] | None = None,
    **options: Any,
) -> Sender:
    """Make a sender with the options of a client."""
    config = Config(TOKEN, **options)
    replaced = {} if replaced_tokens is None else replaced_tokens
    return Sender(
        config,
        FixedToken(token, replaced),
        limiter=limiter or Limiter(1000, request_mode="burst"),
        connections=Semaphore(config.max_connections),
        transport=Transport(config),
        observer=Observer(config.on_event),
        counters=Counters(),
        headers={
            "content-type": "application/x-www-form-urlencoded",
            **config.headers,
        },
        generator=Random(0),
    )


def gate(on_open: Callable[[], None] = lambda: None) -> Gate:
    """Make a gate."""
    return Gate(on_open)


def accepted(
    method: str = "users.get",
    params: dict[str, Any] | None = None,
    *,
    urgent: bool = False,
) -> APIRequest:
    """Make a request that is live, as if a client had accepted it."""
    request = APIRequest(method, params)
    accept(request, urgent=urgent)
    return request


def accept(request: APIRequest, *, urgent: bool = False) -> None:
    """Make a request live, as if a client had accepted it."""
    request._pending.claim(current_token())
    request._pending.accept(0, urgent=urgent, on_end=lambda: None)
