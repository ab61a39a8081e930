"""A bot of vkbottle, and a user who writes to it; prints the conversation as JSON."""

import asyncio
import json
import sys

from vkbottle import API
from vkbottle.bot import Bot, Message

GROUP = 9
TEXTS = ["one", "two", "three"]


def make(token: str) -> API:
    api = API(token)
    api.API_URL = f"{sys.argv[1]}/"
    return api


async def main() -> None:
    bot, user = Bot(api=make("bot")), make("anna")
    heard = []

    @bot.on.message()
    async def answer(message: Message) -> None:
        heard.append(message.text)
        await message.answer(f"You wrote: {message.text}")

    polling = asyncio.create_task(bot.run_polling())
    await asyncio.sleep(3)  # it skips what came before its first poll
    for text in TEXTS:
        await user.messages.send(peer_id=-GROUP, message=text, random_id=0)
    items = []
    while len(items) < 2 * len(TEXTS):
        history = await user.messages.get_history(peer_id=-GROUP, rev=1)
        items = history.items
        await asyncio.sleep(0.05)
    polling.cancel()
    answers = [each.text for each in items if each.from_id == -GROUP]
    print(json.dumps({"answers": answers, "heard": len(heard)}))


asyncio.run(main())
