"""How Python's values become parameters."""

from __future__ import annotations

import json
import math
import re
from collections import UserDict, namedtuple
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vkanyio._encoding import encode_json, encode_params

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Sex(IntEnum):
    FEMALE = 1


class Field(StrEnum):
    CITY = "city"


class Text(str, Enum):  # noqa: UP042 - not the same: it has another __str__
    CITY = "city"


class Count(int):
    """A number that counts things, say."""


class Number(int, Enum):
    ONE = 1


class Colour(Enum):
    RED = "red"


class Rights(IntFlag):
    WALL = 8192
    PHOTOS = 4


class Place(Enum):
    HERE = 1.5


class Photo:
    def to_vk(self) -> str:
        return "photo1_2"


class PhotoDict(dict[str, Any]):
    """A type of the user: an object with a JSON form and a text form."""

    def to_vk(self) -> str:
        return "photo1_2"


class PhotoMapping(UserDict[str, Any]):
    def to_vk(self) -> str:
        return "photo1_2"


class Ids:
    """An iterable that is nothing else."""

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])


class Wrapped:
    def __init__(self, value: Any) -> None:
        self.value = value

    def to_vk(self) -> Any:
        return self.value


class ColourOfVK(Enum):
    RED = "red"

    def to_vk(self) -> int:
        return 7


Point = namedtuple("Point", "x y")  # noqa: PYI024 - the plain kind is met as well
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
NOON_UNIX = 1704110400


def encode(value: Any) -> str | int | None:
    return encode_params({"p": value}).get("p")


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("text", "text"),
        ("", ""),
        ("Привет, 🦊", "Привет, 🦊"),
        (5, 5),
        (-5, -5),
        (0, 0),
        (2**63, 2**63),
        (-(2**63), -(2**63)),
        (True, 1),
        (False, 0),
        ([1, 2, 3], "1,2,3"),
        ((1, "b"), "1,b"),
        ({7}, "7"),
        (Ids(), "1,2"),
        (frozenset({7}), "7"),
        (range(3), "0,1,2"),
        ({"a": 1, "b": 2}.keys(), "a,b"),
        ({"a": 1, "b": 2}.values(), "1,2"),
        ([], ""),
        ([True, False], "1,0"),
        ([1.5, 1e-7], "1.5,0.0000001"),
        ([NOON, Sex.FEMALE, Field.CITY, Photo()], f"{NOON_UNIX},1,city,photo1_2"),
        (Point(1, 2), "1,2"),
        (Sex.FEMALE, 1),
        (Field.CITY, "city"),
        (Colour.RED, "red"),
        (Text.CITY, "city"),
        (Number.ONE, 1),
        (Place.HERE, "1.5"),
        (Rights.WALL | Rights.PHOTOS, 8196),
        (NOON, NOON_UNIX),
        (datetime(2024, 1, 1, 15, tzinfo=timezone(timedelta(hours=3))), NOON_UNIX),
        (datetime(2024, 1, 1, 12, 0, 0, 900_000, tzinfo=UTC), NOON_UNIX),
        (Photo(), "photo1_2"),
        (PhotoDict(a=1), "photo1_2"),
        (PhotoMapping(a=1), "photo1_2"),
        (ColourOfVK.RED, 7),
        (Wrapped([1, 2]), "1,2"),
        (Wrapped(Wrapped(True)), 1),
        (Wrapped({"a": 1}), '{"a":1}'),
    ],
)
def test_each_type_has_its_form(value: Any, encoded: str | int) -> None:
    result = encode(value)
    assert result == encoded
    assert type(result) is type(encoded)  # 1 and True are equal, but not in JSON


@pytest.mark.parametrize(
    "make",
    [lambda: (n for n in [1, 2]), lambda: iter([1, 2]), lambda: map(int, "12")],
)
def test_an_iterator_is_joined(make: Callable[[], Any]) -> None:
    assert encode(make()) == "1,2"
    assert encode({"a": make()}) == '{"a":[1,2]}'


def test_none_leaves_a_parameter_out() -> None:
    assert encode_params({"a": None, "b": 1, "c": None}) == {"b": 1}


def test_parameters_keep_their_order() -> None:
    assert list(encode_params({"b": 1, "a": 2, "c": 3})) == ["b", "a", "c"]


def test_a_naive_datetime_is_local_time() -> None:
    naive = datetime(2024, 1, 1, 12)
    assert encode(naive) == int(naive.astimezone().timestamp())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ({"a": [1, {"b": None}], "c": True}, '{"a":[1,{"b":null}],"c":true}'),
        ({"text": 'Привет "мир"\n'}, '{"text":"Привет \\"мир\\"\\n"}'),
        ({1: 2}, '{"1":2}'),
        ({Field.CITY: 1, Sex.FEMALE: 2}, '{"city":1,"1":2}'),
        ({Text.CITY: 1, Number.ONE: 2}, '{"city":1,"1":2}'),
        ({True: 1}, '{"true":1}'),
        ({"at": NOON}, f'{{"at":{NOON_UNIX}}}'),
        ({"sex": Sex.FEMALE}, '{"sex":1}'),
        ({"field": Field.CITY}, '{"field":"city"}'),
        ({"colour": Colour.RED}, '{"colour":"red"}'),
        ({"photo": Photo()}, '{"photo":"photo1_2"}'),
        ({"colour": ColourOfVK.RED}, '{"colour":7}'),
        ({"a": [{"b": (NOON, 1)}]}, f'{{"a":[{{"b":[{NOON_UNIX},1]}}]}}'),
        ({"set": {1}, "range": range(2)}, '{"set":[1],"range":[0,1]}'),
        (UserDict({"a": UserDict({"b": 1})}), '{"a":{"b":1}}'),
        ([{"a": 1}, {"b": 2}], '[{"a":1},{"b":2}]'),
    ],
)  # fmt: skip
def test_a_dict_becomes_json_in_raw_utf_8(value: Any, text: str) -> None:
    assert encode(value) == text


@pytest.mark.parametrize("photo", [PhotoDict(a=1), PhotoMapping(a=1)])
def test_to_vk_comes_before_the_json_form_wherever_the_object_is(
    photo: Mapping[str, Any],
) -> None:
    assert encode([photo]) == "photo1_2"
    assert encode([photo, photo]) == "photo1_2,photo1_2"
    assert encode(["video1_2", photo]) == "video1_2,photo1_2"
    assert encode({"attachment": photo}) == '{"attachment":"photo1_2"}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-0.000001, "-0.000001"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (5e-324, "0." + "0" * 323 + "5"),
    ],
)
def test_a_float_is_written_without_an_exponent(value: float, text: str) -> None:
    assert encode(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_keeps_its_value(value: float) -> None:
    text = encode(value)
    assert isinstance(text, str)
    assert float(text) == value
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (b"bytes", "user_ids"),
        (bytearray(b"bytes"), "user_ids"),
        (memoryview(b"bytes"), "user_ids"),
        (object(), "user_ids"),
        (Colour, "user_ids"),
        (list[int], "user_ids"),
        (1j, "user_ids"),
        (Decimal(1), "user_ids"),
        (date(2024, 1, 1), "user_ids"),
        (timedelta(1), "user_ids"),
        (lambda: 1, "user_ids"),
        (Photo, "user_ids"),  # the class, where an object was meant
        (Wrapped(None), "user_ids"),
        (Wrapped(object()), "user_ids"),
        ([1, None], "user_ids[1]"),
        ([1, [2]], "user_ids[1]"),
        ([(1, 2)], "user_ids[0]"),
        ([1, {2}], "user_ids[1]"),
        ([range(2)], "user_ids[0]"),
        ([1, {"a": 1}], "user_ids[1]"),
        ([{"a": 1}, 1], "user_ids[0]"),
        ([b"bytes"], "user_ids[0]"),
        ({"a": 1}.items(), "user_ids[0]"),
        ({"a": b"bytes"}, "user_ids"),
        ({"a": object()}, "user_ids"),
        ({(1, 2): 3}, "user_ids"),
        ([{"a": object()}], "user_ids"),
    ],
)
def test_a_type_without_a_form_is_refused_by_name(value: Any, place: str) -> None:
    with pytest.raises(TypeError, match=re.escape(place)) as caught:
        encode_params({"fields": "city", "user_ids": value})
    assert "fields" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"bytes", "b'bytes' (bytes)"),
        ([1, {2}], "{2} (set)"),
        ([1, None], "None (NoneType)"),
        ({"a": [1j]}, "1j (complex)"),
        ({(1, 2): 3}, "(1, 2)"),
    ],
)
def test_a_refused_value_is_shown_with_its_type(value: Any, shown: str) -> None:
    with pytest.raises(TypeError) as caught:
        encode_params({"user_ids": value})
    assert str(caught.value).endswith(f"got {shown}")


def test_a_time_out_of_range_is_shown() -> None:
    with pytest.raises(ValueError, match=re.escape(repr(datetime.min))):
        encode_params({"publish_date": datetime.min})


@pytest.mark.parametrize(
    "value", [b"hidden", ["hidden", {"hidden"}], {"a": b"hidden"}, {"a": [b"hidden"]}]
)
def test_a_refused_secret_is_shown_by_its_type_alone(value: Any) -> None:
    with pytest.raises(TypeError, match=r"got (bytes|set)$") as caught:
        encode_params({"password": value})
    assert "hidden" not in str(caught.value)


class Nowhere(Enum):
    AT_ALL = math.nan


CIRCULAR: dict[str, Any] = {}
CIRCULAR["self"] = CIRCULAR


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (math.nan, "lat"),
        (math.inf, "lat"),
        (-math.inf, "lat"),
        ([1.0, math.nan], "lat[1]"),
        ({"a": math.nan}, "lat"),
        ({"a": [math.inf]}, "lat"),
        (CIRCULAR, "lat"),
        ("\ud800", "lat"),
        (["a", "\udfff"], "lat[1]"),
        ({"a": "\ud800"}, "lat"),
        ({"\ud800": "a"}, "lat"),
        (Wrapped("\ud800"), "lat"),
        (Nowhere.AT_ALL, "lat"),
        pytest.param(10**5000, "lat", id="huge"),  # Python refuses to format it
        pytest.param(Count(10**5000), "lat", id="huge-count"),
        ([10**5000], "lat[0]"),
        ({"a": 10**5000}, "lat"),
        (datetime.min, "lat"),
        ({"a": datetime.min}, "lat"),
    ],
)
def test_a_value_without_a_form_is_refused_by_name(value: Any, place: str) -> None:
    with pytest.raises(ValueError, match=re.escape(place)):
        encode_params({"lat": value})


def test_an_object_that_is_its_own_form_is_refused_by_name() -> None:
    loop = Wrapped(None)
    loop.value = loop
    with pytest.raises((TypeError, ValueError, RecursionError), match="lat"):
        encode_params({"lat": loop})


def test_an_object_with_endless_forms_is_refused_soon() -> None:
    class Mock:
        made = 0

        def to_vk(self) -> Any:
            Mock.made += 1
            return Mock()

    with pytest.raises(ValueError, match="lat"):
        encode_params({"lat": Mock()})
    assert Mock.made < 100  # those of unittest.mock take 30 ms each


@pytest.mark.parametrize("nested", [False, True])
def test_an_error_of_to_vk_itself_reaches_the_caller(nested: bool) -> None:
    class Broken:
        def to_vk(self) -> str:
            return b"\xff".decode()

    value: Any = {"a": Broken()} if nested else Broken()
    with pytest.raises(ValueError):  # noqa: PT011 - raised by the user
        encode_params({"lat": value})


def test_a_deep_dict_is_refused_by_name() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises((ValueError, RecursionError), match="keyboard"):
        encode_params({"keyboard": deep})
    while deep:  # taken apart by hand: its destructor would go as deep
        deep = deep["a"]


@pytest.mark.parametrize("name", [1, None, b"user_ids", ("a",), ""])
@pytest.mark.parametrize("value", [1, None])
def test_the_name_of_a_parameter_is_text(name: Any, value: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(repr(name))):
        encode_params({name: value})


def test_the_name_of_a_parameter_is_text_that_utf_8_can_carry() -> None:
    with pytest.raises(ValueError, match=r"^'\\ud800' must be .*UTF-8"):
        encode_params({"\ud800": 1})


# Lists as JSON


def test_a_list_is_written_as_json_where_vk_wants_that() -> None:
    values = [1, {"a": [True, None]}, Photo()]
    assert encode_json("data", values) == '[1,{"a":[true,null]},"photo1_2"]'


def test_a_value_that_json_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"^data\[0\] must be"):
        encode_json("data", [object()])
    with pytest.raises(ValueError, match=r"^data "):
        encode_json("data", [CIRCULAR])


text = st.text(st.characters(exclude_categories=["Cs"]))
names = text.filter(bool)


integers = st.integers(-(2**63), 2**63)
plain = st.none() | st.booleans() | integers | text
json_like = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=10
)


@given(st.dictionaries(text, json_like))
def test_a_dict_reads_back_from_its_json(value: dict[str, Any]) -> None:
    encoded_value = encode(value)
    assert isinstance(encoded_value, str)
    assert json.loads(encoded_value) == value


@given(st.lists(integers | text.filter(lambda t: "," not in t), min_size=2))
def test_a_list_reads_back_from_its_commas(values: list[int | str]) -> None:
    assert str(encode(values)).split(",") == [str(value) for value in values]


def test_any_mapping_holds_parameters() -> None:
    assert encode_params(MappingProxyType({"user_ids": [1, 2]})) == {"user_ids": "1,2"}
