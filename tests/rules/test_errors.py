"""The tree of errors."""

from __future__ import annotations

import ast
import copy
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import vkanyio
from vkanyio import (
    APIError,
    AuthError,
    ClientClosedError,
    ClientCrashedError,
    ClientUseError,
    ConnectionFailedError,
    ErrorCode,
    InvalidResponseError,
    NoTokenLeftError,
    OutcomeUnknownError,
    RequestTimeoutError,
    TooManyRequestsError,
    TransportError,
    UploadRefusedError,
    VKError,
    _error_codes,
    _errors,
)
from vkanyio._errors import copy_error

if TYPE_CHECKING:
    from collections.abc import Iterator

CODES = {
    1: vkanyio.UnknownError,
    3: vkanyio.UnknownMethodError,
    5: vkanyio.AuthError,
    6: vkanyio.TooManyRequestsError,
    7: vkanyio.PermissionDeniedError,
    8: vkanyio.InvalidRequestError,
    9: vkanyio.FloodControlError,
    10: vkanyio.InternalServerError,
    12: vkanyio.CompileError,
    13: vkanyio.ScriptRuntimeError,
    14: vkanyio.CaptchaError,
    15: vkanyio.AccessDeniedError,
    17: vkanyio.ValidationError,
    24: vkanyio.ConfirmationError,
    27: vkanyio.GroupAuthError,
    28: vkanyio.AppAuthError,
    29: vkanyio.RateLimitError,
    36: vkanyio.InterruptedCallError,
    100: vkanyio.ParameterError,
    1117: vkanyio.TokenExpiredError,
}


def public_errors() -> list[type[VKError]]:
    return [
        value
        for value in vars(vkanyio).values()
        if isinstance(value, type) and issubclass(value, VKError)
    ]


class MyAuthError(AuthError):
    """A subclass by a user."""


def make(cls: type[APIError], code: int = 5) -> APIError:
    error = cls(
        code,
        "no",
        method="wall.post",
        params={"message": "hi", "owner_id": -1},
        subcode=1130,
        raw={"error_code": code, "view": "alert"},
    )
    error.add_note("a note")
    return error


def caused(error: VKError) -> VKError:
    error.__cause__ = OSError("of the network")
    return error


ERRORS: list[VKError] = [
    VKError("text", 5),
    make(APIError),
    make(APIError[901], 901),
    make(APIError[123_456], 123_456),
    make(MyAuthError),
    *(make(cls, code) for code, cls in CODES.items()),
    TransportError("text", method="users.get"),
    caused(ConnectionFailedError("text", method="users.get")),
    RequestTimeoutError("text", method="users.get"),
    InvalidResponseError("text", method="users.get", status=502, body=b"<html>"),
    OutcomeUnknownError(TransportError("text"), method="wall.post"),
    ClientClosedError("text", maybe_carried_out=True),
    caused(ClientCrashedError("text")),
    ClientUseError("text"),
    vkanyio.UploadRefusedError("text", kind="message_photo", response={"error": "no"}),
    caused(vkanyio.TokenRenewalError("text")),
    vkanyio.NoTokenLeftError([], method="users.get"),
]


# The codes


def test_every_code_of_vk_s_schema_has_a_name() -> None:
    assert len(ErrorCode) == 251
    assert len({code.name for code in ErrorCode}) == 251
    assert ErrorCode(1).name == "UNKNOWN"
    assert ErrorCode(11500).name == "CUA_CONFIRMATION_REQUIRED"


def generated() -> dict[str, type[APIError]]:
    return {
        name: value
        for name, value in vars(_error_codes).items()
        if isinstance(value, type)
        and issubclass(value, APIError)
        and name != "APIError"
    }


def test_every_code_that_any_method_may_return_has_a_class_with_a_name() -> None:
    # 62 codes are general in VK's schema; 12 and 36 have classes besides.
    assert len({*CODES, *codes_of_generated()} - {12, 36}) == 62
    assert not {*CODES} & {*codes_of_generated()}


def codes_of_generated() -> dict[int, type[APIError]]:
    return {
        code.value: APIError[code]
        for code in ErrorCode
        if APIError[code] in generated().values()
    }


@pytest.mark.parametrize("name", sorted(generated()))
def test_a_class_that_is_generated_is_a_name_of_the_library(name: str) -> None:
    cls = getattr(vkanyio, name)
    [code] = [code for code, found in codes_of_generated().items() if found is cls]
    assert (cls.__module__, cls.__qualname__) == ("vkanyio", name)
    assert cls.__bases__ == (APIError,)
    assert f"error {code}," in cls.__doc__
    copied = pickle.loads(pickle.dumps(make(cls, code)))
    assert type(copied) is cls
    assert copied.code == code


def test_type_checkers_see_the_names_that_are_loaded_lazily() -> None:
    source = Path(vkanyio.__file__).read_text(encoding="utf-8")
    late = {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == "_error_codes"
        for alias in node.names
    }
    assert late == {"ErrorCode", *generated()}


@pytest.mark.parametrize("name", ["Nothing", "NothingError", "_error_code", "Error"])
def test_an_unknown_name_is_not_an_attribute_of_the_library(name: str) -> None:
    with pytest.raises(AttributeError, match=repr(name)):
        getattr(vkanyio, name)


def test_the_class_of_a_code_is_found_by_its_name() -> None:
    assert APIError[ErrorCode.MESSAGES_DENY_SEND] is APIError[901]
    assert "MESSAGES_DENY_SEND" in str(APIError[901].__doc__)
    with pytest.raises(APIError[ErrorCode.MESSAGES_DENY_SEND]):
        raise APIError[901](901, "no")


# The tree


@pytest.mark.parametrize(("code", "cls"), CODES.items())
def test_every_code_with_a_name_has_its_class(code: int, cls: type[APIError]) -> None:
    assert APIError[code] is cls
    assert issubclass(cls, APIError)
    assert cls.__bases__ == (APIError,)


def test_every_class_of_a_code_is_covered() -> None:
    named = {cls for cls in public_errors() if issubclass(cls, APIError)}
    assert named == {APIError, *CODES.values()}


@pytest.mark.parametrize(
    ("cls", "parents"),
    [
        (APIError, {VKError}),
        (TransportError, {VKError}),
        (ConnectionFailedError, {VKError, TransportError}),
        (RequestTimeoutError, {VKError, TransportError, TimeoutError, OSError}),
        (InvalidResponseError, {VKError, TransportError}),
        (OutcomeUnknownError, {VKError}),
        (ClientClosedError, {VKError}),
        (ClientCrashedError, {VKError}),
        (ClientUseError, {VKError, RuntimeError}),
    ],
)
def test_the_tree_is_arranged_by_what_the_caller_does_next(
    cls: type[VKError], parents: set[type]
) -> None:
    assert set(cls.__mro__) - {cls, Exception, BaseException, object} == parents


def test_every_error_is_a_vk_error_under_its_public_name() -> None:
    assert VKError.__bases__ == (Exception,)
    for value in vars(vkanyio).values():
        if isinstance(value, type) and issubclass(value, BaseException):
            assert issubclass(value, VKError)
    for cls in (*public_errors(), APIError[901], APIError[77]):
        assert cls.__module__ == "vkanyio"
        assert cls.__doc__


def test_every_public_class_has_its_public_name() -> None:
    for name, value in vars(vkanyio).items():
        if isinstance(value, type) and not name.startswith("_"):
            assert (value.__module__, value.__qualname__) == ("vkanyio", name)


# Classes by code


def test_a_code_without_a_name_always_has_the_same_class() -> None:
    assert APIError[901] is APIError[901]
    assert APIError[901] is not APIError[902]
    assert issubclass(APIError[901], APIError)
    assert "901" in APIError[901].__name__
    assert "901" in str(APIError[901].__doc__)


@pytest.fixture
def no_classes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Removes the classes of codes, so that they are made again."""
    known = dict(_errors._classes)
    monkeypatch.delitem(sys.modules, "vkanyio._error_codes")
    monkeypatch.setattr(vkanyio, "_error_codes", _error_codes)  # is put back
    for code in (18, 901, 9901):
        _errors._classes.pop(code, None)
    yield
    _errors._classes.clear()
    _errors._classes.update(known)


@pytest.mark.usefixtures("no_classes")
def test_a_class_that_is_generated_is_loaded_when_it_is_needed() -> None:
    found: type[APIError] = APIError[18]
    assert APIError[18] is found
    assert (found.__name__, found.__module__) == ("UserDeletedError", "vkanyio")


@pytest.mark.usefixtures("no_classes")
@pytest.mark.parametrize(
    ("code", "text"),
    [(901, "VK's error 901, MESSAGES_DENY_SEND."), (9901, "VK's error 9901.")],
)
def test_a_class_made_for_a_code_has_the_code_in_its_name(code: int, text: str) -> None:
    made: type[APIError] = APIError[code]
    assert APIError[code] is made
    assert made.__name__ == made.__qualname__ == f"APIError{code}"
    assert (made.__module__, made.__doc__, made.advice) == ("vkanyio", text, "")


@pytest.mark.usefixtures("no_classes")
def test_a_subclass_with_a_code_is_the_class_of_that_code() -> None:
    class OddError(APIError, code=9901, advice="be odd"):
        """Raised when VK is odd."""

    assert APIError[9901] is OddError
    assert OddError.__module__ == __name__
    assert OddError.advice == "be odd"


def test_a_class_by_code_catches_that_code_and_nothing_else() -> None:
    def catch(code: int) -> str:
        try:
            raise make(APIError[code], code)
        except APIError[901]:
            return "901"
        except APIError[6]:
            return "6"
        except APIError:
            return "another"

    caught = [catch(code) for code in (901, 902, 6, 5)]
    assert caught == ["901", "another", "6", "another"]


@pytest.mark.parametrize("code", ["901", None, 901.0, 5.0, True, [5], (5,), slice(5)])
def test_a_value_that_is_not_a_code_is_refused(code: Any) -> None:
    with pytest.raises(TypeError, match="an int"):
        APIError[code]


def test_a_users_class_does_not_replace_ours() -> None:
    assert APIError[5] is AuthError
    assert issubclass(MyAuthError, AuthError)


# Attributes


def test_an_api_error_has_what_vk_sent() -> None:
    error = make(AuthError)
    assert error.code == 5
    assert error.message == "no"
    assert error.method == "wall.post"
    assert error.params == {"message": "hi", "owner_id": -1}
    assert error.subcode == 1130
    assert error.raw == {"error_code": 5, "view": "alert"}
    assert error.documentation == "https://dev.vk.com/method/wall.post"


def test_an_api_error_needs_only_its_code_and_text() -> None:
    error = AuthError(5, "no")
    assert (error.method, error.params, error.subcode, error.raw) == ("", {}, None, {})
    assert error.args == (5, "no")
    assert str(error).startswith("error 5: no")


def test_an_api_error_copies_its_mappings() -> None:
    params, raw = {"a": 1}, {"b": 2}
    error = APIError(5, "no", params=params, raw=raw)
    error.params["a"] = 5
    error.raw["b"] = 5
    assert (params, raw) == ({"a": 1}, {"b": 2})


@pytest.mark.parametrize(("code", "cls"), CODES.items())
def test_the_text_has_the_method_the_code_and_advice(
    code: int, cls: type[APIError]
) -> None:
    text = str(make(cls, code))
    assert text.startswith(f"wall.post: error {code}/1130: no")
    assert cls.advice in text
    assert text.endswith(f" ({cls.advice})" if cls.advice else "no")


@pytest.mark.parametrize("code", [3, 5, 6, 7, 9, 12, 13, 14, 17, 24, 27, 28, 29, 1117])
def test_there_is_advice_where_the_caller_can_do_something(code: int) -> None:
    assert len(APIError[code].advice) > 10


def test_parameters_are_in_no_text() -> None:
    assert "hi" not in f"{make(AuthError)} {make(AuthError)!r}"


def test_the_text_of_a_transport_error_has_the_method() -> None:
    assert str(ConnectionFailedError("lost", method="users.get")) == "users.get: lost"
    assert str(ConnectionFailedError("lost")) == "lost"
    assert str(InvalidResponseError("odd", status=200, body=b"")) == "odd"


def test_a_timeout_is_caught_as_a_timeout() -> None:
    with pytest.raises(TimeoutError, match=r"users\.get: no answer"):
        raise RequestTimeoutError("no answer within 10 s", method="users.get")


def test_an_unknown_outcome_names_the_method_and_the_cause() -> None:
    cause = ConnectionFailedError("lost", method="wall.post")
    error = OutcomeUnknownError(cause, method="wall.post")
    assert error.__cause__ is cause
    assert error.method == "wall.post"
    assert error.args == ("wall.post",)
    assert str(error).startswith("wall.post may have been carried out")
    assert "lost" in str(error)


def test_a_refused_upload_has_its_kind_and_the_response() -> None:
    response = {"error": "ERR_UPLOAD"}
    error = UploadRefusedError("too large", kind="document", response=response)
    assert (error.kind, error.response) == ("document", response)
    assert error.args == ("too large",)
    assert str(error) == "upload.document: too large"


def test_a_refused_upload_may_succeed_later_only_where_that_is_said() -> None:
    refused = UploadRefusedError("no", kind="video", response="")
    too_fast = UploadRefusedError("no", kind="video", response="", is_transient=True)
    assert (refused.is_transient, too_fast.is_transient) == (False, True)


def test_a_call_that_no_token_can_make_has_the_reason_for_each() -> None:
    reasons = (make(AuthError), ConnectionFailedError("lost"))
    error = NoTokenLeftError([*reasons], method="wall.get")
    assert (error.reasons, error.method) == (reasons, "wall.get")
    assert error.args == ("wall.get",)
    each = f"views[0]: {reasons[0]}; views[1]: {reasons[1]}"
    assert str(error).endswith(f" wall.get: {each}")


# Copies


def same(one: BaseException | None, other: BaseException | None) -> bool:
    if one is None or other is None:
        return one is other
    return (
        type(one) is type(other)
        and one.args == other.args
        and one.__dict__ == other.__dict__
        and str(one) == str(other)
        and repr(one) == repr(other)
        and same(one.__cause__, other.__cause__)
    )


def by_pickle(error: VKError) -> Any:
    return pickle.loads(pickle.dumps(error))


def by_old_pickle(error: VKError) -> Any:
    return pickle.loads(pickle.dumps(error, protocol=0))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, copy_error, by_pickle, by_old_pickle]
)
def test_a_copy_has_the_type_and_all_attributes(copied: Any, error: VKError) -> None:
    twin = copied(error)
    assert twin is not error
    assert same(twin, error)


def test_raising_a_copy_does_not_change_the_original() -> None:
    error = TooManyRequestsError(6, "no")
    twin = copy_error(error)
    with pytest.raises(TooManyRequestsError):
        raise twin from OSError("elsewhere")
    twin.add_note("of the twin")
    assert error.__cause__ is None
    assert error.__traceback__ is None
    assert not hasattr(error, "__notes__")


def test_errors_of_every_public_class_are_copied_here() -> None:
    assert {type(error) for error in ERRORS} >= set(public_errors())


def test_a_group_of_errors_survives_a_pickle() -> None:
    group = ExceptionGroup("two", [make(AuthError), RequestTimeoutError("late")])
    twin = pickle.loads(pickle.dumps(group))
    assert [str(error) for error in twin.exceptions] == [
        str(error) for error in group.exceptions
    ]


def test_the_error_of_a_closed_client_says_whether_the_call_was_sent() -> None:
    assert str(ClientClosedError("text")) == "text"
    assert ClientClosedError("text").maybe_carried_out is False
    assert ClientClosedError("text", maybe_carried_out=True).maybe_carried_out is True
