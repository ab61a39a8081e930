from __future__ import annotations

import subprocess
import sys

import pytest

import vkanyio
from vkanyio.cli._app import MODULES, run

INSTALL = "run pip install '.[cli]' in the clone of vkanyio"


def run_without(missing: str, *words: str) -> str:
    """Run the command line in a process in which a package is not installed."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"sys.argv = {['vkanyio', *words]!r}\n"
        "from vkanyio.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_one_line_says_how_to_install_it(missing: str) -> None:
    assert run_without(missing, "--version") == (
        f"vkanyio: the command line needs {missing}: {INSTALL}\n"
    )


def test_without_trio_one_line_says_how_to_install_it() -> None:
    assert run_without("trio", "call", "users.get", "--backend", "trio") == (
        f"vkanyio: --backend trio needs trio: {INSTALL}\n"
    )


def test_the_simulator_needs_only_the_extra_for_tests() -> None:
    code = (
        "import sys; sys.modules['click'] = sys.modules['rich'] = None\n"
        "sys.argv = ['vkanyio', 'simulator', '--limit', 'many']\n"
        "from vkanyio.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "argument --limit: invalid int value: 'many'" in done.stderr
    assert "click" not in done.stderr


def test_a_module_that_the_extra_does_not_bring_is_not_blamed_on_it() -> None:
    code = "import sys, vkanyio.cli\nsys.modules['getpass'] = None\nvkanyio.cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "import of getpass halted" in done.stderr
    assert INSTALL not in done.stderr


def test_ctrl_c_while_modules_are_loaded_is_one_line() -> None:
    code = (
        "import sys, vkanyio.cli\n"
        "class Interrupting:\n"
        "    def find_spec(self, *_):\n"
        "        raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "vkanyio.cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "vkanyio: interrupted\n")


def test_runs_as_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vkanyio", "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"vkanyio {vkanyio.__version__}\n"


def test_without_a_command_the_help_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_a_wrong_command_is_one_line_that_names_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["dmeo"]) == 2
    err = capsys.readouterr().err
    assert "'dmeo'" in err
    assert "demo" in err.replace("'dmeo'", "")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "command"), [(["call", "--limit"], "vkanyio call"), (["-x"], "vkanyio")]
)
def test_a_wrong_option_refers_to_the_help_that_has_it(
    capsys: pytest.CaptureFixture[str], words: list[str], command: str
) -> None:
    assert run(words) == 2
    assert capsys.readouterr().err.endswith(f" (see `{command} --help`)\n")


@pytest.mark.parametrize("name", [None, *MODULES])
def test_every_help_text_has_an_example_that_fits_a_line(
    capsys: pytest.CaptureFixture[str], name: str | None
) -> None:
    words = [] if name is None else [name]
    assert run([*words, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example:\n    vkanyio " in out
    assert max(map(len, out.splitlines())) <= 88
