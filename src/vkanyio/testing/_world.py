"""The methods that the simulator has from the start, and the state behind them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, final

import attrs

from ._call import GROUP_CHAT, Call, Method, Reply
from ._errors import JSON, VKFault

if TYPE_CHECKING:
    from ._captcha import Captchas

EPOCH: Final = 1_750_000_000
"""The Unix time at which the simulator's clock shows 0: the same in every run."""

MEMORY: Final = 3600.0
"""Seconds for which a ``random_id`` is remembered, by what users of VK have found out.

How long a ``guid`` is remembered is not known, and taken to be the same.
"""

FIRST_NAMES: Final = (
    "Anna",
    "Boris",
    "Daria",
    "Egor",
    "Irina",
    "Kirill",
    "Olga",
    "Pavel",
)
LAST_NAMES: Final = ("Belyak", "Chernenko", "Kovalenko", "Melnik", "Sidorenko", "Tkach")

_USER: Final = ("user",)
_USER_OR_SERVICE: Final = ("user", "service")
_USER_OR_GROUP: Final = ("user", "group")


@attrs.frozen
class _Post:
    id: int
    owner_id: int
    from_id: int
    date: int
    text: str


class _Seen:
    """What was done lately, by the key that guards it against repetition."""

    def __init__(self) -> None:
        self._done: dict[tuple[object, ...], tuple[float, int]] = {}

    def find(self, key: tuple[object, ...], now: float) -> int | None:
        time, result = self._done.get(key, (-MEMORY, 0))
        return result if now - time < MEMORY else None

    def note(self, key: tuple[object, ...], now: float, result: int) -> None:
        self._done[key] = now, result


@final
class World:
    """Walls, messages and the like: what calls read and change.

    :param seed: makes people's names
    :param captchas: where ``captcha.force`` gets its captchas
    """

    def __init__(self, seed: int, captchas: Captchas) -> None:
        self._seed = seed
        self._captchas = captchas
        self._posts: dict[int, dict[int, _Post]] = {}
        self._last_post = 0
        self._last_message = 0
        self._statuses: dict[int, str] = {}
        self._likes: dict[tuple[str, int, int], set[int]] = {}
        self._guids = _Seen()
        self._random_ids = _Seen()

    def methods(self) -> dict[str, Method]:
        """List the methods.

        The kinds of token are those of VK's schema, and so are the required
        parameters, save for those that only the server knows of.

        :return: the methods by name
        """
        return {
            "captcha.force": Method(self._captcha_force),
            "groups.getById": Method(self._groups_get_by_id),
            "likes.add": Method(self._likes_add, ("type", "item_id"), _USER),
            "messages.send": Method(
                self._messages_send, ("random_id",), _USER_OR_GROUP
            ),
            "status.get": Method(self._status_get, (), _USER),
            "status.set": Method(self._status_set, (), _USER),
            "users.get": Method(self._users_get),
            "utils.getServerTime": Method(self._server_time),
            "wall.delete": Method(self._wall_delete, ("post_id",), _USER),
            "wall.get": Method(self._wall_get, (), _USER_OR_SERVICE),
            "wall.post": Method(self._wall_post, (), _USER),
        }

    def _server_time(self, call: Call) -> JSON:
        return _unix(call.time)

    def _captcha_force(self, call: Call) -> JSON:
        raise self._captchas.ask("new", call.time)

    def _users_get(self, call: Call) -> JSON:
        if not (names := call.items("user_ids")):
            if call.account.kind != "user":
                raise VKFault.parameter("user_ids is undefined")
            return [self._user(call.account.id)]
        ids = [_number(name.removeprefix("id")) for name in names]
        return [self._user(user_id) for user_id in ids]

    def _user(self, user_id: int) -> JSON:
        person = random.Random(f"user {self._seed} {user_id}")
        return {
            "id": user_id,
            "first_name": person.choice(FIRST_NAMES),
            "last_name": person.choice(LAST_NAMES),
            "can_access_closed": True,
            "is_closed": False,
        }

    def _groups_get_by_id(self, call: Call) -> JSON:
        names = call.items("group_ids") or call.items("group_id")
        ids = [_number(name.removeprefix("club")) for name in names]
        if not ids and call.account.kind == "group":
            ids = [call.account.id]
        if not ids:
            raise VKFault.parameter("group_ids is undefined")
        groups = [
            {
                "id": group_id,
                "name": f"Community {group_id}",
                "screen_name": f"club{group_id}",
                "is_closed": 0,
                "type": "group",
            }
            for group_id in ids
        ]
        return {"groups": groups, "profiles": []}

    def _wall_post(self, call: Call) -> JSON:
        owner_id = call.integer("owner_id", call.account.owner_id)
        text = call.params.get("message", "")
        if not text and not call.params.get("attachments"):
            raise VKFault.parameter("message is undefined")
        guid = call.params.get("guid")
        key = (call.account, owner_id, guid)
        if guid and (known := self._guids.find(key, call.time)) is not None:
            return Reply({"post_id": known}, repeated=True)
        self._last_post += 1
        post_id = self._last_post
        self._posts.setdefault(owner_id, {})[post_id] = _Post(
            post_id, owner_id, call.account.owner_id, _unix(call.time), text
        )
        self._guids.note(key, call.time, post_id)
        return {"post_id": post_id}

    def _wall_get(self, call: Call) -> JSON:
        owner_id = call.integer("owner_id", call.account.owner_id)
        offset, count = call.integer("offset", 0), call.integer("count", 20)
        if offset < 0 or count < 0:
            raise VKFault.parameter("value should be positive")
        newest_first = [*reversed(self._posts.get(owner_id, {}).values())]
        page = newest_first[offset : offset + min(count, 100)]
        items = [{**attrs.asdict(post), "type": "post"} for post in page]
        return {"count": len(newest_first), "items": items}

    def _wall_delete(self, call: Call) -> JSON:
        owner_id = call.integer("owner_id", call.account.owner_id)
        if self._posts.get(owner_id, {}).pop(call.integer("post_id"), None) is None:
            raise VKFault(104)
        return 1

    def _messages_send(self, call: Call) -> JSON:
        random_id = call.integer("random_id")
        if not call.params.get("message") and not call.params.get("attachment"):
            raise VKFault.parameter("message is empty or invalid")
        if peers := call.items("peer_ids"):
            sent = [
                (peer, self._send(call, peer, random_id))
                for peer in map(_number, peers)
            ]
            answer = [{"peer_id": peer, "message_id": id_} for peer, (id_, _) in sent]
            return Reply(answer, repeated=all(again for _, (_, again) in sent))
        message_id, repeated = self._send(call, _peer(call), random_id)
        return Reply(message_id, repeated=repeated)

    def _send(self, call: Call, peer: int, random_id: int) -> tuple[int, bool]:
        key = (call.account, peer, random_id)
        if random_id and (known := self._random_ids.find(key, call.time)) is not None:
            return known, True
        self._last_message += 1
        self._random_ids.note(key, call.time, self._last_message)
        return self._last_message, False

    def _status_set(self, call: Call) -> JSON:
        owner = -call.integer("group_id", 0) or call.account.id
        self._statuses[owner] = call.params.get("text", "")
        return 1

    def _status_get(self, call: Call) -> JSON:
        owner = -call.integer("group_id", 0) or call.integer("user_id", call.account.id)
        return {"text": self._statuses.get(owner, "")}

    def _likes_add(self, call: Call) -> JSON:
        owner_id = call.integer("owner_id", call.account.owner_id)
        liked = call.text("type"), owner_id, call.integer("item_id")
        fans = self._likes.setdefault(liked, set())
        fans.add(call.account.owner_id)
        return {"likes": len(fans)}


def _unix(time: float) -> int:
    return EPOCH + int(time)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise VKFault(113) from None


def _peer(call: Call) -> int:
    if peer := call.integer("peer_id", 0) or call.integer("user_id", 0):
        return peer
    if chat := call.integer("chat_id", 0):
        return GROUP_CHAT + chat
    raise VKFault.parameter("peer_id is a required parameter")
