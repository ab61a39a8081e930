"""The header ``Retry-After`` of an HTTP response, as seconds.

It knows no clock, and does not decide whether a request is retried.
"""

from __future__ import annotations

import re
from calendar import timegm

MAX_RETRY_AFTER = 60.0
"""Seconds: a longer delay is cut to this, so that no header can stop a client."""

_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?")


def parse_retry_after(value: str, date: str | None, now: float) -> float | None:
    """Return the seconds until a request may be retried, or None if that is not said.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after

    :param value: the header: a number of seconds, or an HTTP date
    :param date: the header ``Date`` of the response, which an HTTP date is compared
        with: the clock of the server may differ from that of this machine
    :param now: the time in seconds since 1970, for a response without a valid ``Date``
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), MAX_RETRY_AFTER)
    until = _timestamp(value)
    if until is None:
        return None
    since = _timestamp(date or "")
    delay = until - (now if since is None else since)
    return min(max(delay, 0.0), MAX_RETRY_AFTER)


def _timestamp(text: str) -> float | None:
    from email.utils import parsedate_to_datetime  # slow to import, and rarely needed

    try:
        # HTTP dates are in UTC, including those of the old form that names no zone.
        return timegm(parsedate_to_datetime(text).utctimetuple())
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
