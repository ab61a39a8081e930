"""Captchas while other calls go on: who is asked, what waits and what ends."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import gather
from vkanyio import (
    Captcha,
    CaptchaError,
    ClientClosedError,
    ClientUseError,
    OutcomeUnknownError,
    VKError,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio import VK

pytestmark = pytest.mark.anyio

OTHER_TOKEN = "vk1.a.another-token"


class LeaveError(Exception):
    """Raised by a test to leave a client."""


class SlowSolver:
    """Answers captchas correctly, each after ten seconds."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.opened = anyio.Event()
        self.asked = 0
        self.cancelled = False

    async def __call__(self, captcha: Captcha) -> None:
        self.asked += 1
        self.opened.set()
        try:
            await anyio.sleep(10)
        except anyio.get_cancelled_exc_class():
            self.cancelled = True
            raise
        await captcha.retry(self._simulator.solve(captcha.redirect_uri or ""))


async def test_a_captcha_that_several_calls_meet_at_once_is_asked_once(
    far_simulator: Simulator, make_client: MakeClient
) -> None:
    simulator = far_simulator
    simulator.fault(faults.captcha(), times=5)
    solver = SlowSolver(simulator)
    async with make_client(
        on_captcha=solver, request_mode="burst", http_client=simulator.http_client()
    ) as api:
        results = await gather(
            *[lambda n=n: api.users.get(user_ids=[n]) for n in range(1, 6)]
        )
    assert [user["id"] for [user] in results] == [1, 2, 3, 4, 5]
    assert solver.asked == 1
    assert simulator.ledger.requests == 10


async def test_another_captcha_that_calls_meet_afterwards_is_asked_too(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), rate=1)
    solver = SlowSolver(simulator)
    async with make_client(on_captcha=solver, request_mode="burst") as api:
        results = await gather(
            *[lambda n=n: api.users.get(user_ids=[n]) for n in range(1, 4)]
        )
    assert [user["id"] for [user] in results] == [1, 2, 3]
    assert solver.asked == 3


async def test_while_a_captcha_is_open_only_other_reads_go_through(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), "wall.get")
    solver = SlowSolver(simulator)
    ended: dict[str, float] = {}

    async def note(method: str, **params: Any) -> None:
        await api.call(method, params)
        ended[method] = anyio.current_time() - begin

    async with (
        make_client(on_captcha=solver) as api,
        anyio.create_task_group() as tg,
    ):
        begin = anyio.current_time()
        tg.start_soon(api.call, "wall.get")
        await solver.opened.wait()
        for call in (
            lambda: note("wall.post", message="held back"),
            lambda: note("status.set", text="held back"),
            lambda: note("messages.send", peer_id=1, message="held back"),
            lambda: note("wall.get", owner_id=2),
            lambda: note("users.get", user_ids=1),
            lambda: note("status.get", user_id=1),
        ):
            tg.start_soon(call)
    assert max(ended.pop("users.get"), ended.pop("status.get")) < 1
    assert ended.keys() == {"wall.post", "status.set", "messages.send", "wall.get"}
    assert min(ended.values()) >= 10


async def test_calls_that_were_held_back_keep_their_order(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), "captcha.get")
    simulator.add_method("captcha.get", lambda call: 1)
    solver = SlowSolver(simulator)
    async with make_client(on_captcha=solver) as api, anyio.create_task_group() as tg:
        tg.start_soon(api.call, "captcha.get")
        await solver.opened.wait()
        for number in range(5):
            tg.start_soon(api.call, "wall.post", {"message": f"{number}"})
            await anyio.sleep(0.01)
    posts = [e.params["message"] for e in simulator.ledger.carried_out("wall.post")]
    assert posts == ["0", "1", "2", "3", "4"]


async def test_calls_go_on_after_a_captcha_that_nobody_solved(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), "wall.get")

    async def give_up(captcha: Captcha) -> None:
        await anyio.sleep(5)

    async with make_client(on_captcha=give_up) as api, anyio.create_task_group() as tg:
        tg.start_soon(api.call, "status.get", {"user_id": 1})
        with pytest.raises(CaptchaError):
            await api.call("wall.get")
        with anyio.fail_after(1):
            await api.call("wall.post", {"message": "hello"})


async def test_cancelling_the_caller_cancels_the_handler(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), "wall.get")
    solver = SlowSolver(simulator)
    async with make_client(on_captcha=solver) as api:
        with anyio.move_on_after(5) as scope:
            await api.call("wall.get")
        assert scope.cancelled_caught
        with anyio.fail_after(1):
            await api.call("wall.post", {"message": "not held back any more"})
    assert solver.cancelled
    assert len(simulator.ledger.carried_out()) == 1


async def test_when_the_caller_with_the_captcha_leaves_the_next_one_is_asked(
    far_simulator: Simulator, make_client: MakeClient
) -> None:
    simulator = far_simulator
    simulator.fault(faults.captcha(), times=2)
    solver = SlowSolver(simulator)

    async def leave() -> None:
        with anyio.move_on_after(5):
            await api.users.get(user_ids=[1])

    async def stay() -> Any:
        await anyio.sleep(0.01)
        return await api.users.get(user_ids=[2])

    async with make_client(
        on_captcha=solver, request_mode="burst", http_client=simulator.http_client()
    ) as api:
        results = await gather(leave, stay)
    assert results[1][0]["id"] == 2
    assert solver.asked == 2


async def test_leaving_the_client_ends_the_handler(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), "wall.get")
    solver = SlowSolver(simulator)
    errors: list[VKError] = []

    async def call(api: VK) -> None:
        try:
            await api.call("wall.get")
        except ClientClosedError as error:
            errors.append(error)

    async def live() -> None:
        async with make_client(on_captcha=solver) as api:
            outer.start_soon(call, api)
            await solver.opened.wait()
            raise LeaveError

    async with anyio.create_task_group() as outer:
        with pytest.raises(LeaveError):
            await live()
        assert solver.cancelled
    assert len(errors) == 1


async def test_a_handler_may_make_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), "wall.post")
    seen: list[int] = []

    async def solve(captcha: Captcha) -> None:
        seen.append(await api.messages.send(peer_id=1, message="a captcha"))
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    async with make_client(on_captcha=solve) as api:
        with anyio.fail_after(5):
            await api.wall.post(message="hello")
    assert len(seen) == 1


async def test_a_captcha_for_one_token_does_not_hold_up_others(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), "wall.get")
    solver = SlowSolver(simulator)
    async with make_client(on_captcha=solver) as api, anyio.create_task_group() as tg:
        tg.start_soon(api.call, "wall.get")
        await solver.opened.wait()
        with anyio.fail_after(1):
            await api.call("wall.post", {"message": "m", "access_token": OTHER_TOKEN})


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.5])
async def test_an_answer_that_outlives_its_handler_posts_nothing(
    simulator: Simulator, make_client: MakeClient, seconds: float
) -> None:
    simulator.fault(faults.captcha(), "wall.post")
    simulator.fault(faults.delay(1.0), "wall.post", nth=2)

    async def answer(captcha: Captcha) -> None:
        with contextlib.suppress(VKError):
            await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    async with anyio.create_task_group() as tg:

        async def solve(captcha: Captcha) -> None:
            tg.start_soon(answer, captcha)
            await anyio.sleep(seconds)  # the answer leaves after one second

        async with make_client(on_captcha=solve, limit=1) as api:
            expected: int | None = 1
            try:
                await api.wall.post(message="hello")
            except OutcomeUnknownError:
                expected = None
            except CaptchaError:
                expected = 0
            await anyio.sleep(5)
    assert len(simulator.ledger.carried_out()) == expected or expected is None


@pytest.mark.parametrize("leaves", ["the caller", "the body"])
async def test_an_answer_from_another_task_ends_with_its_call(
    simulator: Simulator, make_client: MakeClient, leaves: str
) -> None:
    simulator.fault(faults.captcha(), "wall.post")
    seen: list[tuple[float, str]] = []

    async def answer(captcha: Captcha) -> None:
        try:  # it waits for a permit, which comes after one second
            await captcha.retry(simulator.solve(captcha.redirect_uri or ""))
        except ClientUseError as error:
            seen.append((anyio.current_time(), type(error).__name__))

    async with anyio.create_task_group() as tg:

        async def solve(captcha: Captcha) -> None:
            tg.start_soon(answer, captcha)
            await anyio.sleep_forever()

        async def post(api: VK) -> None:
            with contextlib.suppress(ClientClosedError), anyio.CancelScope() as caller:
                if leaves == "the caller":
                    caller.deadline = anyio.current_time() + 0.5
                await api.wall.post(message="hello")

        with contextlib.suppress(LeaveError):
            async with make_client(on_captcha=solve, limit=1) as api:
                begun = anyio.current_time()
                tg.start_soon(post, api)
                await anyio.sleep(0.5)
                if leaves == "the body":
                    raise LeaveError
                await anyio.sleep(5)
    assert seen == [(begun + 0.5, "ClientUseError")]
    assert simulator.ledger.carried_out() == []


async def test_a_captcha_of_an_abandoned_call_takes_no_answer(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha(), "wall.post")
    captchas: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        captchas.append(captcha)
        await anyio.sleep_forever()

    async with make_client(on_captcha=solve) as api:
        with anyio.move_on_after(1):
            await api.wall.post(message="hello")
        with pytest.raises(ClientUseError):
            await captchas[0].retry("the answer")
    assert simulator.ledger.carried_out() == []


async def test_a_captcha_takes_one_answer_at_a_time(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())

    async def solve(captcha: Captcha) -> None:
        answer = simulator.solve(captcha.redirect_uri or "")
        simulator.fault(faults.delay(1))
        async with anyio.create_task_group() as tg:
            tg.start_soon(captcha.retry, answer)
            await anyio.sleep(0.5)
            with pytest.raises(ClientUseError):
                await captcha.retry("another")

    async with make_client(on_captcha=solve) as api:
        assert await api.wall.post(message="hello") == {"post_id": 1}
    assert simulator.ledger.requests == 2


async def test_a_refusal_that_leaves_a_task_group_of_the_handler_is_asked_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    asked = 0

    async def solve(captcha: Captcha) -> None:
        nonlocal asked
        asked += 1
        right = simulator.solve(captcha.redirect_uri or "")
        async with anyio.create_task_group() as tg:
            tg.start_soon(anyio.sleep, 1)
            tg.start_soon(captcha.retry, right if asked == 2 else "wrong")

    async with make_client(on_captcha=solve) as api:
        assert await api.wall.post(message="hello") == {"post_id": 1}
    assert asked == 2
