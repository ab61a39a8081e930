"""Batches in rare circumstances, compared with what plain calls do."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from _gateway import BAD_GATEWAY, NEVER, Gateway, Page, size_of
from _helpers import add_echoes, get, note, settle, solve_by
from _packing import done, plain_calls, post, scripts, together
from vkanyio import (
    APIRequest,
    Captcha,
    CaptchaError,
    ClientUseError,
    OutcomeUnknownError,
    VKError,
)
from vkanyio.testing import Call, Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio import Confirmation

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.client_options(mode="parallel"),
    pytest.mark.usefixtures("echoes"),
]
MODES = pytest.mark.parametrize("mode", ["sequential", "parallel"])


class Answer:
    """A response of an HTTP client."""

    def __init__(self, content: bytes) -> None:
        self.status_code = 200
        self.content = content


# What is learned.


async def test_an_occasional_error_6_for_batches_slows_them_down_each_time(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async with make_client(limit=20) as api:
        for _ in range(6):
            simulator.fault(faults.error(6), "execute")
            begin = anyio.current_time()
            await together(api, map(get, range(25)))
            assert anyio.current_time() - begin < 3  # it is no matter of `execute`
            assert api.statistics().margin > 0.05
            await together(api, map(get, range(25)))
            await anyio.sleep(30)


@pytest.mark.parametrize("wrong", ["deadline", "too large"])
async def test_batches_of_writes_become_smaller_too(
    simulator: Simulator, make_client: MakeClient, wrong: str
) -> None:
    async def slow(call: Call) -> Any:
        await anyio.sleep(0.1 if wrong == "deadline" else 0)
        return call.integer("id") if wrong == "deadline" else "x" * 200_000

    simulator.add_method("test.post", slow)
    async with make_client(timeout=1) as api:
        first = await together(api, map(post, range(20)))
        assert {type(outcome) for outcome in first} <= {OutcomeUnknownError, str}
        for _ in range(4):
            second = await together(api, map(post, range(8)))
    assert not any(isinstance(outcome, VKError) for outcome in second)


async def test_what_was_sent_counts_and_not_who_still_waits(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def page_for(code: str) -> Page | None:
        return NEVER if size_of(code) > 20 else None

    async def call(i: int) -> None:
        with anyio.move_on_after(1 if i else None):
            await api.call_with_request(get(i))

    http_client = Gateway(simulator, page_for)
    async with make_client(timeout=3, http_client=http_client) as api:
        async with anyio.create_task_group() as tg:
            for i in range(25):
                tg.start_soon(call, i)
        assert api.statistics().batches == {25: 1, 1: 1}
        assert api.statistics().split == 0
        await together(api, map(get, range(24)))
        assert api.statistics().batches == {25: 1, 12: 2, 1: 1}


# What it costs.


async def test_requests_that_were_never_sent_are_retries_of_each_call(
    make_client: MakeClient,
) -> None:
    """Each request fails to connect three times, and then meets a bad gateway."""
    attempts: Counter[bytes] = Counter()

    class Client:
        async def post(self, *_: Any, content: bytes, **__: Any) -> Page:
            attempts[content] += 1
            if attempts[content] % 4:
                raise httpx.ConnectError("refused")
            return BAD_GATEWAY

    async with make_client(http_client=Client(), wait=0.1) as api:
        await together(api, map(get, range(25)))
    assert attempts.total() <= 125


async def test_halves_are_not_sent_before_the_server_wants_them(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(503, headers={"retry-after": "30"}), rate=1)
    async with make_client() as api:
        begin = anyio.current_time()
        await together(api, map(get, range(4)))
    times = {round(entry.time - begin) for entry in simulator.ledger}
    assert times == {0, 30, 60, 90, 120, 150, 180}


async def test_calls_that_go_alone_keep_their_order(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(15), "execute", rate=1)
    async with (
        make_client(limit=3, request_mode="burst") as api,
        anyio.create_task_group() as tg,
    ):
        for i in range(12):
            tg.start_soon(api.call_with_request, post(i))
            await settle()
    sent = [e.params["id"] for e in simulator.ledger.carried_out("test.post")]
    assert sent == [str(i) for i in range(12)]


async def test_a_batch_that_a_captcha_holds_back_stays_together(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(10)
        await solve_by(simulator, captcha)

    simulator.add_method("b.add", lambda _: 1)
    simulator.fault(faults.captcha(), "b.add")
    simulator.fault(faults.refuse(), "execute")
    requests = [*map(post, range(20)), *map(get, range(20, 25))]
    async with make_client(on_captcha=solve, wait=3) as api:
        async with anyio.create_task_group() as tg:
            tg.start_soon(api.call_with_request, APIRequest("b.add", headers={}))
            assert await together(api, requests) == [*range(25)]
        assert api.statistics().batches[1] == 2  # both are of the captcha
        assert api.statistics().batches[20] >= 1


# Questions.


async def test_a_confirmation_holds_for_the_parts_of_a_batch(
    simulator: Simulator, make_client: MakeClient
) -> None:
    questions: list[str] = []

    async def confirm(question: Confirmation) -> bool:
        questions.append(question.text)
        return True

    def page_for(code: str) -> Page | None:
        return BAD_GATEWAY if questions and size_of(code) > 4 else None

    simulator.fault(faults.confirmation("Really?"), "execute", rate=1)
    http_client = Gateway(simulator, page_for)
    async with make_client(http_client=http_client, on_confirmation=confirm) as api:
        assert await together(api, map(get, range(16))) == [*range(16)]
        assert api.statistics().split == 3
    assert questions == ["Really?"]


@MODES
async def test_an_answer_that_may_have_arrived_is_not_sent_again_for_a_write(
    make_client: MakeClient, mode: str
) -> None:
    """VK carries out the call at once, and its response takes four seconds."""
    carried_out: list[str] = []

    class Client:
        async def post(self, *_: Any, content: bytes, **__: Any) -> Answer:
            if b"captcha_key=" not in content:
                return Answer(
                    b'{"error":{"error_code":14,"error_msg":"Captcha needed",'
                    b'"captcha_sid":"1","captcha_img":"http://x"}}'
                )
            carried_out.append("once")
            await anyio.sleep(4)
            return Answer(b'{"response":[1,2,3]}')

    problems: list[type] = []

    async def solve(captcha: Captcha) -> None:
        try:
            with anyio.fail_after(3):
                await captcha.retry("abc")
        except TimeoutError:
            try:
                await captcha.retry("abc")
            except ClientUseError as error:
                problems.append(type(error))

    count = 1 if mode == "sequential" else 3
    options = {"mode": mode, "on_captcha": solve, "http_client": Client()}
    async with make_client(**options) as api:
        outcomes = await together(api, map(post, range(count)))
    assert carried_out == ["once"]
    assert problems == [ClientUseError]
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknownError] * count


@MODES
@pytest.mark.parametrize("latency", [0.1, 5.0], ids=["waiting", "in flight"])
async def test_an_answer_in_a_task_of_the_user_ends_with_the_client(
    make_client: MakeClient, mode: str, latency: float
) -> None:
    simulator = Simulator(limit=0, latency=latency)
    add_echoes(simulator)
    simulator.fault(faults.captcha())
    found: list[Captcha] = []
    asked, ended = anyio.Event(), anyio.Event()

    async def solve(captcha: Captcha) -> None:
        found.append(captcha)
        asked.set()
        await anyio.sleep_forever()

    async def answer() -> None:
        await asked.wait()
        with pytest.raises(ClientUseError):
            await solve_by(simulator, found[0])
        ended.set()

    options = {"mode": mode, "limit": 1, "timeout": 60, "on_captcha": solve}
    http_client = simulator.http_client()
    async with anyio.create_task_group() as tg:
        tg.start_soon(answer)
        with suppress(ZeroDivisionError):
            async with make_client(http_client=http_client, **options) as api:
                for i in range(1 if mode == "sequential" else 3):
                    tg.start_soon(note, [], api.call_with_request, post(i))
                await asked.wait()
                await anyio.sleep(0.01 if latency < 1 else 2)
                raise ZeroDivisionError
        with anyio.fail_after(1):
            await ended.wait()
    assert api.statistics().in_flight == 0
    assert done(simulator) == []


async def test_a_right_answer_is_accepted_though_the_batch_goes_on_in_parts(
    simulator: Simulator, make_client: MakeClient
) -> None:
    accepted: list[bool] = []

    async def solve(captcha: Captcha) -> None:
        await solve_by(simulator, captcha)
        accepted.append(True)

    simulator.fault(faults.captcha(), "execute")
    simulator.fault(faults.html(502), "execute", times=2)
    async with make_client(on_captcha=solve) as api:
        assert await together(api, map(get, range(8))) == [*range(8)]
    assert accepted == [True]


async def test_a_captcha_that_is_not_solved_is_raised_by_what_is_not_in_doubt(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def give_up(_: Captcha) -> None:
        """Answer nothing."""

    simulator.fault(faults.captcha(), "execute")
    async with make_client(on_captcha=give_up) as api:
        outcomes = await together(api, [*map(post, range(2)), *map(get, range(2))])
    assert [type(outcome) for outcome in outcomes] == [CaptchaError] * 4
    assert len(scripts(simulator)) == 1
    assert plain_calls(simulator) == []
