"""The elements of a stream: from what a user passes to what a user gets.

It checks the elements, and owns what is known about a call after its end. It sends
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, final

from .._masking import Masked, kind_of, mask_params
from .._request import APIRequest
from .._typeguards import is_list, is_mapping, is_tuple
from .._wire_checks import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

AnyCall: TypeAlias = "APIRequest | tuple[str, Mapping[str, Any]]"
"""A call, as it is passed: a request, or a method and its parameters."""

NO_PARAMS: Mapping[str, Any] = {}


def check_calls(name: str, calls: Any, *kinds: type) -> None:
    """Refuse a value that is not an iterable of calls.

    :param name: the parameter
    :param calls: what it is, masked: elements may have a secret
    :param kinds: which iterables are allowed
    """
    series = isinstance(calls, Masked) and isinstance(calls.reveal(), kinds)
    if not series or kind_of(calls) == "dict":
        message = (
            f"{name} must be an iterable of vkanyio.APIRequest or of pairs"
            f" (method, params), got {kind_of(calls)}"
        )
        raise TypeError(message)


def check_flag(name: str, value: object) -> None:
    """Refuse anything but True and False."""
    if not isinstance(value, bool):
        message = f"{name} must be True or False, got {shown(value)}"
        raise TypeError(message)


def to_request(element: Any) -> APIRequest:
    """Return the request for an element of a stream.

    :raises TypeError: if it is not a call, or has a parameter that cannot be encoded
    :raises ValueError: if it has a parameter that cannot be encoded or sent
    """
    if isinstance(element, APIRequest):
        return element
    if _is_pair(element):
        method, params = element
        return APIRequest(method, params)
    message = (
        "a call must be a vkanyio.APIRequest or a pair (method, params), got"
        f" {kind_of(element)}"
    )
    raise TypeError(message)


@final
class SettledCall:
    """A call of a stream that has its outcome.

    :ivar index: the number of the call among ``calls``, from 0
    :ivar method: VK's name of the method; ``""`` if the element had none
    :ivar params: the parameters, encoded as they were sent, without an
        ``access_token``; for an element that was refused, those that it had
    :ivar request: the request; None if the element was refused before it was sent
    """

    __module__ = "vkanyio"
    __slots__ = ("_refusal", "index", "method", "params", "request")

    def __init__(
        self,
        index: int,
        request: APIRequest | None,
        method: str,
        params: Mapping[str, Any],
        refusal: Exception | None = None,
    ) -> None:
        self.index: int = index
        self.request: APIRequest | None = request
        self.method: str = method
        self.params: Mapping[str, Any] = params
        self._refusal = refusal

    def __repr__(self) -> str:
        what = "refused" if self.request is None else repr(self.request)
        return f"<call {self.index} of a stream: {what}>"

    def result(self) -> Any:
        """Return the outcome.

        :return: the value that VK returned; for ``execute`` and ``execute.name`` an
            :class:`~vkanyio.ExecuteResult`
        :raises VKError: the error of the call
        :raises TypeError: if the element was not a call, or had a parameter that cannot
            be encoded
        :raises ValueError: if it had a parameter that cannot be encoded or sent
        """
        if self._refusal is not None:
            raise self._refusal
        assert self.request is not None
        return self.request.result()


def refused(index: int, element: Any, error: Exception) -> SettledCall:
    """Return the outcome of an element that was refused before it was sent.

    :param error: why
    """
    error = without_own_frames(error)
    if isinstance(element, APIRequest):  # it was sent before
        return SettledCall(index, None, element.method, element.params, error)
    method, params = "", NO_PARAMS
    if _is_pair(element):
        method = element[0] if isinstance(element[0], str) else ""
        params = mask_params(element[1]) if is_mapping(element[1]) else NO_PARAMS
    return SettledCall(index, None, method, params, error)


def _is_pair(element: Any) -> bool:
    return (is_tuple(element) or is_list(element)) and len(element) == 2


def without_own_frames(error: Exception) -> Exception:
    """Return an error without the frames that hold an element, which may be secret."""
    traceback = error.__traceback__
    while traceback is not None and _is_own(traceback.tb_frame):
        traceback = traceback.tb_next
    return error.with_traceback(traceback)


def _is_own(frame: FrameType) -> bool:
    return frame.f_globals.get("__package__") == __package__
