"""The reference has everything that is public."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

import attrs
from _pages import DOCS

import vkanyio
import vkanyio.redis
import vkanyio.testing
import vkanyio.updates
from vkanyio import Config
from vkanyio._method_facts import METHODS
from vkanyio.testing import faults

sys.path.insert(0, str(DOCS / "_ext"))

from option_table import option_table, without_options

SHOWN = {
    name
    for page in (DOCS / "reference").glob("*.md")
    for name in re.findall(
        r"^\.\. (?:autoclass|autoexception|automodule|py:type):: ([\w.]+)",
        page.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}


def public_names(module: object) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and isinstance(value, type)
    }


def test_every_public_class_is_there():
    assert public_names(vkanyio) - SHOWN == set()
    assert public_names(vkanyio.testing) - SHOWN == set()
    assert public_names(vkanyio.updates) - SHOWN == set()
    assert public_names(vkanyio.redis) - SHOWN == set()


def moment_of(function: Any, **more: Any) -> str:
    """Return when a fault strikes: before the call is carried out, or after."""
    required = [
        b"" if name == "content" else 1
        for name, each in inspect.signature(function).parameters.items()
        if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD
    ]
    fault = function(*required, **more)
    return "after" if isinstance(fault, faults.Mishap) and fault.then else "before"


def test_the_table_of_faults_says_for_each_when_it_strikes():
    page = (DOCS / "simulator.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)\(.*?\| .* \| (.*) \|$", page, re.MULTILINE)
    functions = {
        name: function
        for name, function in inspect.getmembers(faults, inspect.isfunction)
        if function.__module__ == faults.__name__ and not name.startswith("_")
    }
    assert {name for name, _ in rows} == functions.keys() - {"too_fast"}
    for name, moment in rows:
        if moment not in ("long poll", "uploads"):
            is_either = "after" in inspect.signature(functions[name]).parameters
            strikes = moment_of(functions[name])
            if is_either:
                strikes += f", or {moment_of(functions[name], after=True)}"
                strikes += " with `after=True`"
            assert moment == strikes, name


def test_every_option_is_in_the_table_with_its_default_and_its_meaning():
    rows = re.findall(
        r"^   \* - ``(\w+)``\n     - (.+)\n     - (.+)$", option_table(), re.MULTILINE
    )
    defaults = {name: default for name, default, _ in rows}
    assert [name for name, *_ in rows] == [each.name for each in attrs.fields(Config)]
    assert defaults["token"] == "required"
    assert defaults["request_mode"] == "``'sequential'``"
    assert defaults["max_answer"] == "``16 * 2**20``"
    assert defaults["execute_unsupported_methods"] == "12 methods"
    assert "retries after error 6" in rows[list(defaults).index("retry_limit")][2]


def test_the_options_are_described_in_one_place():
    doc = (Config.__doc__ or "").replace("\n    ", "\n").splitlines()
    left = "\n".join(without_options(doc))
    assert ":param" not in left
    assert "seconds for one HTTP attempt" not in left
    assert ":raises ValueError: for a value that is not allowed" in left


def test_the_pages_count_the_methods_and_groups_of_the_schema():
    groups = {each.partition(".")[0] for each in METHODS} - {"execute"}
    pages = [*DOCS.rglob("*.md"), *DOCS.parent.glob("README*.md")]
    counted = {
        int(number)
        for page in pages
        for number in re.findall(
            r"(?<!of )\b(\d{3,})\s+(?:methods|метод)", page.read_text(encoding="utf-8")
        )
    }
    assert counted == {len(METHODS)}
    for name, words in (
        ("reference/methods/index.md", "groups"),
        ("typed-api.md", "groups"),
        ("ru/typed-api.md", "группах"),
    ):
        page = (DOCS / name).read_text(encoding="utf-8")
        assert f" {len(groups)} {words}" in " ".join(page.split())
