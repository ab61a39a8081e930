"""The upload of a file, from its arrival to its entry in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import anyio
import attrs

from ._attempt import Backend, SimulatedAttempt, Visit
from ._call import Account, Call
from ._errors import JSON, ConnectionRefused, VKFault
from ._ledger import Entry
from ._rules import UPLOAD
from ._wire import UPLOAD_PREFIX, Request, SimulatedResponse, bare_response
from .faults import Interruption, Refusal, Refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._state.uploads import Uploads
    from .faults import Fault


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


@final
class UploadBody:
    """The body of an upload while it arrives, and the fault that it gets.

    :param path: the path of the request
    :param length: bytes of the body
    :raises ConnectionRefused: if nobody listens
    """

    def __init__(self, backend: Backend, path: str, length: int) -> None:
        self.fault: Fault | None = backend.fault_for(UPLOAD, {}, anyio.current_time())
        if isinstance(self.fault, Refuse):
            raise ConnectionRefused
        self._ledger = backend.ledger
        self._path = path
        self._length = length
        self._taken = 0

    async def take(self, size: int) -> SimulatedResponse | None:
        """Take some bytes of the body, 0 before the first.

        :return: a response, if there is one although the body has not arrived
        :raises ConnectionFault: if the client should see the connection fail
        """
        fault = self.fault
        if not isinstance(fault, Interruption):
            return None
        self._taken += size
        if fault.lasting:
            await anyio.sleep(fault.lasting * size / max(self._length, 1))
        if fault.happen is None or self._taken < fault.at * self._length:
            return None
        now = anyio.current_time()
        entry = Entry(
            time=now,
            request=self._ledger.arrived(now, None),
            token=None,
            method=UPLOAD,
            params={"kind": self._path.removeprefix(UPLOAD_PREFIX)},
            outcome=fault.name,
            fault=fault.name,
        )
        self._ledger.append(entry)
        return await fault.happen()


async def take_upload(
    backend: Backend, uploads: Uploads, request: Request, now: float
) -> SimulatedResponse:
    """Process a request that uploads files.

    :param backend: what uploads share with calls
    :param uploads: the upload URLs that were issued
    :param request: the request, whose body has arrived
    :param now: the time
    :return: the response
    :raises ConnectionFault: if the client should see the connection fail
    """
    kind, query = request.upload or "", request.query_params()
    assert request.arriving is not None  # it is an upload
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
        fault=request.arriving.fault,
        receive=lambda: uploads.receive(kind, query, request.files()),
    )
    return await attempt.run()
