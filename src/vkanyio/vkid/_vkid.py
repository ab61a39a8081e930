"""A token function for VK ID, which renews the tokens of a store.

It owns no connections: it sends its requests over those of the client that asks it.
"""

from __future__ import annotations

import logging
import secrets
from base64 import urlsafe_b64encode
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar, Unpack, final
from urllib.parse import urlencode

from anyio import CancelScope, create_task_group, current_time, sleep
from anyio.lowlevel import checkpoint_if_cancelled

from .._address import is_loopback, parse_address
from .._caller import posting
from .._client import VK
from .._config import OPTION_NAMES
from .._errors import ClientUseError, VKError
from .._masking import Secrets, mask, mask_options, mask_params
from .._outcome import Failure
from .._wire_checks import shown
from ._responses import read_tokens
from ._tokens import StoredTokens, VKIDError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._caller import SendPost
    from .._config import Options
    from .._token import Token
    from ._tokens import TokenStore

T = TypeVar("T")

VKID_URL = "https://id.vk.ru"
REQUEST_SECONDS = 30.0
"""For a request and for storing what it returned; during it, nothing cancels that."""
SAVE_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts to store what it returned."""
MAX_PAUSE = 8.0
"""Seconds between two attempts to connect."""
FORM = {"content-type": "application/x-www-form-urlencoded"}

logger = logging.getLogger("vkanyio")


@final
class VKID:
    """The tokens of one user, from VK ID: pass it to :class:`~vkanyio.VK` as the token.

    The client has the access token renewed before it expires, and when VK refuses it.
    VK ID returns a new refresh token each time, and invalidates the old one. So a
    renewal is not interrupted before the new tokens are stored, which takes at most 30
    seconds. It uses the client's own connections and proxy, since VK binds an access
    token to the IP address that requested it.

    :param client_id: the number of your application
    :param device_id: what VK ID returned with the code of the authorization; by default
        that in the store
    :param store: where the tokens are stored, such as :class:`FileTokens`
    :param base_url: the address of VK ID
    :raises TypeError: for a value of the wrong type
    :raises ValueError: for a value that is not allowed
    """

    def __init__(
        self,
        *,
        client_id: int | str,
        store: TokenStore,
        device_id: str | None = None,
        base_url: str = VKID_URL,
    ) -> None:
        if isinstance(client_id, bool) or not isinstance(client_id, int | str):
            message = f"client_id must be a number, got {shown(client_id)}"
            raise TypeError(message)
        if not str(client_id).isascii() or not str(client_id).isdigit():
            message = f"client_id must be a number, got {shown(client_id)}"
            raise ValueError(message)
        for name in ("lock", "load", "save"):
            if isinstance(store, type) or not callable(getattr(store, name, None)):
                message = f"store must have `lock`, `load` and `save`, got {store!r}"
                raise TypeError(message)
        _check_address(base_url)
        self._client_id = str(client_id)
        self._device_id = device_id
        self._store = store
        self._base_url = base_url.rstrip("/")

    def __repr__(self) -> str:
        if not hasattr(self, "_base_url"):
            return "<VKID, not complete>"
        return f"VKID(client_id={self._client_id}, store={self._store!r})"

    async def __call__(self, refused: str | None) -> Token:
        """Return a valid access token; clients call this.

        Another process that shares the store may have renewed the tokens already; then
        its new ones are returned.

        :param refused: the token to replace, None for the first one
        :raises VKIDError: if there are no tokens, VK ID issues no new ones, or the
            store raises an :exc:`OSError`
        :raises TransportError: if VK ID cannot be reached
        :raises ClientUseError: if no client has called it
        """
        refused = mask(refused)
        post = _post_of_client()
        try:
            async with self._store.lock():
                return await self._find_token(post, refused)
        except VKError:
            raise
        except OSError as error:  # such as a full disk, or too many open files
            message = f"{self._store!r} cannot be used: {error}"
            raise VKIDError(message, is_transient=True) from error

    async def _find_token(self, post: SendPost, refused: str | None) -> Token:
        """Return the stored token if it is valid, or renew it."""
        stored = await self._store.load()
        if stored is None:
            message = (
                f"there are no tokens in {self._store!r}: authorize, and pass the"
                " code to `exchange`"
            )
            raise VKIDError(message)
        if stored.access_token != refused and not stored.has_expired:
            return stored.token
        return (await _uninterrupted(partial(self._renew, post, stored))).token

    def authorization_url(
        self, code_verifier: str, redirect_uri: str, *, state: str = "", scope: str = ""
    ) -> str:
        """Return the page on which a user agrees to your application.

        It sends the browser to ``redirect_uri`` with ``code``, ``state`` and
        ``device_id``.

        :param code_verifier: a secret, see :func:`new_code_verifier`
        :param redirect_uri: the address that is set for the application
        :param state: a value that comes back
        :param scope: the rights, separated by spaces
        """
        code_verifier = mask(code_verifier)
        _check_verifier(code_verifier)
        challenge = urlsafe_b64encode(sha256(code_verifier.encode()).digest())
        params = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "s256",
            "state": state,
            "scope": scope,
        }
        given = {name: value for name, value in params.items() if value}
        return f"{self._base_url}/authorize?{urlencode(given)}"

    async def exchange(
        self,
        code: str,
        code_verifier: str,
        redirect_uri: str,
        *,
        device_id: str | None = None,
        service_token: str | None = None,
        **options: Unpack[Options],
    ) -> StoredTokens:
        """Get the first tokens for the code of an authorization, and store them.

        :param code: what the browser was sent back with; it can be used once
        :param code_verifier: the secret that the authorization began with
        :param redirect_uri: the address that the browser was sent to
        :param device_id: what came with the code, unless the constructor got it
        :param service_token: the service token of a confidential application
        :param options: options of :class:`~vkanyio.VK` that concern connections, such
            as ``proxy``: those of the client that will use the tokens, since VK binds
            them to its address
        :raises VKIDError: if VK ID issues no tokens
        :raises TransportError: if VK ID cannot be reached
        """
        code, code_verifier = mask(code), mask(code_verifier)
        service_token, options = (
            mask(service_token),
            mask_options(options, OPTION_NAMES),
        )
        _check_verifier(code_verifier)
        device_id = device_id or self._device_id
        if not device_id:
            message = "device_id is required: it comes with the code"
            raise TypeError(message)
        params = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": code_verifier,
            "redirect_uri": redirect_uri,
        }
        if service_token is not None:
            params["service_token"] = service_token
        issued: list[StoredTokens] = []

        async def first_token(_: str | None) -> Token:
            ask = partial(self._issue, _post_of_client(), params, device_id)
            async with self._store.lock():
                issued.append(await _uninterrupted(ask))
            return issued[0].token

        async with VK(first_token, **options):
            return issued[0]

    async def _renew(self, post: SendPost, stored: StoredTokens) -> StoredTokens:
        # The response of VK ID invalidates the refresh token: on a full disk, the new
        # one would be lost. So find out before that whether the store can be written.
        await self._store.save(stored)
        params = {"grant_type": "refresh_token", "refresh_token": stored.refresh_token}
        device_id = self._device_id or stored.device_id
        return await self._issue(post, params, device_id)

    async def _issue(
        self, post: SendPost, params: dict[str, str], device_id: str
    ) -> StoredTokens:
        """Have VK ID issue tokens, and store them."""
        params = {
            **mask_params(params),
            "client_id": self._client_id,
            "device_id": device_id,
            "state": secrets.token_urlsafe(16),
        }
        hidden = Secrets(params.get("code", ""), params)
        status, body = await self._send(post, mask(urlencode(params)).encode())
        tokens = read_tokens(status, body, hidden, device_id)
        await self._save(tokens)
        return tokens

    async def _save(self, tokens: StoredTokens) -> None:
        """Store new tokens, and try again if that fails: the old ones are void."""
        for pause in SAVE_PAUSES:
            try:
                await self._store.save(tokens)
            except Exception as error:
                text = "%r could not save the tokens of VK ID, retrying: %s"
                logger.warning(text, self._store, type(error).__name__)
                await sleep(pause)
            else:
                return
        await self._store.save(tokens)

    async def _send(self, post: SendPost, body: bytes) -> tuple[int, bytes]:
        """Send a request; one that has certainly not left is sent again.

        :return: the HTTP status and the body of the response, masked
        """
        pause = 0.5
        while True:
            response = await post(
                f"{self._base_url}/oauth2/auth", body, length=len(body), headers=FORM
            )
            if not isinstance(response, Failure):
                return response.status_code, mask(response.content)
            if response.maybe_carried_out or not response.is_transient:
                raise response.error
            await sleep(pause)
            pause = min(2 * pause, MAX_PAUSE)


def new_code_verifier() -> str:
    """Return a new secret for :meth:`VKID.authorization_url` (RFC 7636)."""
    return secrets.token_urlsafe(64)


def _post_of_client() -> SendPost:
    post = posting.get()
    if post is None:
        message = (
            "VKID sends its requests over the connections of a client: pass it to VK as"
            " the token"
        )
        raise ClientUseError(message)
    return post


async def _uninterrupted(function: Callable[[], Awaitable[T]]) -> T:
    """Run a function that is not cancelled, but may take 30 seconds at most.

    It runs in a separate task, since asyncio's ``Task.cancel`` ignores shields.
    """
    results: list[T | Exception] = []

    async def run() -> None:
        try:
            with CancelScope(shield=True) as scope:
                scope.deadline = current_time() + REQUEST_SECONDS
                results.append(await function())
        except Exception as error:
            results.append(error)

    async with create_task_group() as tasks:
        tasks.start_soon(run, name="vkanyio VKID")
    await checkpoint_if_cancelled()  # trio's task groups leave that to the next step
    if not results:
        message = (
            f"VK ID did not respond within {REQUEST_SECONDS:.0f} s: it may have issued"
            " tokens that are lost"
        )
        raise VKIDError(message, is_transient=True)
    [result] = results
    if isinstance(result, Exception):
        raise result
    return result


def _check_verifier(code_verifier: object) -> None:
    if not isinstance(code_verifier, str) or not 43 <= len(code_verifier) <= 128:
        message = (
            "code_verifier must be a str of 43 to 128 characters: use"
            " `vkanyio.vkid.new_code_verifier()`"
        )
        raise ValueError(message)


def _check_address(base_url: object) -> None:
    wanted = f'base_url must be a URL such as "{VKID_URL}"'
    if not isinstance(base_url, str):
        message = f"{wanted}, got {shown(base_url)}"
        raise TypeError(message)
    address = parse_address(base_url)
    if address is None or address.scheme not in ("http", "https") or "@" in base_url:
        message = f"{wanted}, got another string"
        raise ValueError(message)
    if address.scheme == "http" and not is_loopback(address.host):
        message = f"{wanted}: the tokens would be sent unencrypted"
        raise ValueError(message)
