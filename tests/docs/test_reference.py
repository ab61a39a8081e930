"""The reference has everything that is public."""

from __future__ import annotations

import re
import sys

import attrs
from _pages import DOCS

import vkanyio
import vkanyio.redis
import vkanyio.testing
import vkanyio.updates
from vkanyio import Config
from vkanyio._method_facts import METHODS

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
