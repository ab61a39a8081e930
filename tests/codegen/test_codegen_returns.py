"""How parameters select the return type of a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from codegen._output import write_files
from codegen._schema import SchemaError
from codegen._types import Named, walk

from _small_schema import method, method_of, model_of, reference, response, source_of
from codegen import reviewed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_reviewed")


def cases_of(path: Path, keys: list[str], *parameters: Any) -> dict[str, str]:
    """Return the types of responses, by the parameters that are on."""
    responses = {
        f"notes_{key}_response": response(
            {"type": "object", "properties": {key: {"type": "integer"}}}
        )
        for key in keys
    }
    raw = method("notes.get", *parameters)
    raw["responses"] = {
        key: reference("notes", f"notes_{key}_response", "responses") for key in keys
    }
    found = method_of(path, raw, responses={"notes": responses})
    return {
        " ".join(str(switch) for switch, on in case.switches.items() if on): "|".join(
            kind.name.removesuffix("Response")
            for kind in walk(case.returns)
            if isinstance(kind, Named)
        )
        for case in found.cases
    }


def signatures_of(source: str) -> list[str]:
    """Return the overloads of ``get``, without whitespace and extra parameters."""
    signatures = "".join(source.split()).split("asyncdefget(self,*,")[1:-1]
    extra = ",extra_params:Mapping[str,Any]|None=None"
    return [
        each.partition(":...")[0].replace(",)", ")").replace(extra, "")
        for each in signatures
    ]


EXTENDED = {"name": "extended", "type": "boolean"}
FIELDS = {"name": "fields", "type": "array", "items": {"type": "string"}}


def test_a_flag_selects_the_response_of_its_name(tmp_path: Path) -> None:
    assert cases_of(tmp_path, ["response", "extendedResponse"], EXTENDED) == {
        "": "Response",
        "extended": "ExtendedResponse",
    }


def test_a_parameter_that_is_passed_selects_the_response_of_its_name(
    tmp_path: Path,
) -> None:
    assert cases_of(tmp_path, ["response", "fieldsResponse"], FIELDS) == {
        "": "Response",
        "fields": "FieldsResponse",
    }


def test_two_parameters_select_together(tmp_path: Path) -> None:
    keys = [
        "response",
        "extendedResponse",
        "fieldsResponse",
        "fields_Extended_Response",
    ]
    assert cases_of(tmp_path, keys, FIELDS, EXTENDED) == {
        "": "Response",
        "extended": "ExtendedResponse",
        "fields": "FieldsResponse",
        "fields extended": "FieldsExtendedResponse",
    }


def test_where_the_schema_does_not_say_it_is_any_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        reviewed, "RETURNED_IF", {("notes.get", "responseStrict"): None}
    )
    keys = ["response", "fieldsResponse", "extendedResponse", "responseStrict"]
    assert cases_of(tmp_path, keys, FIELDS, EXTENDED) == {
        "": "Response|ResponseStrict",
        "extended": "ExtendedResponse",
        "fields": "FieldsResponse",
        "fields extended": "FieldsResponse|ExtendedResponse",
    }


def test_responses_that_no_parameter_selects_are_a_union(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewed, "RETURNED_IF", {("notes.get", "multiResponse"): None})
    assert cases_of(tmp_path, ["response", "multiResponse"], FIELDS) == {}


def test_a_response_that_is_never_returned_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = {("notes.get", "multiResponse"): "a reason"}
    monkeypatch.setattr(reviewed, "NEVER_RETURNED", never)
    keys = ["response", "multiResponse", "extendedResponse"]
    assert cases_of(tmp_path, keys, EXTENDED) == {
        "": "Response",
        "extended": "ExtendedResponse",
    }


def test_a_value_of_a_parameter_selects_the_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = {("notes.get", "rolesResponse"): "filter=staff"}
    monkeypatch.setattr(reviewed, "RETURNED_IF", choice)
    responses = {
        "notes_get_response": response({"type": "integer"}),
        "notes_get_roles_response": response({"type": "string"}),
    }
    some = {"name": "filter", "type": "string", "enum": ["fans", "friends", "staff"]}
    raw = method("notes.get", some)
    raw["responses"] = {
        "response": reference("notes", "notes_get_response", "responses"),
        "rolesResponse": reference("notes", "notes_get_roles_response", "responses"),
    }
    files = write_files(
        model_of(tmp_path, responses={"notes": responses}, methods={"notes": [raw]})
    )
    source = files["methods/notes.py"]
    assert signatures_of(source) == [
        'filter:Literal["fans","friends"]|None=None)->int',
        'filter:Literal["staff"])->str',
        'filter:Literal["fans","friends","staff"]|None=None)->int|str',
    ]
    assert '[{"filter=staff": true}, "str"]' in files["testing/_schema.json"]


def test_a_reviewed_condition_selects_the_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = {
        ("notes.get", "manyResponse"): "fields",
        ("notes.get", "extendedResponse"): None,
    }
    monkeypatch.setattr(reviewed, "RETURNED_IF", choice)
    keys = ["extendedResponse", "manyResponse"]
    assert cases_of(tmp_path, keys, FIELDS, EXTENDED) == {
        "": "ExtendedResponse",
        "fields": "ManyResponse",
    }


def test_each_case_is_an_overload_and_the_last_covers_all(tmp_path: Path) -> None:
    responses = {
        "notes_get_response": response({"type": "integer"}),
        "notes_get_extended_response": response({"type": "string"}),
    }
    raw = method("notes.get", EXTENDED)
    raw["responses"] = {
        "response": reference("notes", "notes_get_response", "responses"),
        "extendedResponse": reference(
            "notes", "notes_get_extended_response", "responses"
        ),
    }
    source = source_of(
        tmp_path,
        "methods/notes.py",
        responses={"notes": responses},
        methods={"notes": [raw]},
    )
    assert signatures_of(source) == [
        "extended:Literal[False]|None=None)->int",
        "extended:Literal[True])->str",
        "extended:bool|None=None)->int|str",
    ]
    assert source.count("@overload") == 3


def test_a_single_response_may_have_any_name(tmp_path: Path) -> None:
    assert cases_of(tmp_path, ["baseResponse"], EXTENDED) == {}


def test_two_values_of_a_parameter_that_select_responses_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = {("notes.get", f"{v}Response"): f"filter={v}" for v in ("one", "two")}
    monkeypatch.setattr(reviewed, "RETURNED_IF", choice)
    values = {"name": "filter", "type": "string", "enum": ["one", "two", "three"]}
    keys = ["response", "oneResponse", "twoResponse"]
    with pytest.raises(SchemaError, match="several values of a parameter"):
        cases_of(tmp_path, keys, values)
