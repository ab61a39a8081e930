"""The whole state of a simulator, and the methods that read and change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from .chats import Chats
from .comments import Comments
from .communities import Communities, Community
from .contact import Contact
from .conversations import Conversations
from .docs import Docs
from .friends import Friends
from .group_updates import GroupUpdates
from .groups import Groups
from .likes import Likes
from .long_poll import LongPoll
from .mailbox import Mailbox
from .mailbox_reports import MailboxReports
from .mailboxes import Mailboxes
from .media import Media
from .message_updates import MessageUpdates
from .owners import Owners
from .people import People, Ties
from .photos import Photos
from .pictures import Pictures
from .posts import Posts
from .reading import Reading
from .sending import Sending
from .status import Statuses
from .uploads import Uploads
from .users import Users
from .videos import Videos
from .visitors import Visitors
from .wall import Walls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._call import Call, Handler
    from .._captcha import Captchas
    from .._errors import JSON
    from .._ledger import Ledger


@final
class SimulatedState:
    """The state of one simulator.

    :param seed: determines the names of people and everything else that is generated
    :param captchas: creates the captchas of ``captcha.force``
    :param ledger: records the updates that are made, and the files that are saved
    """

    def __init__(self, seed: int, captchas: Captchas, ledger: Ledger) -> None:
        self._captchas = captchas
        statuses: dict[int, str] = {}
        people = People(seed, Ties(), statuses)
        self._owners = Owners(people, Communities(statuses))
        self.long_poll = LongPoll(seed)
        communities = self._owners.communities
        self.updates = GroupUpdates(communities, self.long_poll, ledger.updates, seed)
        likes, media = Likes(self._owners, self.updates), Media()
        posts = Posts(self._owners, likes, media, self.updates)
        self.uploads = Uploads(seed, ledger)
        box = Mailbox(self._owners, Conversations(media))
        mailboxes = Mailboxes(box, self.long_poll, ledger.mailbox_updates)
        reports = MessageUpdates(box, self.updates, MailboxReports(box, mailboxes))
        sending = Sending(box, reports)
        self.visitors = Visitors(box, self.updates, sending.send)
        self._subjects = (
            Users(self._owners),
            Groups(self._owners, self.updates),
            Friends(people),
            Statuses(self._owners, statuses),
            likes,
            Walls(posts),
            Comments(posts),
            self.updates,
            mailboxes,
            sending,
            self.visitors,
            Reading(box),
            Chats(box, reports, self.uploads),
            Contact(box, reports, self.updates),
            Photos(self._owners, media, self.uploads, self.updates),
            Docs(media, self.uploads),
            Pictures(self._owners, media, self.uploads),
            Videos(self._owners, media, self.uploads),
        )

    def methods(self) -> dict[str, Handler]:
        """Return the implementations of methods, by name."""
        methods: dict[str, Handler] = {"captcha.force": self._captcha_force}
        for subject in self._subjects:
            methods |= subject.methods()
        return methods

    def add_user(
        self, user_id: int, friends: Iterable[int], properties: Mapping[str, JSON]
    ) -> None:
        """Define a user, as described in ``Simulator.add_user``."""
        if user_id <= 0:
            raise ValueError(f"user_id must be positive, not {user_id}")
        given = dict(properties)
        if name := given.get("screen_name"):
            given.setdefault("domain", name)
            self._owners.name(name, user_id)
        self._owners.people.add(user_id, given)
        for friend in friends:
            self._owners.people.ties.befriend(user_id, friend)

    def add_group(
        self,
        group_id: int,
        members: Iterable[int],
        managers: Iterable[int] | None,
        properties: Mapping[str, JSON],
    ) -> None:
        """Define a community, as described in ``Simulator.add_group``."""
        if group_id <= 0:
            raise ValueError(f"group_id must be positive, not {group_id}")
        if name := properties.get("screen_name"):
            self._owners.name(name, -group_id)
        chiefs = None if managers is None else frozenset(managers)
        inside = dict.fromkeys([*members, *sorted(chiefs or ())])
        self._owners.communities.add(
            Community(group_id, dict(properties), inside, managers=chiefs)
        )

    def _captcha_force(self, call: Call) -> JSON:
        raise self._captchas.ask("new", call.time)
