"""What becomes of a request that arrives: a call, a poll, an upload, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from ._attempt import Backend, SimulatedAttempt, Visit
from ._call import Call
from ._errors import ConnectionRefused, VKFault
from ._polling import take_poll
from ._uploading import UploadBody, take_upload
from ._vkid import VKID_PATH, SimulatedVKID, take_authorization
from ._wire import (
    UPLOAD_PREFIX,
    Request,
    SimulatedResponse,
    error_response,
    html_response,
)
from .faults import Refuse

if TYPE_CHECKING:
    from ._state import SimulatedState
    from ._tokens import Tokens


@final
@attrs.frozen(eq=False)
class Reception:
    """Receives the requests of a simulator."""

    _backend: Backend
    _tokens: Tokens
    _state: SimulatedState
    _vkid: SimulatedVKID

    def begin(self, path: str, length: int) -> UploadBody | None:
        """Prepare for the body of a request.

        :param path: the path of the request
        :param length: bytes of the body, 0 if that is not known
        :return: what takes the body of an upload; None for other requests
        :raises ConnectionRefused: if nobody listens
        """
        if not path.startswith(UPLOAD_PREFIX):
            return None
        return UploadBody(self._backend, path, length)

    async def take(self, request: Request, now: float) -> SimulatedResponse:
        """Process a request when it arrives.

        :param request: the request
        :param now: the time
        :return: the response
        :raises ConnectionFault: if the client should see the connection fail
        """
        method = request.method
        if request.poll is not None and not request.oversize:
            long_poll = self._state.long_poll
            return await take_poll(self._backend, long_poll, request, now)
        if request.upload is not None and not request.oversize:
            uploads = self._state.uploads
            return await take_upload(self._backend, uploads, request, now)
        if request.path == VKID_PATH and not request.oversize:
            return await take_authorization(self._backend, self._vkid, request, now)
        if method is None or request.oversize:
            self._backend.ledger.arrived(now, None)
            return html_response(*(request.oversize or (404, "Not Found")))
        try:
            params = request.params()
        except VKFault as unreadable:
            self._backend.ledger.arrived(now, None)
            return error_response(unreadable, method, {})
        token = request.token(params)
        params.pop("access_token", None)
        objection = self._tokens.objection(request, token, now)
        fault = None
        if objection is None:
            fault = self._backend.fault_for(method, params, now)
            if isinstance(fault, Refuse):
                raise ConnectionRefused
            self._tokens.count(token, now)
        owner = self._tokens.number(token)
        visit = Visit(
            backend=self._backend,
            number=self._backend.ledger.arrived(now, owner),
            token=owner,
        )
        call = Call(
            method=method,
            params=params,
            account=self._tokens.account(token),
            time=now,
            origin=request.origin,
            invoker=visit.invoke,
        )
        attempt = SimulatedAttempt(visit, call, fault)
        return attempt.refuse(objection) if objection else await attempt.run()
