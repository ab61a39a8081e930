"""A poll, and its votes."""

import anyio

from vkanyio import VK

TOKEN = "..."


async def main():
    async with VK(TOKEN) as api:
        poll = await api.polls.create(question="Tea?", add_answers=["yes", "no"])
        attachment = f"poll{poll['owner_id']}_{poll['id']}"
        post = await api.wall.post(message="Vote!", attachments=attachment)
        print(post["post_id"])
        poll = await api.polls.get_by_id(owner_id=poll["owner_id"], poll_id=poll["id"])
        for answer in poll["answers"]:
            print(answer["text"], answer["votes"], answer["rate"])


anyio.run(main)
