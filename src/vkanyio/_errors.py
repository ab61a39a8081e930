"""Everything that vkanyio raises, arranged by what the caller does next.

::

    VKError
    ├── APIError                    VK said no: look at the code
    │   ├── UnknownError            1    VK failed, and does not say how
    │   ├── UnknownMethodError      3    mend the method's name
    │   ├── AuthError               5    mend the token
    │   ├── TooManyRequestsError    6    somebody else spends this token's budget
    │   ├── PermissionDeniedError   7    ask for the right
    │   ├── InvalidRequestError     8    mend the request
    │   ├── FloodControlError       9    do less of the same
    │   ├── InternalServerError     10   VK failed
    │   ├── CompileError            12   mend the VKScript
    │   ├── ScriptRuntimeError      13   mend the VKScript, or ask for less
    │   ├── CaptchaError            14   a person has to answer
    │   ├── AccessDeniedError       15   ask for the right
    │   ├── ValidationError         17   a person has to confirm who they are
    │   ├── ConfirmationError       24   a person has to agree
    │   ├── GroupAuthError          27   use another kind of token
    │   ├── AppAuthError            28   use another kind of token
    │   ├── RateLimitError          29   this method's quota is spent: wait for hours
    │   ├── InterruptedCallError    36   VK gave up half-way
    │   ├── ParameterError          100  mend the parameter
    │   ├── TokenExpiredError       1117 get a new token
    │   ├── ...                     the other codes that any method may answer, by
    │   │                           VK's names: UserDeletedError, PrivateProfileError
    │   └── APIError[code]          a class of its own for every other code
    ├── TransportError              no usable answer; repeating does no harm: try later
    │   ├── ConnectionFailedError   the connection failed or broke
    │   ├── RequestTimeoutError     no answer in time (also a TimeoutError)
    │   └── InvalidResponseError    an answer that is not VK's
    ├── OutcomeUnknownError         VK may have carried it out: look before repeating
    ├── ClientClosedError           the client is not open, or was closed meanwhile
    ├── ClientCrashedError          a bug in vkanyio: the cause is attached
    └── ClientUseError              the client was used in a way that cannot work
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class VKError(Exception):
    """The root of all errors that vkanyio raises on its own account."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Make copies and pickles whole, whatever the constructor takes."""
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
    """Give each waiter an error of its own: raising writes into the instance."""
    return copy.copy(error)


class _ClassPerCode(type):
    """What makes ``APIError[901]`` the class of error 901."""

    def __getitem__(cls, code: int) -> type[APIError]:
        if not isinstance(code, int) or isinstance(code, bool):
            message = f"APIError[...] takes an error code of VK's, an int, got {code!r}"
            raise TypeError(message)
        return _classes.get(code) or _find_class(code)


def _find_class(code: int) -> type[APIError]:
    """Find a class that is generated, or make one."""
    from ._error_codes import ErrorCode  # when it is needed: few programs meet these

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
    """Raised when VK answers a call with an error.

    ``APIError[code]`` is the class of one code, whether or not it has a name here:
    ``except APIError[901]:`` catches error 901 and nothing else.

    :ivar code: VK's error code (https://dev.vk.com/reference/errors)
    :ivar message: VK's own text, in VK's words
    :ivar method: the method that was called
    :ivar params: the parameters as they were sent, without tokens and answers to
        captchas
    :ivar subcode: VK's finer code, where it sent one
    :ivar raw: VK's whole error object: extra fields are found here
    """

    advice: ClassVar[str] = ""

    def __init_subclass__(cls, *, code: int | None = None, advice: str = "") -> None:
        """Register the class of a code."""
        if cls.__module__ == f"{__package__}._error_codes":
            cls.__module__ = APIError.__module__  # where it is imported from
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
        if cls is _classes.get(self.code):  # it may have been made here
            return _restore_by_code, (self.code, *state)
        return _restore, (cls, *state)

    @property
    def documentation(self) -> str:
        """The address of VK's own page about the method that failed."""
        return f"https://dev.vk.com/method/{self.method}"


def _restore_by_code(code: int, *state: Any) -> VKError:
    return _restore(APIError[code], *state)


class UnknownError(APIError, code=1):
    """Raised when VK answers error 1: it failed, and does not say how."""


class UnknownMethodError(
    APIError, code=3, advice="method names are case-sensitive: see dev.vk.com/method"
):
    """Raised when VK answers error 3: it has no such method."""


class AuthError(
    APIError,
    code=5,
    advice="check that the token is whole, not expired and not revoked",
):
    """Raised when VK answers error 5: it does not accept the token."""


class TooManyRequestsError(
    APIError,
    code=6,
    advice="another program seems to spend this token's requests, or `limit` is"
    " higher than VK allows the token",
):
    """Raised when VK keeps answering error 6 for a minute on end."""


class PermissionDeniedError(APIError, code=7, advice="the token lacks this right"):
    """Raised when VK answers error 7: the token does not have the right."""


class InvalidRequestError(APIError, code=8):
    """Raised when VK answers error 8: it cannot read the request."""


class FloodControlError(
    APIError, code=9, advice="send fewer identical requests, or wait for a while"
):
    """Raised when VK answers error 9: too many identical actions."""


class InternalServerError(APIError, code=10):
    """Raised when VK answers error 10: it failed."""


class CompileError(APIError, code=12, advice="nothing of the script was run"):
    """Raised when VK answers error 12: the VKScript does not compile."""


class ScriptRuntimeError(
    APIError, code=13, advice="calls before that point may have been carried out"
):
    """Raised when VK answers error 13: the VKScript failed while it ran."""


class CaptchaError(
    APIError, code=14, advice="`on_captcha` is the function that answers it"
):
    """Raised when VK asks for a captcha and got no answer that it accepts."""


class AccessDeniedError(APIError, code=15):
    """Raised when VK answers error 15: no access to this object or method."""


class ValidationError(
    APIError,
    code=17,
    advice="its owner opens the `redirect_uri` of `raw`; `on_validation` is the"
    " function for that",
):
    """Raised when VK asks the token's owner to confirm who they are."""


class ConfirmationError(
    APIError,
    code=24,
    advice="`on_confirmation` is the function that may agree",
):
    """Raised when VK asks whether this is really wanted, and nobody agreed."""


class GroupAuthError(APIError, code=27, advice="a user token may be needed"):
    """Raised when VK answers error 27: the method refuses community tokens."""


class AppAuthError(APIError, code=28, advice="use a fresh token, or a user's"):
    """Raised when VK answers error 28: the method refuses service tokens."""


class RateLimitError(
    APIError, code=29, advice="VK counts this method by the day: wait for hours"
):
    """Raised when VK answers error 29: the quota of this method is spent."""


class InterruptedCallError(APIError, code=36):
    """Raised when VK answers error 36: it gave up half-way."""


class ParameterError(APIError, code=100):
    """Raised when VK answers error 100: a parameter is missing or wrong."""


class TokenExpiredError(APIError, code=1117, advice="get a new token"):
    """Raised when VK answers error 1117: the token has expired."""


class TransportError(VKError):
    """Raised when VK's answer did not come, or was not one.

    Either the request was not carried out, or it only reads: repeating it later does
    no harm. Where that cannot be said, :exc:`OutcomeUnknownError` is raised instead.

    :ivar method: the method that was called
    """

    def __init__(self, message: str, *, method: str = "") -> None:
        super().__init__(message)
        self.method = method

    def __str__(self) -> str:
        return f"{self.method}: {self.args[0]}" if self.method else str(self.args[0])


class ConnectionFailedError(TransportError):
    """Raised when no connection could be made, or it broke before the answer."""


class RequestTimeoutError(TransportError, TimeoutError):
    """Raised when VK gave no answer within ``timeout``, at every attempt."""


class InvalidResponseError(TransportError):
    """Raised when an answer is not what VK's API sends.

    A page of HTML from a gateway, say, or JSON cut short, or more bytes than the option
    ``max_answer`` allows.

    :ivar status: the HTTP status
    :ivar body: the first bytes of the answer
    """

    def __init__(
        self, message: str, *, method: str = "", status: int, body: bytes
    ) -> None:
        super().__init__(message, method=method)
        self.status = status
        self.body = body


class OutcomeUnknownError(VKError):
    """Raised when VK may have carried a call out, and repeating it could do so twice.

    Look before you repeat. ``__cause__`` is what went wrong; see
    :class:`~vkanyio.APIRequest` for how to allow repetition.

    :ivar method: the method that was called
    """

    def __init__(self, cause: VKError, *, method: str) -> None:
        super().__init__(method)
        self.method = method
        self.__cause__: BaseException | None = cause

    def __str__(self) -> str:
        return (
            f"{self.method} may have been carried out ({self.__cause__}): it was not"
            " repeated, look before you do"
        )


class ClientClosedError(VKError):
    """Raised when a client is used out of its time.

    :ivar maybe_carried_out: whether VK may have carried the call out before the client
        was closed
    """

    def __init__(self, message: str, *, maybe_carried_out: bool = False) -> None:
        super().__init__(message)
        self.maybe_carried_out = maybe_carried_out


class ClientCrashedError(VKError):
    """Raised when a task of the client's own has failed: ``__cause__`` says how."""


class ClientUseError(VKError, RuntimeError):
    """Raised when something of vkanyio's is used in a way that cannot work.

    A client entered twice, or used from another event loop; a request sent twice; a
    captcha answered when it is no longer open.
    """
