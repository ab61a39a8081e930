"""Work with vkbottle against the address given; prints what came of it as JSON."""

import asyncio
import json
import sys

from vkbottle import API, PhotoWallUploader, VKAPIError, vkscript


@vkscript
def double_ids(api, first=1):
    found = []
    number = first
    while number < 5:
        found.append(api.users.get(user_ids=number)[0].id)
        number += 1
    return found


async def main() -> None:
    api = API("the-token-of-vkbottle")
    api.API_URL = f"{sys.argv[1]}/"
    users = await api.users.get(user_ids=[1, 2])
    requests = [api.APIRequest("users.get", {"user_ids": n}) for n in range(1, 9)]
    many = [answer async for answer in api.request_many(requests)]
    posted = [(await api.wall.post(message=f"No. {n}")).post_id for n in range(3)]
    wall = await api.wall.get(owner_id=1)
    sent = await api.messages.send(peer_id=5, message="hello", random_id=77)
    again = await api.messages.send(peer_id=5, message="hello", random_id=77)
    try:
        await api.wall.delete(post_id=999)
    except VKAPIError[104] as error:
        refused = error.code
    script = await api.execute(code=double_ids(first=2))
    photo = await PhotoWallUploader(api).upload(b"not really a picture")
    await api.http_client.close()
    print(
        json.dumps(
            {
                "plain": [user.id for user in users],
                "many": [answer["response"][0]["id"] for answer in many],
                "wall": [post.id for post in wall.items] == posted[::-1],
                "sent once": sent == again,
                "refused": refused,
                "script": script.response["response"],
                "photo": photo.startswith("photo1_"),
            }
        )
    )


asyncio.run(main())
