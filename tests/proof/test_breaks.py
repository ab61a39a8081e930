"""The list of lines that are broken on purpose matches the library."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from proof.breaks import ROOT, Break, apply, read_breaks, source_of

BREAKS = read_breaks()


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name)
def test_a_break_still_applies_and_leaves_valid_python(broken: Break) -> None:
    source = source_of(broken).read_text(encoding="utf-8")
    if not broken.module.endswith(".py"):
        assert apply(broken, source) != source
        return
    assert ast.dump(ast.parse(apply(broken, source))) != ast.dump(ast.parse(source))


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name)
def test_the_tests_that_must_notice_exist(broken: Break) -> None:
    for selected in broken.tests:
        path, _, name = selected.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, selected


@pytest.mark.parametrize("source", ["", "a = 1\na = 1\n"])
def test_a_line_that_does_not_occur_exactly_once_is_refused_by_name(
    source: str,
) -> None:
    broken = Break("one is two", "_x.py", "a = 1", "a = 2", ())
    with pytest.raises(ValueError, match="one is two"):
        apply(broken, source)


def test_every_module_of_the_engine_is_broken_somewhere() -> None:
    engine = (ROOT / "src" / "vkanyio" / "_engine").glob("_[a-z]*.py")
    broken = {Path(each.module).name for each in BREAKS}
    assert {path.name for path in engine} - broken == set()
