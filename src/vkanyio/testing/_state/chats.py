"""``messages``: chats and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._call import GROUP_CHAT, Call, Handler
from .._errors import JSON, VKFault
from .base import numbers

if TYPE_CHECKING:
    from .conversations import Chat, Conversation
    from .mailbox import Mailbox
    from .message_updates import MessageUpdates
    from .uploads import Uploads


@final
@attrs.frozen(eq=False)
class Chats:
    """Methods that create, read and change chats."""

    _box: Mailbox
    _updates: MessageUpdates
    _uploads: Uploads

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "messages.addChatUser": self._add_user,
            "messages.createChat": self._create,
            "messages.getChat": self._get,
            "messages.removeChatUser": self._remove_user,
            "messages.setChatPhoto": self._set_photo,
            "photos.getChatUploadServer": self._photo_server,
        }

    def _create(self, call: Call) -> JSON:
        viewer = self._box.viewer(call)
        members = numbers(call, "user_ids")
        title = call.params.get("title", "")
        chat = self._box.all.found(title, viewer, members, call.time)
        [created] = self._box.all.look(viewer, GROUP_CHAT + chat.id).messages
        self._updates.sent(created, call.time)
        return {"chat_id": chat.id, "peer_ids": []}

    def _find(self, call: Call, chat_id: int) -> tuple[Conversation, Chat]:
        viewer = self._box.viewer(call)
        conversation = self._box.all.look(viewer, GROUP_CHAT + chat_id)
        assert conversation.chat is not None
        return conversation, conversation.chat

    def _add_user(self, call: Call) -> JSON:
        chat_id, user_id = call.integer("chat_id"), call.integer("user_id")
        me = self._box.viewer(call)
        conversation, chat = self._find(call, chat_id)
        if self._box.owners.people.given(user_id, "deactivated"):
            raise VKFault(936)
        if user_id in chat.members:
            raise VKFault(15, "Access denied: user already in chat")
        chat.members[user_id] = me
        action: dict[str, JSON] = {"type": "chat_invite_user", "member_id": user_id}
        invited = self._box.all.write(conversation, me, call.time, action=action)
        self._updates.sent(invited, call.time)
        return 1

    def _remove_user(self, call: Call) -> JSON:
        me = self._box.viewer(call)
        conversation, chat = self._find(call, call.integer("chat_id"))
        member = call.integer("member_id", 0) or call.integer("user_id", 0) or me
        if member not in chat.members:
            raise VKFault(935)
        if me not in (member, chat.admin_id, chat.members[member]):
            raise VKFault(925)
        action: dict[str, JSON] = {"type": "chat_kick_user", "member_id": member}
        removed = self._box.all.write(conversation, me, call.time, action=action)
        self._updates.sent(removed, call.time)
        del chat.members[member]
        return 1

    def _photo_server(self, call: Call) -> JSON:
        _, chat = self._find(call, call.integer("chat_id"))
        thing = GROUP_CHAT, chat.id
        return {"upload_url": self._uploads.open(call, "chat_photo", thing=thing)}

    def _set_photo(self, call: Call) -> JSON:
        upload = self._uploads.redeem(call, "file", "chat_photo")
        _, chat_id = upload.thing
        conversation, chat = self._find(call, chat_id)
        self._uploads.note_saved(call.method, upload)
        chat.photo = f"{call.origin}/{upload.key}.jpg"
        action: dict[str, JSON] = {"type": "chat_photo_update"}
        me = self._box.viewer(call)
        told = self._box.all.write(conversation, me, call.time, action=action)
        self._updates.sent(told, call.time)
        return {"message_id": told.id, "chat": self._show(call, chat_id)}

    def _get(self, call: Call) -> JSON:
        if several := numbers(call, "chat_ids"):
            return [self._show(call, each) for each in several]
        return self._show(call, call.integer("chat_id"))

    def _show(self, call: Call, chat_id: int) -> dict[str, JSON]:
        _, chat = self._find(call, chat_id)
        users: list[JSON] = [*chat.members]
        if fields := call.items("fields"):
            owners = self._box.owners
            users = [
                {
                    **owners.people.profile(call, each, fields),
                    "type": "profile",
                    "invited_by": inviter,
                }
                for each, inviter in chat.members.items()
                if each > 0
            ]
        return {
            "id": chat.id,
            "type": "chat",
            "title": chat.title,
            "admin_id": chat.admin_id,
            "members_count": len(chat.members),
            "users": users,
            **({"photo_200": chat.photo} if chat.photo else {}),
        }
