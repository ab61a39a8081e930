"""Programs as newcomers write them, without casts, have few complaints of a checker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import copytree

PROGRAMS = Path(__file__).with_name("newcomers")
COMPLAINTS = [
    # VK may leave out an empty list.
    ("first_post.py", '"attachments" is not a required key in "WallItem"'),
    # Communities like posts, too.
    ("likes_of_a_post.py", '"first_name" is not a defined key'),
    ("likes_of_a_post.py", '"last_name" is not a defined key'),
]


def test_programs_of_newcomers_have_few_complaints(tmp_path: Path) -> None:
    copytree(PROGRAMS, tmp_path, dirs_exist_ok=True)
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    checked = subprocess.run(
        [*command, "--outputjson", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(checked.stdout)
    assert report["summary"]["filesAnalyzed"] == 5
    found = [
        (Path(each["file"]).name, each["message"])
        for each in report["generalDiagnostics"]
    ]
    assert len(found) == len(COMPLAINTS), found
    for file, text in COMPLAINTS:
        assert any(name == file and text in message for name, message in found), found
