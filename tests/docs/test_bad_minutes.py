"""The programs that run for weeks live through a minute in which VK is not well."""

from __future__ import annotations

import runpy
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from _pages import Page

from vkanyio import VK, AuthError
from vkanyio._typeguards import is_group
from vkanyio.testing import Simulator, faults
from vkanyio.updates import MessageNew

SERVICE = Path(__file__).parents[2] / "examples" / "service.py"
TUTORIAL = Page("tutorial.md")
ERRORS = Page("guides/errors.md")

FAULTS = [
    faults.error(10),
    faults.error(1),
    faults.error(6),
    faults.html(502),
    faults.html(429),
    faults.refuse(),
    faults.drop_before(),
    faults.hang_before(),
]
each_fault = pytest.mark.parametrize(
    "fault",
    FAULTS,
    ids=["error 10", "error 1", "error 6", "502", "429", "refuse", "drop", "hang"],
)

pytestmark = pytest.mark.anyio


def client(token: str, town: Simulator) -> VK:
    return VK(token, http_client=town.http_client())


async def watch(town: Simulator) -> None:
    names = TUTORIAL.load("def watch")
    async with client("anna", town) as api:
        await names["watch"](api, anyio.Event())


async def serve(town: Simulator) -> None:
    names = runpy.run_path(str(SERVICE))
    async with (
        client("club", town) as api,
        api.bot_updates(kinds=[MessageNew]) as updates,
    ):
        town.say(1, 9, "hi")
        answer = partial(names["answer"], api)
        await updates.handle(answer, on_error=names["report"])


async def answer_photos(town: Simulator) -> None:
    names = runpy.run_path(str(SERVICE.with_name("pictures.py")))
    async with (
        client("club", town) as api,
        api.bot_updates(kinds=[MessageNew]) as updates,
    ):
        town.say(1, 9, "", attachment="photo1_1")
        # Bytes, since a virtual clock does not wait for the thread that reads a path.
        answer = partial(names["answer"], api, [b"not really a picture"])
        await updates.handle(answer, on_error=names["report"])


async def ask_for_members(town: Simulator) -> None:
    async with client("club", town) as api:
        await ERRORS.load("def new_members(")["new_members"](api, "9")


PROGRAMS: list[Any] = [
    pytest.param(watch, "wall.get", id="the tutorial's service"),
    pytest.param(serve, "messages.send", id="examples/service.py"),
    pytest.param(answer_photos, "photos.saveMessagesPhoto", id="examples/pictures.py"),
    pytest.param(ask_for_members, "groups.getMembers", id="the guide's loop"),
]
each_program = pytest.mark.parametrize(("program", "method"), PROGRAMS)


@each_program
@each_fault
async def test_a_program_lives_through_a_bad_minute(
    town: Simulator,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    program: Any,
    method: str,
    fault: faults.Fault,
):
    town.fault(fault, method, rate=1)
    with anyio.move_on_after(300):
        async with anyio.create_task_group() as tg:
            tg.start_soon(program, town)
            await anyio.sleep(65)
            assert not town.ledger.carried_out(method)
            town.clear_faults()
    assert town.ledger.carried_out(method)
    logged = [each.getMessage() for each in caplog.records if each.name == "root"]
    reason, *_ = [*capsys.readouterr().out.splitlines(), *logged]
    assert len(reason.partition(":")[2]) > 10 or reason == "no response in 30 seconds"


async def test_a_photo_whose_upload_is_lost_is_sent_once(town: Simulator):
    town.fault(faults.drop_upload(0.5), "upload", times=9)  # more than one upload takes
    town.fault(faults.drop_after(), "photos.saveMessagesPhoto")
    town.fault(faults.drop_after(), "messages.send")
    with anyio.move_on_after(300):
        await answer_photos(town)
    messages = town.ledger.updates.of(9, "message_reply")
    assert len(messages) == 1
    assert len(town.ledger.saved) == 2  # one of them in doubt


@each_program
async def test_it_ends_with_an_error_that_does_not_pass(
    town: Simulator, program: Any, method: str
):
    town.fault(faults.expired_token(), method)
    raised: Any = None
    try:
        await program(town)
    except Exception as error:
        raised = error
    while is_group(raised):
        [raised] = raised.exceptions
    assert type(raised) is AuthError
