"""A file that is being uploaded, from its arrival to its entry in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from ._attempt import Attempt, Backend, Visit
from ._call import Account, Call
from ._errors import JSON, ConnectionRefused, VKFault
from ._wire import Answer, Request, upload_answer
from .faults import Refusal, Refuse

if TYPE_CHECKING:
    from ._state.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable

UPLOAD = "upload"
"""What an upload is called where a call has the name of its method."""


@final
@attrs.frozen(eq=False, kw_only=True)
class UploadAttempt(Attempt):
    """An upload: no method, no token, no envelope, but faults strike it as well."""

    receive: Callable[[], JSON]

    async def carry_out(self) -> Answer:
        """Take the file, and enter that into the ledger.

        :return: the answer, a refusal among others
        """
        try:
            if isinstance(self.fault, Refusal):
                captchas = self.visit.backend.captchas
                raise self.fault.refuse(captchas, self.call.time)
            value = self.receive()
        except VKFault as refusal:
            return self.refuse(refusal)
        self._note("carried out")
        return upload_answer(value)

    def refuse(self, refusal: VKFault) -> Answer:
        """Turn the file away, in the words of an upload server.

        :param refusal: the error
        :return: the answer
        """
        self._note(refusal.code)
        return upload_answer({"error": refusal.message})


async def take_upload(
    backend: Backend, uploads: Uploads, request: Request, now: float
) -> Answer:
    """Answer a request that brings files.

    :param backend: what it has in common with calls
    :param uploads: the addresses that were given out
    :param request: the request
    :param now: the time
    :return: the answer
    :raises ConnectionFault: where the client is to see the connection fail
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
