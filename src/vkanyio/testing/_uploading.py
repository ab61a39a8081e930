"""The upload of a file, from its arrival to its entry in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from ._attempt import Backend, SimulatedAttempt, Visit
from ._call import Account, Call
from ._errors import JSON, ConnectionRefused, VKFault
from ._wire import Request, SimulatedResponse, bare_response
from .faults import Refusal, Refuse

if TYPE_CHECKING:
    from ._state.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable

UPLOAD = "upload"
"""The method name of an upload in faults and in the ledger."""


@final
@attrs.frozen(eq=False, kw_only=True)
class UploadAttempt(SimulatedAttempt):
    """An upload: it has no method, token or envelope, but can get faults."""

    receive: Callable[[], JSON]

    async def carry_out(self) -> SimulatedResponse:
        """Receive the file, and record that in the ledger.

        :return: the response, which may be a refusal
        """
        try:
            if isinstance(self.fault, Refusal):
                captchas = self.visit.backend.captchas
                raise self.fault.refuse(captchas, self.call.time)
            value = self.receive()
        except VKFault as refusal:
            return self.refuse(refusal)
        self._note("carried out")
        return bare_response(value)

    def refuse(self, refusal: VKFault) -> SimulatedResponse:
        """Refuse the file with the response of an upload server.

        :param refusal: the error
        :return: the response
        """
        self._note(refusal.code)
        return bare_response({"error": refusal.message})


async def take_upload(
    backend: Backend, uploads: Uploads, request: Request, now: float
) -> SimulatedResponse:
    """Process a request that uploads files.

    :param backend: what uploads share with calls
    :param uploads: the upload URLs that were issued
    :param request: the request
    :param now: the time
    :return: the response
    :raises ConnectionFault: if the client should see the connection fail
    """
    kind, query = request.upload or "", request.query_params()
    fault = backend.fault_for(UPLOAD, {}, now)
    if isinstance(fault, Refuse):
        raise ConnectionRefused
    number = backend.ledger.arrived(now, None)
    visit = Visit(backend=backend, number=number, token=None)
    call = Call(
        method=UPLOAD,
        params={**query, "kind": kind},
        account=Account(),
        time=now,
        invoker=visit.invoke,
    )
    attempt = UploadAttempt(
        visit=visit,
        call=call,
        fault=fault,
        receive=lambda: uploads.receive(kind, query, request.files()),
    )
    return await attempt.run()
