"""Every method of VK's schema is called once, and its form checked."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from codegen._corrected import correct
from codegen._review import Review
from codegen._schema import FACTS, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _helpers import MakeClient
    from vkanyio.testing import Call, Simulator

pytestmark = pytest.mark.anyio

SCHEMA = correct(load(FACTS), Review())
GROUPS = sorted({name.partition(".")[0] for name in SCHEMA.methods} - {"execute"})
OBJECT, JSON_TEXT = {"a": [1, "ж"]}, '{"a":[1,"ж"]}'


def methods_of(group: str) -> dict[str, Mapping[str, Any]]:
    methods = SCHEMA.methods.items()
    return {name: raw for name, raw in methods if name.startswith(f"{group}.")}


def example(raw: Mapping[str, Any]) -> tuple[Any, str]:
    """Return a valid value for a parameter, and its form on the wire."""
    if "$ref" in raw:
        target = SCHEMA.definitions[raw["$ref"]].raw
        return (OBJECT, JSON_TEXT) if target["type"] == "object" else example(target)
    if "enum" in raw:
        return raw["enum"][-1], str(raw["enum"][-1])
    if "items" in raw:
        value, text = example(raw["items"])
        if value == OBJECT:
            return [OBJECT, OBJECT], f"[{JSON_TEXT},{JSON_TEXT}]"
        return (value, value), f"{text},{text}"
    values: dict[Any, tuple[Any, str]] = {
        "integer": (-7, "-7"),
        "number": (1.5, "1.5"),
        "boolean": (True, "1"),
        "string": ("a&ж ", "a&ж "),
        "object": (OBJECT, JSON_TEXT),
    }
    kind = raw["type"]
    return ("club1", "club1") if isinstance(kind, list) else values[kind]


def argument_of(name: str) -> str:
    return "global_" if name == "global" else name


def parameters_of(method: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {raw["name"]: raw for raw in method.get("parameters", ())}


@pytest.mark.parametrize("group", GROUPS)
async def test_every_method_sends_what_the_schema_says(
    simulator: Simulator, make_client: MakeClient, group: str
) -> None:
    arrived: list[tuple[str, dict[str, str]]] = []

    def take(call: Call) -> int:
        params = {name: text for name, text in call.params.items() if name != "v"}
        arrived.append((call.method, params))
        return len(arrived)

    async with make_client() as api:
        for number, (name, method) in enumerate(methods_of(group).items(), 1):
            simulator.add_method(name, take)
            examples = {n: example(raw) for n, raw in parameters_of(method).items()}
            function = getattr(getattr(api, group), name.partition(".")[2])
            arguments = {argument_of(n): value for n, (value, _) in examples.items()}
            assert await function(**arguments) == number
            form = {n: text for n, (_, text) in examples.items()}
            assert arrived[-1] == (name, form)
    assert len(arrived) == len(methods_of(group))


@pytest.mark.parametrize("group", GROUPS)
def test_every_method_takes_the_parameters_of_the_schema(
    make_client: MakeClient, group: str
) -> None:
    api = make_client()
    for name, method in methods_of(group).items():
        function = getattr(getattr(api, group), name.partition(".")[2])
        parameters = inspect.signature(function).parameters
        expected = parameters_of(method)
        assert [*parameters][-1] == "extra_params"
        own = {*parameters} - {"extra_params"}
        assert own == {argument_of(n) for n in expected}, name
        for parameter_name, raw in expected.items():
            parameter = parameters[argument_of(parameter_name)]
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
            is_required = parameter.default is inspect.Parameter.empty
            assert is_required == raw.get("required", False), (name, parameter_name)
            assert is_required or parameter.default is None


async def test_omitted_parameters_are_not_sent(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.add_method("wall.post", lambda call: dict(call.params))
    async with make_client() as api:
        sent: Any = await api.wall.post(message="hello", attachments=None)
    assert sent == {"message": "hello", "v": "5.199"}


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (["yes", "да"], '["yes","да"]'),
        ((1, 2), "[1,2]"),
        ([], "[]"),
        ('["yes"]', '["yes"]'),
        (None, None),
    ],
    ids=str,
)
async def test_a_list_that_vk_wants_as_json_is_sent_as_json(
    simulator: Simulator, make_client: MakeClient, answers: Any, text: str | None
) -> None:
    simulator.add_method("polls.create", lambda call: call.params.get("add_answers"))
    async with make_client() as api:
        sent: Any = await api.polls.create(question="?", add_answers=answers)
    assert sent == text


async def test_a_list_that_json_cannot_hold_is_refused(make_client: MakeClient) -> None:
    endless: list[Any] = []
    endless.append(endless)
    async with make_client() as api:
        with pytest.raises(TypeError, match=r"add_answers\[0\] must be"):
            await api.polls.create(add_answers=[object()])  # type: ignore[list-item]
        with pytest.raises(ValueError, match="add_answers is nested too deeply"):
            await api.polls.create(add_answers=endless)
