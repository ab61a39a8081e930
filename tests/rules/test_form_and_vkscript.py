"""Encoded parameters as a form and as VKScript."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vkanyio._encoding import to_form, to_vkscript

text = st.text(st.characters(exclude_categories=["Cs"]))
names = text.filter(bool)
encoded = st.dictionaries(names, text | st.integers())


@given(encoded)
@example({"a b&c=d": "&=+% ;\n\x00é🦊"})
def test_a_form_reads_back_unchanged(params: dict[str, str | int]) -> None:
    pairs = parse_qsl(
        to_form(params).decode("ascii"),
        keep_blank_values=True,
        strict_parsing=bool(params),
        max_num_fields=len(params),
    )
    assert pairs == [(name, str(value)) for name, value in params.items()]


scripts = st.text('aZ09_.~,-%+"{}:()[]; $')


@given(encoded | st.dictionaries(names, scripts))
@example({"code": 'return [API.users.get({"user_ids":"1,2 +%2B"})];'})
def test_a_form_is_written_as_the_standard_library_writes_it(
    params: dict[str, str | int],
) -> None:
    assert to_form(params).decode("ascii") == urlencode(params, safe=",")


@pytest.mark.parametrize(
    ("params", "is_secret"),
    [
        ({}, False),
        ({"user_ids": 1}, False),
        ({"password": "hidden"}, True),
        ({"user_ids": 1, "access_token": "hidden"}, True),
    ],
)
def test_a_form_and_a_script_show_themselves_unless_they_have_a_secret(
    params: dict[str, str | int], is_secret: bool
) -> None:
    form, script = to_form(params), to_vkscript("users.get", params)
    assert (repr(form) == "b'***'", repr(script) == "'***'") == (is_secret, is_secret)


_STRING = re.compile(r'"((?:[^"\\\r\n]|\\["\\nr])*)"')
_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def read_strings(script: str) -> list[str]:
    """Read VKScript's strings as VK does: four escapes, no raw line break."""
    return [
        re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], string)
        for string in _STRING.findall(script)
    ]


@given(text)
@example('"});API.wall.post({"message":"spam')
@example("\\")
@example('\\"')
@example("\\u0041 \n\r\u2028\t\x00")
@example("*/ // /*")
def test_vkscript_text_cannot_be_broken_out_of(value: str) -> None:
    script = to_vkscript("users.get", {"q": value})
    start, end = 'API.users.get({"q":', "})"
    assert script.startswith(start)
    assert script.endswith(end)
    literal = script[len(start) : -len(end)]
    assert _STRING.fullmatch(literal)
    assert read_strings(literal) == [value]


@given(encoded)
def test_vkscript_carries_every_name_and_value(params: dict[str, str | int]) -> None:
    script = to_vkscript("users.get", params)
    wanted: list[str] = []
    for name, value in params.items():
        is_number = isinstance(value, int) and abs(value) < 2**31
        wanted += [name] if is_number else [name, str(value)]
    assert read_strings(script) == wanted
    rest = _STRING.sub("", script)
    assert re.fullmatch(r"API\.users\.get\(\{[:,0-9-]*\}\)", rest)


def test_vkscript_is_raw_utf_8_without_json_s_escapes() -> None:
    script = to_vkscript("messages.send", {"message": "Привет 🦊\t\x01"})
    assert script == 'API.messages.send({"message":"Привет 🦊\t\x01"})'


@pytest.mark.parametrize(
    ("number", "literal"),
    [
        (2**31 - 1, "2147483647"),
        (2**31, '"2147483648"'),
        (1 - 2**31, "-2147483647"),
        (-(2**31), '"-2147483648"'),
    ],
)
def test_a_number_that_vkscript_may_not_hold_is_written_as_text(
    number: int, literal: str
) -> None:
    assert to_vkscript("a.b", {"n": number}) == f'API.a.b({{"n":{literal}}})'


@pytest.mark.parametrize(
    ("params", "script"),
    [
        ({}, "API.users.get({})"),
        ({"user_ids": 1}, 'API.users.get({"user_ids":1})'),
        ({"a": -1, "b": "2"}, 'API.users.get({"a":-1,"b":"2"})'),
        ({"a": 'x"\\\n\r'}, 'API.users.get({"a":"x\\"\\\\\\n\\r"})'),
    ],
)
def test_vkscript_of_a_call(params: dict[str, str | int], script: str) -> None:
    assert to_vkscript("users.get", params) == script
