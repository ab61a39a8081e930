"""The classes of what :meth:`~vkanyio.API.user_updates` delivers from a mailbox.

::

    from vkanyio.updates import mailbox

    match update:
        case mailbox.NewMessage(peer_id=peer_id, text=text):
            print(peer_id, text)

VK sends arrays, which begin with a code: https://dev.vk.com/api/user-long-poll. The
classes name their elements, and ``object`` is the array itself, unchanged.
"""

from __future__ import annotations

from typing import Final, final

from .._typeguards import is_dict
from ._mailbox_update import OUTBOX as OUTBOX
from ._mailbox_update import (
    AboutMessage,
    Activity,
    ConversationFlags,
    Presence,
    UpToMessage,
    WithText,
)
from ._mailbox_update import UserUpdate as UserUpdate

UNREAD: Final = 1
"""A flag of a message: it has not been read."""
IMPORTANT: Final = 8
"""A flag of a message: it is marked as important."""
SPAM: Final = 64
"""A flag of a message: it is marked as spam."""
DELETED: Final = 128
"""A flag of a message: it was deleted from the mailbox."""
DELETED_FOR_ALL: Final = 131_072
"""A flag of a message: it was deleted for all participants."""


@final
class MessageFlagsReplaced(AboutMessage):
    """The flags of a message were replaced."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "message_flags_replaced"
    _peer_at = None
    _kept = None


@final
class MessageFlagsSet(AboutMessage):
    """Flags of a message were set: it was deleted, marked as spam or as important."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "message_flags_set"
    _kept = None


@final
class MessageFlagsReset(WithText):
    """Flags of a message were reset: it was read, or restored."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "message_flags_reset"


@final
class NewMessage(WithText):
    """A message came or was sent."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "new_message"
    _kept = 2  # which nothing else has
    _is_unique = True


@final
class MessageEdited(WithText):
    """A message was edited."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "message_edited"


@final
class IncomingRead(UpToMessage):
    """The owner of the mailbox has read a conversation up to a message."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "incoming_read"
    _kept = 3


@final
class OutgoingRead(UpToMessage):
    """The other side has read a conversation up to a message."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "outgoing_read"
    _kept = 3


@final
class UserOnline(Presence):
    """A friend came online. VK hardly sends it any more."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "user_online"


@final
class UserOffline(Presence):
    """A friend went offline. VK hardly sends it any more."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "user_offline"


@final
class ConversationFlagsReset(ConversationFlags):
    """Flags of a conversation were reset."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "conversation_flags_reset"


@final
class ConversationFlagsReplaced(ConversationFlags):
    """The flags of a conversation were replaced."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "conversation_flags_replaced"


@final
class ConversationFlagsSet(ConversationFlags):
    """Flags of a conversation were set."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "conversation_flags_set"


@final
class MessagesDeleted(UpToMessage):
    """All messages of a conversation were deleted, up to one."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "messages_deleted"


@final
class MessagesRestored(UpToMessage):
    """The messages of a conversation were restored, up to one."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "messages_restored"


@final
class ConversationMoved(UserUpdate):
    """A conversation has another place in the list of them."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "conversation_moved"
    _peer_at = 1


@final
class ChatEdited(UserUpdate):
    """Something about a chat has changed. VK sends :class:`ChatChanged` with it."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "chat_edited"
    _peer_at = 1
    _is_chat = True


@final
class ChatChanged(UserUpdate):
    """The name, the photo or the members of a chat have changed."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "chat_changed"
    _peer_at = 2

    @property
    def change(self) -> int:
        """What has changed, by VK's number: 6 invited, 7 left, 8 removed, ..."""
        return self._number(1) or 0

    @property
    def member_id(self) -> int | None:
        """Who was invited, left or was removed; None for other changes."""
        return self._number(3)


@final
class Typing(Activity):
    """Somebody is typing."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "typing"


@final
class RecordingVoice(Activity):
    """Somebody is recording a voice message."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "recording_voice"


@final
class UploadingPhoto(Activity):
    """Somebody is uploading a photo."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "uploading_photo"


@final
class UploadingVideo(Activity):
    """Somebody is uploading a video."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "uploading_video"


@final
class UploadingFile(Activity):
    """Somebody is uploading a file."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "uploading_file"


@final
class RecordingVideo(Activity):
    """Somebody is recording a video message."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "recording_video"


@final
class CounterChanged(UserUpdate):
    """The number of unread conversations has changed."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "counter_changed"
    persistent = False

    @property
    def count(self) -> int:
        """How many conversations are unread."""
        return self._number(1) or 0


@final
class NotificationsChanged(UserUpdate):
    """The notifications of a conversation were switched on or off."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()
    _type = "notifications_changed"
    persistent = False

    @property
    def peer_id(self) -> int | None:
        """The conversation, None if it concerns none."""
        found = self._element(1)
        peer = found.get("peer_id") if is_dict(found) else None
        return peer if type(peer) is int else None


@final
class UnknownUserUpdate(UserUpdate):
    """An update with a code that vkanyio does not know."""

    __module__ = "vkanyio.updates.mailbox"
    __slots__ = ()

    @property
    def type(self) -> str:
        """The code, as a text."""
        return str(self.code)


CLASSES: Final[dict[int, type[UserUpdate]]] = {
    1: MessageFlagsReplaced,
    2: MessageFlagsSet,
    3: MessageFlagsReset,
    4: NewMessage,
    5: MessageEdited,
    6: IncomingRead,
    7: OutgoingRead,
    8: UserOnline,
    9: UserOffline,
    10: ConversationFlagsReset,
    11: ConversationFlagsReplaced,
    12: ConversationFlagsSet,
    13: MessagesDeleted,
    14: MessagesRestored,
    20: ConversationMoved,
    21: ConversationMoved,
    51: ChatEdited,
    52: ChatChanged,
    63: Typing,
    64: RecordingVoice,
    65: UploadingPhoto,
    66: UploadingVideo,
    67: UploadingFile,
    68: RecordingVideo,
    80: CounterChanged,
    114: NotificationsChanged,
}
"""The class of each code of version 3."""
