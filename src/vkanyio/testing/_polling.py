"""A request to a long poll server, from its arrival to its entry in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from ._attempt import Backend, SimulatedAttempt, Visit
from ._call import Account, Call
from ._errors import ConnectionRefused, VKFault
from ._rules import LONG_POLL
from ._wire import Request, SimulatedResponse, bare_response, html_response
from .faults import PollFault, Refusal, Refuse

if TYPE_CHECKING:
    from ._state.long_poll import LongPoll, PollRequest


@final
@attrs.frozen(eq=False, kw_only=True)
class PollAttempt(SimulatedAttempt):
    """A poll: it has no method, token or envelope, but can get faults."""

    poll: PollRequest

    async def carry_out(self) -> SimulatedResponse:
        """Wait for updates, and record the poll in the ledger.

        :return: the response, which may be a refusal
        """
        if isinstance(self.fault, Refusal):
            captchas = self.visit.backend.captchas
            return self.refuse(self.fault.refuse(captchas, self.call.time))
        if isinstance(self.fault, PollFault):
            value = await self.fault.answer(self.poll)
        else:
            value = await self.poll.answer()
        self._note("carried out")
        return bare_response(value)

    def refuse(self, refusal: VKFault) -> SimulatedResponse:
        """Refuse the poll, without an envelope.

        :param refusal: the error
        :return: the response
        """
        self._note(refusal.code)
        return bare_response({"error": refusal.message})


async def take_poll(
    backend: Backend, long_poll: LongPoll, request: Request, now: float
) -> SimulatedResponse:
    """Process a request to a long poll server.

    :param backend: what polls share with calls
    :param long_poll: the servers
    :param request: the request
    :param now: the time
    :return: the response
    :raises ConnectionFault: if the client should see the connection fail
    """
    fault = backend.fault_for(LONG_POLL, {}, now)
    if isinstance(fault, Refuse):
        raise ConnectionRefused
    number = backend.ledger.arrived(now, None)
    try:
        params = request.params()
        poll = long_poll.poll(request.poll or "", params, now)
    except VKFault as invalid:
        if invalid.code == 104:
            return html_response(404, "Not Found")
        return html_response(400, "Bad Request")
    visit = Visit(backend=backend, number=number, token=None)
    call = Call(
        method=LONG_POLL,
        params=params,
        account=Account(),
        time=now,
        invoker=visit.invoke,
    )
    return await PollAttempt(visit=visit, call=call, fault=fault, poll=poll).run()
