"""A structured-concurrency client for the VK API, for trio and asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._api import API as API
from ._captcha import Captcha as Captcha
from ._captcha import Confirmation as Confirmation
from ._captcha import Validation as Validation
from ._client import VK as VK
from ._config import Config as Config
from ._config import Language as Language
from ._config import Mode as Mode
from ._config import Options as Options
from ._config import ViewOptions as ViewOptions
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
from ._errors import NoTokenLeftError as NoTokenLeftError
from ._errors import OutcomeUnknownError as OutcomeUnknownError
from ._errors import ParameterError as ParameterError
from ._errors import PermissionDeniedError as PermissionDeniedError
from ._errors import RateLimitError as RateLimitError
from ._errors import RequestTimeoutError as RequestTimeoutError
from ._errors import ScriptRuntimeError as ScriptRuntimeError
from ._errors import TokenExpiredError as TokenExpiredError
from ._errors import TokenRenewalError as TokenRenewalError
from ._errors import TooManyRequestsError as TooManyRequestsError
from ._errors import TransportError as TransportError
from ._errors import UnknownError as UnknownError
from ._errors import UnknownMethodError as UnknownMethodError
from ._errors import UploadRefusedError as UploadRefusedError
from ._errors import ValidationError as ValidationError
from ._errors import VKError as VKError
from ._events import CallEnded as CallEnded
from ._events import CallStarted as CallStarted
from ._events import Event as Event
from ._events import PollEnded as PollEnded
from ._events import PollStarted as PollStarted
from ._events import RequestEnded as RequestEnded
from ._events import RequestStarted as RequestStarted
from ._execute import ExecuteError as ExecuteError
from ._execute import ExecuteResult as ExecuteResult
from ._http_client import HTTPClient as HTTPClient
from ._http_client import HTTPResponse as HTTPResponse
from ._limiter import Limiter as Limiter
from ._limiter import RequestMode as RequestMode
from ._method_group import MethodGroup as MethodGroup
from ._request import APIRequest as APIRequest
from ._statistics import Statistics as Statistics
from ._token import Token as Token
from ._token import TokenFunction as TokenFunction
from ._token_view import TokenView as TokenView
from ._typing import HasToVK as HasToVK
from ._version import __version__ as __version__

# What few programs need is loaded when it is first asked for.
if TYPE_CHECKING:
    from ._error_codes import AccessAlbumError as AccessAlbumError
    from ._error_codes import AccessAudioError as AccessAudioError
    from ._error_codes import AccessGroupError as AccessGroupError
    from ._error_codes import (
        AdditionalSignupRequiredError as AdditionalSignupRequiredError,
    )
    from ._error_codes import AdsPermissionError as AdsPermissionError
    from ._error_codes import AdsSpecificError as AdsSpecificError
    from ._error_codes import AlbumFullError as AlbumFullError
    from ._error_codes import AssertVotesError as AssertVotesError
    from ._error_codes import (
        AuthAnonymousTokenHasExpiredError as AuthAnonymousTokenHasExpiredError,
    )
    from ._error_codes import (
        AuthAnonymousTokenIpMismatchError as AuthAnonymousTokenIpMismatchError,
    )
    from ._error_codes import (
        AuthAnonymousTokenIsInvalidError as AuthAnonymousTokenIsInvalidError,
    )
    from ._error_codes import AuthHttpsError as AuthHttpsError
    from ._error_codes import ClientUpdateNeededError as ClientUpdateNeededError
    from ._error_codes import (
        ClientVersionDeprecatedError as ClientVersionDeprecatedError,
    )
    from ._error_codes import (
        CuaConfirmationRequiredError as CuaConfirmationRequiredError,
    )
    from ._error_codes import DisabledError as DisabledError
    from ._error_codes import EmailConfirmationNeedError as EmailConfirmationNeedError
    from ._error_codes import EnabledInTestError as EnabledInTestError
    from ._error_codes import ErrorCode as ErrorCode
    from ._error_codes import IpIsNotAllowedError as IpIsNotAllowedError
    from ._error_codes import MethodAdsError as MethodAdsError
    from ._error_codes import MethodDisabledError as MethodDisabledError
    from ._error_codes import MethodPermissionError as MethodPermissionError
    from ._error_codes import NeedTokenConfirmationError as NeedTokenConfirmationError
    from ._error_codes import NotImplementedYetError as NotImplementedYetError
    from ._error_codes import NotSupportedHttpMethodError as NotSupportedHttpMethodError
    from ._error_codes import OtpValidationNeedError as OtpValidationNeedError
    from ._error_codes import ParamApiIdError as ParamApiIdError
    from ._error_codes import ParamTimestampError as ParamTimestampError
    from ._error_codes import ParamUserIdError as ParamUserIdError
    from ._error_codes import PasswordValidationNeedError as PasswordValidationNeedError
    from ._error_codes import PhoneValidationNeedError as PhoneValidationNeedError
    from ._error_codes import PrivateProfileError as PrivateProfileError
    from ._error_codes import RecaptchaError as RecaptchaError
    from ._error_codes import SectionDisabledError as SectionDisabledError
    from ._error_codes import SignatureError as SignatureError
    from ._error_codes import TokenExtensionRequiredError as TokenExtensionRequiredError
    from ._error_codes import UnknownApplicationError as UnknownApplicationError
    from ._error_codes import UnknownGroupError as UnknownGroupError
    from ._error_codes import UnknownUserError as UnknownUserError
    from ._error_codes import UserBannedError as UserBannedError
    from ._error_codes import UserDeactivatedError as UserDeactivatedError
    from ._error_codes import UserDeletedError as UserDeletedError
    from ._error_codes import UserServiceDeactivatedError as UserServiceDeactivatedError
    from ._error_codes import VotesPermissionError as VotesPermissionError
    from ._random_id import random_id as random_id
    from ._reading._collect import ItemsAhead as ItemsAhead
    from ._reading._collect import PagedItems as PagedItems
    from ._reading._settled import SettledCall as SettledCall
    from ._reading._stream import CallStream as CallStream
    from ._untyped import UntypedGroup as UntypedGroup
    from ._untyped import UntypedGroups as UntypedGroups
else:

    def __getattr__(name: str) -> object:
        if name == "ErrorCode" or name.endswith("Error"):
            from . import _error_codes

            if name in vars(_error_codes):
                return vars(_error_codes)[name]
        if name == "CallStream":
            from ._reading import _stream

            return vars(_stream)[name]
        if name == "SettledCall":
            from ._reading import _settled

            return vars(_settled)[name]
        if name in ("ItemsAhead", "PagedItems"):
            from ._reading import _collect

            return vars(_collect)[name]
        if name in ("UntypedGroup", "UntypedGroups"):
            from . import _untyped

            return vars(_untyped)[name]
        if name == "random_id":
            from . import _random_id

            return vars(_random_id)[name]
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message, name=name)


# Tracebacks and documentation name things by where they are imported from.
for _value in tuple(globals().values()):
    if isinstance(_value, type) and _value.__module__.startswith("vkanyio._"):
        _value.__module__ = __name__
