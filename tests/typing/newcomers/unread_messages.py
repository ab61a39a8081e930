"""Unread messages, and an answer to each."""

import anyio

from vkanyio import VK

TOKEN = "..."


async def main():
    async with VK(TOKEN, limit=20) as api:
        found = await api.messages.get_conversations(filter="unread", count=20)
        for item in found["items"]:
            message = item["last_message"]
            print(message["from_id"], message["text"])
            for attachment in message["attachments"]:
                match attachment["type"]:
                    case "photo":
                        print(attachment["photo"]["sizes"][-1]["url"])
                    case "doc":
                        print(attachment["doc"]["title"])
                    case _:
                        print(attachment["type"])
            peer_id = item["conversation"]["peer"]["id"]
            await api.messages.send(peer_id=peer_id, message="Hello!")


anyio.run(main)
