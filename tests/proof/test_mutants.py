"""The list of mutants that may survive can be read, and matches the library."""

from __future__ import annotations

import pytest
from proof.mutants import EXPLAINED, ROOT, Mutant, modules, read_explained, to_mutant

LISTED = sorted(read_explained(EXPLAINED.read_text(encoding="utf-8")))

DIFF = """\
--- src/vkanyio/_limiter.py
+++ src/vkanyio/_limiter.py
@@ -1,3 +1,3 @@
 def left(self, permit: Permit, now: float) -> None:
-    if permit in self._leaving:
+    if permit not in self._leaving:
         self._leaving.remove(permit)
"""
LEFT = Mutant(
    "_limiter",
    "Limiter.left",
    ("if permit in self._leaving:",),
    ("if permit not in self._leaving:",),
)
PAGE = f"""\
# Survivors

## `_limiter.py`

For a reason.

```diff
@@ back_off
- a
- b
+ c
{LEFT}
```

## `_retry.py`

```diff
{LEFT}
```
"""


@pytest.mark.parametrize("mutant", LISTED, ids=lambda m: f"{m.module}.{m.function}")
def test_explained_lines_are_still_in_their_modules(mutant: Mutant) -> None:
    assert mutant.module in modules()
    package = ROOT.joinpath("src", *modules()[mutant.module].split("."))
    path = package / f"{mutant.module}.py"
    lines = {line.strip() for line in path.read_text(encoding="utf-8").splitlines()}
    assert mutant.old
    assert set(mutant.old) <= lines


def test_a_mutant_is_read_as_mutmut_shows_it() -> None:
    assert to_mutant("vkanyio._limiter.xǁLimiterǁleft__mutmut_1", DIFF) == LEFT
    assert to_mutant("vkanyio._retry.x_back_off__mutmut_12", "").function == "back_off"
    packed = to_mutant("vkanyio._engine._packer.xǁPackerǁstop__mutmut_1", "")
    assert (packed.module, packed.function) == ("_packer", "Packer.stop")
    assert to_mutant("vkanyio._errors.x__restore__mutmut_3", "").function == "_restore"


def test_explanations_are_read_by_module_and_function() -> None:
    assert read_explained(PAGE) == {
        Mutant("_limiter", "back_off", ("a", "b"), ("c",)),
        LEFT,
        LEFT._replace(module="_retry"),
    }


def test_an_explanation_without_a_module_is_refused() -> None:
    with pytest.raises(ValueError, match="The limiter"):
        read_explained(PAGE.replace("`_limiter.py`", "The limiter"))


@pytest.mark.parametrize(
    ("old", "new", "is_wording"),
    [
        ('raise E("no such thing")', 'raise E("XXno such thingXX")', True),
        ('x = "give it, please"', 'x = "GIVE IT, PLEASE"', True),
        ("x = 'it is \\' one'", "x = 'XXit is \\' oneXX'", True),
        ('x = "no such thing"', "x = None", False),
        ('x = "authorization"', 'x = "AUTHORIZATION"', False),
        ('", ".join(x)', '"XX, XX".join(x)', False),
        ('f("a b", 1)', 'f("A B", 2)', False),
        ('cast("T", x)', "cast(None, x)", True),
        ('cast("T", x)', 'cast("XXTXX", x)', True),
        ('cast("T", x)', 'cast("T", None)', False),
    ],
)
def test_a_mutant_of_a_message_or_of_a_cast_is_only_wording(
    old: str, new: str, is_wording: bool
) -> None:
    assert Mutant("_x", "f", (old,), (new,)).is_wording() == is_wording
