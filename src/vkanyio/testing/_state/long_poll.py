"""Requests to long poll servers, and the keys that they need."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, final

import anyio
import attrs

from .._errors import JSON, VKFault
from .._update_ledger import MailboxUpdate
from .._wire import POLL_PREFIX
from .feeds import Feed, History, PollLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._call import Call
    from .feeds import Record

MAX_WAIT: Final = 90
"""Seconds; longer ones are shortened. VK recommends 25
(https://dev.vk.com/api/bots-long-poll/getting-started)."""

DEFAULT_WAIT: Final = 25
MAX_VERSION: Final = 3
"""Of the arrays for mailboxes. VK has later ones, which are not documented."""

WITH_PTS: Final = 32
"""The bit of ``mode`` that asks for ``pts``."""


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
class PollRequest:
    """A request to a long poll server.

    :ivar feed: the server
    :ivar key: its key, None for one that the server does not know
    :ivar ts: the number to ask from, None if it is invalid
    :ivar wait: for how many seconds to wait if there is nothing
    :ivar mode: what a mailbox is to send, as bits
    :ivar version: the version of the arrays
    :ivar now: when the request arrived
    :ivar repeats: how many updates after ``ts`` were sent before
    """

    feed: Feed
    key: PollKey | None
    ts: int | None
    wait: float
    mode: int
    version: int
    now: float
    repeats: int = 0

    async def answer(self) -> JSON:
        """Return what comes next, as soon as there is something.

        :return: ``ts`` and ``updates``, or ``failed``
        """
        if self.feed.history and self.version > MAX_VERSION:
            return self.fail(4)
        if self.key is None or self.now >= self.key.expires:
            return {"failed": 2}
        ts = self.ts
        if ts is None or not self.feed.oldest <= ts <= self.feed.last:
            return {"failed": 1, "ts": self.feed.last}
        if self.key.silent:
            await anyio.sleep(self.wait)
            return self._show(ts, [])
        with anyio.move_on_after(self.wait):
            await self.feed.wait_for_more(ts)
        found = self.feed.after(ts, self.repeats)
        for made in found:
            made.handed_out += 1
        return self._show(ts, found)

    def _show(self, ts: int, found: list[Record]) -> JSON:
        """Return the answer with updates after a number."""
        made = found[-1] if found else None
        last = made.number if made else ts
        updates = [each.shown(self.mode) for each in found]
        if self.feed.history is None:
            return {"ts": str(last), "updates": updates}
        answer: dict[str, JSON] = {"ts": last, "updates": updates}
        if self.mode & WITH_PTS:
            if isinstance(made, MailboxUpdate):
                answer["pts"] = made.pts
            else:
                answer["pts"] = self.feed.history.pts_at(ts)
        return answer

    async def answer_again(self, count: int) -> JSON:
        """Return updates from before the requested number, and those after it."""
        is_silent = self.key is not None and self.key.silent
        if self.ts is not None and not is_silent:
            first = max(self.ts - count, min(self.feed.oldest, self.ts))
            self.ts, self.repeats = first, self.ts - first
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
            failed |= {"min_version": 0, "max_version": MAX_VERSION}
        return failed


@final
class LongPoll:
    """All long poll servers.

    :param seed: makes the keys the same in every run
    """

    def __init__(self, seed: int) -> None:
        self.limits = PollLimits()
        self._random = random.Random(f"long poll {seed}")
        self._feeds: dict[tuple[str, int], Feed] = {}
        self._keys: dict[str, PollKey] = {}

    def group(self, group_id: int) -> Feed:
        """Return the updates of a community, which are kept from the first time on."""
        found = self._feeds.get(("group", group_id))
        return found or self._new(("group", group_id), None)

    def find_mailbox(self, owner_id: int) -> Feed | None:
        """Return the updates of a mailbox, or None if nobody follows it.

        :param owner_id: a user, or a community (negative)
        """
        return self._feeds.get(("mailbox", owner_id))

    def mailbox(self, owner_id: int) -> Feed:
        """Return the updates of a mailbox, which is followed from now on."""
        found = self.find_mailbox(owner_id)
        return found or self._new(("mailbox", owner_id), History(self.limits))

    def _new(self, name: tuple[str, int], history: History | None) -> Feed:
        number = 1 + len(self._feeds)
        feed = self._feeds[name] = Feed(number, self.limits, history)
        return feed

    def issue(self, call: Call, feed: Feed) -> dict[str, JSON]:
        """Issue a key.

        :param call: the call that asks for it; the URL has its scheme and host
        :param feed: the server that it is for
        :return: ``key``, ``server`` and ``ts``; for a mailbox ``pts``, too
        """
        key = f"{self._random.getrandbits(160):040x}"
        expires = call.time + self.limits.key_seconds
        self._keys[key] = PollKey(feed, expires)
        url = f"{call.origin}{POLL_PREFIX}{feed.number}"
        issued: dict[str, JSON] = {"key": key, "server": url, "ts": str(feed.last)}
        if feed.history is not None:
            issued |= {"ts": feed.last, "pts": feed.history.pts}
        return issued

    def poll(self, server: str, params: Mapping[str, str], now: float) -> PollRequest:
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
        return PollRequest(
            feed=feed,
            key=key if key and key.feed is feed else None,
            ts=_number(params.get("ts", "")),
            mode=_number(params.get("mode", "")) or 0,
            version=_number(params.get("version", "")) or 0,
            wait=DEFAULT_WAIT if wait is None else min(wait, MAX_WAIT),
            now=now,
        )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
