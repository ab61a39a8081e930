"""Values without state are of the kind that the names of their fields suggest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from _schema import SCHEMA

from vkanyio import VK
from vkanyio.testing import Account, Call, Simulator
from vkanyio.testing._declared import declared_methods
from vkanyio.testing._plausible import name_of_value, number_for, text_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

EPOCH, DAY = 1_750_000_000, 86_400
NOW = EPOCH + 100
ORIGIN = "http://127.0.0.1:8000"


def call(method: str, **params: str) -> Call:
    nothing: Any = None
    return Call(
        method=method,
        params=params,
        account=Account(),
        time=100,
        origin=ORIGIN,
        invoker=nothing,
    )


def parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield all fields and items in a value, with their names."""
    yield name, value
    if isinstance(value, dict):
        for field, inner in value.items():
            yield from parts(field, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts(name, inner)


VALUES = {
    (method, extended): declared.handler(call(method, extended=extended))
    for method, declared in declared_methods().items()
    for extended in ("0", "1")
}
FIELDS = [
    (method, *field)
    for (method, _), value in VALUES.items()
    for field in parts(name_of_value(method), value)
]
TEXTS = [field for field in FIELDS if isinstance(field[2], str)]
NUMBERS = [
    field
    for field in FIELDS
    if isinstance(field[2], int) and not isinstance(field[2], bool)
]


def test_no_text_is_empty() -> None:
    assert len(TEXTS) > 300
    assert [field for field in TEXTS if not field[2]] == []


def test_an_address_is_an_address_of_the_simulator() -> None:
    named = re.compile(r"(.*_)?(url|uri|link|server|photo|src|image|img)(_\d+)?")
    addresses = [field for field in TEXTS if named.fullmatch(field[1])]
    assert len(addresses) > 40
    for method, name, value in addresses:
        assert value.startswith(f"{ORIGIN}/"), (method, name, value)
        assert urlsplit(value).path.strip("/")


def test_an_id_is_a_positive_number_or_its_digits() -> None:
    ids = [
        field for field in (*TEXTS, *NUMBERS) if re.fullmatch(r"(.*_)?ids?", field[1])
    ]
    assert len(ids) > 200
    for method, name, value in ids:
        assert int(value) > 0, (method, name, value)


def test_a_time_is_a_time_of_the_simulator() -> None:
    named = re.compile(r"(.*_)?(created|date|edited|expired_at|time|timestamp|updated)")
    times = [field for field in NUMBERS if named.fullmatch(field[1])]
    assert len(times) > 50
    for method, name, value in times:
        assert value in (NOW, NOW + DAY), (method, name, value)
        is_ahead = re.match(r"(end|expired|next|stop)_", name) is not None
        assert (value > NOW) == is_ahead, (method, name)


def test_only_a_time_is_as_large_as_one() -> None:
    large = {field[1] for field in NUMBERS if field[2] >= EPOCH}
    named = re.compile(
        r".*(at|created|date|edited|expire|time|timestamp|ts|updated)|.*_until"
    )
    assert [name for name in large if not named.fullmatch(name)] == []


def test_a_count_is_the_number_of_items() -> None:
    lists = [
        value
        for _, _, value in FIELDS
        if isinstance(value, dict) and {"count", "items"} <= {*value}
    ]
    assert len(lists) > 50
    for value in lists:
        assert value["count"] == len(value["items"])


def test_beyond_the_end_the_count_stays_and_the_items_end() -> None:
    for method, declared in declared_methods().items():
        value = declared.handler(call(method, offset="1"))
        if isinstance(value, dict) and {"count", "items"} <= {*value}:
            assert (value["count"], value["items"]) == (1, [])


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("server", f"{ORIGIN}/server"),
        ("photo_max_orig", f"{ORIGIN}/photo_max_orig"),
        ("image_src_2x", f"{ORIGIN}/image_src_2x"),
        ("mp4_1080", f"{ORIGIN}/mp4_1080"),
        ("link_ogg", f"{ORIGIN}/link_ogg"),
        ("endpoint", "127.0.0.1:8000"),
        ("access_key", "[0-9a-f]{32}"),
        ("photo_hash", "[0-9a-f]{32}"),
        ("track_code", "[0-9a-f]{32}"),
        ("photo_id", "1"),
        ("ts", "1"),
        ("all_limit", "1"),
        ("effective_cost_per_click", "1"),
        ("date", str(NOW)),
        ("day_from", "2025-06-15"),
        ("month", "2025-06"),
        ("bdate", r"\d+\.\d+\.\d{4}"),
        ("mobile_phone", r"\+\d{11}"),
        ("failed_phone_numbers", r"\+\d{11}"),
        ("email", r"\w+@example\.com"),
        ("domain", "example.com"),
        ("screen_name", r"id\d+"),
        ("api_version", r"5\.199"),
        ("background_loader_color", "[0-9a-f]{6}"),
        ("currency", "[A-Z]{3}"),
        ("source_lang", "en"),
        ("description", "description"),
        ("url_full_match", "url_full_match"),
        ("link_title", "link_title"),
    ],
)
def test_a_text_is_of_the_kind_that_its_name_suggests(name: str, pattern: str) -> None:
    assert re.fullmatch(pattern, text_for(call("notes.get"), name))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("user_id", 1),
        ("count", 1),
        ("lifetime", 1),
        ("open_time", 1),
        ("break_close_time", 1),
        ("year", 2025),
        ("ts", NOW),
        ("date", NOW),
        ("update_time", NOW),
        ("end_date", NOW + DAY),
        ("next_bill_time", NOW + DAY),
        ("disabled_until", NOW + DAY),
        ("expires_at", NOW + DAY),
        ("expired_at", NOW + DAY),
        ("scheduled_delete_time", NOW + DAY),
    ],
)
def test_a_number_is_of_the_kind_that_its_name_suggests(name: str, value: int) -> None:
    assert number_for(call("notes.get"), name) == value


def test_a_digest_differs_between_methods_and_fields_but_not_between_calls() -> None:
    first = text_for(call("notes.get"), "hash")
    assert first == text_for(call("notes.get", offset="1"), "hash")
    others = {text_for(call("notes.get"), "key"), text_for(call("notes.add"), "hash")}
    assert len({first, *others}) == 3


def test_what_the_schema_calls_an_address_or_a_time_is_one() -> None:
    addresses, times = set[str](), set[str]()
    for definition in SCHEMA.definitions.values():
        for name, declared in parts("", definition.raw):
            if isinstance(declared, dict) and declared.get("format") == "uri":
                addresses.add(name)
            if isinstance(declared, dict) and declared.get("format") == "unix_time":
                times.add(name)
    addresses.discard("")  # a whole value
    times.discard("")
    assert (len(addresses), len(times)) > (60, 20)
    for name in addresses:
        assert text_for(call("notes.get"), name) == f"{ORIGIN}/{name}", name
    for name in times:
        assert number_for(call("notes.get"), name) >= NOW, name


async def test_the_server_for_updates_is_an_address() -> None:
    simulator = Simulator(limit=0)
    async with VK("token", http_client=simulator.http_client()) as api:
        server = await api.groups.get_long_poll_server(group_id=1)
        upload = await api.pretty_cards.get_upload_url()
    assert urlsplit(server["server"]).hostname == "api.vk.ru"
    assert re.fullmatch("[0-9a-f]+", server["key"])
    assert server["ts"].isdecimal()
    assert urlsplit(upload).hostname == "api.vk.ru"
