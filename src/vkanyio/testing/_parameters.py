"""What VK requires of parameters, according to its schema and to those who called it.

Methods of the simulator with state and without it check their parameters here. What
only one method checks is in that method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

import attrs

from ._errors import VKFault
from ._schema import schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._call import Call

Kind: TypeAlias = "str | Mapping[str, Any]"
"""A type: the name of a plain one, or the declaration of a compound one."""

MESSAGES: Final = {("messages.edit", "message"), ("messages.send", "message")}
"""Texts that get an error of their own if they are too long."""

WANTED: Final = {
    "minimum": "be greater or equal to {}",
    "maximum": "be less or equal to {}",
    "minItems": "contain at least {} items",
    "maxItems": "contain at most {} items",
    "minLength": "be at least {} characters long",
    "maxLength": "be at most {} characters long",
}
"""What error 100 says about limits, by their names in the schema.

VK's texts are known for numbers; the others are in their style.
"""


@final
@attrs.frozen
class DeclaredParameters:
    """The declared parameters of a method.

    :ivar declared: the declaration of the method
    """

    declared: Mapping[str, Any]

    def check(self, call: Call) -> None:
        """Refuse a call that lacks a parameter, or has one with a wrong value.

        :raises VKFault: code 100, for the first such parameter; 914 for a message that
            is too long
        """
        for rule in self.declared["one_of"]:
            _check_one_of(call, **rule)
        kinds, limits = self.declared["parameters"], self.declared["limits"]
        for name, value in call.params.items():
            if value and name in kinds:
                _check_type(call, name, kinds[name])
                _check_limits(call, name, limits.get(name, {}))


def _check_one_of(
    call: Call,
    names: Sequence[str],
    tokens: Sequence[str] = (),
    text: str | None = None,
) -> None:
    if tokens and call.account.kind not in tokens:
        return
    if any(call.params.get(name) for name in names):
        return
    if text is None and names[1:]:
        # As in VK's own text for messages.send.
        text = f"you should specify {', '.join(names[:-1])} or {names[-1]} param"
    raise VKFault.parameter(text or f"{names[0]} is undefined")


def _check_type(call: Call, name: str, kind: Kind) -> None:
    if kind == "int":
        call.integer(name)
    if isinstance(kind, str):
        return
    declared = schema()["objects"][kind["is"]] if "is" in kind else kind
    if "enum" in declared and call.params[name] not in map(str, declared["enum"]):
        raise VKFault.parameter(f"{name} is invalid")


def _check_limits(call: Call, name: str, limits: Mapping[str, int]) -> None:
    for limit, bound in limits.items():
        size = _size(call, name, limit)
        # A number that is 0 counts as missing.
        if not size or (size >= bound if limit.startswith("min") else size <= bound):
            continue
        if limit == "maxLength" and (call.method, name) in MESSAGES:
            raise VKFault(914)
        wanted = "be positive" if limit == "minimum" and not bound else WANTED[limit]
        raise VKFault.parameter(f"{name} should {wanted.format(bound)}")


def _size(call: Call, name: str, limit: str) -> float:
    if limit.endswith("Items"):
        return len(call.items(name))
    if limit.endswith("Length"):
        return len(call.params[name])
    try:
        return float(call.params[name])
    except ValueError:
        raise VKFault.parameter(f"{name} is invalid") from None
