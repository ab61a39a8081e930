"""The exceptions of vkanyio, arranged by what the caller does next.

``error.is_transient`` divides them in another way: where it is true, VK or the network
has problems, and the same call may succeed later.

::

    VKError
    ├── APIError                    VK rejected the call: look at the code
    │   ├── UnknownError            1    VK failed, without saying how
    │   ├── UnknownMethodError      3    fix the method name
    │   ├── AuthError               5    replace the token
    │   ├── TooManyRequestsError    6    another program uses this token's limit
    │   ├── PermissionDeniedError   7    request the permission
    │   ├── InvalidRequestError     8    fix the request
    │   ├── FloodControlError       9    send fewer identical requests
    │   ├── InternalServerError     10   VK failed
    │   ├── CompileError            12   fix the VKScript
    │   ├── ScriptRuntimeError      13   fix the VKScript, or ask for less
    │   ├── CaptchaError            14   a person has to solve it
    │   ├── AccessDeniedError       15   request the permission
    │   ├── ValidationError         17   a person has to confirm their identity
    │   ├── ConfirmationError       24   a person has to agree
    │   ├── GroupAuthError          27   use another kind of token
    │   ├── AppAuthError            28   use another kind of token
    │   ├── RateLimitError          29   the method's quota is used up: wait for hours
    │   ├── InterruptedCallError    36   VK gave up part-way
    │   ├── ParameterError          100  fix the parameter
    │   ├── TokenExpiredError       1117 get a new token
    │   ├── ...                     the other codes that any method may return, by
    │   │                           VK's names: UserDeletedError, PrivateProfileError
    │   └── APIError[code]          a separate class for every other code
    ├── TransportError              no usable response; safe to retry: try later
    │   ├── ConnectionFailedError   the connection failed or broke
    │   ├── RequestTimeoutError     no response in time (also a TimeoutError)
    │   └── InvalidResponseError    a response that is not from the VK API
    ├── UploadRefusedError          VK refused a file: send another
    ├── TokenRenewalError           VK refused the token, and there is no new one
    ├── NoTokenLeftError            no token of a stream can make the call
    ├── OutcomeUnknownError         VK may have carried it out: check before you retry
    ├── ClientClosedError           the client is not open, or was closed meanwhile
    ├── ClientCrashedError          a bug in vkanyio: the cause is attached
    └── ClientUseError              the client was used in a way that cannot work
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._uploaded import UnsavedUpload, Uploaded

_TRANSIENT_CODES = frozenset({1, 6, 10, 36})
"""Errors of VK itself, or of too many requests, and none of the call."""
_TRANSIENT_STATUSES = frozenset({408, 429})
"""HTTP statuses below 500 by which a gateway does not refuse the request for good."""


class VKError(Exception):
    """The base class of all exceptions of vkanyio.

    :ivar saved: for an upload of several files, those that were saved before the error
    """

    saved: tuple[Uploaded[Any], ...] = ()

    @property
    def is_transient(self) -> bool:
        """Whether VK or the network has problems: the call may succeed later.

        True for VK's errors 1, 6, 10 and 36, lost connections, responses that do not
        come in time, and pages of gateways such as HTTP 502. False where somebody must
        act first (a captcha, a bad token, a refused proxy login), and for
        :exc:`OutcomeUnknownError`, which may not be retried blindly. The client has
        already made the retries that its options allow.
        """
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        """Make copies and pickles complete, whatever the constructor takes."""
        return _restore, (type(self), self.args, self.__dict__, self.__cause__)


def _restore(
    cls: type[VKError],
    args: tuple[Any, ...],
    state: dict[str, Any],
    cause: BaseException | None,
) -> VKError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    error.__cause__ = cause
    return error


def copy_error(error: VKError) -> VKError:
    """Make a copy for another waiter: raising an exception changes it."""
    return copy.copy(error)


class _ClassPerCode(type):
    """Makes ``APIError[901]`` the class of error 901."""

    def __getitem__(cls, code: int) -> type[APIError]:
        if not isinstance(code, int) or isinstance(code, bool):
            message = f"APIError[...] takes a VK error code, an int, got {code!r}"
            raise TypeError(message)
        return _classes.get(code) or _find_class(code)


def _find_class(code: int) -> type[APIError]:
    """Find a generated class, or make one."""
    from ._error_codes import ErrorCode  # lazily: few programs need it

    known = _classes.get(code)
    if known is not None:
        return known
    try:
        name = f", {ErrorCode(code).name}"
    except ValueError:
        name = ""

    class Made(APIError, code=code):
        __doc__ = f"VK's error {code:d}{name}."

    Made.__name__ = Made.__qualname__ = f"APIError{code:d}"
    Made.__module__ = APIError.__module__
    return Made


_classes: dict[int, type[APIError]] = {}


def classes_by_code() -> Mapping[int, type[APIError]]:
    """Return the classes that have been made so far, by their codes."""
    return _classes


class APIError(VKError, metaclass=_ClassPerCode):
    """Raised when VK returns an error.

    ``APIError[code]`` is the class of one code, whether or not it has a name:
    ``except APIError[901]:`` catches error 901 and nothing else.

    :ivar code: VK's error code (https://dev.vk.com/reference/errors)
    :ivar message: VK's message, or the first 1,000 characters of it
    :ivar method: the method that was called
    :ivar params: the parameters as they were sent, without tokens and answers to
        captchas
    :ivar subcode: VK's subcode, where it sent one
    :ivar raw: VK's error object, with any extra fields and without the parameters that
        it repeats. Of an object larger than 64 KiB, fields that do not fit are left
        out, but none that a captcha or another question of VK needs
    """

    advice: str = ""

    def __init_subclass__(cls, *, code: int | None = None, advice: str = "") -> None:
        """Register the class of a code."""
        if cls.__module__ == f"{__package__}._error_codes":
            cls.__module__ = APIError.__module__  # where users import it from
        cls.advice = advice
        if code is not None:
            _classes[code] = cls

    def __init__(
        self,
        code: int,
        message: str,
        *,
        method: str = "",
        params: Mapping[str, str | int | float] | None = None,
        subcode: int | None = None,
        raw: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.method = method
        self.params: dict[str, str | int | float] = dict(params or {})
        self.subcode = subcode
        self.raw: dict[str, Any] = dict(raw or {})

    def __str__(self) -> str:
        where = f"{self.method}: " if self.method else ""
        fine = "" if self.subcode is None else f"/{self.subcode}"
        advice = f" ({self.advice})" if self.advice else ""
        return f"{where}error {self.code}{fine}: {self.message}{advice}"

    def __reduce__(self) -> tuple[Any, ...]:
        cls, state = type(self), (self.args, self.__dict__, self.__cause__)
        if cls is _classes.get(self.code):  # it may have been made at run time
            return _restore_by_code, (self.code, *state)
        return _restore, (cls, *state)

    @property
    def is_transient(self) -> bool:
        """Whether VK itself failed, or had too many requests."""
        return self.code in _TRANSIENT_CODES

    @property
    def documentation(self) -> str:
        """The URL of VK's documentation of the method that failed."""
        return f"https://dev.vk.com/method/{self.method}"


def _restore_by_code(code: int, *state: Any) -> VKError:
    return _restore(APIError[code], *state)


class UnknownError(APIError, code=1):
    """Raised when VK returns error 1: it failed, without saying how."""


class UnknownMethodError(
    APIError, code=3, advice="method names are case-sensitive: see dev.vk.com/method"
):
    """Raised when VK returns error 3: it has no such method."""


class AuthError(
    APIError,
    code=5,
    advice="check that the token is complete, not expired and not revoked",
):
    """Raised when VK returns error 5: it does not accept the token."""


class TooManyRequestsError(
    APIError,
    code=6,
    advice=(
        "another program may be using this token, or `limit` is higher than VK allows"
        " for it"
    ),
):
    """Raised when VK keeps returning error 6 for a minute."""


class PermissionDeniedError(APIError, code=7, advice="the token lacks this permission"):
    """Raised when VK returns error 7: the token lacks the permission."""


class InvalidRequestError(APIError, code=8):
    """Raised when VK returns error 8: it cannot read the request."""


class FloodControlError(
    APIError, code=9, advice="send fewer identical requests, or wait for a while"
):
    """Raised when VK returns error 9: too many identical actions."""


class InternalServerError(APIError, code=10):
    """Raised when VK returns error 10: it failed."""


class CompileError(APIError, code=12, advice="no part of the script was run"):
    """Raised when VK returns error 12: the VKScript does not compile."""


class ScriptRuntimeError(
    APIError, code=13, advice="calls before that point may have been carried out"
):
    """Raised when VK returns error 13: the VKScript failed while it ran."""


class CaptchaError(
    APIError, code=14, advice="the option `on_captcha` takes a function that solves it"
):
    """Raised when VK requires a captcha, and got no answer that it accepts."""


class AccessDeniedError(APIError, code=15):
    """Raised when VK returns error 15: no access to this object or method."""


class ValidationError(
    APIError,
    code=17,
    advice="the owner of the token opens the `redirect_uri` of `raw`; the option"
    " `on_validation` takes a function for that",
):
    """Raised when VK requires the owner of the token to validate their identity."""


class ConfirmationError(
    APIError,
    code=24,
    advice="the option `on_confirmation` takes a function that may agree",
):
    """Raised when VK asks for confirmation, and nobody agreed."""


class GroupAuthError(APIError, code=27, advice="a user token may be needed"):
    """Raised when VK returns error 27: the method refuses community tokens."""


class AppAuthError(APIError, code=28, advice="use a new token, or a user token"):
    """Raised when VK returns error 28: the method refuses service tokens."""


class RateLimitError(
    APIError, code=29, advice="VK limits this method per day: wait for hours"
):
    """Raised when VK returns error 29: the quota of the method is used up."""


class InterruptedCallError(APIError, code=36):
    """Raised when VK returns error 36: it gave up part-way."""


class ParameterError(APIError, code=100):
    """Raised when VK returns error 100: a parameter is missing or wrong."""


class TokenExpiredError(APIError, code=1117, advice="get a new token"):
    """Raised when VK returns error 1117: the token has expired."""


class TransportError(VKError):
    """Raised when there was no response, or one that is not from the VK API.

    Either the request was not carried out, or it only reads: it is safe to retry it
    later. Otherwise :exc:`OutcomeUnknownError` is raised instead.

    :ivar method: the method that was called
    """

    _is_transient: bool = True  # for pickles without it

    def __init__(
        self, message: str, *, method: str = "", is_transient: bool = True
    ) -> None:
        super().__init__(message)
        self.method = method
        self._is_transient = is_transient

    @property
    def is_transient(self) -> bool:
        """Whether a retry may succeed; not if the proxy refused the login, say."""
        return self._is_transient

    def __str__(self) -> str:
        return f"{self.method}: {self.args[0]}" if self.method else str(self.args[0])


class ConnectionFailedError(TransportError):
    """Raised when no connection could be made, or it broke before the response."""


class RequestTimeoutError(TransportError, TimeoutError):
    """Raised when no response came within ``timeout``, at every attempt."""


class InvalidResponseError(TransportError):
    """Raised when a response is not one of the VK API.

    For example, an HTML page from a gateway, truncated JSON, or more bytes than the
    option ``max_answer`` allows.

    :ivar status: the HTTP status
    :ivar body: the first bytes of the response
    """

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        status: int,
        body: bytes,
        is_transient: bool | None = None,
    ) -> None:
        if is_transient is None:
            # From 300 to 499, a gateway in front of VK refused the request.
            is_transient = not 300 <= status < 500 or status in _TRANSIENT_STATUSES
        super().__init__(message, method=method, is_transient=is_transient)
        self.status = status
        self.body = body


class UploadRefusedError(VKError):
    """Raised when VK refuses an uploaded file. Nothing has been saved.

    Upload servers report that with HTTP status 200 and a text of their own, or an empty
    field, with which the method that saves the file would only return error 100; and
    gateways with HTTP status 413.

    :ivar kind: the method of ``api.upload``, such as "message_photo"
    :ivar response: what the upload server returned: JSON, or the text if it is not JSON
    """

    def __init__(
        self, message: str, *, kind: str, response: Any, is_transient: bool = False
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.response = response
        self._is_transient = is_transient

    @property
    def is_transient(self) -> bool:
        """Whether VK takes the file later: it does if files came too fast."""
        return self._is_transient

    def __str__(self) -> str:
        return f"upload.{self.kind}: {self.args[0]}"


class OutcomeUnknownError(VKError):
    """Raised when VK may have carried out a call, and a retry could do so twice.

    Check before you retry. ``__cause__`` is what went wrong; see
    :class:`~vkanyio.APIRequest` for how to allow a retry.

    :ivar method: the method that was called
    :ivar uploaded: the uploaded file, if it may not have been saved:
        ``await api.upload.save(error.uploaded)`` saves it, perhaps a second time
    """

    uploaded: UnsavedUpload | None = None

    def __init__(self, cause: VKError, *, method: str) -> None:
        super().__init__(method)
        self.method = method
        self.__cause__: BaseException | None = cause

    def __str__(self) -> str:
        return (
            f"{self.method} may have been carried out ({self.__cause__}): it was not"
            " retried; check before you repeat it"
        )


class TokenRenewalError(VKError):
    """Raised when VK refused the token, and the token function returned no new one.

    ``__cause__`` is the reason: what the function raised, or VK's error for the new
    token. The function is not called again, unless that was a transient :exc:`VKError`,
    or an :exc:`OSError` such as :exc:`TimeoutError`.
    """

    @property
    def is_transient(self) -> bool:
        """Whether the renewal may succeed later, as its cause says."""
        cause = self.__cause__
        if isinstance(cause, VKError):
            return cause.is_transient
        return isinstance(cause, OSError)


class NoTokenLeftError(VKError):
    """Raised by a call of a stream over several tokens when none of them can make it.

    :ivar reasons: the reason for each token, an error, in the order of ``views``
    :ivar method: the method that was to be called
    """

    def __init__(self, reasons: Sequence[VKError], *, method: str) -> None:
        super().__init__(method)
        self.method = method
        self.reasons: tuple[VKError, ...] = tuple(reasons)

    def __str__(self) -> str:
        why = "; ".join(f"views[{i}]: {e}" for i, e in enumerate(self.reasons))
        return f"no token is left that can call {self.method}: {why}"


class ClientClosedError(VKError):
    """Raised when a client is used before or after its block, or closed during a call.

    :ivar maybe_carried_out: whether VK may have carried out the call before the client
        was closed
    """

    def __init__(self, message: str, *, maybe_carried_out: bool = False) -> None:
        super().__init__(message)
        self.maybe_carried_out = maybe_carried_out


class ClientCrashedError(VKError):
    """Raised when an internal task of the client failed: ``__cause__`` is its error."""


class ClientUseError(VKError, RuntimeError):
    """Raised when a client or a request is used in a way that cannot work.

    A client entered twice, or used from another event loop; a request sent twice; a
    captcha answered when it is no longer open.
    """
