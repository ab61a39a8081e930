"""Work with vk_api against the given address, and print the results as JSON.

Only the address differs: it is fixed in the source of vk_api, so its session redirects
the requests.
"""

import io
import json
import sys

import vk_api
from requests.adapters import HTTPAdapter
from vk_api.execute import VkFunction

BASE_URL = sys.argv[1]


class Elsewhere(HTTPAdapter):
    def send(self, request, *args, **options):
        request.url = request.url.replace("https://api.vk.ru/method", BASE_URL)
        return super().send(request, *args, **options)


session = vk_api.VkApi(token="the-token-of-vk-api", api_version="5.199")
session.http.mount("https://api.vk.ru", Elsewhere())
vk = session.get_api()

users_of = VkFunction(
    args=("ids",), code="return API.users.get({user_ids: %(ids)s})@.id;"
)

with vk_api.VkRequestsPool(session) as pool:
    pooled = [pool.method("users.get", {"user_ids": n}) for n in range(1, 31)]
    failing = pool.method("wall.delete", {"post_id": 999})
    last = pool.method("users.get", {"user_ids": 99})

with vk_api.VkRequestsPool(session) as pool:
    for number in range(130):
        pool.method("wall.post", {"message": f"No. {number} Ёж"})

by_param, errors = vk_api.vk_request_one_param_pool(
    session, "users.get", key="user_ids", values=list(range(1, 31))
)
tools = vk_api.VkTools(session)
wall = tools.get_all("wall.get", 25, {"owner_id": 1})
try:
    vk.wall.delete(post_id=999)
except vk_api.ApiError as error:
    refused = error.code
[photo] = vk_api.VkUpload(session).photo_wall(io.BytesIO(b"not really a picture"))

print(
    json.dumps(
        {
            "plain": [user["id"] for user in vk.users.get(user_ids=[1, 2])],
            "pooled": [each.result[0]["id"] for each in pooled],
            "failed in a pool": failing.error["error_code"],
            "after the failure": last.result[0]["id"],
            "by parameter": [found[0]["id"] for found in by_param.values()],
            "errors by parameter": errors,
            "script": users_of(vk, "3,4,5"),
            "wall": wall["count"],
            "texts": sorted({post["text"] for post in wall["items"]})[:1],
            "posts": len({post["id"] for post in wall["items"]}),
            "refused": refused,
            "photo of": photo["owner_id"],
        }
    )
)
