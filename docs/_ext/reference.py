"""Write the pages of the reference, and help autodoc with aliases and annotations.

Before each build, each module of methods and objects gets a page in
``reference/methods`` or ``reference/objects``. ``reference/error-codes`` lists VK's
error codes. Other pages include the tables of options and of groups of methods.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import pkgutil
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.addnodes import pending_xref

import vkanyio
import vkanyio.methods
import vkanyio.objects
from method_pages import group_table, merge_overloads, method_page
from object_pages import object_page
from option_table import option_table, without_options
from type_imports import type_imports
from vkanyio import APIError, ErrorCode

if TYPE_CHECKING:
    from types import ModuleType

    from sphinx.application import Sphinx

AFTER_SPHINX = 900
"""A priority; Sphinx's own functions have 500."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", _write_pages)
    app.connect(
        "autodoc-before-process-signature", _show_defaults_as_values, AFTER_SPHINX
    )
    app.connect("autodoc-skip-member", _skip_second_names)
    app.connect("autodoc-process-docstring", _add_second_name)
    app.connect("autodoc-process-docstring", _leave_options_to_the_table)
    app.connect("doctree-read", _merge_overloads)
    app.connect("doctree-read", _resolve_as_type_checkers_do)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write_pages(app: Sphinx) -> None:
    place = Path(app.srcdir, "reference")
    groups = _modules_of(vkanyio.methods)
    for name in groups:
        _write(place / "methods" / f"{name}.rst", method_page(name))
    _write(place / "methods" / "groups.txt", group_table(groups))
    _write(place / "options.txt", option_table())
    for name in _modules_of(vkanyio.objects):
        _write(place / "objects" / f"{name}.rst", object_page(name))
    _write(place / "error-codes.rst", _code_page())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    # An unchanged file keeps its mtime, so that Sphinx does not read it again.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _modules_of(package: ModuleType) -> list[str]:
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return [name for name in names if not name.startswith("_")]


def _code_page() -> str:
    rows, classes = [], []
    for code in ErrorCode:
        error: type[APIError] = getitem(APIError, code)
        has_name = getattr(vkanyio, error.__name__, None) is error
        where = f":exc:`~vkanyio.{error.__name__}`" if has_name else ""
        rows.append(f"   * - {code.value}\n     - ``{code.name}``\n     - {where}")
        if has_name and error.__doc__ and f", {code.name}." in error.__doc__:
            classes.append(f".. autoexception:: vkanyio.{error.__name__}\n")
    return CODE_PAGE.format(rows="\n".join(rows), classes="\n".join(classes))


CODE_PAGE = """\
Error codes
===========

.. currentmodule:: vkanyio

The {{count}} codes in VK's schema, which are the members of :class:`ErrorCode`. Catch
any of them with ``except APIError[code]``. The codes that any method may return have a
named class as well. VK's own description: https://dev.vk.com/reference/errors

.. autoclass:: ErrorCode()
   :no-members:
   :no-show-inheritance:

.. list-table::
   :header-rows: 1
   :widths: auto

   * - Code
     - VK's name
     - Class
{rows}

Classes
-------

These classes add nothing to :exc:`APIError`.

{classes}
""".replace("{{count}}", str(len(ErrorCode)))


def _show_defaults_as_values(_app: Sphinx, function: Any, _bound: object) -> None:
    """Forget the source of defaults that attrs has written: ``attr_dict['limit']``."""
    if "attr_dict[" in str(getattr(function, "__signature__", "")):
        del function.__signature__


def _skip_second_names(
    _app: Sphinx, _kind: str, name: str, value: Any, _skip: bool, _options: object
) -> bool | None:
    """Show a method under VK's own name only, not again in snake_case."""
    if _is_method_of_vk(value) and name != value.__name__:
        return True
    return None


def _add_second_name(
    _app: Sphinx,
    _kind: str,
    name: str,
    value: Any,
    _options: object,
    lines: list[str],
) -> None:
    if not _is_method_of_vk(value):
        return
    module, group, _ = name.rsplit(".", 2)
    members = vars(vars(importlib.import_module(module))[group])
    others = [n for n, v in members.items() if v is value and n != value.__name__]
    lines[:] = [line for line in lines if not line.startswith("Call ``")]
    for other in others:
        lines[:0] = ["", f"In snake_case: ``{other}``.", ""]


def _leave_options_to_the_table(
    _app: Sphinx,
    _kind: str,
    name: str,
    _value: Any,
    _options: object,
    lines: list[str],
) -> None:
    if name == "vkanyio.Config":
        lines[:] = without_options(lines)


def _merge_overloads(app: Sphinx, tree: nodes.document) -> None:
    if app.env.docname.startswith("reference/methods/"):
        merge_overloads(tree)


def _is_method_of_vk(value: object) -> bool:
    return inspect.iscoroutinefunction(value) and value.__module__.startswith(
        "vkanyio.methods."
    )


def _resolve_as_type_checkers_do(_app: Sphinx, tree: nodes.document) -> None:
    """Resolve annotations by the imports that only type checkers see.

    Names from other libraries become plain text: the build has no network to link them.
    """
    for node in tuple(tree.findall(pending_xref)):
        module, target = node.get("py:module") or "", node["reftarget"]
        if not module.startswith("vkanyio.methods."):
            continue
        if target in vars(vkanyio):
            target = f"vkanyio.{target}"
        found = type_imports(module).get(target, target)
        if found.startswith("vkanyio."):
            node["reftarget"] = found
            node["refspecific"] = False
        elif found != target or hasattr(builtins, target):
            node.replace_self(nodes.Text(target))
