"""Keyboards and carousels: what VK takes, and errors that say where a mistake is."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from vkanyio import APIRequest
from vkanyio.keyboard import Button, Carousel, CarouselElement, Keyboard

YES = Button.text("Yes")
WIDE = Button.link("Site", "https://vk.com")


class Photo:
    def to_vk(self) -> str:
        return "photo-1_2_key"


BUTTONS = {
    Button.text("Yes"): {"action": {"type": "text", "label": "Yes"}},
    Button.text("Да", {"answer": "да"}, color="positive"): {
        "action": {"type": "text", "label": "Да", "payload": '{"answer":"да"}'},
        "color": "positive",
    },
    Button.callback("More", '{"page": 2}', color="primary"): {
        "action": {"type": "callback", "label": "More", "payload": '{"page": 2}'},
        "color": "primary",
    },
    Button.link("Site", "https://vk.com", [1]): {
        "action": {
            "type": "open_link",
            "label": "Site",
            "payload": "[1]",
            "link": "https://vk.com",
        }
    },
    Button.location(): {"action": {"type": "location"}},
    Button.location(7): {"action": {"type": "location", "payload": "7"}},
    Button.vkpay("action=transfer-to-group&group_id=1"): {
        "action": {"type": "vkpay", "hash": "action=transfer-to-group&group_id=1"}
    },
    Button.open_app("Game", 7): {
        "action": {"type": "open_app", "label": "Game", "app_id": 7}
    },
    Button.open_app("Game", 7, owner_id=-1, hash="level=2", payload=True): {
        "action": {
            "type": "open_app",
            "label": "Game",
            "payload": "true",
            "app_id": 7,
            "owner_id": -1,
            "hash": "level=2",
        }
    },
}


@pytest.mark.parametrize(("button", "sent"), BUTTONS.items())
def test_each_kind_of_button_is_sent_as_vk_has_it(button: Button, sent: Any):
    assert button.to_vk() == sent


def test_a_keyboard_is_a_parameter_as_it_is():
    keyboard = Keyboard([[YES, WIDE], [YES]], one_time=True)
    request = APIRequest("messages.send", {"keyboard": keyboard})
    assert json.loads(str(request.params["keyboard"])) == {
        "one_time": True,
        "buttons": [[YES.to_vk(), WIDE.to_vk()], [YES.to_vk()]],
    }


def test_an_inline_keyboard_does_not_speak_of_one_time():
    assert Keyboard([[YES]], inline=True).to_vk() == {
        "inline": True,
        "buttons": [[YES.to_vk()]],
    }


def test_no_keyboard_removes_the_one_there_is():
    assert Keyboard.none().to_vk() == {"one_time": False, "buttons": []}
    assert Keyboard.none() == Keyboard([])


def test_rows_may_be_any_iterables_and_are_kept():
    rows = [[Button.text(str(n)) for n in range(3)]]
    keyboard = Keyboard(iter(row) for row in rows)
    rows[0].clear()
    assert [each.label for each in keyboard.rows[0]] == ["0", "1", "2"]


def test_keyboards_are_values():
    keyboard = Keyboard([[YES]])
    assert keyboard == Keyboard(((Button.text("Yes"),),))
    assert hash(keyboard) == hash(Keyboard([[YES]]))
    with pytest.raises(FrozenInstanceError):
        keyboard.inline = True  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        YES.label = "No"  # type: ignore[misc]


def test_a_button_can_be_made_from_another_one():
    assert attrs.evolve(YES, label="No") == Button.text("No")
    with pytest.raises(ValueError, match="label must have from 1 to 40"):
        attrs.evolve(YES, label="x" * 41)
    with pytest.raises(TypeError, match="label must be a str, got None"):
        Button(kind="text")
    with pytest.raises(ValueError, match="color must be one of"):
        attrs.evolve(YES, color="red")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "inline"),
    [
        ([5, 5, 5, 5, 5, 5, 5, 5], False),
        ([4] * 10, False),
        ([5, 5], True),
        ([2, 2, 2, 2, 1, 1], True),
    ],
)
def test_a_keyboard_at_the_limits_can_be_made(rows: list[int], inline: bool):
    keyboard = Keyboard([[YES] * length for length in rows], inline=inline)
    assert [len(row) for row in keyboard.rows] == rows


MISTAKES: dict[str, tuple[Any, str]] = {
    "eleven rows": ([[YES]] * 11, "a keyboard has at most 10 rows, got 11"),
    "six columns": ([[YES], [YES] * 6], "row 2 has 6 buttons, at most 5 fit"),
    "41 buttons": ([[YES] * 5] * 8 + [[YES]], "at most 40 buttons in all, got 41"),
    "an empty row": ([[YES], []], "row 2 has no button"),
    "three links": (
        [[YES], [WIDE, YES, WIDE, WIDE]],
        "row 2 has 3 wide buttons .* at most 2 fit: put button 4",
    ),
}


@pytest.mark.parametrize(("rows", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_keyboard_beyond_the_limits_is_refused_by_its_row(rows: Any, says: str):
    with pytest.raises(ValueError, match=says):
        Keyboard(rows)


def test_two_wide_buttons_fit_into_a_row():
    assert Keyboard([[WIDE, YES, WIDE]]).rows == ((WIDE, YES, WIDE),)


def test_an_inline_keyboard_has_tighter_limits():
    with pytest.raises(ValueError, match="inline keyboard has at most 6 rows, got 7"):
        Keyboard([[YES]] * 7, inline=True)
    with pytest.raises(ValueError, match="at most 10 buttons in all, got 11"):
        Keyboard([[YES] * 4, [YES] * 4, [YES] * 3], inline=True)
    with pytest.raises(ValueError, match="cannot be one_time"):
        Keyboard([[YES]], inline=True, one_time=True)


WRONG_TYPES: dict[str, tuple[Any, str]] = {
    "a button": (YES, r"got a button: Keyboard\(\[\[button\]\]\)"),
    "a row": ([YES], r"row 1 must be a list of buttons, got a button: \[button\]"),
    "text": ("Yes", "rows must be a list, got 'Yes'"),
    "a row of text": ([[YES], "Yes"], "row 2 must be a list, got 'Yes'"),
    "a dict": ({"buttons": []}, "rows must be a list, got {"),
    "a number": (7, "rows must be a list, got 7"),
    "a button of text": ([[YES], [YES, "No"]], "row 2, button 2 must be a Button"),
    "a button of JSON": ([[YES.to_vk()]], "row 1, button 1 must be a Button"),
}


@pytest.mark.parametrize(("rows", "says"), WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_what_is_no_button_is_refused_by_row_and_number(rows: Any, says: str):
    with pytest.raises(TypeError, match=says):
        Keyboard(rows)


def test_options_of_another_type_are_refused():
    with pytest.raises(TypeError, match="inline must be a bool, got 1"):
        Keyboard([[YES]], inline=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [Button.text, lambda x: Button.link(x, "https://x.y")])
def test_a_label_has_1_to_40_characters(make: Any):
    assert make("x" * 40).label == "x" * 40
    with pytest.raises(ValueError, match=r"label must have from 1 to 40 .* 41: 'xxx"):
        make("x" * 41)
    with pytest.raises(ValueError, match=r"label must have from 1 to 40 .* got 0"):
        make("")
    with pytest.raises(ValueError, match="label must have visible characters"):
        make("\n ")
    with pytest.raises(TypeError, match=r"label must be a str, got None \(NoneType\)"):
        make(None)


def test_a_payload_has_at_most_255_characters_as_json():
    assert len(Button.text("x", {"a": "b" * 247}).payload or "") == 255
    with pytest.raises(ValueError, match="at most 255 characters as JSON, got 256"):
        Button.text("x", {"a": "b" * 248})
    # Cyrillic letters count once: VK gets them as they are.
    assert len(Button.text("x", {"a": "ж" * 247}).payload or "") == 255


def test_a_payload_of_text_is_json_already():
    assert Button.text("x", '"yes"').payload == '"yes"'
    with pytest.raises(ValueError, match=r"a color is .* by its name, color='primary'"):
        Button.text("x", "primary")
    with pytest.raises(ValueError, match=r"payload must be a dict, .* got 'yes'"):
        Button.text("x", "yes")


def test_a_payload_that_is_nested_too_deeply_is_refused():
    with pytest.raises(ValueError, match="payload must have at most 255 characters"):
        Button.text("x", "[" * 100_000)


def test_a_payload_that_json_cannot_have_is_refused():
    with pytest.raises(TypeError, match=r"payload\.a must be"):
        Button.text("x", {"a": object()})
    with pytest.raises(ValueError, match=r"payload\.a must be a finite number"):
        Button.text("x", {"a": float("nan")})


@pytest.mark.parametrize("payload", ["NaN", '{"a": Infinity}', "[-Infinity]"])
def test_a_payload_of_text_has_no_numbers_that_only_python_reads(payload: str):
    with pytest.raises(ValueError, match=r"payload must be a dict, .* or JSON text"):
        Button.text("x", payload)


def test_a_callback_needs_a_payload():
    with pytest.raises(ValueError, match="a callback button needs a payload"):
        Button.callback("x", None)


def test_a_color_is_one_of_four():
    with pytest.raises(ValueError, match=r"primary, .*negative, got 'red'"):
        Button.text("x", color="red")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"primary, .*negative, got 'default'"):
        Button.callback("x", 1, color="default")  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["vk.com", "", "//vk.com", "https:// vk.com"])
def test_a_link_has_its_scheme(url: str):
    with pytest.raises(ValueError, match="url must be a URL with its scheme"):
        Button.link("x", url)


def test_ids_and_hashes_are_checked():
    with pytest.raises(TypeError, match="app_id must be an int, got '7'"):
        Button.open_app("x", "7")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="app_id must be an int, got True"):
        Button.open_app("x", True)
    with pytest.raises(ValueError, match="app_id must be a positive id, got -7"):
        Button.open_app("x", -7)
    with pytest.raises(ValueError, match="owner_id must be an id other than 0"):
        Button.open_app("x", 7, owner_id=0)
    with pytest.raises(ValueError, match="hash must have 1 or more characters, got 0"):
        Button.vkpay("")


@given(st.text(), st.none() | st.text() | st.dictionaries(st.text(), st.integers()))
def test_whatever_comes_is_sent_whole_or_refused(label: str, payload: Any):
    try:
        button = Button.text(label, payload)
    except ValueError:
        return
    action = json.loads(json.dumps(button.to_vk()))["action"]
    assert 1 <= len(label) <= 40
    assert action["label"] == label
    if payload is not None:
        assert len(action["payload"]) <= 255
        written = json.loads(action["payload"])
        assert written == (
            payload if isinstance(payload, dict) else json.loads(payload)
        )


# Carousels.


def element(**more: Any) -> CarouselElement:
    return CarouselElement(**{"title": "One", "buttons": [YES], **more})


def test_a_carousel_is_sent_as_vk_has_it():
    carousel = Carousel(
        [
            element(description="First", photo="photo-1_2_key", open_photo=True),
            element(description="Second", photo="-1_3", link="https://vk.com"),
            element(description="Third", photo=Photo()),
        ]
    )
    request = APIRequest("messages.send", {"template": carousel})
    common = {"title": "One", "buttons": [YES.to_vk()]}
    assert json.loads(str(request.params["template"])) == {
        "type": "carousel",
        "elements": [
            {
                **common,
                "description": "First",
                "photo_id": "-1_2",
                "action": {"type": "open_photo"},
            },
            {
                **common,
                "description": "Second",
                "photo_id": "-1_3",
                "action": {"type": "open_link", "link": "https://vk.com"},
            },
            {**common, "description": "Third", "photo_id": "-1_2"},
        ],
    }


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        ({"description": "x"}, "title, description, buttons: 1"),
        ({"photo": "-1_2"}, "title, photo, buttons: 1"),
        ({"photo": "-1_2", "title": None}, "photo, buttons: 1"),
        ({"buttons": [YES, YES]}, "title, buttons: 2"),
    ],
)
def test_elements_that_differ_are_refused_by_their_number(more: Any, parts: str):
    says = f"element 1 has title, buttons: 1, element 3 has {parts}$"
    with pytest.raises(ValueError, match=says):
        Carousel([element(), element(), element(**more)])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"title": "x" * 81}, "title must have from 1 to 80 characters, got 81"),
        ({"description": ""}, "description must have from 1 to 80 characters, got 0"),
        ({"title": None}, "needs a title or a photo"),
        ({"buttons": []}, "from 1 to 3 buttons, got 0"),
        ({"buttons": [YES] * 4}, "from 1 to 3 buttons, got 4"),
        ({"photo": "cat.jpg"}, "photo must look like .* got 'cat.jpg'"),
        ({"photo": "photo1_0"}, "photo must look like .* got 'photo1_0'"),
        ({"photo": 5}, "photo must look like .* got 5"),
        ({"link": "vk.com"}, "link must be a URL with its scheme"),
        ({"open_photo": True}, "open_photo needs a photo"),
        (
            {"open_photo": True, "photo": "1_2", "link": "https://vk.com"},
            "cannot be combined with a link",
        ),
    ],
)
def test_an_element_that_vk_would_refuse_is_refused(more: Any, says: str):
    with pytest.raises(ValueError, match=says):
        element(**more)


@pytest.mark.parametrize("count", [1, 3])
def test_an_element_has_one_to_three_buttons(count: int):
    assert len(element(buttons=[YES] * count).buttons) == count


def test_a_carousel_has_elements_and_nothing_else():
    with pytest.raises(ValueError, match="a carousel needs at least one element"):
        Carousel([])
    with pytest.raises(TypeError, match="element 2 must be a CarouselElement"):
        Carousel([element(), element().to_vk()])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="elements must be a list"):
        Carousel(element())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="buttons, button 1 must be a Button"):
        element(buttons=["Yes"])
