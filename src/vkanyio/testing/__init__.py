"""A simulator of the VK API and a virtual clock, for tests without a network.

:class:`Simulator` behaves like the VK API, in process or on a real socket. Inject
failures with :mod:`vkanyio.testing.faults`, and set response times with
:mod:`vkanyio.testing.latency`.
"""

from __future__ import annotations

from . import faults as faults
from . import latency as latency
from ._call import Account as Account
from ._call import Call as Call
from ._call import Reply as Reply
from ._callback import CallbackServer as CallbackServer
from ._clock import VirtualClockLoop as VirtualClockLoop
from ._clock import virtual_time as virtual_time
from ._errors import ConnectionDropped as ConnectionDropped
from ._errors import ConnectionFault as ConnectionFault
from ._errors import ConnectionRefused as ConnectionRefused
from ._errors import VKFault as VKFault
from ._ledger import Entry as Entry
from ._ledger import Ledger as Ledger
from ._ledger import SavedFile as SavedFile
from ._simulator import Simulator as Simulator
from ._update_ledger import MadeUpdate as MadeUpdate
from ._update_ledger import MailboxLedger as MailboxLedger
from ._update_ledger import MailboxUpdate as MailboxUpdate
from ._update_ledger import UpdateLedger as UpdateLedger
from ._vkid import AuthorizationCode as AuthorizationCode
from ._vkid import IssuedTokens as IssuedTokens
from ._vkid import SimulatedVKID as SimulatedVKID

for _public in (
    Account,
    AuthorizationCode,
    Call,
    CallbackServer,
    ConnectionDropped,
    ConnectionFault,
    ConnectionRefused,
    Entry,
    IssuedTokens,
    Ledger,
    MadeUpdate,
    MailboxLedger,
    MailboxUpdate,
    Reply,
    SimulatedVKID,
    SavedFile,
    Simulator,
    UpdateLedger,
    VKFault,
    VirtualClockLoop,
    virtual_time,
):
    _public.__module__ = __name__
del _public
