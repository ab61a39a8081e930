"""Checks of what a limiter is given, each of which names the argument."""

from __future__ import annotations

from inspect import iscoroutinefunction
from urllib.parse import parse_qs, urlsplit

from .._masking import kind_of, mask
from .._wire_checks import shown
from ._link import make_client

SCHEMES = ("redis", "rediss", "unix")
MAX_PROCESSES = 10**6


def check_arguments(
    url: object, name: object, processes: object, on_event: object
) -> None:
    """Refuse arguments that cannot be used.

    :raises TypeError: for one of the wrong type
    :raises ValueError: for one that is not allowed
    """
    check_url(url)
    if not isinstance(name, str):
        message = f'name must be a string such as "group 1", got {shown(name)}'
        raise TypeError(message)
    if not name:
        message = 'name must be a string such as "group 1", got an empty one'
        raise ValueError(message)
    check_processes(processes)
    if on_event is not None and (
        not callable(on_event) or iscoroutinefunction(on_event)
    ):
        message = (
            f"on_event must be a function that is not async, got {shown(on_event)}"
        )
        raise TypeError(message)


def check_processes(processes: object) -> None:
    """Refuse a number of processes that cannot be right."""
    wanted = f"processes must be a whole number from 1 to {MAX_PROCESSES}, or None"
    message = f"{wanted}, got {shown(processes)}"
    if processes is None:
        return
    if not isinstance(processes, int) or isinstance(processes, bool):
        raise TypeError(message)
    if not 1 <= processes <= MAX_PROCESSES:
        raise ValueError(message)


def check_url(url: object) -> None:
    """Refuse a URL that cannot be used, without showing the password in it."""
    url = mask(url)
    wanted = (
        'url must be that of a Redis server, such as "redis://localhost:6379/0",'
        f" with one of the schemes {', '.join(SCHEMES)}"
    )
    if not isinstance(url, str):
        message = f"{wanted}, got a {kind_of(url)}"
        raise TypeError(message)
    try:
        parts = urlsplit(url)
        scheme = parts.scheme
        if scheme in SCHEMES:
            make_client(url)
            unknown = parse_qs(parts.query).keys() - {"db"}
            if not unknown:
                return
            wanted += ' and no parameter but "db" after "?"'
    except Exception:  # of whatever kind: coredis passes on what int() raises, too
        scheme = ""
    got = f'got one with "{scheme}:"' if scheme else "got another string"
    message = f"{wanted}, {got}"
    raise ValueError(message) from None
