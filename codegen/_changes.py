"""Report how one version of VK's schema differs from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._schema import Schema

_SHOWN_APART = {"allOf", "enum", "enumNames", "oneOf", "properties", "required"}


def report(old: Schema, new: Schema) -> str:
    """Describe what came, went and changed, as a section of the changelog."""
    before, after = dict(_facts(old)), dict(_facts(new))
    parts = {
        "Added": [_line(each, after[each]) for each in after if each not in before],
        "Removed": [f"- {each}" for each in before if each not in after],
        "Changed": [
            f"- {each}: {before[each] or 'nothing'} -> {after[each] or 'nothing'}"
            for each in after
            if each in before and before[each] != after[each]
        ],
    }
    found = [
        "\n".join([f"### {title}", "", *sorted(lines)])
        for title, lines in parts.items()
        if lines
    ]
    return "\n\n".join(found) or "Nothing changed."


def _line(what: str, shape: str) -> str:
    return f"- {what}: {shape}" if shape else f"- {what}"


def _facts(schema: Schema) -> Iterator[tuple[str, str]]:
    """Iterate over all facts: what each is about, and what it says."""
    for name, raw in schema.methods.items():
        tokens = "/".join(raw.get("access_token_type", ()))
        returns = ", ".join(f"{k} {v}" for k, v in raw["responses"].items())
        yield f"Method `{name}`", f"{tokens or 'any'} token; {returns}"
        for each in raw.get("parameters", ()):
            yield from _type(f"`{name}({each['name']})`", "Parameter", each)
        for error in raw.get("errors", ()):
            yield f"Error `{error}` of `{name}`", ""
    for definition in schema.definitions.values():
        kind = "Response" if definition.is_response else "Object"
        yield from _type(f"`{definition.name}`", kind, definition.raw)
    for name, raw in schema.errors.items():
        scope = ", of any method" if raw.get("global") else ""
        yield f"Error `{name}`", f"{raw['code']}{scope}"


def _type(name: str, what: str, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Iterate over the facts about a type, its values and its fields."""
    said = [
        f"{key} {value}" if key not in ("type", "$ref") else str(value)
        for key, value in raw.items()
        if key not in _SHOWN_APART and key != "name"
    ]
    said += [f"one of {len(raw['oneOf'])}"] if "oneOf" in raw else []
    said += ["required"] if raw.get("required") else []
    yield f"{what} {name}", ", ".join(said)
    for value in raw.get("enum", ()):
        yield f"Value {value!r} of {name}", ""
    for field, inner in raw.get("properties", {}).items():
        yield from _type(f"{name[:-1]}.{field}`", "Field", inner)
    for i, part in enumerate(raw.get("allOf", ())):
        if "$ref" in part:
            yield f"Base `{part['$ref']}` of {name}", ""
        else:
            yield from _type(name, f"Part {i} of", part)
