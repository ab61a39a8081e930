"""One HTTP request, from a tick to an answer that has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from anyio import current_time
from anyio.lowlevel import checkpoint_if_cancelled

from ._response import Success, read_response, too_large
from ._retry import Failure
from ._secrets import Secrets
from ._transport import Trace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._connection import Answer
    from ._lane import Lane
    from ._limiter import Start
    from ._request import APIRequest
    from ._slot import Slot


class Attempt(NamedTuple):
    """An HTTP request that was made, and what came of it.

    :ivar outcome: what the answer says
    :ivar body: the bytes of the answer
    :ivar secrets: the token that was sent, and what else is not to be shown
    :ivar answered: how many of VK's questions had been answered when it was sent
    """

    outcome: Success | Failure
    body: bytes
    secrets: Secrets
    answered: int


async def attempt(
    lane: Lane,
    request: APIRequest,
    start: Start,
    *,
    extra: Mapping[str, Any],
    slots: Sequence[Slot],
) -> Attempt:
    """Send a request, and read its answer.

    :param start: the tick for it, which ends here
    :param extra: parameters that answer VK's question
    :param slots: those of the calls that it carries
    """
    doubts = [slot.maybe_carried_out for slot in slots]
    lane.counters.in_flight += 1
    try:
        await checkpoint_if_cancelled()  # nothing leaves that nobody waits for
        secrets = Secrets(lane.token, request.params, extra)
        answered = lane.questions.answered
        with lane.watch.request(request.method, slots) as sent:
            reply = await _send(lane, request, start, secrets, extra, slots)
            sent.outcome = outcome = _read(lane, reply, request, secrets)
    finally:
        lane.counters.in_flight -= 1
        lane.ticker.release(start)
    if isinstance(outcome, Failure) and not outcome.maybe_carried_out:
        for slot, doubt in zip(slots, doubts, strict=True):
            slot.maybe_carried_out = doubt
    body = b"" if isinstance(reply, Failure) else reply.content
    return Attempt(outcome, body, secrets, answered)


def _read(
    lane: Lane, reply: Answer | Failure, request: APIRequest, secrets: Secrets
) -> Success | Failure:
    if isinstance(reply, Failure):
        return reply
    status, body = reply
    most = lane.config.max_answer
    if len(body) > most:
        return too_large(status, body, most, request, secrets)
    return read_response(status, body, request, secrets)


async def _send(
    lane: Lane,
    request: APIRequest,
    start: Start,
    secrets: Secrets,
    extra: Mapping[str, Any],
    slots: Sequence[Slot],
) -> Answer | Failure:
    form = request.form(lane.common_params, extra)
    headers = lane.headers(secrets.token, request.headers)
    trace = Trace(lane.limiter, start)
    if not lane.transport.traces:
        lane.limiter.left(start, current_time())  # unless the trace knows better
    for slot in slots:
        slot.maybe_carried_out = True
    lane.counters.batches[len(slots)] += 1
    reply = await lane.transport.send(request.method, form, headers, trace, secrets)
    # What could not be sent is counted, too: a host that is down is not flooded.
    lane.limiter.left(start, current_time())
    if not isinstance(reply, Failure):
        lane.limiter.answered(start, current_time())
    return reply
