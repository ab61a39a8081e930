"""The guides for first programs, notebooks, synchronous programs and servers.

What they show runs as its readers run it: in processes, and at a prompt.
"""

from __future__ import annotations

import configparser
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from _pages import Page
from anyio.from_thread import BlockingPortal, start_blocking_portal

from vkanyio import VK, AccessDeniedError
from vkanyio.testing import Account, Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    MakeClient = Callable[..., VK]

FIRST_ERRORS = Page("guides/first-errors.md")
NOTEBOOKS = Page("guides/notebooks.md")
SYNCHRONOUS = Page("guides/synchronous.md")
DEPLOYING = Page("guides/deploying.md")

BASE_URL = "http://127.0.0.1:8000/method"
ACCOUNTS = {
    "community": Account(id=9, kind="group"),
    "user": Account(id=1),
    "service": Account(kind="service"),
}

on_both = pytest.mark.parametrize("backend", ["asyncio", "trio"])
on_posix = pytest.mark.skipif(os.name == "nt", reason="needs signals")


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def base_url(portal: BlockingPortal, simulator: Simulator) -> Iterator[str]:
    with portal.wrap_async_context_manager(simulator.serve()) as base_url:
        yield base_url


def environment(**variables: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VK")}
    return {**kept, "no_proxy": "127.0.0.1", **variables}


def run(
    code: str, *options: str, base_url: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "utf8", *options],
        input=code.replace(BASE_URL, base_url),
        env=environment(**variables),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


# First errors.


@on_both
def test_a_community_sees_what_its_token_can_do(backend: str):
    simulator = Simulator(limit=20, tokens=ACCOUNTS)
    FIRST_ERRORS.run("CALLS = {", backend, simulator, VK_TOKEN="community")


@pytest.mark.parametrize(
    ("token", "codes"),
    [
        ("user", [0, 100, 0, 0]),
        ("service", [0, 100, 100, 28]),
        ("wrong", [5, 5, 5, 5]),
    ],
)
def test_other_tokens_get_the_errors_of_the_page(
    monkeypatch: pytest.MonkeyPatch, token: str, codes: list[int]
):
    simulator = Simulator(limit=20, tokens=ACCOUNTS)
    # The page shows what a community gets.
    monkeypatch.setattr(
        FIRST_ERRORS, "blocks", [b._replace(output=None) for b in FIRST_ERRORS.blocks]
    )
    FIRST_ERRORS.run("CALLS = {", "trio", simulator, VK_TOKEN=token)
    lines = FIRST_ERRORS.printed.splitlines()
    found = [re.search(r"error (\d+)", line) for line in lines]
    assert [int(match[1]) if match else 0 for match in found] == codes


@pytest.mark.anyio
async def test_a_missing_scope_is_error_15(make_client: MakeClient):
    # No token has the scopes of secure.*, and the page says so of any method.
    async with make_client() as api:
        with pytest.raises(AccessDeniedError, match="error 15"):
            await api.call("secure.getAppBalance")


@pytest.mark.anyio
async def test_an_error_tells_what_the_page_shows(
    make_client: MakeClient, capsys: pytest.CaptureFixture[str]
):
    async with make_client() as api:
        await FIRST_ERRORS.load("async def show_error")["show_error"](api)
    printed = capsys.readouterr().out
    assert printed == FIRST_ERRORS.find("async def show_error").output


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
async def test_python_reports_a_forgotten_await_as_the_page_shows(api: VK):
    with pytest.raises(TypeError) as raised:
        api.users.get(user_ids=[1])[0]  # type: ignore[index]
    with pytest.warns(RuntimeWarning, match="never awaited") as warned:
        api.users.get(user_ids=[1])  # type: ignore[unused-coroutine]  # the slip
    assert f"`TypeError: {raised.value}`" in FIRST_ERRORS.text
    assert f"`RuntimeWarning: {warned[0].message}`" in FIRST_ERRORS.text


# Notebooks.


def prompts(page: Page) -> tuple[list[str], list[str]]:
    """Return what is typed on a page, and what is printed."""
    typed: list[str] = []
    printed: list[str] = []
    for block in re.findall(r"```pycon\n(.*?)```", page.text, re.DOTALL):
        for line in block.splitlines():
            if not line.startswith((">>> ", "... ")):
                printed.append(line)
                continue
            if line.startswith(">>> ") and typed and typed[-1].startswith(" "):
                typed.append("")  # ends a block at the prompt
            typed.append(line[4:])
    return typed, printed


@pytest.mark.skipif(
    sys.version_info >= (3, 13),
    reason="from Python 3.13 on, `python -m asyncio` takes blocks from a terminal only",
)
def test_what_is_typed_at_the_prompt_prints_what_the_page_shows(base_url: str):
    typed, printed = prompts(NOTEBOOKS)
    assert len(typed) > 15
    done = run("\n".join(typed) + "\n", "-m", "asyncio", base_url=base_url)
    shown = re.sub(r"^((>>>|\.\.\.) )+", "", done.stdout, flags=re.MULTILINE)
    assert [line for line in shown.splitlines() if line] == printed, done.stderr
    assert "Traceback" not in done.stderr


# Synchronous programs.


@on_both
def test_a_synchronous_program_prints_what_the_page_shows(base_url: str, backend: str):
    block = SYNCHRONOUS.find("def main() -> None:")
    code = block.code.replace('"asyncio"', f'"{backend}"')
    done = run(code, "-", base_url=base_url)
    assert (done.stdout, done.stderr) == (block.output, "")


@on_both
def test_a_synchronous_program_makes_many_calls_at_once(backend: str):
    simulator = Simulator(limit=20)
    client = VK("any", mode="parallel", http_client=simulator.http_client())
    names = SYNCHRONOUS.load("def statuses(")
    with (
        start_blocking_portal(backend) as portal,
        portal.wrap_async_context_manager(client) as api,
    ):
        assert len(names["statuses"](portal, api, [*range(1, 51)])) == 50
        assert simulator.ledger.requests == 2
        portal.call(lambda: api.wall.post(message="hi"))
        [me] = portal.call(lambda: api.users.get())
        assert len(names["all_posts"](portal, api, me["id"])) == 1
        two_walls = SYNCHRONOUS.load("def two_walls(")["two_walls"]
        assert two_walls(portal, api, me["id"], 7) == 1


def test_a_web_process_opens_its_client_once_and_ends(base_url: str):
    code = SYNCHRONOUS.find("def first_name(").code
    code += "\nprint(first_name(1), first_name(1), vk() is vk())\n"
    done = run(code, "-", base_url=base_url, VK_TOKEN="any", VKANYIO_BASE_URL=base_url)
    assert (done.stdout, done.stderr) == ("Irina Irina True\n", "")
    assert done.returncode == 0


# Servers.


@pytest.fixture
def service(tmp_path: Path, base_url: str) -> Iterator[subprocess.Popen[str]]:
    path = tmp_path / "service.py"
    path.write_text(DEPLOYING.find("async def one_round").code, encoding="utf-8")
    (tmp_path / "vk-token").write_text("any-token\n")
    variables = environment(
        VKANYIO_BASE_URL=base_url, CREDENTIALS_DIRECTORY=str(tmp_path)
    )
    with subprocess.Popen(
        [sys.executable, path], env=variables, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        yield process
        process.kill()


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if words in line:
            return
    pytest.fail(f"no {words!r} in {seen}")


@on_posix
@pytest.mark.simulator_options(latency=0.5)
def test_sigterm_ends_the_service_after_the_round_that_began(
    service: subprocess.Popen[str], simulator: Simulator
):
    wait_for(service, "started")
    service.send_signal(signal.SIGTERM)
    wait_for(service, "0 members")
    assert service.wait(30) == 0
    assert len(simulator.ledger.carried_out("groups.getMembers")) == 1


@on_posix
@pytest.mark.simulator_options(latency=60.0)
def test_a_second_signal_cancels_the_round(service: subprocess.Popen[str]):
    wait_for(service, "started")
    service.send_signal(signal.SIGTERM)
    service.send_signal(signal.SIGINT)  # two of one kind may be delivered as one
    wait_for(service, "stopped")
    assert service.wait(30) == 0


@pytest.mark.simulator_options(tokens={"another": Account()})
def test_a_token_that_is_refused_ends_it_for_good(service: subprocess.Popen[str]):
    wait_for(service, "CRITICAL service groups.getMembers: error 5")
    prevented = r"^RestartPreventExitStatus=(\d+)"
    [status] = re.findall(prevented, DEPLOYING.text, re.MULTILINE)
    assert service.wait(30) == int(status) == 78


@pytest.mark.anyio
async def test_a_transient_error_is_logged_and_others_are_raised(
    simulator: Simulator, make_client: MakeClient, caplog: pytest.LogCaptureFixture
):
    one_round = DEPLOYING.load("async def one_round")["one_round"]
    async with make_client() as api:
        simulator.fault(faults.error(10), "groups.getMembers", times=4)
        await one_round(api)
        assert "try later: groups.getMembers: error 10" in caplog.text
        simulator.fault(faults.error(15), "groups.getMembers")
        with pytest.raises(AccessDeniedError):
            await one_round(api)


def test_the_unit_is_one_that_systemd_can_read():
    [text] = re.findall(r"```ini\n(.*?)```", DEPLOYING.text, re.DOTALL)
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(text)
    assert unit.sections() == ["Unit", "Service", "Install"]
    credential = unit["Service"]["LoadCredential"].partition(":")[0]
    assert f'"{credential}"' in DEPLOYING.find("async def one_round").code
    assert int(unit["Service"]["TimeoutStopSec"]) == 90
