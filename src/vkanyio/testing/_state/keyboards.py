"""Keyboards and carousels of messages: VK refuses those that it cannot show.

The limits are those of https://dev.vk.com/api/bots/development/keyboard and
https://vk.com/dev/bot_docs_templates. The texts about rows, columns, the number of
buttons, ``inline`` and empty labels are VK's, as reported by users; the others are in
their style. Users also report that a color on another button than one with text or a
callback is refused (https://github.com/vkbottle/vkbottle/issues/96), a payload of null
(https://github.com/python273/vk_api/issues/238), and mistakes in a carousel, by the
code of keyboards (https://github.com/vknet/vk/issues/1604).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeGuard

from .._errors import JSON, VKFault

if TYPE_CHECKING:
    from .._call import Call

MAX_COLUMNS: Final = 5
MAX_ROWS: Final = {False: 10, True: 6}
"""The most rows, by whether the keyboard is inline."""
MAX_BUTTONS: Final = {False: 40, True: 10}
MAX_LABEL: Final = 40
MAX_PAYLOAD: Final = 255
MAX_ELEMENT_BUTTONS: Final = 3
MAX_ELEMENT_TEXT: Final = 80

REQUIRED: Final = {
    "callback": ("label",),
    "location": (),
    "open_app": ("label", "app_id"),
    "open_link": ("label", "link"),
    "text": ("label",),
    "vkpay": ("hash",),
}
"""The fields that each kind of button needs."""
COLORED: Final = {"callback", "text"}
COLORS: Final = {"default", "negative", "positive", "primary", "secondary"}


def keyboard_of(call: Call) -> dict[str, JSON] | None:
    """Return the keyboard of a message, None if it has none.

    :raises VKFault: code 911, for one that VK cannot show
    """
    if not (text := call.params.get("keyboard")):
        return None
    try:
        keyboard = json.loads(text)
    except ValueError:
        raise VKFault(911) from None
    if problem := _problem(keyboard):
        raise VKFault(911, f"Keyboard format is invalid: {problem}")
    return {"one_time": False, "inline": False, "buttons": [], **keyboard}


def _problem(keyboard: JSON) -> str | None:
    if not _is_object(keyboard):
        return "keyboard should be array"
    rows, inline = keyboard.get("buttons", []), keyboard.get("inline", False)
    if not isinstance(inline, bool):
        return "inline property should be boolean"
    if not _is_list(rows) or not all(map(_is_list, rows)):
        return "buttons should be array"
    if len(rows) > MAX_ROWS[inline]:
        return "buttons contain too much rows"
    for number, row in enumerate(rows):
        if len(row) > MAX_COLUMNS:
            return f"row {number} contains too much columns"
    if sum(map(len, rows)) > MAX_BUTTONS[inline]:
        return "keyboard contains too much buttons"
    return _button_problem(rows)


def check_template(call: Call) -> None:
    """Check the carousel of a message.

    :raises VKFault: code 911, for one that VK cannot show; 100 without a message
    """
    if not (text := call.params.get("template")):
        return
    if not call.params.get("message"):
        raise VKFault.parameter("message is empty or invalid")
    try:
        template = json.loads(text)
    except ValueError:
        raise VKFault(911) from None
    if problem := _template_problem(template):
        raise VKFault(911, f"Keyboard format is invalid: {problem}")


def _template_problem(template: JSON) -> str | None:
    if not _is_object(template) or template.get("type") != "carousel":
        return "template type should be carousel"
    elements = template.get("elements")
    if not _is_list(elements) or not elements:
        return "elements should be array"
    structures: list[object] = []
    for number, element in enumerate(elements):
        where = f"element [{number}]"
        if not _is_object(element):
            return f"{where} should be array"
        for name in ("title", "description"):
            if len(str(element.get(name, ""))) > MAX_ELEMENT_TEXT:
                return f"{where} {name} is too long"
        if not element.get("title") and not element.get("photo_id"):
            return f"{where} should have title or photo_id"
        buttons = element.get("buttons")
        if not _is_list(buttons) or not 1 <= len(buttons) <= MAX_ELEMENT_BUTTONS:
            return f"{where} should have from 1 to {MAX_ELEMENT_BUTTONS} buttons"
        if problem := _button_problem([buttons]):
            return f"{where} {problem}"
        parts = ("title", "description", "photo_id")
        structures.append((*(name in element for name in parts), len(buttons)))
        if structures[number] != structures[0]:
            return f"{where} should have the structure of element [0]"
    return None


def _button_problem(rows: list[list[JSON]]) -> str | None:
    for row, buttons in enumerate(rows):
        for column, button in enumerate(buttons):
            action = button.get("action") if _is_object(button) else None
            problem = (
                _action_problem(action, button.get("color"))
                if _is_object(action)
                else "action should be array"
            )
            if problem:
                return f"button [{row}][{column}] {problem}"
    return None


def _action_problem(action: dict[str, JSON], color: JSON) -> str | None:
    kind = action.get("type")
    if kind not in REQUIRED:
        return "action type is invalid"
    label, payload = action.get("label", " "), action.get("payload", "")
    if not isinstance(label, str):
        return "label should be string"
    if not label:
        return "label should be at least 1 letters length"
    if len(label) > MAX_LABEL:
        return f"label should be at most {MAX_LABEL} letters length"
    for name in REQUIRED[kind]:
        if not action.get(name):
            return f"{name} is required"
    if payload is None:
        return "payload should be string"
    # It may be text or any JSON value.
    written = payload if isinstance(payload, str) else json.dumps(payload)
    if len(written) > MAX_PAYLOAD:
        return "payload is too long"
    if color is not None and (kind not in COLORED or color not in COLORS):
        return "color is invalid"
    return None


def _is_object(value: JSON) -> TypeGuard[dict[str, JSON]]:
    return isinstance(value, dict)


def _is_list(value: JSON) -> TypeGuard[list[JSON]]:
    return isinstance(value, list)
