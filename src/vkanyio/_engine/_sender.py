"""One attempt: a request sent with a permit, and its response read.

It owns what all requests of a token share: its limiter and ticker, the
headers and common parameters, and the memory of error 6. It does not decide which calls
are sent, and it retries nothing: tasks do, with the delays that it returns.
"""

from __future__ import annotations

import logging
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, final

from anyio import current_time
from anyio.lowlevel import checkpoint_if_cancelled

from .._encoding import to_form
from .._errors import APIError, InvalidResponseError, copy_error
from .._masking import Secrets, SecretStr
from .._outcome import Failure
from .._response import read_response, too_large
from .._retry import MethodRefusals, Outage, Retries, slows_token_down
from .._retry_after import parse_retry_after
from ._delivery import Delivery
from ._ticker import Ticker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from random import Random

    from anyio import Semaphore

    from .._config import Config
    from .._encoding import Encoded
    from .._limiter import Permit
    from .._outcome import Result
    from .._rate_limiter import RateLimiter
    from .._request import APIRequest
    from .._response import Response
    from .._statistics import Counters
    from ._credentials import Credentials
    from ._observer import Observer, RequestSpan
    from ._transport import Transport

    BeforeSending: TypeAlias = Callable[[Sequence[APIRequest]], Awaitable[None]]

logger = logging.getLogger("vkanyio")


class Attempt(NamedTuple):
    """An HTTP request that was made, and what it brought.

    :ivar result: what the response means
    :ivar body: the body of the response
    :ivar secrets: the token that was sent, and whatever else must be hidden
    :ivar doubts: for each call that it carried, whether VK may have carried it out
        before
    """

    result: Result
    body: bytes
    secrets: Secrets
    doubts: list[bool]


@final
class Sender:
    """Sends the requests of one token.

    :param credentials: the access token
    :param limiter: when a request of the token may start
    :param connections: the connections of the client
    :param generator: the source of the jitter
    :param before_sending: called with the calls of each request before it leaves; until
        it returns, the request does not leave
    :ivar ticker: grants the permits for :meth:`send`
    :ivar outage: whether VK or the network has problems
    """

    def __init__(
        self,
        config: Config,
        credentials: Credentials,
        *,
        limiter: RateLimiter,
        connections: Semaphore,
        transport: Transport,
        observer: Observer,
        counters: Counters,
        headers: Mapping[str, str],
        generator: Random,
        before_sending: BeforeSending | None = None,
    ) -> None:
        self.ticker: Ticker = Ticker(limiter, credentials, connections)
        self._limiter = limiter
        self._counters = counters
        self._config = config
        self._credentials = credentials
        self._transport = transport
        self._observer = observer
        self._headers = headers
        self._generator = generator
        self._before_sending = before_sending
        self._refusals = MethodRefusals(limiter.window)
        self.outage: Outage = Outage()
        self._common_params: dict[str, Encoded] = {"v": config.version}
        if config.language is not None:
            self._common_params["lang"] = config.language

    def replace_token(self, token: str) -> None:
        """Send another token from now on."""
        self._credentials.replace(token)
        logger.info("on_validation returned a new token")

    def has_other_token(self, failure: Failure, token: str) -> bool:
        """Return whether a call is sent again with another token than was refused.

        If there is none yet, its next permit is granted when there is.

        :param failure: what VK returned
        :param token: the token that the request was sent with
        """
        return self._credentials.has_other(failure, token)

    def new_retries(self, used: int = 0) -> Retries:
        """Return the retries of a call, or of a batch.

        :param used: how many it has used already
        """
        config = self._config
        retries = Retries(config.retry_limit, config.wait, self._generator)
        retries.used = used
        return retries

    def is_idle(self, now: float) -> bool:
        """Return whether its limiter is not in use and remembers nothing important."""
        return self._limiter.is_idle(now)

    def note_split(self) -> None:
        """Count a batch that was split."""
        self._counters.split += 1

    def may_repeat(self, request: APIRequest) -> bool:
        """Return whether VK may get a call again that it may have carried out."""
        return self._config.retry_unsafe or request.may_be_repeated()

    async def send(
        self,
        request: APIRequest,
        permit: Permit,
        *,
        extra: Mapping[str, Any],
        calls: Sequence[APIRequest],
        origin: object,
        careful: bool,
    ) -> Attempt:
        """Send a request, and read its response.

        :param permit: the permit for it, which is released at the end
        :param extra: parameters that answer a question of VK
        :param calls: the calls that it carries
        :param origin: what it has in common with other requests for the same calls
        :param careful: whether one of them cannot be repeated if the request is lost
        """
        ended: Result | None = None
        span: RequestSpan | None = None
        began = current_time()
        pending = [each._pending for each in calls]
        self._counters.in_flight += 1
        try:
            if self._before_sending is not None:
                await self._before_sending(calls)
            # Do not send for a caller that is already cancelled.
            await checkpoint_if_cancelled()
            credentials = self._credentials
            secrets = Secrets(
                credentials.token, request.params, extra, others=credentials.others
            )
            if credentials.failure is not None:
                doubts = [each.maybe_carried_out for each in pending]
                ended = Failure(
                    copy_error(credentials.failure), maybe_carried_out=False
                )
                return Attempt(ended, b"", secrets, doubts)
            if self._observer.is_on:
                span = self._observer.begin(request.method, pending)
            body = to_form({**self._common_params, **request.params, **extra})
            headers = self._headers_of(request, secrets.token)
            doubts = [each.maybe_carried_out for each in pending]
            if self._config.http_client is None:
                delivery = Delivery(self._limiter, permit, pending)
            else:  # it need not report when they leave, and may keep what it gets
                delivery = Delivery(self._limiter, permit)
                for each in pending:
                    each.mark_maybe_carried_out()
            if not self._transport.reports_sending:
                # Unless the client turns out to report it.
                self._limiter.left(permit, current_time())
            self._counters.batches[len(pending)] += 1
            response = await self._transport.exchange(
                request.method, body, headers, delivery, secrets, careful=careful
            )
            self._note_response(permit, response)
            ended = result = self._read(response, request, secrets)
            if _has_accepted_token(result):
                credentials.note_accepted(secrets.token)
            if self.outage.troubles or isinstance(result, Failure):
                self.outage.note(result, origin, current_time())
        finally:
            self._counters.in_flight -= 1
            self.ticker.release(permit)
            if span is not None:
                self._observer.end(span, ended)
            if logger.isEnabledFor(logging.DEBUG):
                _log(request.method, len(pending), ended, current_time() - began)
        if isinstance(result, Failure) and not result.maybe_carried_out:
            for each, doubt in zip(pending, doubts, strict=True):
                each.restore_mark(doubt)
        content = b"" if isinstance(response, Failure) else response.content
        return Attempt(result, content, secrets, doubts)

    def delay_after(
        self,
        method: str,
        failure: Failure,
        retries: Retries,
        *,
        token: str,
        may_repeat: bool,
    ) -> float | None:
        """Return the seconds until a request is retried, or None if it is not.

        :param token: the token that the request was sent with
        :param may_repeat: whether VK may get it again after it may have carried it out
        """
        if failure.is_too_many:
            return self._delay_after_too_many(method, failure, retries)
        self.forget_refusals(method)
        return retries.delay_after(
            failure,
            may_repeat=may_repeat,
            token_was_replaced=self.has_other_token(failure, token),
        )

    def _delay_after_too_many(
        self, method: str, failure: Failure, retries: Retries
    ) -> float | None:
        now, pause = current_time(), failure.retry_after or 0.0
        self._counters.too_many_requests += 1
        self._limiter.pause(now, pause)
        seconds = self._refusals.note(method, now)
        if slows_token_down(seconds):
            margin = self._limiter.margin(now)
            self._limiter.slow_down(now)
            if self._limiter.margin(now) > margin:  # once for a volley
                is_of_vk = not isinstance(failure.error, InvalidResponseError)
                logger.info(
                    "%s for %s: from now on, %.0f %% of the limit stays unused%s",
                    "error 6" if is_of_vk else "HTTP 429",
                    method,
                    100 * self._limiter.margin(now),
                    f", after a pause of {pause:.1f} s" if pause else "",
                )
        return retries.delay_after_too_many(now, seconds, pause)

    def forget_refusals(self, method: str) -> None:
        """Note that a method has met something other than error 6."""
        if self._refusals.methods:
            self._refusals.forget(method)

    def note_retry(self, method: str, failure: Failure, delay: float) -> None:
        """Count and log a retry."""
        name = type(failure.error).__name__
        self._counters.retries[name] += 1
        delay = max(delay, failure.retry_after or 0.0)
        logger.debug("%s is retried in %.1f s after %s", method, delay, name)

    def _headers_of(self, request: APIRequest, token: str) -> dict[str, str]:
        headers = {**self._headers, "authorization": SecretStr(f"Bearer {token}")}
        for name, value in (request.headers or {}).items():
            headers[name.lower()] = value
        return headers

    def _note_response(self, permit: Permit, response: Response | Failure) -> None:
        now = current_time()
        if not permit.is_used:
            # Count failed sends too, so that an unreachable host is not flooded.
            self._limiter.left(permit, now)
        if not isinstance(response, Failure):
            self._limiter.note_response(permit, now)

    def _read(
        self, response: Response | Failure, request: APIRequest, secrets: Secrets
    ) -> Result:
        if isinstance(response, Failure):
            return response
        status, body, header = response
        max_bytes = self._config.max_answer
        result: Result
        if len(body) > max_bytes:
            result = too_large(status, body, max_bytes, request, secrets)
        else:
            result = read_response(status, body, request, secrets)
        if isinstance(result, Failure) and (value := header("Retry-After")) is not None:
            seconds = parse_retry_after(value, header("Date"), time())
            return result._replace(retry_after=seconds)
        return result


def _has_accepted_token(result: Result) -> bool:
    """Return whether VK has looked at more than the token."""
    if not isinstance(result, Failure):
        return True
    return isinstance(result.error, APIError) and not result.is_of_token


def _log(method: str, calls: int, result: Result | None, seconds: float) -> None:
    """Log how a request ended.

    :param calls: how many calls it carried
    :param result: what it brought, None if it was cancelled
    """
    ending = "cancelled" if result is None else "value"
    if isinstance(result, Failure):
        ending = type(result.error).__name__
    logger.debug("%s, carrying %d: %s in %.3f s", method, calls, ending, seconds)
