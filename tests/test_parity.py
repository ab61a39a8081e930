"""Packing changes no value, no error and no promise."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from _helpers import add_echoes, assert_gone
from vkanyio import VK, APIError, VKError
from vkanyio.testing import Call, Simulator, VKFault, faults

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"


def client_of(simulator: Simulator, **options: Any) -> VK:
    options = {"mode": "parallel", "limit": 20, "request_mode": "burst", **options}
    return VK(TOKEN, http_client=simulator.http_client(), **options)


async def call_all(api: VK, calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Make calls at the same time, and return what came of each, in their order."""
    outcomes: list[Any] = [None] * len(calls)

    async def one(place: int, method: str, params: dict[str, Any]) -> None:
        try:
            outcomes[place] = await api.call(method, params)
        except VKError as error:
            outcomes[place] = error

    async with anyio.create_task_group() as tg:
        for place, (method, params) in enumerate(calls):
            tg.start_soon(one, place, method, params)
    return outcomes


def gets(*numbers: int) -> list[tuple[str, dict[str, Any]]]:
    return [("test.get", {"id": number}) for number in numbers]


def posts(*numbers: int) -> list[tuple[str, dict[str, Any]]]:
    return [("test.post", {"id": number}) for number in numbers]


# Parity


ODD = 'a\n"b"\\ \u2028 Ё🦊 ${x} */ //'

PARITY: list[tuple[str, dict[str, Any]]] = [
    ("test.get", {"id": 1}),
    ("test.value", {"of": "false"}),
    ("test.value", {"of": "null"}),
    ("test.value", {"of": "list"}),
    ("test.echo", {"text": ODD, ODD: ODD}),
    ("test.echo", {"big": 2**63, "list": [1, "b"], "dict": {"a": [1, None]}}),
    ("wall.post", {"message": ODD}),
    ("wall.delete", {"post_id": 999}),
    ("users.get", {"user_ids": "x"}),
    ("no.such", {}),
    ("messages.send", {"peer_id": 5, "random_id": 9}),
    ("test.fail", {"code": 5}),
    ("test.fail", {"code": 9}),
    ("test.fail", {"code": 14}),
    ("test.fail", {"code": 10}),
    ("test.postFail", {"code": 10}),
    ("users.get", {"user_ids": [1, 2]}),
    ("status.set", {"text": ODD}),
    ("secure.getAppBalance", {}),
]


def add_odd_methods(simulator: Simulator) -> None:
    values: dict[str, Any] = {"false": False, "null": None, "list": []}

    def fail(call: Call) -> None:
        raise VKFault(call.integer("code"))

    def echo(call: Call) -> Any:
        return {name: text for name, text in call.params.items() if name != "v"}

    simulator.add_method("test.value", lambda call: values[call.text("of")])
    simulator.add_method("test.echo", echo)
    simulator.add_method("test.fail", fail)
    simulator.add_method("test.postFail", fail)


async def outcomes_in(mode: str) -> list[Any]:
    simulator = Simulator(limit=0)
    add_echoes(simulator)
    add_odd_methods(simulator)
    methods = {method for method, _ in PARITY}
    options: dict[str, Any] = {"mode": mode, "execute_methods": methods, "limit": 1000}
    async with client_of(simulator, wait=0, retry_limit=1, **options) as api:
        found = await call_all(api, PARITY)
        assert (max(api.statistics().batches) > 1) == (mode != "sequential")
    return [
        (type(each), getattr(each, "code", None), getattr(each, "params", None))
        if isinstance(each, VKError)
        else each
        for each in found
    ]


async def test_packing_changes_no_value_and_no_error() -> None:
    plain = await outcomes_in("sequential")
    assert plain[4] == {"text": ODD, ODD: ODD}
    assert await outcomes_in("parallel") == plain
    assert await outcomes_in("parallel_selected") == plain


# Random runs


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6), number=st.integers(2, 60))
async def test_nothing_is_lost_and_nothing_done_twice(seed: int, number: int) -> None:
    simulator = Simulator(limit=20, latency=0.1, seed=seed)
    add_echoes(simulator)
    for fault in (faults.drop_before(), faults.drop_after(), faults.html(502)):
        simulator.fault(fault, "execute", rate=0.1)
    for code in (1, 6, 9, 10):
        simulator.fault(faults.error(code), rate=0.02)
    simulator.fault(faults.truncated(after=True), rate=0.05)
    calls = [(posts if n % 2 else gets)(n)[0] for n in range(number)]
    async with client_of(simulator, wait=0.1) as api:
        outcomes = await call_all(api, calls)
    assert_gone(api)
    done = [int(e.params["id"]) for e in simulator.ledger.carried_out("test.post")]
    assert len(done) == len(set(done))
    for n, outcome in enumerate(outcomes):
        assert outcome == n or isinstance(outcome, VKError)
        if n % 2 and outcome == n:
            assert n in done
        if n % 2 and isinstance(outcome, APIError):
            assert n not in done
