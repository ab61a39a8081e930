"""VK ID, which issues tokens that expire, and new ones for them.

https://id.vk.com/about/business/go/docs/en/vkid/latest/vk-id/connection/api-description
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from typing import TYPE_CHECKING, Final, final

import anyio
import attrs

from ._attempt import Backend, SimulatedAttempt, Visit
from ._call import Account, Call
from ._errors import ERROR_TEXTS, JSON, ConnectionRefused, VKFault
from ._wire import Request, SimulatedResponse
from .faults import Refusal, Refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VKID: Final = "vkid"
"""The method name of a request to VK ID, in faults and in the ledger."""
VKID_PATH: Final = "/oauth2/auth"


class _Refused(Exception):
    """VK ID refuses a request.

    :param error: the code, such as "invalid_grant"
    :param description: the text for developers
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@final
@attrs.frozen(kw_only=True)
class IssuedTokens:
    """A pair of tokens, as VK ID returns it.

    :ivar access_token: the token for the API
    :ivar refresh_token: what the next pair is issued for, once
    :ivar device_id: what VK ID wants to see again with the refresh token
    :ivar user_id: the owner
    """

    access_token: str = attrs.field(repr=False)
    refresh_token: str = attrs.field(repr=False)
    device_id: str
    user_id: int


@final
@attrs.frozen(kw_only=True)
class AuthorizationCode:
    """What the browser of a user brings back from VK ID.

    :ivar code: what tokens are issued for, once
    :ivar device_id: what VK ID wants to see again
    :ivar state: the value that the program sent along
    """

    code: str = attrs.field(repr=False)
    device_id: str
    state: str


@attrs.define
class _Authorization:
    """The authorization of an application by a user."""

    user_id: int
    client_id: str
    device_id: str


@attrs.define
class _Issued:
    """An access token: whose it is, until when it is valid, and from where."""

    session: _Authorization
    life: float
    address: str
    ends_at: float | None = None


@final
class SimulatedVKID:
    """VK ID, as a part of the simulator: ``simulator.vkid``.

    Requests to it have the method name "vkid" for faults and in the ledger.

    :ivar expires_in: seconds for which an access token is valid, by the clock of the
        event loop
    :ivar binds_to_address: whether a token is refused (error 5, subcode 1130) from
        another IP address than it was issued to. The address is that of the
        connection, or the header ``x-forwarded-for``
    :ivar renewals: how many refresh tokens were exchanged for new ones
    """

    def __init__(self) -> None:
        self.expires_in: float = 3600.0
        self.binds_to_address: bool = False
        self.renewals: int = 0
        self._number = 0
        self._codes: dict[str, tuple[_Authorization, str, str]] = {}
        self._access: dict[str, _Issued] = {}
        self._refresh: dict[str, _Authorization] = {}

    def authorize(
        self,
        *,
        client_id: int | str,
        redirect_uri: str,
        code_challenge: str,
        state: str = "",
        user_id: int = 1,
    ) -> AuthorizationCode:
        """Do what a user does in a browser: agree to the application.

        :param client_id: the application
        :param redirect_uri: where the browser is sent with the code
        :param code_challenge: the SHA-256 of the ``code_verifier``, as base64url
        :param state: a value that comes back
        :param user_id: the user
        """
        session = self._new_session(user_id, client_id)
        code = f"vk2.a.code-{self._number}"
        self._codes[code] = (session, redirect_uri, code_challenge)
        return AuthorizationCode(code=code, device_id=session.device_id, state=state)

    def issue(self, *, client_id: int | str, user_id: int = 1) -> IssuedTokens:
        """Issue tokens as if the user had agreed to the application before.

        The access token is valid from every address, and its time begins with the first
        call.

        :param client_id: the application
        :param user_id: the user
        """
        return self._issue(self._new_session(user_id, client_id))

    def account(self, token: str) -> Account | None:
        """Return the owner of an access token, None if it is not from VK ID."""
        issued = self._access.get(token)
        return None if issued is None else Account(id=issued.session.user_id)

    def objection(self, token: str, address: str, now: float) -> VKFault | None:
        """Return the error that refuses an access token, or None."""
        issued = self._access.get(token)
        if issued is None:
            return None
        if issued.ends_at is None:
            issued.ends_at = now + issued.life
        if now >= issued.ends_at:
            return VKFault(5, f"{ERROR_TEXTS[5]}: access_token has expired.")
        if self.binds_to_address and issued.address not in ("", address):
            text = f"{ERROR_TEXTS[5]}: access_token was given to another ip address."
            return VKFault(5, text, error_subcode=1130)
        return None

    def answer(self, params: Mapping[str, str], address: str) -> JSON:
        """Return the response to a request for tokens.

        :raises _Refused: if VK ID refuses it
        """
        grant = params.get("grant_type", "")
        if grant == "authorization_code":
            session = self._redeem_code(params)
        elif grant == "refresh_token":
            session = self._redeem_refresh_token(params)
        else:
            raise _Refused("unsupported_grant_type", "grant_type is not supported")
        tokens = self._issue(session, address)
        issued = self._access[tokens.access_token]
        issued.ends_at = anyio.current_time() + issued.life
        return {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "id_token": f"id-token-{self._number}",
            "token_type": "Bearer",
            "expires_in": math.floor(self.expires_in),
            "user_id": session.user_id,
            "state": params.get("state", ""),
            "scope": "vkid.personal_info",
        }

    def _redeem_code(self, params: Mapping[str, str]) -> _Authorization:
        found = self._codes.pop(params.get("code", ""), None)
        if found is None:
            raise _Refused("invalid_grant", "code is invalid or expired")
        session, redirect_uri, challenge = found
        _check(session, params)
        if params.get("redirect_uri") != redirect_uri:
            raise _Refused("invalid_grant", "redirect_uri is another one")
        verifier = params.get("code_verifier", "")
        if not 43 <= len(verifier) <= 128 or challenge_of(verifier) != challenge:
            raise _Refused("invalid_grant", "code_verifier is invalid")
        return session

    def _redeem_refresh_token(self, params: Mapping[str, str]) -> _Authorization:
        session = self._refresh.pop(params.get("refresh_token", ""), None)
        if session is None:  # also one that was used before
            raise _Refused("invalid_grant", "refresh_token is invalid")
        _check(session, params)
        self.renewals += 1
        return session

    def _new_session(self, user_id: int, client_id: int | str) -> _Authorization:
        self._number += 1
        return _Authorization(user_id, str(client_id), f"device-{self._number}")

    def _issue(self, session: _Authorization, address: str = "") -> IssuedTokens:
        self._number += 1
        access = f"vk2.a.an-access-token-{self._number}"
        refresh = f"vk2.a.a-refresh-token-{self._number}"
        self._access[access] = _Issued(session, self.expires_in, address)
        self._refresh[refresh] = session
        return IssuedTokens(
            access_token=access,
            refresh_token=refresh,
            device_id=session.device_id,
            user_id=session.user_id,
        )


def challenge_of(verifier: str) -> str:
    """Return the ``code_challenge`` of a ``code_verifier`` (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _check(session: _Authorization, params: Mapping[str, str]) -> None:
    if params.get("client_id") != session.client_id:
        raise _Refused("invalid_client", "client_id is another one")
    if params.get("device_id") != session.device_id:
        raise _Refused("invalid_request", "device_id is another one")


@final
@attrs.frozen(eq=False, kw_only=True)
class VKIDAttempt(SimulatedAttempt):
    """A request to VK ID: it has no token and no envelope, but can get faults."""

    answer: Callable[[], JSON]

    async def carry_out(self) -> SimulatedResponse:
        """Issue tokens, and record that in the ledger.

        :return: the response, which may be a refusal
        """
        try:
            if isinstance(self.fault, Refusal):
                raise self.fault.refuse(self.visit.backend.captchas, self.call.time)
            value = self.answer()
        except VKFault as refusal:
            return self.refuse(refusal)
        except _Refused as refused:
            self._note(refused.error)
            return _error_response(refused.error, refused.description)
        self._note("carried out")
        return SimulatedResponse(json.dumps(value).encode())

    def refuse(self, refusal: VKFault) -> SimulatedResponse:
        """Refuse the request with an error of VK ID's servers.

        :param refusal: the error
        :return: the response
        """
        self._note(refusal.code)
        return _error_response("server_error", refusal.message, status=500)


def _error_response(
    error: str, description: str, *, status: int = 400
) -> SimulatedResponse:
    value = {"error": error, "error_description": description}
    return SimulatedResponse(json.dumps(value).encode(), status)


async def take_authorization(
    backend: Backend, vkid: SimulatedVKID, request: Request, now: float
) -> SimulatedResponse:
    """Process a request to VK ID.

    :param backend: what these requests share with calls
    :param vkid: who issues the tokens
    :param request: the request
    :param now: the time
    :return: the response
    :raises ConnectionFault: if the client should see the connection fail
    """
    fault = backend.fault_for(VKID, {}, now)
    if isinstance(fault, Refuse):
        raise ConnectionRefused
    number = backend.ledger.arrived(now, None)
    visit = Visit(backend=backend, number=number, token=None)
    try:
        params = request.params()
    except VKFault as unreadable:
        return _error_response("invalid_request", unreadable.message)
    call = Call(
        method=VKID, params=params, account=Account(), time=now, invoker=visit.invoke
    )
    attempt = VKIDAttempt(
        visit=visit,
        call=call,
        fault=fault,
        answer=lambda: vkid.answer(params, request.address),
    )
    return await attempt.run()
