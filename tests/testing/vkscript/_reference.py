"""A second interpreter of VKScript: it walks a tree and deeply copies every array.

Nothing of the interpreter is used. Arrays are dictionaries, lists among them;
expressions and statements are tuples whose first item says what they are.
"""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

Tree: TypeAlias = tuple[Any, ...]

TIGHTNESS = {
    "||": 1,
    "&&": 2,
    "|": 3,
    "&": 4,
    "==": 5,
    "!=": 5,
    "<": 6,
    ">": 6,
    "<=": 6,
    ">=": 6,
    "<<": 7,
    ">>": 7,
    "+": 8,
    "-": 8,
    "*": 9,
    "%": 9,
}
UNARY, OPERAND = 10, 11


class Broken(Exception):
    """Raised when the script fails."""


class Returned(Exception):
    """Raised when the script returns."""


def quote(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def write(tree: Tree, tightness: int = 0) -> str:
    """Write an expression with as few parentheses as possible."""
    text, own = _write(tree)
    return text if own >= tightness else f"({text})"


def _write(tree: Tree) -> tuple[str, int]:
    match tree:
        case ("value", None | bool() as value):
            return {None: "null", True: "true", False: "false"}[value], OPERAND
        case ("value", int(value)):
            return str(value), OPERAND if value >= 0 else UNARY
        case ("value", str(value)):
            return quote(value), OPERAND
        case ("name", name):
            return name, OPERAND
        case ("list", items):
            return f"[{', '.join(map(write, items))}]", OPERAND
        case ("object", items):
            members = [f"{quote(key)}: {write(item)}" for key, item in items]
            return f"{{{', '.join(members)}}}", OPERAND
        case ("binary", operator, left, right):
            own = TIGHTNESS[operator]
            return f"{write(left, own)} {operator} {write(right, own + 1)}", own
        case ("unary", operator, operand):
            return f"{operator}{write(operand, UNARY)}", UNARY
        case ("choice", condition, yes, no):
            return f"{write(condition, 1)} ? {write(yes)} : {write(no)}", 0
        case ("field", base, name):
            return f"{write(base, OPERAND)}.{name}", OPERAND
        case ("project", base, name):
            return f"{write(base, OPERAND)}@.{name}", OPERAND
        case ("element", base, key):
            return f"{write(base, OPERAND)}[{write(key)}]", OPERAND
        case ("method", base, name, arguments):
            listed = ", ".join(map(write, arguments))
            return f"{write(base, OPERAND)}.{name}({listed})", OPERAND
        case ("assign", target, value):
            return f"{write(target)} = {write(value)}", -1
    raise AssertionError(tree)


def write_statement(tree: Tree) -> str:
    match tree:
        case ("do", expression):
            return f"{write(expression)};"
        case ("var", name, value):
            return f"var {name} = {write(value)};"
        case ("if", condition, yes, no):
            return f"if ({write(condition)}) {_block(yes)} else {_block(no)}"
        case ("repeat", times, body):
            turns = f"turn = turn + 1; {_block(body)}"
            return f"{{ var turn = 0; while (turn < {times}) {{ {turns} }} }}"
        case ("delete", target):
            return f"delete {write(target)};"
        case ("return", expression):
            return f"return {write(expression)};"
    raise AssertionError(tree)


def _block(body: list[Tree]) -> str:
    return f"{{ {' '.join(map(write_statement, body))} }}"


def run_statements(statements: list[Tree], scopes: list[dict[str, Any]]) -> None:
    for tree in statements:
        match tree:
            case ("do", expression):
                evaluate(expression, scopes)
            case ("var", name, value):
                scopes[-1][name] = evaluate(value, scopes)
            case ("if", condition, yes, no):
                chosen = yes if truth(evaluate(condition, scopes)) else no
                run_statements(chosen, [*scopes, {}])
            case ("repeat", times, body):
                for turn in range(1, times + 1):
                    run_statements(body, [*scopes, {"turn": turn}, {}])
            case ("delete", ("name", name)):
                _scope(scopes, name)[name] = None
            case ("delete", ("field", base, name)):
                holder = _holder(base, scopes)
                if not isinstance(holder, dict):
                    raise Broken(f"deleting field [{name}] on not array variable")
                holder.pop(name, None)
            case ("return", expression):
                raise Returned(evaluate(expression, scopes))


def _scope(scopes: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(scope for scope in reversed(scopes) if name in scope)


def _holder(base: Tree, scopes: list[dict[str, Any]]) -> Any:
    """Return the object at a path, not a copy of it."""
    if base[0] == "name":
        return _scope(scopes, base[1])[base[1]]
    holder = _holder(base[1], scopes)
    return holder.get(base[2]) if isinstance(holder, dict) else None


def truth(value: Any) -> bool:
    return value not in (None, False, 0, "", {})


def evaluate(tree: Tree, scopes: list[dict[str, Any]]) -> Any:
    match tree:
        case ("value", value):
            return fit(value) if type(value) is int else value
        case ("name", name):
            return copy.deepcopy(_scope(scopes, name)[name])
        case ("list", items):
            return numbered([evaluate(item, scopes) for item in items])
        case ("object", items):
            return {key: evaluate(item, scopes) for key, item in items}
        case ("binary", "&&" | "||" as operator, left, right):
            first = evaluate(left, scopes)
            if truth(first) == (operator == "||"):
                return first
            return evaluate(right, scopes)
        case ("binary", operator, left, right):
            return binary(operator, evaluate(left, scopes), evaluate(right, scopes))
        case ("unary", "!", operand):
            return not truth(evaluate(operand, scopes))
        case ("unary", "-", operand):
            return fit(-number(evaluate(operand, scopes)))
        case ("unary", "~", operand):
            return fit(-1 - number(evaluate(operand, scopes)))
        case ("choice", condition, yes, no):
            chosen = yes if truth(evaluate(condition, scopes)) else no
            return evaluate(chosen, scopes)
        case ("field", base, name):
            return field(evaluate(base, scopes), name)
        case ("project", base, name):
            value = evaluate(base, scopes)
            items = value.values() if isinstance(value, dict) else []
            return numbered([field(item, name) for item in items])
        case ("element", base, key):
            value, index = evaluate(base, scopes), evaluate(key, scopes)
            if not isinstance(value, dict):
                return None
            if isinstance(index, dict):
                raise Broken("Illegal offset type")
            if isinstance(index, bool):
                index = int(index)
            return copy.deepcopy(value.get("" if index is None else str(index)))
        case ("assign", target, value):
            return assign(target, evaluate(value, scopes), scopes)
        case ("method", base, name, arguments):
            return method(base, name, arguments, scopes)
    raise AssertionError(tree)


def assign(target: Tree, value: Any, scopes: list[dict[str, Any]]) -> Any:
    kept = copy.deepcopy(value)
    if target[0] == "name":
        _scope(scopes, target[1])[target[1]] = kept
        return value
    _, base, name = target
    steps = [name]
    while base[0] == "field":
        steps.append(base[2])
        base = base[1]
    place: Any = _scope(scopes, base[1])[base[1]]
    for step in reversed(steps[1:]):
        if not isinstance(place, dict):
            break
        place = place.get(step)
    if not isinstance(place, dict):
        raise Broken(f"setting field [{name}] on not array variable")
    place[name] = kept
    return value


def method(
    base: Tree, name: str, arguments: list[Tree], scopes: list[dict[str, Any]]
) -> Any:
    """Call a method of arrays, which are lists here."""
    value = evaluate(base, scopes)
    given = [evaluate(argument, scopes) for argument in arguments]
    if not isinstance(value, dict):
        raise Broken(f"Method {name} requires an array")
    if name == "push":
        keys = [int(key) for key in value if is_number(key)]
        value[str(max(keys, default=-1) + 1)] = given[0]
        result: Any = len(value)
    elif name == "pop":
        result = value.popitem()[1] if value else None
    else:
        result = value.pop(next(iter(value))) if value else None
        value = appended(value, {})
    root = base
    while root[0] == "field":
        root = root[1]
    if root[0] == "name":
        assign(base, value, scopes)
    return result


def numbered(items: list[Any]) -> dict[str, Any]:
    return {str(index): item for index, item in enumerate(items)}


def field(value: Any, name: str) -> Any:
    if isinstance(value, dict) and name in value:
        return copy.deepcopy(value[name])
    if name == "length" and isinstance(value, dict | str):
        return len(value)
    return None


def is_number(key: str) -> bool:
    try:
        return str(int(key)) == key
    except ValueError:
        return False


def fit(value: int) -> int:
    value &= 2**64 - 1
    return value - 2**64 if value >> 63 else value


def number(value: Any) -> int:
    if isinstance(value, dict):
        raise Broken("Numeric value is expected")
    if isinstance(value, str):
        return whole(value, "Numeric value is expected")
    return int(value or 0)


def whole(text: str, complaint: str) -> int:
    """Convert a string to a number; in these scripts it never has a dot."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not digits or any(digit not in "0123456789" for digit in digits):
        raise Broken(complaint)
    return fit(int(text))


def binary(operator: str, left: Any, right: Any) -> Any:
    if operator == "+":
        if isinstance(left, dict) and isinstance(right, dict):
            return appended(left, right)
        if any(isinstance(side, str | bool | None) for side in (left, right)):
            return piece(left) + piece(right)
        return fit(number(left) + number(right))
    if operator in ("==", "!="):
        if left is None or right is None:
            same = left is None and right is None
        else:
            first, second = comparable(left, right)
            same = first == second
        return same == (operator == "==")
    if operator in ("<", "<=", ">", ">="):
        first, second = comparable(left, right)
        order = (first > second) - (first < second)
        return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[
            operator
        ]
    return arithmetic(operator, number(left), number(right))


def appended(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    count = 0
    for key, item in [*left.items(), *right.items()]:
        if is_number(key):
            result[str(count)] = item
            count += 1
        else:
            result[key] = item
    return result


def arithmetic(operator: str, left: int, right: int) -> int:
    match operator:
        case "-":
            return fit(left - right)
        case "*":
            return fit(left * right)
        case "%":
            if right == 0:
                raise Broken("Division by zero")
            rest = abs(left) % abs(right)
            return -rest if left < 0 else rest
        case "&":
            return left & right
        case "|":
            return left | right
        case "<<":
            return fit(left * 2 ** (right % 64))
        case ">>":
            return int(left // 2 ** (right % 64))
    raise AssertionError(operator)


def comparable(left: Any, right: Any) -> tuple[Any, Any]:
    complaint = "Comparing values of different or unsupported types"
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    if any(isinstance(side, dict) or side is None for side in (left, right)):
        raise Broken(complaint)
    first, second = (
        whole(side, complaint) if isinstance(side, str) else side
        for side in (left, right)
    )
    return first, second


def piece(value: Any) -> str:
    """Convert a side of a concatenation to text; these scripts do not nest arrays."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, dict):
        raise NotImplementedError
    return str(value)


def to_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if [*value] == [str(index) for index in range(len(value))]:
        return [to_json(item) for item in value.values()]
    return {key: to_json(item) for key, item in value.items()}
