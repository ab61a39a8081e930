"""The buttons of keyboards and carousels, and what VK accepts in them."""

from __future__ import annotations

import json
import re
from typing import Any, Final, Literal, TypeAlias, final

import attrs

from ._encoding import encode_json
from ._wire_checks import shown

Color: TypeAlias = Literal["primary", "secondary", "positive", "negative"]
"""The color of a button: blue, white, green or red."""

Kind: TypeAlias = Literal[
    "text", "callback", "open_link", "location", "vkpay", "open_app"
]
"""What a button does, by VK's names."""

LABELLED: Final = {"text", "callback", "open_link", "open_app"}
COLORS: Final = ("primary", "secondary", "positive", "negative")
MAX_LABEL: Final = 40
MAX_PAYLOAD: Final = 255
"""Characters of a payload as JSON."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.ASCII | re.IGNORECASE)


def _to_payload(value: object) -> str | None:
    if value is None:  # VK refuses null, but not a button without a payload
        return None
    written = value if isinstance(value, str) else encode_json("payload", value)
    if len(written) > MAX_PAYLOAD:
        message = (
            f"payload must have at most {MAX_PAYLOAD} characters as JSON, got"
            f" {len(written)}: {shown(written)}; store the rest yourself, and put only"
            " its id into the payload"
        )
        raise ValueError(message)
    try:
        json.loads(written, parse_constant=_refuse_constant)
    except ValueError:
        message = (
            f"payload must be a dict, such as {{'answer': 1}}, or JSON text, got"
            f" {shown(value)}"
        )
        if value in COLORS:
            message += f"; a color is passed by its name, color={value!r}"
        raise ValueError(message) from None
    return written


def _refuse_constant(name: str) -> None:
    """Refuse NaN and infinities, which Python reads although JSON has none."""
    raise ValueError(name)


@final
@attrs.frozen(kw_only=True)
class Button:
    """A button of a :class:`Keyboard` or a :class:`Carousel`.

    Create one with the method for its kind::

        Button.text("Yes", {"answer": 1}, color="positive")

    ``payload`` is returned to the program when the button is pressed: a dict or another
    JSON value, or JSON text; at most 255 characters as JSON.

    :ivar kind: what it does, by VK's name
    :ivar label: its text, from 1 to 40 characters; some kinds have a text of their own
    :ivar payload: the payload, as JSON
    :ivar color: the color; only buttons with text or a callback have one
    :ivar fields: the other fields of its ``action``
    """

    kind: Kind
    label: str | None = None
    payload: str | None = attrs.field(default=None, converter=_to_payload)
    color: Color | None = None
    fields: tuple[tuple[str, str | int], ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.kind in LABELLED:
            _check_label(self.label)
        if self.color is not None and self.color not in COLORS:
            message = (
                f"color must be one of {', '.join(COLORS)}, got {shown(self.color)}"
            )
            raise ValueError(message)

    @classmethod
    def text(
        cls, label: str, payload: object = None, *, color: Color | None = None
    ) -> Button:
        """Make a button that sends its label as a message of the user.

        :param label: from 1 to 40 characters
        :param payload: comes with the message, as JSON text
        :param color: "primary", "secondary", "positive" or "negative"
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for one that VK would refuse
        """
        return cls(
            kind="text",
            label=label,
            payload=payload,
            color=color,
        )

    @classmethod
    def callback(
        cls, label: str, payload: object, *, color: Color | None = None
    ) -> Button:
        """Make a button that sends no message, but a ``message_event`` to the program.

        The program must answer within a minute, with
        ``messages.sendMessageEventAnswer``.

        :param label: from 1 to 40 characters
        :param payload: comes with the event
        :param color: as for :meth:`text`
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for one that VK would refuse
        """
        if payload is None:
            message = (
                "a callback button needs a payload, by which your program recognizes"
                f' it: Button.callback({shown(label)}, {{"id": 1}})'
            )
            raise ValueError(message)
        return cls(
            kind="callback",
            label=label,
            payload=payload,
            color=color,
        )

    @classmethod
    def link(cls, label: str, url: str, payload: object = None) -> Button:
        """Make a button that opens a page.

        :param label: from 1 to 40 characters
        :param url: the URL, with its scheme
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for one that VK would refuse
        """
        return cls(
            kind="open_link",
            label=label,
            payload=payload,
            fields=(("link", check_url(url)),),
        )

    @classmethod
    def location(cls, payload: object = None) -> Button:
        """Make a button that sends the location of the user. VK chooses its label.

        :raises TypeError: if the payload cannot be encoded
        :raises ValueError: if it is too long
        """
        return cls(kind="location", payload=payload)

    @classmethod
    def vkpay(cls, hash: str, payload: object = None) -> Button:  # noqa: A002
        """Make a button that opens VK Pay. VK chooses its label.

        :param hash: the parameters of the payment, such as
            ``"action=transfer-to-group&group_id=1&aid=10"``
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for one that VK would refuse
        """
        fields = (("hash", check_text("hash", hash, 1, None)),)
        return cls(kind="vkpay", payload=payload, fields=fields)

    @classmethod
    def open_app(
        cls,
        label: str,
        app_id: int,
        *,
        owner_id: int | None = None,
        hash: str | None = None,  # noqa: A002
        payload: object = None,
    ) -> Button:
        """Make a button that opens a mini app.

        :param label: from 1 to 40 characters
        :param app_id: the id of the app
        :param owner_id: the community in which it is opened, as a negative id
        :param hash: what the app finds after ``#`` in its address
        :raises TypeError: for an argument of the wrong type
        :raises ValueError: for one that VK would refuse
        """
        fields: list[tuple[str, str | int]] = [("app_id", _id("app_id", app_id))]
        if owner_id is not None:
            fields.append(("owner_id", _id("owner_id", owner_id, may_be_negative=True)))
        if hash is not None:
            fields.append(("hash", check_text("hash", hash, 0, None)))
        return cls(
            kind="open_app",
            label=label,
            payload=payload,
            fields=tuple(fields),
        )

    def to_vk(self) -> dict[str, Any]:
        """Return the button as VK's JSON has it."""
        action: dict[str, Any] = {"type": self.kind}
        if self.label is not None:
            action["label"] = self.label
        if self.payload is not None:
            action["payload"] = self.payload
        action.update(self.fields)
        colored = {} if self.color is None else {"color": self.color}
        return {"action": action, **colored}


def _check_label(label: str | None) -> None:
    if not check_text("label", label, 1, MAX_LABEL).strip():
        message = f"label must have visible characters, got {label!r}"
        raise ValueError(message)


def check_text(name: str, value: object, least: int, most: int | None) -> str:
    """Refuse what is not text of an allowed length."""
    if not isinstance(value, str):
        message = f"{name} must be a str, got {shown(value)} ({type(value).__name__})"
        raise TypeError(message)
    if len(value) < least or (most is not None and len(value) > most):
        bounds = f"{least} or more" if most is None else f"from {least} to {most}"
        message = (
            f"{name} must have {bounds} characters, got {len(value)}: {shown(value)}"
        )
        raise ValueError(message)
    return value


def check_url(value: str, name: str = "url") -> str:
    """Refuse what is not an address with its scheme."""
    if not isinstance(value, str):
        message = f"{name} must be a str, got {shown(value)} ({type(value).__name__})"
        raise TypeError(message)
    if not _URL.fullmatch(value):
        message = (
            f"{name} must be a URL with its scheme, such as https://vk.com/durov, got"
            f" {shown(value)}"
        )
        raise ValueError(message)
    return value


def _id(name: str, value: int, *, may_be_negative: bool = False) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"{name} must be an int, got {shown(value)} ({type(value).__name__})"
        raise TypeError(message)
    if value == 0 or (value < 0 and not may_be_negative):
        wanted = "an id other than 0" if may_be_negative else "a positive id"
        message = f"{name} must be {wanted}, got {value}"
        raise ValueError(message)
    return value
