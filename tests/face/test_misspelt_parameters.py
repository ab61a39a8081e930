"""A parameter that VK's schema does not have gets a warning in the log, and is sent."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from vkanyio import APIRequest
from vkanyio._known_parameters import FOR_ANY_METHOD, MAX_NAMES, known_parameters
from vkanyio._method_facts import METHODS
from vkanyio.testing._schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _helpers import MakeClient
    from vkanyio.testing import Simulator

MISSPELT = "friends.get has no parameter 'userid' in VK's schema: did you mean user_id?"


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Forget what was warned of: it is remembered for the whole process."""
    known_parameters.cache_clear()
    yield
    known_parameters.cache_clear()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]


async def call(api: Any, method: str, params: dict[str, Any]) -> None:
    await api.call(method, params)


async def stream(api: Any, method: str, params: dict[str, Any]) -> None:
    async with api.stream([(method, params)]) as settled:
        async for each in settled:
            each.result()


async def gather(api: Any, method: str, params: dict[str, Any]) -> None:
    await api.gather([(method, params)])


async def collect(api: Any, method: str, params: dict[str, Any]) -> None:
    await api.collect(method, **params).all()


@pytest.mark.anyio
@pytest.mark.parametrize("way", [call, stream, gather, collect])
async def test_a_misspelt_parameter_gets_one_warning_and_is_sent(
    simulator: Simulator,
    make_client: MakeClient,
    caplog: pytest.LogCaptureFixture,
    way: Any,
) -> None:
    async with make_client() as api:
        for _ in range(3):
            await way(api, "friends.get", {"userid": "SECRET", "count": 1})
    assert warnings(caplog) == [MISSPELT]
    assert {entry.params["userid"] for entry in simulator.ledger} == {"SECRET"}


@pytest.mark.anyio
async def test_what_is_sent_without_types_on_purpose_gets_no_warning(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_client() as api:
        await api.friends.get(user_id=1, extra_params={"one": 1})
        await api.untyped.friends.get(two=2)
        await api.collect(api.friends.get, extra_params={"three": 3}).all()
        await api.execute("return Args.four;", four=4)
        assert not warnings(caplog)
        await api.call("friends.get", {"five": 5})
    assert warnings(caplog) == [
        "friends.get has no parameter 'five' in VK's schema; VK may ignore it"
    ]


def test_parameters_that_are_known_get_no_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in METHODS:
        if name != "execute":
            declared = dict.fromkeys(schema()["methods"][name]["parameters"], 1)
            APIRequest(name, {**declared, **dict.fromkeys(FOR_ANY_METHOD, "a")})
    APIRequest("friends.get", {"userid": None})
    APIRequest("test.unknown", {"anything": 1})
    APIRequest("execute", {"anything": 1})
    APIRequest("execute.mine", {"anything": 1})
    assert not warnings(caplog)


def test_names_without_end_are_neither_kept_nor_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = known_parameters("friends.get")
    assert known is not None
    at_first = len(known)
    for i in range(1000):
        APIRequest("friends.get", {f"{'x' * 1000}{i}": 1})
    assert len(known) == MAX_NAMES
    assert len(warnings(caplog)) == MAX_NAMES - at_first
    assert max(map(len, warnings(caplog))) < 700


def test_the_names_are_not_loaded_before_the_first_call() -> None:
    code = """if True:
    import sys
    from vkanyio import VK, APIRequest
    VK("token").friends
    assert "vkanyio._parameter_names" not in sys.modules
    APIRequest("friends.get")
    assert "vkanyio._parameter_names" in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True)
