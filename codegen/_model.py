"""The model that the schema is read into."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

import attrs

from ._types import BOOL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vkanyio._facts import Repetition

    from ._types import Type


@final
@attrs.frozen
class Field:
    """A field of an object."""

    name: str
    type: Type
    required: bool


@final
@attrs.frozen
class Record:
    """An object with fields: a ``TypedDict``.

    :ivar is_form: whether it is only one of the forms that VK's object has
    """

    name: str
    vk_name: str
    fields: Sequence[Field]
    is_form: bool = False


@final
@attrs.frozen
class Alias:
    """Any other named type.

    :ivar meanings: what the values of an enum mean, if VK says so
    """

    name: str
    vk_name: str
    type: Type
    meanings: str = ""


Object: TypeAlias = Record | Alias


@final
@attrs.frozen
class Parameter:
    """A parameter of a method.

    :ivar argument: its name in Python
    :ivar facts: what the docstring says about its values besides their type
    :ivar limits: the smallest and largest values, lengths and numbers of items
    :ivar is_key: whether VK deduplicates calls by it
    :ivar is_on: whether it is a flag that is on if omitted
    :ivar is_json_list: whether a list is sent as JSON, not separated by commas
    """

    name: str
    argument: str
    type: Type
    required: bool
    facts: Sequence[str]
    limits: Mapping[str, int]
    is_key: bool
    is_on: bool
    is_json_list: bool

    @property
    def is_flag(self) -> bool:
        """Whether it is on or off, rather than passed or omitted."""
        return self.type == BOOL


@final
@attrs.frozen
class Switch:
    """Selects a return type: a parameter that is passed, or has a certain value.

    A flag counts as passed if it is true.
    """

    name: str
    value: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> Switch | None:
        """Parse ``name`` or ``name=value``."""
        if text is None:
            return None
        name, _, value = text.partition("=")
        return cls(name, value or None)

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value}"


@final
@attrs.frozen
class Case:
    """A return type, and the switches that select it.

    :ivar switches: whether each of them is on
    """

    switches: Mapping[Switch, bool]
    returns: Type


@final
@attrs.frozen
class Method:
    """A method in VK's schema.

    :ivar returns: the return type, a union if parameters select it
    :ivar cases: how parameters select the return type; empty if none does
    :ivar tokens: the kinds of token that may call it
    :ivar errors: the error codes that the schema lists for it
    :ivar key: the parameter by which VK deduplicates calls
    :ivar changes_if: the parameter that turns a read into a write
    :ivar packable: whether it works inside ``execute``
    :ivar note: what VK has announced about it
    """

    name: str
    group: str
    parameters: Sequence[Parameter]
    returns: Type
    cases: Sequence[Case]
    tokens: Sequence[str]
    errors: Sequence[int]
    repetition: Repetition
    key: str | None
    changes_if: str | None
    packable: bool
    note: str | None

    @property
    def short_name(self) -> str:
        """The name within the group."""
        return self.name.rpartition(".")[2]


@final
@attrs.frozen
class Model:
    """Everything that source is generated from.

    :ivar objects: objects and responses by folder
    :ivar groups: methods by group, without ``execute``
    :ivar untyped_groups: groups that the schema does not have, and who has them
    :ivar methods: all methods by name
    :ivar error_codes: VK's error names by code, without their common prefix
    :ivar global_codes: the codes that any method may return
    """

    version: str
    objects: Mapping[str, Sequence[Object]]
    groups: Mapping[str, Sequence[Method]]
    untyped_groups: Mapping[str, str]
    methods: Mapping[str, Method]
    error_codes: Mapping[int, str]
    global_codes: Sequence[int]
