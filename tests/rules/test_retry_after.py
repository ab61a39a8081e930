"""The header `Retry-After`, as seconds."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vkanyio._outcome import TOO_MANY_REQUESTS
from vkanyio._retry import TOO_MANY_PATIENCE
from vkanyio._retry_after import MAX_RETRY_AFTER, parse_retry_after

NOW = 784111777.0
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("7", 7.0), (" 007\t", 7.0), ("1.5", 1.5), ("2.", 2.0), ("60", 60.0)],
)
def test_a_number_of_seconds_is_the_delay(value: str, seconds: float) -> None:
    assert parse_retry_after(value, None, NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:49 GMT",
        "Sunday, 06-Nov-94 08:49:49 GMT",
        "Sun Nov  6 08:49:49 1994",
        "Sun, 06 Nov 1994 11:49:49 +0300",
        " Sun, 06 Nov 1994 08:49:49 GMT ",
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Vladivostok"])
def test_every_form_of_an_http_date_is_a_time_of_utc(
    value: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert parse_retry_after(value, DATE, 0.0) == 12.0
        assert parse_retry_after(value, None, NOW + 0.5) == 11.5
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_date_is_compared_with_the_clock_of_the_server() -> None:
    later = "Sun, 06 Nov 1994 08:49:49 GMT"
    assert parse_retry_after(later, DATE, NOW + 10.0) == 12.0
    for date in (None, "", "yesterday"):
        assert parse_retry_after(later, date, NOW + 10.0) == 2.0


def test_a_date_that_is_past_is_no_delay() -> None:
    assert parse_retry_after(DATE, None, NOW + 5.0) == 0.0


@pytest.mark.parametrize(
    "value", ["61", "3600", "9" * 400, "9" * 10_000, formatdate(NOW + 61, usegmt=True)]
)
def test_a_long_delay_is_cut(value: str) -> None:
    assert parse_retry_after(value, DATE, NOW) == MAX_RETRY_AFTER == 60.0


def test_the_longest_delay_is_within_the_patience() -> None:
    assert MAX_RETRY_AFTER <= TOO_MANY_PATIENCE  # or no call would be retried after it


NONSENSE = [
    *("", " ", "soon", "-5", "+5", "inf", "nan", "1e3", "0x10", "1 2", "5s", "5, 5"),
    *("٣", "\N{SUPERSCRIPT TWO}", ".5", "1.5.2", "7\n8"),
    *("Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994", "06 Nov"),
    "Sun, 06 Nov 9999999999999999999999 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 +99999999999999999999",
]


@pytest.mark.parametrize("value", NONSENSE)
def test_nonsense_is_ignored(value: str) -> None:
    assert parse_retry_after(value, DATE, NOW) is None


texts = (
    st.text()
    | st.sampled_from([*NONSENSE, DATE])
    | st.text("0123456789 :,-+.GMTSunNov")
    | st.builds(
        "{}, {} {} {} {}:{}:{} {}".format,
        st.text(max_size=3),
        st.integers(),
        st.sampled_from(["Jan", "Nov", "Dec", "X"]),
        st.integers(),
        st.integers(-1, 99),
        st.integers(-1, 99),
        st.integers(-1, 99),
        st.sampled_from(["GMT", "", "+2400", "-9959", "-999999999999", "EST"]),
    )
)


@given(texts, st.none() | texts, st.floats(-1e12, 1e12))
@example("Mon, 01 Jan 0001 00:00:00 +2359", None, NOW)
@example("Fri, 31 Dec 9999 23:59:59 -2359", None, NOW)
@example(DATE, "Mon, 01 Jan 0001 00:00:00 +2359", NOW)
@example(DATE, None, -inf)
def test_no_text_breaks_the_parser(value: str, date: str | None, now: float) -> None:
    delay = parse_retry_after(value, date, now)
    assert delay is None or 0.0 <= delay <= MAX_RETRY_AFTER


def test_the_status_is_the_one_of_http() -> None:
    assert HTTPStatus.TOO_MANY_REQUESTS == TOO_MANY_REQUESTS
