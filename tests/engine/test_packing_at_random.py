"""Whole runs with packing over a bad network: nothing is done twice, nothing lost."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from _helpers import TOKEN, add_echoes, assert_at_rest, assert_gone, get, settle
from _packing import message, post
from vkanyio import VK, OutcomeUnknownError, VKError
from vkanyio.testing import Simulator, VirtualClockLoop, faults

if TYPE_CHECKING:
    from vkanyio import APIRequest, Captcha

# Faults of a call, in a script or plain.
OF_A_CALL = [*map(faults.error, (1, 6, 9, 10, 36, 100)), faults.captcha()]
# Faults of a request.
OF_A_REQUEST = [
    faults.refuse(),
    faults.drop_before(),
    faults.drop_after(),
    faults.hang_after(),
    faults.html(502),
    faults.html(504, after=True),
    faults.html(413),
    faults.truncated(after=True),
    *map(faults.error, (1, 6, 9, 10, 12, 13, 14, 29)),
]
KINDS: dict[str, Any] = {
    "read": get,
    "message": message,
    "post": post,
    "plain post": partial(post, lang="en"),
}

plans = st.lists(
    st.tuples(
        st.sampled_from([*KINDS]),
        st.sampled_from([0.0, 0.0, 0.0, 0.3, 1.0]),  # seconds until the next
        st.sampled_from([None, None, None, 0.0, 0.2, 1.1, 4.0]),  # patience
    ),
    min_size=30,
    max_size=60,
)


async def run(
    plan: list[tuple[str, float, float | None]],
    seed: int,
    rates: tuple[float, float],
    mode: Any,
) -> None:
    simulator = Simulator(
        limit=20,
        seed=seed,
        latency=lambda network: network.uniform(0.01, 0.2),
        trailing_execute_error=bool(seed % 2),
    )
    add_echoes(simulator)
    for fault in OF_A_REQUEST:
        simulator.fault(fault, "execute", rate=rates[0] / len(OF_A_REQUEST))
    for fault in OF_A_CALL:
        for method in ("test.get", "test.post", "messages.send"):
            simulator.fault(fault, method, rate=rates[1] / len(OF_A_CALL))
    outcomes: dict[int, Any] = {}

    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(1)
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    async def call(i: int, request: APIRequest, patience: float | None) -> None:
        try:
            with anyio.fail_after(patience):
                outcomes[i] = await api.call_with_request(request)
        except (VKError, TimeoutError) as error:
            outcomes[i] = error

    async with VK(
        TOKEN,
        limit=20,
        mode=mode,
        request_mode="burst" if seed % 3 else "sequential",
        execute_methods=["test.post", "messages.send"],
        max_connections=1 + seed % 5,
        on_captcha=solve,
        http_client=simulator.http_client(),
    ) as api:
        async with anyio.create_task_group() as tg:
            for i, (kind, pause, patience) in enumerate(plan):
                tg.start_soon(call, i, KINDS[kind](i), patience)
                await anyio.sleep(pause)
        await settle()  # the last abandoned calls are still being cancelled
        assert_at_rest(api)
    assert_gone(api)

    assert outcomes.keys() == {*range(len(plan))}
    done = Counter(
        int(entry.params["id"])
        for entry in simulator.ledger.carried_out()
        if "id" in entry.params
    )
    for i, (kind, _, _) in enumerate(plan):
        outcome = outcomes[i]
        if kind == "read":
            assert not isinstance(outcome, OutcomeUnknownError)
            assert isinstance(outcome, Exception) or (outcome == i and done[i])
            continue
        assert done[i] <= 1, f"{kind} was carried out twice"
        if not isinstance(outcome, Exception):
            assert done[i] == 1
            assert kind == "message" or outcome == i
        elif not isinstance(outcome, OutcomeUnknownError | TimeoutError):
            assert done[i] == 0, f"{kind} was carried out, against {outcome!r}"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(
    plans,
    st.integers(0, 10**6),
    st.tuples(st.sampled_from([0.0, 0.2, 0.6]), st.sampled_from([0.0, 0.1, 0.3])),
    st.sampled_from(["parallel", "parallel", "parallel_selected"]),
)
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_nothing_is_done_twice_and_nothing_is_lost(
    backend: str,
    plan: list[tuple[str, float, float | None]],
    seed: int,
    rates: tuple[float, float],
    mode: str,
) -> None:
    options: dict[str, Any] = {"loop_factory": VirtualClockLoop}
    if backend == "trio":
        options = {"clock": trio.testing.MockClock(autojump_threshold=0)}
    anyio.run(run, plan, seed, rates, mode, backend=backend, backend_options=options)
