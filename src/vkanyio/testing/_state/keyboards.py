"""Keyboards of messages: VK refuses those that it cannot show.

The limits are those of https://dev.vk.com/api/bots/development/keyboard. The texts
about rows, columns, the number of buttons, ``inline`` and empty labels are VK's, as
reported by users; the others are in their style.
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


def _button_problem(rows: list[list[JSON]]) -> str | None:
    for row, buttons in enumerate(rows):
        for column, button in enumerate(buttons):
            where = f"button [{row}][{column}]"
            action = button.get("action") if _is_object(button) else None
            if not _is_object(action):
                return f"{where} action should be array"
            label, payload = action.get("label", " "), action.get("payload", "")
            if not isinstance(label, str):
                return f"{where} label should be string"
            if not label:
                return f"{where} label should be at least 1 letters length"
            if len(label) > MAX_LABEL:
                return f"{where} label should be at most {MAX_LABEL} letters length"
            # It may be text or any JSON value.
            written = payload if isinstance(payload, str) else json.dumps(payload)
            if len(written) > MAX_PAYLOAD:
                return f"{where} payload is too long"
    return None


def _is_object(value: JSON) -> TypeGuard[dict[str, JSON]]:
    return isinstance(value, dict)


def _is_list(value: JSON) -> TypeGuard[list[JSON]]:
    return isinstance(value, list)
