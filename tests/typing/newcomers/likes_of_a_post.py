"""Who likes a post."""

import anyio

from vkanyio import VK

TOKEN = "..."


async def main():
    async with VK(TOKEN) as api:
        likes = await api.likes.get_list(
            type="post", owner_id=1, item_id=45546, extended=True
        )
        print(likes["count"])
        for liked in likes["items"]:
            print(liked["first_name"], liked["last_name"])


anyio.run(main)
