"""One call of a VK method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from ._encoding import encode_params, to_vkscript, without_secrets
from ._facts import Repetition
from ._known_parameters import known_parameters, warn_of_unknown
from ._masking import mask_headers, mask_params
from ._pending import Pending
from ._repetition import facts_of, is_known, repetition_of_call
from ._retry import new_random_id
from ._wire_checks import (
    check_headers,
    check_method_name,
    check_random_id,
    check_token,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._encoding import Encoded


@final
class APIRequest:
    """A call of a VK method, which :meth:`VK.call_with_request` sends.

    It is sent once, and any number of tasks may :meth:`wait` for its outcome.
    ``str(request)`` is the call as VKScript: ``API.users.get({"user_ids":1})``. It
    contains all parameters but a token, passwords too; ``repr(request)`` shows no
    secret.

    Parameters of type list, tuple, set and generator are joined by commas; ``bool``
    becomes 1 or 0, a dict JSON, a ``datetime`` Unix time, an enum its value, an object
    with ``to_vk()`` what that returns; ``None`` leaves the parameter out. A message
    without ``random_id`` gets one, so that a retry cannot post it twice.

    An ``access_token`` among the parameters replaces the client's token for this call,
    and has its own rate limit.

    :param method: VK's name of the method, such as ``"users.get"``
    :param params: the parameters, by VK's names
    :param headers: HTTP headers for this call only
    :param repeatable: whether it may be retried after VK may have carried it out. By
        default only calls that read, or that have a deduplication key
    :raises TypeError: for a parameter that cannot be encoded, naming it
    :raises ValueError: for a method name, a parameter or a header that cannot be sent,
        naming it
    """

    __slots__ = (
        "_own_token",
        "_pending",
        "_repetition",
        "_script",
        "headers",
        "method",
        "params",
        "repeatable",
    )

    def __init__(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> None:
        # First, so that no traceback with local variables shows a secret.
        params, headers = mask_params(params), mask_headers(headers)
        known: set[str] | None = None
        if is_known(method):
            known = known_parameters(method)
        else:
            check_method_name(method)
        if headers is not None:
            check_headers("headers", headers)
        if repeatable is not None and not isinstance(repeatable, bool):
            message = f"repeatable must be True, False or None, got {shown(repeatable)}"
            raise TypeError(message)
        encoded = encode_params({} if params is None else params)
        own_token: Any = encoded.pop("access_token", None)
        if own_token is not None:
            check_token("access_token", own_token)
        if known is not None and not known.issuperset(encoded):
            warn_of_unknown(method, known, encoded)
        if facts_of(method).key == "random_id":
            check_random_id(encoded.setdefault("random_id", new_random_id()))
        self.method: str = method
        self.params: Mapping[str, Encoded] = encoded
        self.headers: dict[str, str] | None = None if headers is None else dict(headers)
        self.repeatable: bool | None = repeatable
        self._own_token: str | None = own_token
        self._repetition: Repetition | None = None
        self._pending: Pending = Pending()
        self._script: str | None = None

    def __str__(self) -> str:
        if self._script is None:  # packing needs it twice: for its size, and to send
            self._script = to_vkscript(self.method, self.params)
        return self._script

    def __repr__(self) -> str:
        if not hasattr(self, "params"):  # its parameters were refused
            return "<APIRequest, not complete>"
        return f"APIRequest({self.method!r}, {without_secrets(self.params)!r})"

    async def wait(self) -> Any:
        """Wait for the outcome of this request, in any task.

        :return: the value that VK returned; for ``execute`` and ``execute.name`` an
            :class:`~vkanyio.ExecuteResult`
        :raises VKError: the error of the call; each waiter gets its own copy
        """
        await self._pending.wait()
        return self.result()

    def result(self) -> Any:
        """Return the outcome of this request, without waiting.

        :return: as :meth:`wait`
        :raises VKError: as :meth:`wait`
        :raises ClientUseError: if there is no outcome yet, or the request was given up
        """
        success = self._pending.unwrap()
        if self.method.partition(".")[0] == "execute":
            return success.to_execute_result()
        return success.value

    @property
    def maybe_carried_out(self) -> bool:
        """Whether VK may have carried out the call.

        False before the request leaves, and again once VK, or what is in front of it,
        has said that the call was not carried out. It stays true after a success.
        """
        return self._pending.maybe_carried_out

    def _again(self) -> APIRequest:
        """Return a request for the same call, which has not been sent yet."""
        again = APIRequest.__new__(APIRequest)
        again.method, again.params = self.method, self.params
        again.headers, again.repeatable = self.headers, self.repeatable
        again._own_token, again._repetition = self._own_token, self._repetition
        again._pending, again._script = Pending(), self._script
        return again

    def reads(self) -> bool:
        """Return whether the call changes nothing."""
        return self._find_repetition() is Repetition.READ

    def may_be_repeated(self) -> bool:
        """Return whether the call may be retried after VK may have carried it out."""
        if self.repeatable is not None:
            return self.repeatable
        return self._find_repetition() in (Repetition.READ, Repetition.KEYED)

    def _find_repetition(self) -> Repetition:
        if self._repetition is None:  # later than at first: for a batch nobody asks
            self._repetition = repetition_of_call(self.method, self.params)
        return self._repetition
