"""The operations of the machine, one function for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import RuntimeFailure
from ._methods import invoke
from ._output import to_params
from ._values import Array, Value, key_text, truthy, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._arithmetic import Operator
    from ._machine import Machine
    from ._session import ScriptSession


def nothing(_machine: Machine, _argument: Any) -> None:
    """Do nothing: this marks the start or the end of a block for the compiler."""


def push(machine: Machine, value: Value) -> None:
    """Push a literal onto the stack."""
    machine.stack.append(value)


def pop(machine: Machine, _argument: None) -> None:
    """Discard the value of a statement."""
    machine.stack.pop()


def load(machine: Machine, variable: int) -> None:
    """Read a variable."""
    machine.stack.append(machine.variables[variable])


def declare(machine: Machine, variable: int) -> None:
    """Declare a variable. This moves its value off the stack, and costs nothing."""
    machine.variables[variable] = machine.stack.pop()


def store(machine: Machine, variable: int) -> None:
    """Assign to a variable, and leave the value on the stack."""
    machine.variables[variable] = machine.stack[-1]


def store_field(machine: Machine, target: tuple[int, Sequence[str]]) -> None:
    """Assign to ``a.b.c``, and leave the value on the stack."""
    variable, path = target
    machine.variables[variable] = _with_field(
        machine.variables[variable], path, machine.stack[-1], machine.session
    )


def _with_field(
    base: Value, path: Sequence[str], value: Value, session: ScriptSession
) -> Array:
    chain = _along(base, path, "setting", session)
    for array, name in zip(reversed(chain), reversed(path), strict=True):
        value = Array({**array.to_dict(), name: value})
    assert isinstance(value, Array)
    return value


def delete(machine: Machine, variable: int) -> None:
    """Delete a variable: set it to null."""
    machine.variables[variable] = None


def delete_field(machine: Machine, target: tuple[int, Sequence[str]]) -> None:
    """Delete ``a.b.c``."""
    variable, path = target
    base = machine.variables[variable]
    *parents, last = _along(base, path, "deleting", machine.session)
    entries = last.to_dict()
    entries.pop(path[-1], None)
    new = Array(entries)
    if parents:
        new = _with_field(base, path[:-1], new, machine.session)
    machine.variables[variable] = new


def _along(
    base: Value, path: Sequence[str], action: str, session: ScriptSession
) -> list[Array]:
    """List the arrays along a path."""
    chain: list[Array] = []
    for name in path:
        if not isinstance(base, Array):
            raise RuntimeFailure(f"{action} field [{path[-1]}] on not array variable")
        session.write(base.weight())
        chain.append(base)
        base = base.get(name)
    return chain


def get_field(machine: Machine, name: str) -> None:
    """Read ``.name``, or null if there is no such field."""
    machine.stack.append(_field(machine.stack.pop(), name))


def _field(value: Value, name: str) -> Value:
    """Read a field; an entry called ``length`` hides the length of an array."""
    if isinstance(value, Array):
        if name == "length" and not (
            isinstance(value.entries, dict) and name in value.entries
        ):
            return len(value)
        return value.get(name)
    return len(value) if isinstance(value, str) and name == "length" else None


def _raw_field(item: Any, name: str) -> Any:
    """Read a field of what may be raw JSON; for speed, do not wrap a dictionary."""
    if item.__class__ is dict and name in item:
        return item[name]
    return _field(wrap(item), name)


def get_element(machine: Machine, _argument: None) -> None:
    """Read ``[key]``, or null if there is no such entry."""
    base, key = machine.take(2)
    found = base.get(key_text(key)) if isinstance(base, Array) else None
    machine.stack.append(found)


def project(machine: Machine, name: str) -> None:
    """Read ``@.name``: the field of each entry, or an empty list for no array."""
    value = machine.stack.pop()
    items = value.values() if isinstance(value, Array) else []
    machine.session.write(len(items))
    machine.stack.append(Array([_raw_field(item, name) for item in items]))


def make_array(machine: Machine, count: int) -> None:
    """Make an array of the last values on the stack."""
    machine.stack.append(Array(machine.take(count)))


def make_object(machine: Machine, names: Sequence[str]) -> None:
    """Make an object of the last values on the stack."""
    entries = dict(zip(names, machine.take(len(names)), strict=True))
    machine.stack.append(Array(entries))


def operate(machine: Machine, operator: Operator) -> None:
    """Apply a binary operator."""
    left, right = machine.take(2)
    machine.stack.append(operator(left, right, machine.session))


def convert(machine: Machine, function: Callable[[Value], Value]) -> None:
    """Apply a function or a unary operator."""
    machine.stack.append(function(machine.stack.pop()))


def negate(value: Value) -> Value:
    """Apply ``!``."""
    return not truthy(value)


def jump(machine: Machine, distance: int) -> None:
    """Jump."""
    machine.position += distance


def jump_unless(machine: Machine, distance: int) -> None:
    """Jump if a condition does not hold."""
    if not truthy(machine.stack.pop()):
        machine.position += distance


def both(machine: Machine, distance: int) -> None:
    """Skip the right side of ``&&`` if the left side decides."""
    if truthy(machine.stack[-1]):
        machine.stack.pop()
    else:
        machine.position += distance


def either(machine: Machine, distance: int) -> None:
    """Skip the right side of ``||`` if the left side decides."""
    if truthy(machine.stack[-1]):
        machine.position += distance
    else:
        machine.stack.pop()


def call_method(machine: Machine, method: tuple[str, int]) -> None:
    """Call a method, and push its value and then the new value of its receiver."""
    name, count = method
    receiver, *arguments = machine.take(count + 1)
    value, receiver = invoke(name, receiver, arguments, machine.session)
    machine.stack += [value, receiver]


def put_back(machine: Machine, target: tuple[int, Sequence[str]]) -> None:
    """Store an array that a method has changed back in its variable or field."""
    variable, path = target
    value = machine.stack.pop()
    if path:
        base = machine.variables[variable]
        value = _with_field(base, path, value, machine.session)
    machine.variables[variable] = value


def call_api(machine: Machine, method: str) -> None:
    """Request an API call, which the caller of the machine makes."""
    machine.request = method, to_params(machine.stack.pop(), machine.session)


def leave(machine: Machine, _argument: None) -> None:
    """End the script with the value on the stack."""
    machine.stop()
