"""One call of a VK method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from ._checks import check_headers, check_method_name, check_token, shown
from ._encoding import SECRET_PARAMS, encode_params, to_form, to_vkscript
from ._facts import Repetition
from ._repetition import facts_of, repetition_of_call
from ._retry import new_random_id
from ._slot import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._encoding import Encoded
    from ._response import Success


@final
class APIRequest:
    """A call of a VK method, to be sent by :meth:`VK.call_with_request`.

    It is sent once, and any number of tasks may :meth:`wait` for its outcome.
    ``str(request)`` is the call as VKScript: ``API.users.get({"user_ids":1})``. It has
    all parameters but a token, passwords too; ``repr(request)`` shows no secret.

    Parameters of type list, tuple, set and generator are joined by commas; ``bool``
    becomes 1 or 0, a dict JSON, a ``datetime`` Unix time, an enum its value, an object
    with ``to_vk()`` what that returns; ``None`` leaves the parameter out. A message
    without ``random_id`` gets one, so that sending it again cannot post it twice.

    An ``access_token`` among the parameters takes the place of the client's token for
    this call, and has a rate limit of its own.

    :param method: VK's name of the method, such as ``"users.get"``
    :param params: the parameters, by VK's names
    :param headers: HTTP headers for this call alone
    :param repeatable: whether it may be sent again when VK has perhaps carried it out
        already; without it, only what reads or has a key against repetition may
    :raises TypeError: for a parameter that has no form in VK's API, naming it
    :raises ValueError: for a method's name, a parameter or a header that cannot be
        sent, naming it
    """

    __slots__ = (
        "_script",
        "headers",
        "method",
        "own_token",
        "params",
        "repeatable",
        "slot",
    )

    def __init__(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> None:
        check_method_name(method)
        if headers is not None:
            check_headers("headers", headers)
        if repeatable is not None and not isinstance(repeatable, bool):
            message = f"repeatable must be True, False or None, got {shown(repeatable)}"
            raise TypeError(message)
        encoded = encode_params({} if params is None else params)
        own_token = encoded.pop("access_token", None)
        if own_token is not None:
            check_token("access_token", own_token)
        if facts_of(method).key == "random_id":
            encoded.setdefault("random_id", new_random_id())
        self.method: str = method
        self.params: Mapping[str, Encoded] = encoded
        self.headers: dict[str, str] | None = None if headers is None else dict(headers)
        self.repeatable: bool | None = repeatable
        self.own_token: str | None = None if own_token is None else str(own_token)
        self.slot: Slot = Slot()
        self._script: str | None = None

    def __str__(self) -> str:
        if self._script is None:  # packing wants it twice: for its size, and to send
            self._script = to_vkscript(self.method, self.params)
        return self._script

    def __repr__(self) -> str:
        return f"APIRequest({self.method!r}, {self.shown_params()!r})"

    async def wait(self) -> Any:
        """Wait for the outcome of this request, from any task.

        :return: VK's answer
        :raises VKError: the same error that the sender gets, each waiter its own copy
        """
        answer: Success = await self.slot.wait()
        return answer.response

    def shown_params(self) -> dict[str, Encoded]:
        """Return the parameters without those that are secrets."""
        return {k: v for k, v in self.params.items() if k not in SECRET_PARAMS}

    def reads(self) -> bool:
        """Return whether the call changes nothing."""
        return repetition_of_call(self.method, self.params) is Repetition.READ

    def may_be_repeated(self) -> bool:
        """Return whether VK may get the call again after it perhaps carried it out."""
        if self.repeatable is not None:
            return self.repeatable
        repetition = repetition_of_call(self.method, self.params)
        return repetition in (Repetition.READ, Repetition.KEYED)

    def form(self, more: Mapping[str, Encoded], extra: Mapping[str, Any]) -> bytes:
        """Return the body of the HTTP request.

        :param more: what every call carries, unless its parameters say otherwise
        :param extra: what answers VK's question about this call
        """
        return to_form({**more, **self.params, **extra})
