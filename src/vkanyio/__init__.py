"""A structured-concurrency client for the VK API, for trio and asyncio."""

from __future__ import annotations

from ._captcha import Captcha as Captcha
from ._captcha import Confirmation as Confirmation
from ._captcha import Validation as Validation
from ._client import VK as VK
from ._config import Config as Config
from ._config import Options as Options
from ._errors import AccessDeniedError as AccessDeniedError
from ._errors import APIError as APIError
from ._errors import AppAuthError as AppAuthError
from ._errors import AuthError as AuthError
from ._errors import CaptchaError as CaptchaError
from ._errors import ClientClosedError as ClientClosedError
from ._errors import ClientCrashedError as ClientCrashedError
from ._errors import ClientUseError as ClientUseError
from ._errors import CompileError as CompileError
from ._errors import ConfirmationError as ConfirmationError
from ._errors import ConnectionFailedError as ConnectionFailedError
from ._errors import FloodControlError as FloodControlError
from ._errors import GroupAuthError as GroupAuthError
from ._errors import InternalServerError as InternalServerError
from ._errors import InterruptedCallError as InterruptedCallError
from ._errors import InvalidRequestError as InvalidRequestError
from ._errors import InvalidResponseError as InvalidResponseError
from ._errors import OutcomeUnknownError as OutcomeUnknownError
from ._errors import ParameterError as ParameterError
from ._errors import PermissionDeniedError as PermissionDeniedError
from ._errors import RateLimitError as RateLimitError
from ._errors import RequestTimeoutError as RequestTimeoutError
from ._errors import ScriptRuntimeError as ScriptRuntimeError
from ._errors import TokenExpiredError as TokenExpiredError
from ._errors import TooManyRequestsError as TooManyRequestsError
from ._errors import TransportError as TransportError
from ._errors import UnknownError as UnknownError
from ._errors import UnknownMethodError as UnknownMethodError
from ._errors import ValidationError as ValidationError
from ._errors import VKError as VKError
from ._execute import ExecuteError as ExecuteError
from ._execute import ExecuteResult as ExecuteResult
from ._groups import MethodGroup as MethodGroup
from ._limiter import Limiter as Limiter
from ._pool import HTTPClient as HTTPClient
from ._pool import HTTPResponse as HTTPResponse
from ._request import APIRequest as APIRequest
from ._statistics import Statistics as Statistics
from ._version import __version__ as __version__

# Tracebacks and documentation name things by where they are imported from.
for _value in tuple(globals().values()):
    if isinstance(_value, type) and _value.__module__.startswith("vkanyio._"):
        _value.__module__ = __name__
