"""``wall``: posts. Comments are in a separate module."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._call import Call, Handler, Reply
from .._errors import JSON, VKFault
from .base import flag, page, unix
from .media import ATTACHMENT
from .posts import Post, people_in

if TYPE_CHECKING:
    from .posts import Posts

MAX_AT_ONCE = 100


@final
@attrs.frozen(eq=False)
class Walls:
    """Methods that read and change posts."""

    _posts: Posts

    def methods(self) -> dict[str, Handler]:
        """Return the methods by name."""
        return {
            "wall.delete": self._delete,
            "wall.edit": self._edit,
            "wall.get": self._get,
            "wall.getById": self._get_by_id,
            "wall.pin": self._pin,
            "wall.post": self._post,
            "wall.repost": self._repost,
            "wall.restore": self._restore,
            "wall.unpin": self._unpin,
        }

    def _post(self, call: Call) -> JSON:
        owners = self._posts.owners
        owner_id = owners.owner(call)
        text = call.params.get("message", "")
        attachments = call.items("attachments")
        if not text and not attachments:
            raise VKFault.parameter("message is undefined")
        guid = call.params.get("guid")
        key = ("wall.post", call.account.owner_id, owner_id, guid)
        if guid and (known := self._posts.guids.find(key, call.time)) is not None:
            return Reply({"post_id": known}, repeated=True)
        owners.require_visible(call, owner_id)
        as_group = flag(call, "from_group")
        author = owners.author(call, owner_id, as_group=as_group)
        self._require_wall(call, owner_id)
        post = self._new(call, owner_id, author, text, attachments)
        post.comments_closed = flag(call, "close_comments")
        if guid:
            self._posts.guids.note(key, call.time, post.id)
        return {"post_id": post.id}

    def _require_wall(self, call: Call, owner_id: int) -> None:
        if owner_id > 0:
            allowed = self._posts.owners.people.given(owner_id, "can_post")
        else:
            community = self._posts.owners.communities.look(-owner_id)
            allowed = community.properties.get("can_post")
        if allowed == 0 and not self._posts.owners.commands(call, owner_id):
            raise VKFault(214)

    def _new(
        self,
        call: Call,
        owner_id: int,
        author: int,
        text: str,
        attachments: list[str],
        copy_of: Post | None = None,
    ) -> Post:
        post = Post(
            id=self._posts.new_id(owner_id),
            owner_id=owner_id,
            from_id=author,
            created_by=call.account.owner_id,
            date=unix(call.time),
            text=text,
            attachments=attachments,
            copy_of=copy_of,
        )
        self._posts.keep(post)
        shown = self._posts.show(call, post)
        self._posts.updates.about(owner_id, "wall_post_new", shown, call.time)
        return post

    def _get(self, call: Call) -> JSON:
        owners = self._posts.owners
        owner_id = call.integer("owner_id", 0)
        if not owner_id and (domain := call.params.get("domain")):
            found = owners.find(domain)
            if found is None:
                raise VKFault(100)
            owner_id = found
        owner_id = owner_id or call.account.owner_id
        owners.require_visible(call, owner_id)
        posts = self._posts.wall(owner_id)
        kind = call.params.get("filter", "all")
        if kind == "owner":
            posts = [post for post in posts if post.from_id == owner_id]
        elif kind == "others":
            posts = [post for post in posts if post.from_id != owner_id]
        shown = [*page(call, posts, default=20, max_shown=MAX_AT_ONCE)]
        items = [self._posts.show(call, post) for post in shown]
        value: dict[str, JSON] = {"count": len(posts), "items": items}
        return owners.extend(call, value, people_in(shown))

    def _get_by_id(self, call: Call) -> JSON:
        posts: list[Post] = []
        for name in call.items("posts")[:MAX_AT_ONCE]:
            owner_id, _, number = name.partition("_")
            try:
                post = self._posts.find(int(owner_id), int(number))
            except ValueError:
                raise VKFault.parameter("posts is invalid") from None
            if post and self._may_see(call, post.owner_id):
                posts.append(post)
        depth = call.integer("copy_history_depth", 2)
        items = [self._posts.show(call, post, depth=depth) for post in posts]
        return self._posts.owners.extend(call, {"items": items}, people_in(posts))

    def _may_see(self, call: Call, owner_id: int) -> bool:
        try:
            self._posts.owners.require_visible(call, owner_id)
        except VKFault:
            return False
        return True

    def _named(self, call: Call) -> Post:
        owner_id = self._posts.owners.owner(call)
        post = self._posts.get(owner_id, call.integer("post_id"))
        self._posts.require_rights(call, post)
        return post

    def _edit(self, call: Call) -> JSON:
        post = self._named(call)
        text = call.params.get("message", "")
        attachments = call.items("attachments")
        if not text and not attachments:
            raise VKFault.parameter("message is undefined")
        post.text, post.attachments = text, attachments
        post.edited = unix(call.time)
        return {"post_id": post.id}

    def _delete(self, call: Call) -> JSON:
        self._named(call).deleted = True
        return 1

    def _restore(self, call: Call) -> JSON:
        owner_id = self._posts.owners.owner(call)
        post_id = call.integer("post_id")
        if (post := self._posts.find(owner_id, post_id, deleted=True)) is None:
            raise VKFault(210)
        self._posts.require_rights(call, post)
        post.deleted = False
        return 1

    def _pin(self, call: Call) -> JSON:
        post = self._named(call)
        for other in self._posts.wall(post.owner_id):
            other.pinned = other is post
        return 1

    def _unpin(self, call: Call) -> JSON:
        self._named(call).pinned = False
        return 1

    def _repost(self, call: Call) -> JSON:
        parts = ATTACHMENT.fullmatch(call.text("object"))
        if parts is None or parts[1] != "wall":
            raise VKFault.parameter("object is invalid")
        original = self._posts.get(int(parts[2]), int(parts[3]))
        owners = self._posts.owners
        owners.require_visible(call, original.owner_id)
        owner_id = -call.integer("group_id", 0) or call.account.owner_id
        author = owners.author(call, owner_id, as_group=True)
        message = call.params.get("message", "")
        post = self._new(call, owner_id, author, message, [], copy_of=original)
        original.reposts += 1
        self._posts.updates.about(
            original.owner_id, "wall_repost", self._posts.show(call, post), call.time
        )
        fans = self._posts.likes.of(("post", original.owner_id, original.id))
        return {
            "success": 1,
            "post_id": post.id,
            "reposts_count": original.reposts,
            "likes_count": len(fans),
        }
