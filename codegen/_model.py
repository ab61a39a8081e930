"""What the generator knows once it has read the schema."""

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
    """An object with fields: a ``TypedDict``."""

    name: str
    vk_name: str
    fields: Sequence[Field]


@final
@attrs.frozen
class Alias:
    """Anything else that has a name.

    :ivar meanings: what the values of an enum stand for, if VK says so
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
    :ivar facts: what is to be known of its values besides their type
    :ivar is_key: whether VK knows a repeated call by it
    :ivar is_on: whether it is a flag that is on where it is left out
    :ivar is_json_list: whether a list is written as JSON, not separated by commas
    """

    name: str
    argument: str
    type: Type
    required: bool
    facts: Sequence[str]
    is_key: bool
    is_on: bool
    is_json_list: bool

    @property
    def is_flag(self) -> bool:
        """Whether it is on or off, rather than given or not."""
        return self.type == BOOL


@final
@attrs.frozen
class Switch:
    """What chooses an answer: a parameter that is given, or has a certain value.

    A flag counts as given if it is true.
    """

    name: str
    value: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> Switch | None:
        """Read ``name`` or ``name=value``."""
        if text is None:
            return None
        name, _, value = text.partition("=")
        return cls(name, value or None)

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value}"


@final
@attrs.frozen
class Case:
    """An answer, and what brings it.

    :ivar switches: which of them are on (True) or off (False)
    """

    switches: Mapping[Switch, bool]
    answer: Type


@final
@attrs.frozen
class Method:
    """A method of VK.

    :ivar cases: how parameters choose the answer; none if there is one answer only
    :ivar answer: the type of the answer, whichever it is
    :ivar tokens: the kinds of token that may call it
    :ivar errors: the codes of the errors that it names
    :ivar key: the parameter by which VK knows a repetition
    :ivar changes_if: the parameter that makes a method that reads change something
    :ivar packable: whether it can be called by ``execute``
    """

    name: str
    group: str
    parameters: Sequence[Parameter]
    answer: Type
    cases: Sequence[Case]
    tokens: Sequence[str]
    errors: Sequence[int]
    repetition: Repetition
    key: str | None
    changes_if: str | None
    packable: bool

    @property
    def short_name(self) -> str:
        """The name within the group."""
        return self.name.rpartition(".")[2]


@final
@attrs.frozen
class Model:
    """All that is generated.

    :ivar objects: objects and responses by folder
    :ivar groups: methods by group; ``execute`` is not among them
    :ivar methods: all methods by name
    :ivar error_codes: VK's names of its errors by code, without their common prefix
    :ivar global_codes: the codes that any method may answer
    """

    version: str
    sha256: str
    objects: Mapping[str, Sequence[Object]]
    groups: Mapping[str, Sequence[Method]]
    methods: Mapping[str, Method]
    error_codes: Mapping[int, str]
    global_codes: Sequence[int]
