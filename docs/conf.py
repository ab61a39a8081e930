"""How Sphinx builds the documentation.

::

    uv run sphinx-build -W --keep-going -b html docs docs/_build/html

Pages in Russian stand in ``docs/ru`` under the names of the English ones, and make a
build of their own, since search and the theme's own words depend on the language. It
comes second, since its links to pages that are in English alone are checked::

    uv run sphinx-build -W -b html -c docs -t ru docs/ru docs/_build/html/ru
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from vkanyio import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "vkanyio"
author = "The vkanyio developers"
copyright = "the vkanyio developers"  # noqa: A001 - Sphinx's name for it
version = release = __version__
language = "ru" if tags.has("ru") else "en"  # noqa: F821 - Sphinx defines it
locale_dirs = [str(HERE / "_locale")]

extensions = ["myst_parser", "sphinx_copybutton", "languages", "link_titles"]
exclude_patterns = ["_build", "ru"]
nitpicky = True
nitpick_ignore_regex = [
    # There is no network to find other people's pages by.
    (
        r"py:.*",
        r"(anyio|asyncio|builtins|collections\.abc|contextlib|datetime|httpx|os|_pytest|random)\..*",
    ),
    # Names that only a type checker sees: other people's, and those of literal values.
    (
        r"py:class",
        (
            r"AbstractAsyncContextManager|MeterProvider|TaskStatus|TracerProvider|Fault"
            r"|Application|Content|Instruction|JSON|Progress|Timeout|WidgetImage"
        ),
    ),
    (r"py:class", r"CaptchaKind|Language|Mode|RequestMode|Target"),
    # Their short names are those of objects, to which references lead.
    (r"py:class", r"vkanyio\.links\.(Doc|Photo)"),
    (r"py:class", r"(vkanyio\._reading\._collect\.)?T"),  # of an item
    (r"py:class", r"(vkanyio\.testing\._update_ledger\.)?M"),  # of an update
]
# A name such as Photo that several modules have: the link goes to one of them.
suppress_warnings = ["ref.python"]
smartquotes_action = "D"

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3
copybutton_exclude = ".linenos, .gp, .go"

if language == "en":
    extensions += ["sphinx.ext.autodoc", "reference"]
    autodoc_default_options = {"member-order": "bysource"}
    autodoc_class_signature = "mixed"
    autodoc_preserve_defaults = True
    autodoc_type_aliases = {
        "ScriptCaller": "vkanyio.testing.vkscript.ScriptCaller",
        "Distribution": "vkanyio.testing.latency.Distribution",
        "Fault": "vkanyio.testing.faults.Fault",
        "Handler": "vkanyio.testing.Handler",
        "Latency": "float | vkanyio.testing.latency.Distribution",
    }
    add_module_names = False
    python_use_unqualified_type_names = True
    python_maximum_signature_line_length = 72
    toc_object_entries_show_parents = "hide"

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"vkanyio {release}"
html_static_path = [str(HERE / "_static")]
html_css_files = ["vkanyio.css"]
html_js_files = ["search_ru.js"] if language == "ru" else []
templates_path = [str(HERE / "_templates")]
html_copy_source = False
html_show_sphinx = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/languages.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/in-english.html",
        "sidebar/scroll-end.html",
    ]
}
html_theme_options: dict[str, Any] = {
    "light_css_variables": {
        "color-brand-primary": "#0b6bcb",
        "color-brand-content": "#0b6bcb",
        "color-brand-visited": "#0b6bcb",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6cb2ff",
        "color-brand-content": "#6cb2ff",
        "color-brand-visited": "#6cb2ff",
    },
}
