"""Run a script on VK's servers: up to 25 calls in one request.

Counts the posts of several users, and reports whose wall could not be read.
"""

from __future__ import annotations

import os
import sys

import anyio

from vkanyio import VK

BASE_URL = os.environ.get("VKANYIO_BASE_URL", "https://api.vk.ru/method")

# Pass input through Args; never insert it into the text of the script.
SCRIPT = """
    var ids = Args.ids.split(",");
    var found = [];
    var i = 0;
    while (i < ids.length) {
        var wall = API.wall.get({"owner_id": ids[i], "count": 1});
        found.push({"id": ids[i], "posts": wall.count});
        i = i + 1;
    }
    return found;
"""


async def main() -> None:
    ids = sys.argv[1:25] or ["1", "2", "3"]
    async with VK(os.environ["VK_TOKEN"], base_url=BASE_URL) as api:
        found, errors = await api.execute(SCRIPT, ids=ids)
    for user in found:
        print(f"user {user['id']}: {user['posts']} posts")  # None if the call failed
    for error in errors:
        print(f"{error.method}: error {error.code}: {error.message}")


if __name__ == "__main__":
    anyio.run(main)
