"""The members of a community, by city."""

import anyio

from vkanyio import VK

TOKEN = "..."


async def main():
    cities = {}
    async with VK(TOKEN) as api:
        members = await api.groups.get_members(group_id="apiclub", fields="city")
        print(members["count"])
        for member in members["items"]:
            if "city" in member:
                title = member["city"]["title"]
                cities[title] = cities.get(title, 0) + 1
    print(cities)


anyio.run(main)
