"""The first post of a wall, with its photos."""

import anyio

from vkanyio import VK

TOKEN = "..."


async def main():
    async with VK(TOKEN) as api:
        wall = await api.wall.get(domain="durov", count=1)
        post = wall["items"][0]
        print(post["id"], post["text"], post["date"])
        for attachment in post["attachments"]:
            if attachment["type"] == "photo":
                sizes = attachment["photo"]["sizes"]
                biggest = max(sizes, key=lambda size: size["width"] * size["height"])
                print(biggest["url"])


anyio.run(main)
