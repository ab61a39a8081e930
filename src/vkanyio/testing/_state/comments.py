"""``wall``: comments on posts."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._call import Call, Handler, Reply
from .._errors import JSON, VKFault
from .base import unix
from .posts import Comment

if TYPE_CHECKING:
    from .posts import Posts

MAX_AT_ONCE = 100


@final
@attrs.frozen(eq=False)
class Comments:
    """Methods that read and change comments."""

    _posts: Posts

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "wall.createComment": self._create,
            "wall.deleteComment": self._delete,
            "wall.editComment": self._edit,
            "wall.getComment": self._get_one,
            "wall.getComments": self._get,
            "wall.restoreComment": self._restore,
        }

    def _create(self, call: Call) -> JSON:
        owners = self._posts.owners
        owner_id = owners.owner(call)
        text = call.params.get("message", "")
        attachments = call.items("attachments")
        if not text and not attachments and not call.params.get("sticker_id"):
            raise VKFault.parameter("message is undefined")
        guid = call.params.get("guid")
        key = ("wall.createComment", call.account.owner_id, owner_id, guid)
        if guid and (known := self._posts.guids.find(key, call.time)) is not None:
            return Reply(_created(known), repeated=True)
        owners.require_visible(call, owner_id)
        post = self._posts.get(owner_id, call.integer("post_id"))
        if post.comments_closed:
            raise VKFault(213)
        reply_to = call.integer("reply_to_comment", 0)
        if reply_to:
            self._comment(owner_id, reply_to)
        as_group = call.integer("from_group", 0)
        comment = Comment(
            id=self._posts.new_id(owner_id),
            owner_id=owner_id,
            post_id=post.id,
            from_id=owners.author(call, -as_group, as_group=as_group > 0),
            date=unix(call.time),
            text=text,
            attachments=attachments,
            reply_to=reply_to,
        )
        post.comments.append(comment)
        self._posts.comments[owner_id, comment.id] = comment
        if guid:
            self._posts.guids.note(key, call.time, comment.id)
        self._report(call, "new", comment)
        return _created(comment.id)

    def _comment(self, owner_id: int, number: int, *, deleted: bool = False) -> Comment:
        comment = self._posts.comments.get((owner_id, number))
        if comment is None:
            raise VKFault(104)
        if comment.deleted != deleted:
            raise VKFault(243 if deleted else 211)
        return comment

    def _named(self, call: Call, *, deleted: bool = False) -> Comment:
        owner_id = self._posts.owners.owner(call)
        return self._comment(owner_id, call.integer("comment_id"), deleted=deleted)

    def _edit(self, call: Call) -> JSON:
        comment = self._named(call)
        if comment.from_id != call.account.owner_id:
            self._posts.require_rights(call, comment)
        text = call.params.get("message", "")
        attachments = call.items("attachments")
        if not text and not attachments:
            raise VKFault.parameter("message is undefined")
        comment.text, comment.attachments = text, attachments
        self._report(call, "edit", comment)
        return 1

    def _delete(self, call: Call) -> JSON:
        comment = self._named(call)
        self._posts.require_rights(call, comment)
        comment.deleted = True
        self._report(call, "delete", comment)
        return 1

    def _restore(self, call: Call) -> JSON:
        comment = self._named(call, deleted=True)
        self._posts.require_rights(call, comment)
        comment.deleted = False
        self._report(call, "restore", comment)
        return 1

    def _report(self, call: Call, change: str, comment: Comment) -> None:
        owner_id = comment.owner_id
        shown: dict[str, JSON] = {
            "id": comment.id,
            "owner_id": owner_id,
            "post_id": comment.post_id,
        }
        if change == "delete":
            caller = call.account.owner_id
            shown |= {"user_id": comment.from_id, "deleter_id": caller}
        else:
            shown = self._posts.show_comment(call, comment)
            shown["post_owner_id"] = owner_id
        updates = self._posts.updates
        updates.about(owner_id, f"wall_reply_{change}", shown, call.time)

    def _get_one(self, call: Call) -> JSON:
        comment = self._named(call)
        self._posts.owners.require_visible(call, comment.owner_id)
        value: dict[str, JSON] = {"items": [self._posts.show_comment(call, comment)]}
        return self._posts.owners.extend(call, value, [comment.from_id])

    def _get(self, call: Call) -> JSON:
        owners = self._posts.owners
        owner_id = owners.owner(call)
        owners.require_visible(call, owner_id)
        post = self._posts.get(owner_id, call.integer("post_id"))
        comments = post.live_comments()
        if call.params.get("sort") == "desc":
            comments.reverse()
        begin = call.integer("offset", 0)
        if start := call.integer("start_comment_id", 0):
            ids = [each.id for each in comments]
            begin += ids.index(start) if start in ids else len(ids)
        elif begin < 0:
            problem = "offset without start_comment_id should be positive"
            raise VKFault.parameter(problem)
        end = begin + min(call.integer("count", 10), MAX_AT_ONCE)
        shown = comments[max(begin, 0) : max(end, 0)]
        total = len(post.live_comments())
        value: dict[str, JSON] = {
            "count": total,
            "current_level_count": total,
            "can_post": not post.comments_closed,
            "show_reply_button": True,
            "groups_can_post": True,
            "items": [self._posts.show_comment(call, each) for each in shown],
        }
        return owners.extend(call, value, [each.from_id for each in shown])


def _created(number: int) -> JSON:
    return {"comment_id": number, "parents_stack": []}
