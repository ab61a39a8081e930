"""The stored posts and comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from .._errors import JSON, VKFault
from .base import Seen

if TYPE_CHECKING:
    from .._call import Call
    from .group_updates import GroupUpdates
    from .likes import Likes
    from .media import Media
    from .owners import Owners


@final
@attrs.define(eq=False, kw_only=True)
class Comment:
    """A comment on a post."""

    id: int
    owner_id: int
    post_id: int
    from_id: int
    date: int
    text: str
    attachments: list[str]
    reply_to: int = 0
    deleted: bool = False


@final
@attrs.define(eq=False, kw_only=True)
class Post:
    """A post on a wall."""

    id: int
    owner_id: int
    from_id: int
    created_by: int
    date: int
    text: str
    attachments: list[str]
    copy_of: Post | None = None
    edited: int = 0
    deleted: bool = False
    pinned: bool = False
    comments_closed: bool = False
    reposts: int = 0
    comments: list[Comment] = attrs.field(factory=list[Comment])

    def live_comments(self) -> list[Comment]:
        """List the comments that are not deleted, oldest first."""
        return [each for each in self.comments if not each.deleted]


@final
@attrs.frozen(eq=False)
class Posts:
    """All walls. Posts and comments of a wall share one sequence of ids, as in VK."""

    owners: Owners
    likes: Likes
    media: Media
    updates: GroupUpdates
    guids: Seen = attrs.field(factory=Seen)
    comments: dict[tuple[int, int], Comment] = attrs.field(
        factory=dict[tuple[int, int], Comment]
    )
    _walls: dict[int, dict[int, Post]] = attrs.field(factory=dict[int, dict[int, Post]])
    _last: dict[int, int] = attrs.field(factory=dict[int, int])

    def new_id(self, owner_id: int) -> int:
        """Return the next id on a wall."""
        self._last[owner_id] = self._last.get(owner_id, 0) + 1
        return self._last[owner_id]

    def keep(self, post: Post) -> None:
        """Add a post to its wall."""
        self._walls.setdefault(post.owner_id, {})[post.id] = post

    def wall(self, owner_id: int) -> list[Post]:
        """List the posts that are not deleted: a pinned one, then newest first."""
        posts = [*reversed(self._walls.get(owner_id, {}).values())]
        posts.sort(key=lambda post: not post.pinned)
        return [post for post in posts if not post.deleted]

    def find(
        self, owner_id: int, post_id: int, *, deleted: bool = False
    ) -> Post | None:
        """Return an existing post or a deleted one, or None if there is none."""
        post = self._walls.get(owner_id, {}).get(post_id)
        return post if post and post.deleted == deleted else None

    def get(self, owner_id: int, post_id: int) -> Post:
        """Return a post.

        :raises VKFault: code 104, if there is none
        """
        if post := self.find(owner_id, post_id):
            return post
        raise VKFault(104)

    def require_rights(self, call: Call, thing: Post | Comment) -> None:
        """Require that the caller may change a post or comment.

        :raises VKFault: code 15, if not
        """
        mine = call.account.owner_id == thing.from_id
        if not mine and not self.owners.commands(call, thing.owner_id):
            raise VKFault(15)

    def show(self, call: Call, post: Post, *, depth: int = 2) -> dict[str, JSON]:
        """Describe a post.

        :param call: the call; the result depends on its account
        :param post: the post
        :param depth: how many levels of reposts to show
        :return: VK's object
        """
        mine = int(self.owners.commands(call, post.owner_id))
        shown: dict[str, JSON] = {
            "inner_type": "wall_wallpost",
            "type": "post",
            "post_type": "post",
            "id": post.id,
            "owner_id": post.owner_id,
            "from_id": post.from_id,
            "date": post.date,
            "text": post.text,
            "attachments": self.media.attached(post.attachments),
            "comments": {
                "can_post": int(not post.comments_closed),
                "count": len(post.live_comments()),
            },
            "likes": self.likes.info(call, ("post", post.owner_id, post.id)),
            "reposts": {"count": post.reposts, "user_reposted": 0},
            "views": {"count": 0},
            "post_source": {"type": "api"},
            "can_edit": int(mine or post.from_id == call.account.owner_id),
            "can_delete": mine,
            "can_pin": mine,
            "marked_as_ads": 0,
        }
        if post.edited:
            shown["edited"] = post.edited
        if post.pinned:
            shown["is_pinned"] = 1
        if post.created_by != post.from_id and mine:
            shown["created_by"] = post.created_by
        if post.copy_of and depth > 0:
            original = self.show(call, post.copy_of, depth=depth - 1)
            history = original.pop("copy_history", [])
            shown["copy_history"] = [original, *history]
        return shown

    def show_comment(self, call: Call, comment: Comment) -> dict[str, JSON]:
        """Describe a comment."""
        shown: dict[str, JSON] = {
            "id": comment.id,
            "from_id": comment.from_id,
            "date": comment.date,
            "text": comment.text,
            "post_id": comment.post_id,
            "owner_id": comment.owner_id,
            "parents_stack": [comment.reply_to] if comment.reply_to else [],
            "attachments": self.media.attached(comment.attachments),
        }
        if comment.reply_to:
            shown["reply_to_comment"] = comment.reply_to
            answered = self.comments[comment.owner_id, comment.reply_to]
            shown["reply_to_user"] = answered.from_id
        if call.params.get("need_likes") == "1":
            thing = "comment", comment.owner_id, comment.id
            shown["likes"] = self.likes.info(call, thing)
        return shown


def people_in(posts: list[Post]) -> list[int]:
    """List the authors and owners of posts, and of the posts they repost."""
    ids: list[int] = []
    for post in posts:
        ids += [post.from_id, post.owner_id]
        if post.copy_of:
            ids += people_in([post.copy_of])
    return ids
