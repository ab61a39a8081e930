"""Calls of a stream over several tokens: which token makes which call.

It owns the calls until each has its outcome, and knows which tokens are no longer used.
Each token makes its calls in a lane of its own, like any other calls.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeGuard, final

from anyio import current_time
from anyio.lowlevel import current_token

from .._errors import (
    APIError,
    CaptchaError,
    NoTokenLeftError,
    RateLimitError,
    TokenRenewalError,
    ValidationError,
    VKError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from .._caller import Caller
    from .._outcome import Outcome
    from .._request import APIRequest

TOKEN_CODES = frozenset({5, 27, 28, 1114, 1116, 1117, 1118, 3610})
"""Errors after which a token is of no use for reading any more."""
QUOTA_SECONDS = 3600.0
"""For how long a token is not asked for a method whose quota it has used up."""
ROOM_SECONDS = 2.0
"""How long VK needs for the calls that a token holds at most."""


@final
class _Share:
    """One of the tokens, and the calls that it has.

    :param caller: makes the calls
    :ivar held: the calls that it has, and the request that it makes for each
    :ivar reason: why it is no longer used, None if it is
    :ivar quotas: for methods whose quotas are used up, until when, and the error
    """

    def __init__(self, caller: Caller) -> None:
        self.caller: Caller = caller
        self.held: dict[APIRequest, APIRequest] = {}
        self.reason: VKError | None = None
        self.quotas: dict[str, tuple[float, VKError]] = {}
        self.room: int = 1

    def reason_against(self, method: str, now: float) -> VKError | None:
        """Return why it will not make a call of a method, None if it may."""
        until, error = self.quotas.get(method, (0.0, None))
        return self.reason or (error if now < until else None)

    @property
    def is_full(self) -> bool:
        """Whether it has all the calls that it may have."""
        return len(self.held) >= self.room

    @property
    def load(self) -> float:
        """How much of its room is taken by whole requests.

        So a token that has a few calls gets more, until they fill a request.
        """
        full_requests = len(self.held) // self.caller.calls_a_request
        return full_requests * self.caller.calls_a_request / self.room


@final
class SharedCalls:
    """Distributes the calls of a stream over several tokens.

    All of them take from one queue, each as many as it can make in two seconds: that is
    the whole scheduler. What VK refuses because of the token goes back to the head of
    the queue, and so do the calls that the token had not sent yet.

    :param callers: those of the tokens, in the order in which errors number them
    """

    def __init__(self, callers: Sequence[Caller]) -> None:
        self._shares = [_Share(caller) for caller in callers]
        self._line: OrderedDict[APIRequest, None] = OrderedDict()
        self._is_assigning = False

    @contextmanager
    def watching(self) -> Generator[None]:
        """Follow the questions that VK asks about the tokens, for a block."""
        with ExitStack() as stack:
            for share in self._shares:
                share.room = max(1, round(ROOM_SECONDS * share.caller.calls_a_second))
                on_change = partial(self._note_question, share)
                stack.enter_context(share.caller.watching(on_change))
            yield

    def check_usable(self) -> None:
        """Raise unless calls can be made here; see :meth:`Caller.check_usable`."""
        for share in self._shares:
            share.caller.check_usable()

    @property
    def calls_a_second(self) -> float:
        """How many calls VK takes in a second from all tokens together."""
        return sum(share.caller.calls_a_second for share in self._shares)

    def submit(self, request: APIRequest, on_end: Callable[[APIRequest], None]) -> None:
        """Accept a call; see :meth:`Caller.submit`.

        :raises ClientClosedError: if a client is not open
        :raises ValueError: if it does not read, or brings its own token
        """
        self.check_usable()
        if not request.reads():
            message = (
                "a stream over several tokens accepts only calls that read, and"
                f" {request.method} may change something: it is not defined which"
                " token would make it"
            )
            raise ValueError(message)
        if request._own_token is not None:
            message = (
                "a call of a stream over several tokens cannot have a token of its own"
            )
            raise ValueError(message)
        request._pending.claim(current_token())
        end = partial(self._end, request, on_end)
        request._pending.accept(0, urgent=False, on_end=end)
        request._pending.hold()
        self._line[request] = None
        self._assign()

    def give_up(self, request: APIRequest) -> None:
        """Abandon a call, unless it has its outcome."""
        request._pending.give_up()

    def _end(self, request: APIRequest, on_end: Callable[[APIRequest], None]) -> None:
        self._line.pop(request, None)
        for share in self._shares:
            made = share.held.pop(request, None)
            if made is not None:  # it is being given up
                request._pending.restore_mark(made.maybe_carried_out)
                share.caller.give_up(made)
        on_end(request)
        self._assign()

    def _assign(self) -> None:
        """Give calls to tokens, the first ones first, as long as there is room."""
        if self._is_assigning:
            return  # by something that is called below; the loop goes on afterwards
        self._is_assigning = True
        try:
            now = current_time()
            while self._line and self._give_to_one(next(iter(self._line)), now):
                pass
            if any(each.quotas and not each.is_full for each in self._shares):
                # Other methods may find one whose quota for this one is used up.
                for request in tuple(self._line):
                    if request in self._line:
                        self._give_to_one(request, now)
        finally:
            self._is_assigning = False

    def _give_to_one(self, request: APIRequest, now: float) -> bool:
        """Give a call to the token with the most room.

        :return: whether it is no longer in the queue
        """
        method = request.method
        able = [each for each in self._shares if not each.reason_against(method, now)]
        if not able:
            request._pending.settle(self._no_token_left(method, now))
            return True
        ready = [
            each for each in able if not (each.is_full or each.caller.is_questioned)
        ]
        share = min(ready, key=lambda each: each.load, default=None)
        if share is None:
            return False
        del self._line[request]
        made = share.held[request] = request._again()
        try:
            share.caller.submit(made, partial(self._note_end, share, request))
        except VKError as error:
            share.held.pop(request, None)
            request._pending.settle(error)
        return True

    def _note_end(self, share: _Share, request: APIRequest, made: APIRequest) -> None:
        """Pass on the outcome of a call, unless it is about the token.

        1. Nobody waits for the call any more, or it was taken back: nothing.
        2. VK refused the token, or asked a question that nobody answered: the token is
           no longer used, and the call goes back to the queue.
        3. The quota of the method is used up: the same, for this method and an hour.
        4. Anything else is the outcome of the call.
        """
        outcome = made._pending.peek()
        if share.held.pop(request, None) is None or outcome is None:
            return
        if _is_of_token(outcome):
            share.reason = outcome
            self._take_back(share)
        elif isinstance(outcome, RateLimitError):
            until = current_time() + QUOTA_SECONDS
            share.quotas[request.method] = until, outcome
            self._take_back(share, request.method)
        else:
            request._pending.restore_mark(made.maybe_carried_out)
            request._pending.settle(outcome)
            return
        self._return(request)
        self._assign()

    def _note_question(self, share: _Share) -> None:
        """Give the calls of a token to others while VK has a question about it."""
        if share.caller.is_questioned:
            self._take_back(share)
        self._assign()

    def _take_back(self, share: _Share, method: str | None = None) -> None:
        """Take back the calls that a token has not sent yet, the last one first.

        :param method: those of one method only
        """
        for request, made in reversed(tuple(share.held.items())):
            is_meant = method is None or request.method == method
            if is_meant and share.caller.is_waiting(made):
                del share.held[request]
                share.caller.give_up(made)
                self._return(request)

    def _return(self, request: APIRequest) -> None:
        self._line[request] = None
        self._line.move_to_end(request, last=False)

    def _no_token_left(self, method: str, now: float) -> NoTokenLeftError:
        reasons = [each.reason_against(method, now) for each in self._shares]
        return NoTokenLeftError(
            [reason for reason in reasons if reason is not None], method=method
        )


def _is_of_token(outcome: Outcome) -> TypeGuard[VKError]:
    """Return whether an outcome makes a token useless for all calls."""
    if isinstance(outcome, APIError):
        is_question = isinstance(outcome, CaptchaError | ValidationError)
        return is_question or outcome.code in TOKEN_CODES
    return isinstance(outcome, TokenRenewalError)
