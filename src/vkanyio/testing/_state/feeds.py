"""Long poll servers: the updates that they keep, and the keys to ask for them.

How many updates VK keeps, and for how long a key is valid, is not documented for
communities: the defaults are those reported for users.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Final, final

import anyio
import attrs

from .._errors import JSON, VKFault
from .._wire import POLL_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._call import Call
    from .._update_ledger import MadeUpdate

MAX_WAIT: Final = 90
"""Seconds; longer ones are shortened. VK recommends 25
(https://dev.vk.com/api/bots-long-poll/getting-started)."""

DEFAULT_WAIT: Final = 25


@final
@attrs.define(eq=False, kw_only=True)
class PollLimits:
    """How generous the long poll servers are, as in ``Simulator.long_poll``."""

    key_seconds: float = 3600.0
    retention: int = 256
    most: int = 100

    def change(
        self, key_seconds: float | None, retention: int | None, most: int | None
    ) -> None:
        """Change those that are not None."""
        given = {"key_seconds": key_seconds, "retention": retention, "most": most}
        for name, number in given.items():
            if number is None:
                continue
            if number <= 0:
                raise ValueError(f"{name} must be positive, not {number}")
            setattr(self, name, number)


@final
class Feed:
    """The updates of a community, numbered, as its long poll server keeps them.

    :param number: the number of the server
    :param limits: how many updates it keeps and sends at once
    """

    def __init__(self, number: int, limits: PollLimits) -> None:
        self.number = number
        self.last = 1
        """The number of the last update; before the first one there is none with it."""
        self._limits = limits
        self._kept: deque[MadeUpdate] = deque()
        self._waiting: set[anyio.Event] = set()

    @property
    def oldest(self) -> int:
        """The lowest number that can be asked from: what came later is still kept."""
        return self._kept[0].number - 1 if self._kept else self.last

    def add(self, made: MadeUpdate) -> None:
        """Keep an update, and end the polls that wait for one.

        :param made: the update, numbered ``last + 1``
        """
        self.last = made.number
        self._kept.append(made)
        self.forget(self._limits.retention)
        for event in self._waiting:
            event.set()

    def forget(self, kept: int = 0) -> None:
        """Forget the oldest updates.

        :param kept: how many to keep
        """
        while len(self._kept) > kept:
            self._kept.popleft().forgotten = True

    def after(self, ts: int) -> list[MadeUpdate]:
        """List the updates after a number, as many as are sent at once."""
        later = [each for each in self._kept if each.number > ts]
        return later[: self._limits.most]

    async def wait_for_more(self, ts: int) -> None:
        """Wait until there are updates after a number."""
        while self.last <= ts:
            event = anyio.Event()
            self._waiting.add(event)
            try:
                await event.wait()
            finally:
                self._waiting.discard(event)


@final
@attrs.define(eq=False)
class PollKey:
    """A key that was issued.

    :ivar feed: the server that it is for
    :ivar expires: when it expires
    :ivar silent: whether its polls return nothing any more, see ``faults.silent``
    """

    feed: Feed
    expires: float
    silent: bool = False


@final
@attrs.define(eq=False, kw_only=True)
class Poll:
    """A request to a long poll server.

    :ivar feed: the server
    :ivar key: its key, None for one that the server does not know
    :ivar ts: the number to ask from, None if it is invalid
    :ivar wait: for how many seconds to wait if there is nothing
    :ivar now: when the request arrived
    """

    feed: Feed
    key: PollKey | None
    ts: int | None
    wait: float
    now: float

    async def answer(self) -> JSON:
        """Return what comes next, as soon as there is something.

        :return: ``ts`` and ``updates``, or ``failed``
        """
        if self.key is None or self.now >= self.key.expires:
            return {"failed": 2}
        ts = self.ts
        if ts is None or not self.feed.oldest <= ts <= self.feed.last:
            return {"failed": 1, "ts": self.feed.last}
        if self.key.silent:
            await anyio.sleep(self.wait)
            return {"ts": str(ts), "updates": []}
        with anyio.move_on_after(self.wait):
            await self.feed.wait_for_more(ts)
        found = self.feed.after(ts)
        for made in found:
            made.handed_out += 1
        last = found[-1].number if found else ts
        return {"ts": str(last), "updates": [each.value for each in found]}

    async def answer_again(self, count: int) -> JSON:
        """Return updates from before the requested number, and those after it."""
        if self.ts is not None:
            self.ts = max(self.ts - count, min(self.feed.oldest, self.ts))
        return await self.answer()

    async def answer_nothing(self) -> JSON:
        """Return nothing, now and for all requests with this key."""
        if self.key:
            self.key.silent = True
        return await self.answer()

    def fail(self, number: int) -> JSON:
        """Refuse the request, and let what it says be true.

        :param number: 1 or 3 if the updates are lost, 2 or 3 if the key has expired
        :return: ``failed``, and what VK sends with it
        """
        if number in (1, 3):
            self.feed.forget()
        if number in (2, 3) and self.key:
            self.key.expires = self.now
        failed: dict[str, JSON] = {"failed": number}
        if number == 1:
            failed["ts"] = self.feed.last
        elif number == 4:
            failed |= {"min_version": 0, "max_version": 3}
        return failed


@final
class LongPoll:
    """All long poll servers.

    :param seed: makes the keys the same in every run
    """

    def __init__(self, seed: int) -> None:
        self.limits = PollLimits()
        self._random = random.Random(f"long poll {seed}")
        self._feeds: dict[int, Feed] = {}
        self._keys: dict[str, PollKey] = {}

    def feed(self, owner_id: int) -> Feed:
        """Return the updates of an owner, which are kept from the first time on.

        :param owner_id: the owner, negative for a community
        """
        if owner_id not in self._feeds:
            self._feeds[owner_id] = Feed(1 + len(self._feeds), self.limits)
        return self._feeds[owner_id]

    def issue(self, call: Call, feed: Feed) -> dict[str, JSON]:
        """Issue a key.

        :param call: the call that asks for it; the URL has its scheme and host
        :param feed: the server that it is for
        :return: ``key``, ``server`` and ``ts``
        """
        key = f"{self._random.getrandbits(160):040x}"
        expires = call.time + self.limits.key_seconds
        self._keys[key] = PollKey(feed, expires)
        url = f"{call.origin}{POLL_PREFIX}{feed.number}"
        return {"key": key, "server": url, "ts": str(feed.last)}

    def poll(self, server: str, params: Mapping[str, str], now: float) -> Poll:
        """Read a request.

        :param server: the last part of its path
        :param params: its parameters
        :param now: when it arrived
        :raises VKFault: code 100 or 104, if it is no poll or there is no such server
        """
        feeds = {str(feed.number): feed for feed in self._feeds.values()}
        if server not in feeds:
            raise VKFault(104)
        if params.get("act") != "a_check":
            raise VKFault.parameter("act is invalid")
        feed, key = feeds[server], self._keys.get(params.get("key", ""))
        wait = _number(params.get("wait", ""))
        return Poll(
            feed=feed,
            key=key if key and key.feed is feed else None,
            ts=_number(params.get("ts", "")),
            wait=DEFAULT_WAIT if wait is None else min(wait, MAX_WAIT),
            now=now,
        )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
