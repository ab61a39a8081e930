"""Write the table of how methods return their lists in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vkanyio._facts import Repetition
from vkanyio._typeguards import is_dict

from . import reviewed_pages as reviewed
from ._model import Record
from ._schema import SchemaError
from ._source import module
from ._types import Either, Listed, Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._model import Method, Model, Object
    from ._types import Type

_WHERE = "codegen/reviewed_pages.py"
_CURSOR = "start_from"


def write_page_facts(model: Model) -> str:
    """Write the module ``_page_facts``.

    :raises SchemaError: for a reviewed line that changes nothing, or a method about
        which something is missing
    """
    facts = {
        method.name: _read_facts(model, method)
        for method in model.methods.values()
        if _is_paged(method)
    }
    _check(model, facts)
    rows = [f'"{name}": PageFacts({_arguments(row)}),' for name, row in facts.items()]
    reasons = {
        name: reason
        for name, reason in reviewed.NOT_PAGED.items()
        if name in model.methods
    }
    body = "\n".join(
        [
            "PAGES: Final[dict[str, PageFacts]] = {",
            *rows,
            "}",
            '"""All methods that return a list in pages."""',
            "",
            f"NOT_PAGED: Final[dict[str, str]] = {reasons!r}",
            '"""Methods that seem to, and why they do not."""',
            "",
        ]
    )
    imports = "from typing import Final\nfrom ._reading._page import PageFacts\n"
    return module(model, "How VK's methods return lists in pages.", imports, body)


def _is_paged(method: Method) -> bool:
    if method.name in reviewed.NOT_PAGED or method.repetition is not Repetition.READ:
        return False
    names = {each.name for each in method.parameters}
    return _CURSOR in names or ("offset" in names and bool(names & {"count", "limit"}))


def _read_facts(model: Model, method: Method) -> dict[str, Any]:
    """Return what differs from the defaults of `PageFacts`."""
    limits = {each.name: each.limits for each in method.parameters}
    limit = "count" if "count" in limits else "limit"
    name = method.name
    size, _ = reviewed.SIZES.get(name, (None, ""))
    fields = _fields(model, method)
    items, total = reviewed.ITEMS.get(name, ("items" if fields else "", "count"))
    if name in reviewed.TOTALS:
        total = reviewed.TOTALS[name][0]
    elif total == "count" and "count" not in fields:
        total = None
    facts: dict[str, Any] = {
        "size": size or limits[limit].get("maximum") or reviewed.DEFAULT_SIZE,
        "key": tuple(_key(model, method).split()),
        "items": items,
        "total": total,
        "limit": limit,
        "by_cursor": _CURSOR in limits,
        "max_offset": None if _CURSOR in limits else limits["offset"].get("maximum"),
        "max_results": reviewed.MAX_RESULTS.get(name, (None,))[0],
        "order": reviewed.ORDERS.get(name),
        "has_pinned": name in reviewed.PINNED,
        "needs": _reasons(reviewed.NEEDS, name),
        "excludes": _reasons(reviewed.EXCLUDES, name),
    }
    return facts


def _reasons(table: Mapping[tuple[str, str], str], name: str) -> dict[str, str]:
    return {param: why for (method, param), why in table.items() if method == name}


_DEFAULTS: Mapping[str, Any] = {
    "items": "items",
    "total": "count",
    "limit": "count",
    "by_cursor": False,
    "max_offset": None,
    "max_results": None,
    "order": None,
    "has_pinned": False,
    "needs": {},
    "excludes": {},
}


def _arguments(facts: Mapping[str, Any]) -> str:
    more = [
        f"{name}={value!r}"
        for name, value in facts.items()
        if name not in _DEFAULTS or value != _DEFAULTS[name]
    ]
    return ", ".join(more)


def _fields(model: Model, method: Method) -> dict[str, Type]:
    """Return the fields of the value, of all its forms; none if it is a list."""
    return {
        field.name: field.type
        for record in _records(model, method.returns)
        for field in record.fields
    }


def _key(model: Model, method: Method) -> str:
    """Return the fields that identify an item."""
    reviewed_key, _ = reviewed.KEYS.get(method.name, (None, ""))
    return _key_in_schema(model, method) if reviewed_key is None else reviewed_key


def _key_in_schema(model: Model, method: Method) -> str:
    """Return the fields that identify an item; none for items that do it themselves."""
    value = method.returns
    path, _ = reviewed.ITEMS.get(method.name, ("items", None))
    fields = _fields(model, method)
    if path in fields:
        value = fields[path]
    records = [
        record
        for each in _options(model, value)
        if isinstance(each, Listed)
        for record in _records(model, each.item)
    ]
    names = [{field.name for field in record.fields} for record in records]
    if names and all({"owner_id", "id"} <= each for each in names):
        return "owner_id id"
    return "id" if names and all("id" in each for each in names) else ""


def _records(model: Model, kind: Type) -> Iterator[Record]:
    return (each for each in _options(model, kind) if isinstance(each, Record))


def _options(model: Model, kind: Type) -> Iterator[Type | Record]:
    """Return the forms of a type, with the definitions that its names stand for."""
    if isinstance(kind, Either):
        for option in kind.options:
            yield from _options(model, option)
    elif isinstance(kind, Named):
        found = _find(model.objects[kind.folder], kind.name)
        if isinstance(found, Record):
            yield found
        else:
            yield from _options(model, found.type)
    else:
        yield kind


def _find(objects: Iterable[Object], name: str) -> Object:
    return next(each for each in objects if each.name == name)


def _check(model: Model, facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse reviewed lines that the schema has made superfluous."""
    for table, lines in vars(reviewed).items():
        if not table.isupper() or not is_dict(lines):
            continue
        for line in lines:
            name, param = (line, None) if isinstance(line, str) else line
            if table == "ORDERS":
                param = reviewed.ORDERS[name][0]
            problem = _problem(model, table, name, param)
            if problem is None and table != "NOT_PAGED" and name not in facts:
                problem = "it has no parameters for pages"
            if problem:
                raise SchemaError(_WHERE, f"{table}: {name}: {problem}")


def _problem(model: Model, table: str, name: str, param: str | None) -> str | None:
    method = model.methods.get(name)
    if method is None:
        return "the schema has no such method"
    limits = {each.name: each.limits for each in method.parameters}
    if param is not None and param not in limits:
        return f"it has no parameter {param}"
    if table == "SIZES" and "maximum" in limits.get("count", {}):
        return "the schema has the largest page"
    if table == "KEYS" and reviewed.KEYS[name][0] == _key_in_schema(model, method):
        return "the schema says the same"
    return None
