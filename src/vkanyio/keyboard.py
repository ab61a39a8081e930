"""Keyboards and carousels of messages, as values that are checked when they are made.

VK returns error 911 when the message is sent, and often names no cause. Here a mistake
raises an error at the line that contains it. The limits are those of
https://dev.vk.com/api/bots/development/keyboard and
https://vk.com/dev/bot_docs_templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

import attrs

from ._buttons import Button as Button
from ._buttons import Color as Color
from ._buttons import check_text, check_url
from ._wire_checks import shown

if TYPE_CHECKING:
    from ._typing import HasToVK

MAX_COLUMNS: Final = 5
MAX_ROWS: Final = 10
MAX_INLINE_ROWS: Final = 6
MAX_BUTTONS: Final = 40
MAX_INLINE_BUTTONS: Final = 10
WIDE: Final = {"open_link", "location", "vkpay", "open_app"}
MAX_WIDE_BUTTONS: Final = 2
"""The most wide buttons in a row."""
MAX_CAROUSEL_BUTTONS: Final = 3
MAX_CAROUSEL_TEXT: Final = 80

_PHOTO = re.compile(r"(?:photo)?(-?[1-9][0-9]*_[1-9][0-9]*)(?:_\w+)?", re.ASCII)

T = TypeVar("T")


def _to_rows(rows: Iterable[Iterable[Button]]) -> tuple[tuple[Button, ...], ...]:
    if isinstance(rows, Button):
        message = "rows must be lists of buttons, got a button: Keyboard([[button]])"
        raise TypeError(message)
    return tuple(
        _to_buttons(f"row {number}", row)
        for number, row in enumerate(_elements("rows", rows), 1)
    )


def _to_buttons(where: str, buttons: Iterable[Button]) -> tuple[Button, ...]:
    if isinstance(buttons, Button):
        message = f"{where} must be a list of buttons, got a button: [button]"
        raise TypeError(message)
    made = tuple(_elements(where, buttons))
    for number, button in enumerate(made, 1):
        if not isinstance(button, Button):
            message = (
                f"{where}, button {number} must be a Button, such as"
                f' Button.text("Yes"), got {shown(button)}'
            )
            raise TypeError(message)
    return made


def _is_one(value: object) -> bool:
    is_one = isinstance(value, str | bytes | Mapping)
    return is_one or not isinstance(value, Iterable)


def _elements(where: str, values: Iterable[T]) -> Iterable[T]:
    if _is_one(values):
        message = f"{where} must be a list, got {shown(values)}"
        raise TypeError(message)
    return values


@final
@attrs.frozen
class Keyboard:
    """A keyboard of a message: rows of buttons.

    ::

        keyboard = Keyboard([[Button.text("Yes"), Button.text("No")]], inline=True)
        await api.messages.send(peer_id=peer, message="Shall I?", keyboard=keyboard)

    At most 10 rows of 5 buttons and 40 buttons in all; inline 6 rows and 10 buttons.
    Two buttons of a row may be wide: those with a link, an app, VK Pay or a location.

    :param rows: the rows, each a list of buttons
    :param inline: whether it is a part of the message; otherwise it is shown below the
        conversation until another one replaces it
    :param one_time: whether it disappears after the first button that sends a message
    :raises TypeError: for an argument of the wrong type, naming the row and the button
    :raises ValueError: for what VK would refuse, naming the row
    """

    rows: tuple[tuple[Button, ...], ...] = attrs.field(converter=_to_rows)
    inline: bool = attrs.field(default=False, kw_only=True)
    one_time: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for name in ("inline", "one_time"):
            if not isinstance(getattr(self, name), bool):
                message = f"{name} must be a bool, got {shown(getattr(self, name))}"
                raise TypeError(message)
        if self.inline and self.one_time:
            message = "an inline keyboard belongs to its message: it cannot be one_time"
            raise ValueError(message)
        most = MAX_INLINE_ROWS if self.inline else MAX_ROWS
        kind = "an inline keyboard" if self.inline else "a keyboard"
        if len(self.rows) > most:
            message = f"{kind} has at most {most} rows, got {len(self.rows)}"
            raise ValueError(message)
        for number, row in enumerate(self.rows, 1):
            _check_row(f"row {number}", row)
        most = MAX_INLINE_BUTTONS if self.inline else MAX_BUTTONS
        count = sum(map(len, self.rows))
        if count > most:
            message = f"{kind} has at most {most} buttons in all, got {count}"
            raise ValueError(message)

    @classmethod
    def none(cls) -> Keyboard:
        """Make the keyboard that removes the one below the conversation."""
        return cls([])

    def to_vk(self) -> dict[str, Any]:
        """Return the keyboard as VK's JSON has it."""
        flags = {"inline": True} if self.inline else {"one_time": self.one_time}
        return {**flags, "buttons": [[each.to_vk() for each in r] for r in self.rows]}


def _check_row(where: str, row: tuple[Button, ...]) -> None:
    if not row:
        message = f"{where} has no button: leave it out, or use Keyboard.none()"
        raise ValueError(message)
    if len(row) > MAX_COLUMNS:
        message = f"{where} has {len(row)} buttons, at most {MAX_COLUMNS} fit"
        raise ValueError(message)
    wide = [number for number, each in enumerate(row, 1) if each.kind in WIDE]
    if len(wide) > MAX_WIDE_BUTTONS:
        message = (
            f"{where} has {len(wide)} wide buttons (links, apps, VK Pay, locations), at"
            f" most {MAX_WIDE_BUTTONS} fit: put button {wide[MAX_WIDE_BUTTONS]}"
            " into another row"
        )
        raise ValueError(message)


def _to_photo_id(photo: str | HasToVK | None) -> str | None:
    """Return the id of a photo, without what an attachment has around it."""
    if photo is None:
        return None
    text = photo if isinstance(photo, str) else photo.to_vk()
    match = _PHOTO.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        message = f'photo must look like "-1_2" or "photo-1_2", got {shown(text)}'
        raise ValueError(message)
    return match[1]


def _to_element_buttons(buttons: Iterable[Button]) -> tuple[Button, ...]:
    return _to_buttons("buttons", buttons)


@final
@attrs.frozen(kw_only=True)
class CarouselElement:
    """An element of a :class:`Carousel`.

    It has a title or a photo, and at least one button.

    :param title: at most 80 characters
    :param description: at most 80 characters
    :param photo: a photo that was uploaded for messages: ``"-1_2"``, ``"photo-1_2"`` or
        an object with ``to_vk()``
    :param buttons: from 1 to 3 buttons
    :param link: the page that a click on the element opens
    :param open_photo: whether a click on the element opens its photo
    :raises TypeError: for an argument of the wrong type
    :raises ValueError: for what VK would refuse
    """

    title: str | None = None
    description: str | None = None
    photo: str | None = attrs.field(default=None, converter=_to_photo_id)
    buttons: tuple[Button, ...] = attrs.field(converter=_to_element_buttons)
    link: str | None = None
    open_photo: bool = False

    def __attrs_post_init__(self) -> None:
        for name in ("title", "description"):
            if (text := getattr(self, name)) is not None:
                check_text(name, text, 1, MAX_CAROUSEL_TEXT)
        if self.title is None and self.photo is None:
            message = "an element of a carousel needs a title or a photo"
            raise ValueError(message)
        if not 1 <= len(self.buttons) <= MAX_CAROUSEL_BUTTONS:
            message = (
                f"an element of a carousel has from 1 to {MAX_CAROUSEL_BUTTONS}"
                f" buttons, got {len(self.buttons)}"
            )
            raise ValueError(message)
        if self.link is not None:
            check_url(self.link, "link")
        if self.open_photo and (self.photo is None or self.link is not None):
            message = "open_photo needs a photo, and cannot be combined with a link"
            raise ValueError(message)

    def to_vk(self) -> dict[str, Any]:
        """Return the element as VK's JSON has it."""
        element: dict[str, Any] = {
            "title": self.title,
            "description": self.description,
            "photo_id": self.photo,
            "buttons": [each.to_vk() for each in self.buttons],
        }
        if self.link is not None:
            element["action"] = {"type": "open_link", "link": self.link}
        elif self.open_photo:
            element["action"] = {"type": "open_photo"}
        return {name: value for name, value in element.items() if value is not None}


def _parts_of(element: CarouselElement) -> str:
    """Name the parts of an element that all of a carousel must have, or lack."""
    parts = [n for n in ("title", "description", "photo") if getattr(element, n)]
    return ", ".join([*parts, f"buttons: {len(element.buttons)}"])


def _to_carousel_elements(
    elements: Iterable[CarouselElement],
) -> tuple[CarouselElement, ...]:
    return tuple(_elements("elements", elements))


@final
@attrs.frozen
class Carousel:
    """Elements that are shown beside each other below a message.

    VK requires a ``message`` with it::

        await api.messages.send(peer_id=peer, message="Choose", template=carousel)

    :param elements: the elements, which must have the same parts: all of them a title
        or none, and so on, and the same number of buttons
    :raises TypeError: for an argument of the wrong type, naming the element
    :raises ValueError: for elements that differ, naming them
    """

    elements: tuple[CarouselElement, ...] = attrs.field(converter=_to_carousel_elements)

    def __attrs_post_init__(self) -> None:
        if not self.elements:
            message = "a carousel needs at least one element"
            raise ValueError(message)
        for number, element in enumerate(self.elements, 1):
            if not isinstance(element, CarouselElement):
                message = (
                    f"element {number} must be a CarouselElement, got {shown(element)}"
                )
                raise TypeError(message)
            first, parts = _parts_of(self.elements[0]), _parts_of(element)
            if parts != first:
                message = (
                    f"the elements of a carousel must have the same parts: element 1"
                    f" has {first}, element {number} has {parts}"
                )
                raise ValueError(message)

    def to_vk(self) -> dict[str, Any]:
        """Return the carousel as VK's JSON has it, for ``template``."""
        elements = [each.to_vk() for each in self.elements]
        return {"type": "carousel", "elements": elements}


# Tracebacks and documentation name it by where it is imported from.
Button.__module__ = __name__
