"""Uploads that are cancelled at every step of any task, in every way."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import TOKEN, assert_at_rest, assert_gone, collect_garbage, settle
from vkanyio import VK, OutcomeUnknownError
from vkanyio.testing import Simulator, faults

from ._backends import BACKENDS, MAIN_BACKENDS, seed_trio
from ._play import BOUND
from ._steps import Steps
from ._ways import WAYS, Order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.long,
    pytest.mark.usefixtures("_no_threads"),
]

CONTENT = bytes(300_000)  # two chunks
FAULTS: dict[str, Any] = {
    "sent": None,
    "waiting for its turn": None,
    "sent again": (faults.drop_upload(0.7), "upload"),
    "stalled": (faults.stall_upload(0.7), "upload"),
    "its save in doubt": (faults.hang_after(), "photos.saveWallPhoto"),
}
SHORT = ("sent again", "its save in doubt")
SHORT_WAYS = ("scope", "task")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_long = metafunc.config.getoption("--long")
    metafunc.parametrize(("backend", "what", "way"), [*_cases(is_long=is_long)])


def _cases(*, is_long: bool) -> Iterator[Any]:
    """Generate the cases; a short run takes some of them on the main backends."""
    for backend in BACKENDS:
        for what in FAULTS if is_long else SHORT:
            for way in backend.ways:
                if is_long or (backend.name in MAIN_BACKENDS and way in SHORT_WAYS):
                    name = f"{what}, {backend.name}, {way}"
                    yield pytest.param(backend, what, way, id=name)


async def test_a_cancelled_upload_saves_nothing_twice_and_leaves_nothing_behind(
    what: str, way: str, is_long: bool, tmp_path: Path
) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(CONTENT)
    for step in count():
        random.seed(step)
        seed_trio(step)
        if not await play(path, what, way, step, thorough=is_long):
            break
    assert step > 10
    collect_garbage()  # a file that was left open is a warning


async def play(path: Path, what: str, way: str, at: int, *, thorough: bool) -> bool:
    """Cancel an upload at a step, and make another one.

    :return: whether there was anything left to cancel
    """
    simulator = Simulator(limit=0, latency=0.25)
    if FAULTS[what] is not None:
        simulator.fault(*FAULTS[what])
    order = Order()
    steps = Steps(at, order.give, suspensions=thorough)
    if at == 0:
        order.give()
    client = VK(TOKEN, limit=20, wait=0.5, http_client=simulator.http_client())
    ended: list[str] = []
    with anyio.fail_after(2 * BOUND), steps.of_client_tasks():
        async with client as api:

            async def upload() -> None:
                await steps.counted(upload_once(api, path, ended))

            async with anyio.create_task_group() as others:
                if what == "waiting for its turn":
                    simulator.fault(faults.slow_upload(2.0), "upload", times=4)
                    for number in range(4):
                        others.start_soon(api.upload.wall_photo, bytes([number]))
                    await settle()
                await WAYS[way](order, upload)
                await settle()
            others_saved = 4 if what == "waiting for its turn" else 0
            assert_at_rest(api)
            saved = len(simulator.ledger.saved) - others_saved
            assert saved <= 1
            if ended == ["saved"]:
                assert saved == 1
            assert ended != ["lost"]
            # Nothing but a last call that has left can have saved the file.
            if not simulator.ledger.carried_out("photos.saveWallPhoto"):
                assert saved == 0
            simulator.clear_faults()
            await api.upload.wall_photo(b"another one")
            assert len(simulator.ledger.saved) == others_saved + saved + 1
            assert simulator.ledger.saved_twice() == []
            assert_at_rest(api)
    assert_gone(client)
    return order.given


async def upload_once(api: VK, path: Path, ended: list[str]) -> None:
    try:
        await api.upload.wall_photo(path)
    except OutcomeUnknownError as error:
        ended.append("lost" if error.uploaded is None else "in doubt")
    else:
        ended.append("saved")
