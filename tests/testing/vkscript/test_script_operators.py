"""Operators: what can be computed and compared."""

from __future__ import annotations

from typing import Any

import pytest
from _script_api import Api, evaluate

pytestmark = pytest.mark.anyio

LARGEST = 2**63 - 1
NOT_NUMERIC = "13 Numeric value is expected"
INCOMPARABLE = "13 Comparing values of different or unsupported types"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("100 / 5 / 2", 10),
        ("2 + 3 % 2", 3),
        ("1 << 2 + 1", 8),
        ("1 < 2 << 1", True),
        ("1 == 2 < 3", True),
        ("6 & 2 == 2", 0),
        ("1 | 6 & 3", 3),
        ("2 && 1 | 4", 5),
        ("1 || 0 && 0", 1),
        ("0 && 1 || 2", 2),
        ("0 || 0 || 3 || 4", 3),
        ("1 && 2 && 0 && 4", 0),
        ("1 && 2 && 3", 3),
        ("0 && 1 && 2 || 0 || 5 && 6", 6),
        ("null || false", False),
        ("0 ? 1 : 2 || 3", 2),
        ("0 || 1 ? 2 : 3", 2),
        ("-2 + 1", -1),
        ("- - 2", 2),
        ("!0 + 1", "11"),
        ("!!5", True),
        ("-[1, 2].length", -2),
        ("~5 + 1", -5),
        ("1 - -1", 2),
        ("1--1", 2),
        ("1<-1", False),
        ("!1==false", True),
    ],
)
async def test_operators_bind_as_they_do_in_c(expression: str, value: Any) -> None:
    result = await evaluate(f"return {expression};")
    assert result == value
    assert type(result) is type(value)


async def test_the_right_side_is_left_alone_where_the_left_side_decides() -> None:
    api = Api()
    code = "return 0 && API.test.echo({a: 1}) || 1 || API.test.echo({b: 1});"
    assert await evaluate(code, api) == 1
    code = "if (1) 2; else API.test.echo(); return 0 ? API.test.echo() : 1;"
    assert await evaluate(code, api) == 1
    assert api.calls == []


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2", 3),
        ("1 + 2.5", 3.5),
        ('"a" + "b"', "ab"),
        ('"a" + 1', "a1"),
        ('1 + "2"', "12"),
        ('1.5 + "a"', "1.5a"),
        ('2.0 + "a"', "2a"),
        ('"a" + true', "a1"),
        ('"a" + false', "a"),
        ('null + "a"', "a"),
        ("true + true", "11"),
        ("1 + null", "1"),
        ("1 + 2 + null", "3"),
        ('"a" + [1, 2]', "a1,2"),
        ("[1, 2] + [3, 1]", [1, 2, 3, 1]),
        ("[1] + []", [1]),
        ("[[1]] + [[2]]", [[1], [2]]),
        ("[1] + {a: 2}", {"0": 1, "a": 2}),
        ("{a: 1, b: 2} + {a: 3, c: 4}", {"a": 3, "b": 2, "c": 4}),
        ('{"5": 1} + [2]', [1, 2]),
        ("{} + [2]", [2]),
        ("1 + [1]", NOT_NUMERIC),
        ("[1] + 1.5", NOT_NUMERIC),
        (f"{LARGEST} + 1", -LARGEST - 1),
        (f"{LARGEST} + 1.0", float(2**63)),
    ],
)
async def test_addition(expression: str, value: Any) -> None:
    result = await evaluate(f"return {expression};")
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("5 - 7", -2),
        ("5 - 0.5", 4.5),
        ('"5" - "3"', 2),
        ('"5.5" * 2', 11.0),
        ('" 7 " - 0', 7),
        ("true - false", 1),
        ("null * 5", 0),
        (f"-{LARGEST} - 2", LARGEST),
        (f"{LARGEST} * 2", -2),
        (f"-({LARGEST} + 1)", -LARGEST - 1),
        ("6 / 3", 2),
        ("7 / 2", 3.5),
        ("6 / 3.0", 2.0),
        ('"6" / "4"', 1.5),
        ("-6 / 3", -2),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7.9 % 3", 1),
        ('"7" % "4"', 3),
        ("1 << 3", 8),
        ("1 << 63", -LARGEST - 1),
        ("1 << 64", 1),
        ("-16 >> 2", -4),
        ("16 >> 66", 4),
        ("12 & 10", 8),
        ("12 | 3.7", 15),
        ('"12" & 10', 8),
        ("~0", -1),
        ('~"5"', -6),
        ('-"5"', -5),
        ('-"1.5"', -1.5),
        ("-true", -1),
        ("1 / 0", "13 Division by zero"),
        ("1 / 0.0", "13 Division by zero"),
        ("1 % 0", "13 Division by zero"),
        ("1 % 0.5", "13 Division by zero"),
    ],
)
async def test_arithmetic(expression: str, value: Any) -> None:
    result = await evaluate(f"return {expression};")
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize("operator", ["-", "*", "/", "%", "<<", ">>", "&", "|"])
@pytest.mark.parametrize("operand", ['"a"', '""', '"1a"', '"1 2"', "[]", "{a: 1}"])
async def test_arithmetic_wants_numbers(operator: str, operand: str) -> None:
    assert await evaluate(f"return 1 {operator} {operand};") == NOT_NUMERIC
    assert await evaluate(f"return {operand} {operator} 1;") == NOT_NUMERIC
    assert await evaluate(f"return -{operand};") == NOT_NUMERIC
    assert await evaluate(f"return ~{operand};") == NOT_NUMERIC


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 == 1.0", True),
        ("1 == 2", False),
        ('1 == "1"', True),
        ('"1.0" == 1', True),
        ('"1" == "1.0"', False),
        ('"a" == "a"', True),
        ('"a" == "b"', False),
        ("true == true", True),
        ("true == 1", True),
        ("false == 1", False),
        ("null == null", True),
        ("null == 0", False),
        ("null == false", False),
        ('null == ""', False),
        ("[] == null", False),
        ("null == [1]", False),
        ('"a" == 1', INCOMPARABLE),
        ('1 == ""', INCOMPARABLE),
        ("[] == []", INCOMPARABLE),
        ("[] == 1", INCOMPARABLE),
        ('"a" == []', INCOMPARABLE),
        ("[] == false", INCOMPARABLE),
    ],
)
async def test_equality(expression: str, value: Any) -> None:
    assert await evaluate(f"return {expression};") == value
    opposite = value if value == INCOMPARABLE else not value
    assert await evaluate(f"return {expression.replace('==', '!=')};") == opposite


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("1", "2", -1),
        ("2", "1.5", 1),
        ("1", "1.0", 0),
        ('"10"', "9", 1),
        ("9", '"10"', -1),
        ('"10"', '"9"', -1),
        ('"a"', '"b"', -1),
        ('"b"', '"b"', 0),
        ("true", "0", 1),
        ("1", '"a"', None),
        ('"a"', "1", None),
        ("null", "1", None),
        ("1", "null", None),
        ("null", "null", None),
        ("[1]", "1", None),
        ("1", "[1]", None),
        ("[1]", "[2]", None),
        ('"a"', "null", None),
    ],
)
async def test_order(left: str, right: str, order: int | None) -> None:
    results = [
        await evaluate(f"return {left} {operator} {right};")
        for operator in ("<", "<=", ">", ">=")
    ]
    if order is None:
        assert results == [INCOMPARABLE] * 4
    else:
        assert results == [order < 0, order <= 0, order > 0, order >= 0]


@pytest.mark.parametrize(
    ("argument", "integer", "double"),
    [
        ('"12"', 12, 12.0),
        ('"12abc"', 12, 12.0),
        ('" -7.9x"', -7, -7.9),
        ('"+5"', 5, 5.0),
        ('".5"', 0, 0.5),
        ('"1.5.5"', 1, 1.5),
        ('"abc"', 0, 0.0),
        ('"-"', 0, 0.0),
        ('""', 0, 0.0),
        ("7.9", 7, 7.9),
        ("-7.9", -7, -7.9),
        ("5", 5, 5.0),
        ("true", 1, 1.0),
        ("null", 0, 0.0),
        ("[5]", 0, 0.0),
        ('"18446744073709551617"', 1, 18446744073709551617.0),
        ('"-18446744073709551617"', -1, -18446744073709551617.0),
        (f'"{"0" * 6000}5"', 5, 5.0),
    ],
)
async def test_numbers_are_read_from_strings(
    argument: str, integer: int, double: float
) -> None:
    assert await evaluate(f"return parseInt({argument});") == integer
    assert await evaluate(f"return parseDouble({argument});") == double
    assert isinstance(await evaluate(f"return parseDouble({argument});"), float)


async def test_an_infinite_number_is_null_in_a_response() -> None:
    infinite = "1" + "0" * 308 + ".0 * 10"
    code = f"var a = {infinite}; return [a, -a, a - a, a > 1, parseInt(a)];"
    assert await evaluate(code) == [None, None, None, True, 0]
    assert await evaluate(f"return 5 % ({infinite});") == "13 Division by zero"
