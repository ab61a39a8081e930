"""What a type checker makes of keyboards, texts and links: checked, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from vkanyio.keyboard import Button, Carousel, CarouselElement, Keyboard
from vkanyio.links import Group, Photo, ScreenName, Target, User, Wall, parse_link
from vkanyio.text import MessageParams, Text, bold, link, mention

if TYPE_CHECKING:
    from vkanyio import VK


async def keyboards_fit_the_parameters(api: VK) -> None:
    yes = Button.text("Yes", {"answer": 1}, color="positive")
    rows = [[yes, Button.callback("More", 7)], [Button.link("Site", "https://vk.com")]]
    assert_type(Keyboard.none(), Keyboard)
    for keyboard in (Keyboard(rows, inline=True), Keyboard.none()):
        await api.messages.send(peer_id=1, random_id=0, message="x", keyboard=keyboard)
        await api.messages.edit(peer_id=1, message_id=1, message="x", keyboard=keyboard)
    element = CarouselElement(title="x", photo=Photo(1, 2), buttons=[yes])
    template = Carousel([element])
    await api.messages.send(peer_id=1, random_id=0, message="x", template=template)
    Button.text("Yes", color="red")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Keyboard([yes])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]


async def texts_fit_the_parameters(api: VK) -> None:
    text = "Price: " + Text(bold("100"), " ", link("here", "https://vk.com"))
    assert_type(text, Text)
    assert_type(text + mention(1, "Ann"), Text)
    assert_type(text.params(), MessageParams)
    for part in text.split():
        sent = await api.messages.send(peer_id=1, random_id=0, **part.params())
        assert_type(sent, int)
        await api.messages.edit(peer_id=1, message_id=sent, **part.params())


async def links_narrow(api: VK, text: str) -> None:
    target = await api.resolve(text)
    assert_type(target, Target | None)
    match target:
        case User(id=user_id):
            assert_type(user_id, int)
        case Group(group_id):
            assert_type(group_id, int)
        case Wall() | Photo():
            await api.messages.send(peer_id=1, random_id=0, attachment=[target])
        case _:
            pass
    named = parse_link(text)
    assert_type(named, Target | ScreenName | None)
