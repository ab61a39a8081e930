"""The lanes of all tokens of a client, and the settings that views gave them.

It owns the lanes, each for as long as it has work or is held, and the totals of those
that have gone. It makes no calls, and knows nothing of what happens in a lane.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeAlias, final
from weakref import WeakValueDictionary

import attrs

from .._config import VIEW_OPTION_NAMES
from .._statistics import Counters

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from .._config import Config
    from .._rate_limiter import RateLimiter
    from .._token import TokenFunction
    from ._credentials import Credentials
    from ._lane import Lane
    from ._questions import Questions

    TokenKey: TypeAlias = str | TokenFunction

MIN_LANES = 8
"""Other tokens whose lanes are kept without asking whether they are still in use."""


@final
@attrs.define(eq=False, repr=False)
class LaneSettings:
    """What the lane of a token is made of, and is made of again after it has gone.

    :ivar key: what the lane is found by: the token, or the function that returns it
    :ivar config: the options, those of a view or of the client
    :ivar credentials: the token
    :ivar limiter: its rate limit
    :ivar questions: who answers VK's questions
    :ivar lane: the lane, while there is one
    :ivar holders: how many blocks of views hold it
    :ivar watchers: called when VK has a question about the token
    :ivar past: the totals of earlier lanes with these settings
    """

    key: TokenKey
    config: Config
    credentials: Credentials
    limiter: RateLimiter
    questions: Questions
    lane: Lane | None = None
    holders: int = 0
    watchers: list[Callable[[], None]] = attrs.field(factory=list["Callable[[], None]"])
    past: Counters = attrs.field(factory=Counters)

    @property
    def calls_a_request(self) -> int:
        """How many calls a request carries, if all are packed that may be."""
        return 1 if self.config.mode == "sequential" else self.config.execute_count

    @property
    def calls_a_second(self) -> float:
        """How many calls VK takes in a second, if all are packed that may be."""
        return self.calls_a_request * self.limiter.limit / self.limiter.window

    @property
    def is_questioned(self) -> bool:
        """Whether VK has a question about the token that nobody has answered yet."""
        return self.lane is not None and self.lane.is_questioned

    @contextmanager
    def watching(self, on_change: Callable[[], None]) -> Generator[None]:
        """Have a function called when :attr:`is_questioned` changes."""
        self.watchers.append(on_change)
        try:
            yield
        finally:
            self.watchers.remove(on_change)

    def totals(self) -> Counters:
        """Return the totals of all lanes with these settings."""
        totals = Counters()
        totals.add(self.past)
        if self.lane is not None:
            totals.add(self.lane.counters)
        return totals


@final
class Lanes:
    """The lanes of all tokens: that of the client's token, and others on demand.

    :param config: the options of the client
    :param make_settings: makes the settings for a token
    :param make_lane: makes a lane that has not been started
    :ivar main: the settings of the client's token, whose lane is always there
    """

    def __init__(
        self,
        config: Config,
        make_settings: Callable[[TokenKey, Config], LaneSettings],
        make_lane: Callable[[LaneSettings], Lane],
    ) -> None:
        self._config = config
        self._make_settings = make_settings
        self._make_lane = make_lane
        # Of the task that enters the client. A lane outlives the call that it is made
        # for, and must neither keep its context variables nor show them to other calls.
        self._context = copy_context()
        self.main: LaneSettings = make_settings(config.token, config)
        self.main.lane = make_lane(self.main)
        self._open: dict[TokenKey, LaneSettings] = {}  # those of other tokens
        self._known: WeakValueDictionary[TokenKey, LaneSettings]
        self._known = WeakValueDictionary()
        self._max_lanes = MIN_LANES
        self._past = Counters()

    def __iter__(self) -> Iterator[Lane]:
        """Iterate over the lanes that there are, that of the client's token first."""
        for settings in (self.main, *self._open.values()):
            if settings.lane is not None:
                yield settings.lane

    def of_token(self, token: str | None) -> Lane:
        """Return the lane of a call.

        :param token: the token that the call brings, None for the client's
        """
        if token is None:
            return self.of(self.main)
        settings = self._open.get(token) or self._find(token)
        return self.of(settings or self._make_settings(token, self._config))

    def of(self, settings: LaneSettings) -> Lane:
        """Return the lane with some settings, which is started if there is none."""
        lane = settings.lane
        if lane is None:
            if len(self._open) >= self._max_lanes:
                self._drop_idle()
            lane = settings.lane = self._context.run(self._make_lane, settings)
            self._open[settings.key] = settings
            self._context.run(lane.start)
        return lane

    def settings_for(self, token: TokenKey, options: Mapping[str, Any]) -> LaneSettings:
        """Return the settings of a view.

        1. Another view of the token has the same options: they share them.
        2. It has other options, or calls of the token are in flight with those of the
           client: an error.
        3. Otherwise they are made, and kept for as long as there is a view or a lane.

        :param options: the options that differ from those of the client
        :raises TypeError: for an option of the wrong type
        :raises ValueError: for an option that is not allowed, or in the second case
        """
        if token == self._config.token:
            config = attrs.evolve(self._config, **options)
        else:  # a limiter belongs to one token
            changed = {"limiter": None, **options, "token": token}
            config = attrs.evolve(self._config, **changed)
        known = self._find(token)
        if known is not None and _difference(known.config, config):
            self._drop_if_idle(known)
            known = None  # with its lane, settings go that no view has
            known = self._find(token)
        if known is None:
            known = self._make_settings(token, config)
        elif name := _difference(known.config, config):
            message = (
                f"this token is already in use with another {name}: options apply to"
                " the token, so use one view of it for all its calls"
            )
            del known  # the traceback would keep the settings
            raise ValueError(message)
        self._known[token] = known  # also those that a call has made before
        return known

    def _find(self, token: TokenKey) -> LaneSettings | None:
        """Return the settings of a token, if a view or a lane has them."""
        if token == self._config.token:
            return self.main
        return self._known.get(token) or self._open.get(token)

    def totals(self) -> Counters:
        """Return the totals of all lanes that there have been."""
        totals = Counters()
        totals.add(self._past)
        for lane in self:
            totals.add(lane.counters)
        return totals

    def _drop_idle(self) -> None:
        # A service that sees many tokens over the weeks keeps only those in use.
        for settings in tuple(self._open.values()):
            self._drop_if_idle(settings)
        self._max_lanes = max(2 * len(self._open), MIN_LANES)

    def _drop_if_idle(self, settings: LaneSettings) -> None:
        lane = settings.lane
        if settings is self.main or lane is None or settings.holders:
            return
        if lane.is_idle():
            self._past.add(lane.counters)
            settings.past.add(lane.counters)
            settings.lane = None
            del self._open[settings.key]
            del settings  # trio keeps this frame until the tasks have ended
            lane.stop()

    def close(self) -> None:
        """Close the channels of all lanes."""
        for lane in self:
            lane.close()


def _difference(one: Config, other: Config) -> str:
    """Return the name of the first option that differs, or an empty string."""
    for name in VIEW_OPTION_NAMES:
        if getattr(one, name) != getattr(other, name):
            return name
    return ""
