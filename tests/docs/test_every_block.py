"""Every Python block of the pages is run by a test, and passes a type checker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from _pages import DOCS, Page

HERE = Path(__file__).parent
MARK = re.compile(r"""(?:\.(?:load|run|find)\(\s*|mark = )(?:"(.*?)"|'(.*?)')""")
PAGES = {
    name: Page(name)
    for name in (path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    # Those in Russian have the same code; test_readme.py has some of the others.
    if not name.startswith(("_build/", "ru/"))
    and ("/" in name or name in ("index.md", "tutorial.md", "typed-api.md"))
}


def test_every_block_is_run_by_a_test():
    for name, page in PAGES.items():
        marks: set[str] = set()
        for path in HERE.glob("test_*.py"):
            source = path.read_text(encoding="utf-8")
            if f'Page("{name}")' in source:
                marks.update(a or b for a, b in MARK.findall(source))
        for block in page.blocks:
            assert any(mark in block.code for mark in marks), f"{name}: {block.code}"


def test_every_block_passes_a_type_checker(tmp_path: Path):
    (tmp_path / "service.py").write_text(
        Page("tutorial.md").find("def watch").code, encoding="utf-8"
    )
    blocks = [block.code for page in PAGES.values() for block in page.blocks]
    for number, block in enumerate(blocks):
        (tmp_path / f"block_{number}.py").write_text(block, encoding="utf-8")
    settings = {"typeCheckingMode": "strict", "reportUnusedFunction": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    checked = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
