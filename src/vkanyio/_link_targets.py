"""What a link leads to: values, of which some can be attached to a message."""

from __future__ import annotations

from typing import Literal, TypeAlias, final

import attrs

AlbumName: TypeAlias = Literal["profile", "wall", "saved"]
"""The albums that everybody has, by the names that photos.get takes."""


@final
@attrs.frozen
class User:
    """A user."""

    id: int

    @property
    def owner_id(self) -> int:
        """The id of the owner that methods take: that of the user."""
        return self.id


@final
@attrs.frozen
class Group:
    """A community: a group, a public page or an event.

    :ivar id: its id, positive
    """

    id: int

    @property
    def owner_id(self) -> int:
        """The id of the owner that methods take: negative."""
        return -self.id


@final
@attrs.frozen
class App:
    """An application.

    :ivar owner_id: the owner in whose page it is opened
    """

    id: int
    owner_id: int | None = None


@final
@attrs.frozen
class ScreenName:
    """A screen name: of a user, a community or an application, or of nobody."""

    name: str


@final
@attrs.frozen
class Wall:
    """A post on a wall.

    :ivar reply: the id of a comment on it
    """

    owner_id: int
    post_id: int
    reply: int | None = None

    def to_vk(self) -> str:
        """Return the post as an attachment."""
        return f"wall{self.owner_id}_{self.post_id}"


@final
@attrs.frozen
class Photo:
    """A photo."""

    owner_id: int
    photo_id: int
    access_key: str | None = attrs.field(default=None, repr=False)

    def to_vk(self) -> str:
        """Return the photo as an attachment."""
        return _attachment("photo", self.owner_id, self.photo_id, self.access_key)


@final
@attrs.frozen
class Video:
    """A video or a clip."""

    owner_id: int
    video_id: int
    access_key: str | None = attrs.field(default=None, repr=False)

    def to_vk(self) -> str:
        """Return the video as an attachment."""
        return _attachment("video", self.owner_id, self.video_id, self.access_key)


@final
@attrs.frozen
class Audio:
    """An audio recording."""

    owner_id: int
    audio_id: int
    access_key: str | None = attrs.field(default=None, repr=False)

    def to_vk(self) -> str:
        """Return the recording as an attachment."""
        return _attachment("audio", self.owner_id, self.audio_id, self.access_key)


@final
@attrs.frozen
class Doc:
    """A document."""

    owner_id: int
    doc_id: int
    access_key: str | None = attrs.field(default=None, repr=False)

    def to_vk(self) -> str:
        """Return the document as an attachment."""
        return _attachment("doc", self.owner_id, self.doc_id, self.access_key)


@final
@attrs.frozen
class Story:
    """A story."""

    owner_id: int
    story_id: int
    access_key: str | None = attrs.field(default=None, repr=False)

    def to_vk(self) -> str:
        """Return the story as an attachment."""
        return _attachment("story", self.owner_id, self.story_id, self.access_key)


@final
@attrs.frozen
class Poll:
    """A poll."""

    owner_id: int
    poll_id: int

    def to_vk(self) -> str:
        """Return the poll as an attachment."""
        return f"poll{self.owner_id}_{self.poll_id}"


@final
@attrs.frozen
class Product:
    """A product of a community's market."""

    owner_id: int
    product_id: int

    def to_vk(self) -> str:
        """Return the product as an attachment."""
        return f"market{self.owner_id}_{self.product_id}"


@final
@attrs.frozen
class Album:
    """An album of photos.

    :ivar album_id: as photos.get takes it: a number, "profile", "wall" or "saved"
    """

    owner_id: int
    album_id: int | AlbumName


@final
@attrs.frozen
class Topic:
    """A discussion of a community.

    :ivar group_id: the id of the community, positive
    :ivar comment: the id of a comment in it
    """

    group_id: int
    topic_id: int
    comment: int | None = None


@final
@attrs.frozen
class Page:
    """A wiki page."""

    owner_id: int
    page_id: int


@final
@attrs.frozen
class Other:
    """The owner of a screen name, of a type that vkanyio does not know.

    :ivar type: VK's name of the type
    """

    type: str
    id: int


Target: TypeAlias = (
    User
    | Group
    | App
    | Wall
    | Photo
    | Video
    | Audio
    | Doc
    | Story
    | Poll
    | Product
    | Album
    | Topic
    | Page
    | Other
)
"""What a link leads to."""

Link: TypeAlias = Target | ScreenName
"""What a link says, before VK was asked."""


def _attachment(kind: str, owner_id: int, number: int, key: str | None) -> str:
    return f"{kind}{owner_id}_{number}" + (f"_{key}" if key else "")
