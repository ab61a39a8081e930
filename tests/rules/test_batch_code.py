"""The code of an ``execute``, and that nothing breaks out of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from _helpers import TOKEN
from vkanyio import APIRequest, Config
from vkanyio._batch import to_code
from vkanyio._engine._packer import Packer
from vkanyio.testing.vkscript import run


def read_back(requests: list[APIRequest]) -> list[tuple[str, dict[str, str]]]:
    """Run the code of a batch, and return the calls that it makes."""
    made: list[tuple[str, dict[str, str]]] = []

    def call(method: str, params: dict[str, str]) -> int:
        made.append((method, params))
        return len(made)

    coroutine = run(to_code(requests), call=call)
    with pytest.raises(StopIteration) as returned:
        coroutine.send(None)
    assert returned.value.value.response == [*range(1, len(requests) + 1)]
    return made


BREAKING_OUT = [
    '"',
    '\\"',
    '\\\\"',
    '"});API.wall.post({"message":"x',
    '"}),API.account.ban({"id":1}),API.users.get({"a":"',
    "'",
    "*/ /* // ",
    "</script>",
    "\n\r\n",
    "\\n",
    "\\u0041",
    "\\",
    "\x00\x01\x1f\x7f",
    "\u2028\u2029\ufeff\u200f",
    "${a}%s{0}",
    "жираф 🦒",
    "",
]
texts = st.sampled_from(BREAKING_OUT) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=30
)
values = texts | st.integers() | st.integers(2**31 - 2, 2**31 + 2) | st.booleans()
params = st.dictionaries(
    texts.filter(lambda name: name not in ("", "access_token")), values, max_size=4
)


def is_sent(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


@given(st.lists(params, min_size=1, max_size=5))
@example([{text: text} for text in BREAKING_OUT if text])
@example([{"a": 2**63, "b": -(2**63), "c": -(2**31), "d": 10**40, "e": -1, "f": 0}])
@settings(deadline=None)
def test_the_code_makes_the_calls_with_their_parameters(
    batch: list[dict[str, Any]],
) -> None:
    batch = batch[:25]
    requests = [APIRequest("users.get", params) for params in batch]
    expected = [
        ("users.get", {name: is_sent(value) for name, value in params.items()})
        for params in batch
    ]
    assert read_back(requests) == expected


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_text_that_utf_8_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lone surrogate"):
        APIRequest("users.get", {"a": text})
    with pytest.raises(ValueError, match="surrogate"):
        APIRequest("users.get", {text: "a"})


@pytest.mark.parametrize(
    "method",
    [
        "users.get()",
        "users.get({});API.wall.post",
        'users["get"]',
        "users.get;",
        "users.get//",
        "users .get",
        "users\n.get",
        "users.get\n",
        "пользователи.get",
        "users",
        "execute",
        "execute.mine",
        "users.get.more",
        "1users.get",
        ".get",
        "users.",
        "",
    ],
)
def test_no_name_of_a_method_breaks_out_of_the_code(method: str) -> None:
    packer = Packer(Config(TOKEN, mode="parallel"))
    try:
        request = APIRequest(method, {})
    except ValueError:
        return
    request._pending.urgent = False
    assert not packer.may_pack(request)
