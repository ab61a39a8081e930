"""Reply to each photo with a photo, and a button to get another one.

::

    python examples/pictures.py cat.jpg dog.png

A bot of a community: for each reply, it uploads one of the pictures. ``service.py``
shows how a bot stops in order.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from vkanyio import API, VK, APIError, AuthError, OutcomeUnknownError, VKError
from vkanyio.keyboard import Button, Keyboard
from vkanyio.text import Text, bold
from vkanyio.updates import FilePosition, MessageEvent, MessageNew, Update

if TYPE_CHECKING:
    from collections.abc import Sequence

BASE_URL = os.environ.get("VKANYIO_BASE_URL", "https://api.vk.ru/method")
POSITION = os.environ.get("BOT_POSITION", "pictures.json")
HELP = Text("Send me ", bold("a photo"), ", and you get one from me.")
MORE = Keyboard(
    [
        [Button.callback("Another one", {"do": "another"}, color="primary")],
        [Button.link("All of them", "https://vk.com/albums1")],
    ],
    inline=True,
)


async def main() -> None:
    pictures = sys.argv[1:]
    if not pictures:
        sys.exit("usage: python pictures.py PICTURE...")
    async with (
        VK(os.environ["VK_TOKEN"], base_url=BASE_URL, limit=20) as api,
        api.bot_updates(
            position=FilePosition(POSITION), kinds=[MessageNew, MessageEvent]
        ) as updates,
    ):
        await updates.handle(partial(answer, api, pictures), on_error=report)


async def answer(
    api: API, pictures: Sequence[str], update: MessageNew | MessageEvent
) -> None:
    while True:
        try:
            await reply(api, pictures, update)
        except VKError as error:
            if not error.is_transient and not isinstance(error, OutcomeUnknownError):
                raise
            # Again from the start: a photo may be uploaded twice, but thanks to its
            # random_id the message is delivered once.
            logging.warning("not answered yet: %s", error)
            await anyio.sleep(10)
        else:
            return


async def reply(
    api: API, pictures: Sequence[str], update: MessageNew | MessageEvent
) -> None:
    if isinstance(update, MessageEvent):  # somebody has pressed the button
        event = update.object
        await send_picture(api, pictures, event["peer_id"], update)
        # The button shows a spinner until it is answered, for a minute at most.
        await api.messages.sendMessageEventAnswer(
            event_id=event["event_id"],
            user_id=event["user_id"],
            peer_id=event["peer_id"],
        )
        return
    message = update.object["message"]
    if any(each["type"] == "photo" for each in message["attachments"]):
        await send_picture(api, pictures, message["peer_id"], update)
    else:
        await api.messages.send(
            peer_id=message["peer_id"], random_id=update.random_id(), **HELP.params()
        )


async def send_picture(
    api: API, pictures: Sequence[str], peer_id: int, update: Update[Any]
) -> None:
    number = update.random_id()  # the same if the update is delivered again
    picture = pictures[number % len(pictures)]
    photo = await api.upload.message_photo(picture, peer_id=peer_id)
    await api.messages.send(
        peer_id=peer_id,
        message="One of mine:",
        attachment=photo,
        keyboard=MORE,
        random_id=number,
    )


def report(update: Update[Any], error: Exception) -> None:
    if isinstance(error, AuthError) or not isinstance(error, APIError):
        raise error  # such as a picture that is missing, or that VK refuses
    print(update.type, error)  # such as a user who accepts no messages: go on


if __name__ == "__main__":
    anyio.run(main)
