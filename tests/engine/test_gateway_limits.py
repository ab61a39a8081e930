"""HTTP 429 and `Retry-After`: the limit of a gateway in front of VK."""

from __future__ import annotations

import logging
from collections import deque
from email.utils import formatdate
from itertools import pairwise
from time import time
from typing import TYPE_CHECKING, Any, final

import anyio
import httpx
import pytest
from anyio import current_time
from anyio.lowlevel import checkpoint

from _helpers import TOKEN, carried_out, get
from _packing import done, post, sizes, together
from _sockets import FINE, listening, read_request
from vkanyio import (
    VK,
    InvalidResponseError,
    Limiter,
    OutcomeUnknownError,
    TooManyRequestsError,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from anyio.streams.buffered import BufferedByteStream

    from _helpers import MakeClient
    from vkanyio.testing.faults import Fault

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("echoes")]

real_time = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
both_modes = pytest.mark.parametrize("mode", ["sequential", "parallel"])
both_request_modes = pytest.mark.parametrize("request_mode", ["sequential", "burst"])
READS_AND_WRITES = [get, post]
MINUTE = 60.0


def too_many(retry_after: str | None = None) -> Fault:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return faults.html(429, headers=headers)


def starts(simulator: Simulator) -> list[float]:
    first, *_ = simulator.ledger.starts
    return [start - first for start in simulator.ledger.starts]


# A gateway with a limit


@final
class Gateway(httpx.AsyncBaseTransport):
    """Allows so many requests in a second, and answers 429 to the others."""

    def __init__(
        self, simulator: Simulator, allowed: int, retry_after: str | None
    ) -> None:
        self.refused = 0
        self._simulator = simulator.http_client()
        self._allowed = allowed
        self._headers = {} if retry_after is None else {"Retry-After": retry_after}
        self._passed: deque[float] = deque(maxlen=allowed)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        now = current_time()
        if len(self._passed) == self._allowed and now - self._passed[0] < 1.0:
            self.refused += 1
            return httpx.Response(429, html="<html>slow</html>", headers=self._headers)
        self._passed.append(now)
        response = await self._simulator.post(
            str(request.url), content=request.content, headers=request.headers
        )
        return httpx.Response(response.status_code, content=response.content)


@both_modes
@both_request_modes
@pytest.mark.parametrize("retry_after", [None, "1"])
@pytest.mark.parametrize("allowed", [3, 10])
@pytest.mark.simulator_options(latency=0.05)
async def test_the_limit_of_a_gateway_reaches_no_caller(
    simulator: Simulator,
    mode: Any,
    request_mode: Any,
    retry_after: str | None,
    allowed: int,
) -> None:
    gateway = Gateway(simulator, allowed, retry_after)
    # In small batches, or they would stay within the limit.
    options: dict[str, Any] = {"mode": mode, "execute_count": 2, "limit": 20}
    async with (
        httpx.AsyncClient(transport=gateway) as http_client,
        VK(
            TOKEN,
            http_client=http_client,
            request_mode=request_mode,
            retry_limit=0,
            **options,
        ) as api,
    ):
        requests = [READS_AND_WRITES[i % 2](i) for i in range(60)]
        assert await together(api, requests) == [*range(60)]
        statistics = api.statistics()
    assert done(simulator) == [*range(60)]
    assert 0 < gateway.refused == statistics.too_many_requests
    assert statistics.retries == {"InvalidResponseError": gateway.refused}
    assert statistics.margin > 0.02


def allowing(requests: int, response: bytes) -> tuple[Any, list[bytes]]:
    """Make a server that allows so many requests in a second, whatever they are."""
    passed: deque[float] = deque(maxlen=requests)
    refused: list[bytes] = []

    async def handle(stream: BufferedByteStream) -> None:
        while True:
            request = await read_request(stream)
            if len(passed) == requests and current_time() - passed[0] < 1.0:
                refused.append(request)
                await stream.send(response)
            else:
                passed.append(current_time())
                await stream.send(FINE)

    return handle, refused


PAGE = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n"


@real_time
@both_request_modes
@pytest.mark.parametrize("header", [b"", b"retry-AFTER: 0.3\r\n"])
@pytest.mark.usefixtures("no_proxy_of_the_environment")
async def test_a_gateway_with_a_limit_over_a_socket(
    header: bytes, request_mode: Any
) -> None:
    handle, refused = allowing(30, PAGE + header + b"\r\nslow")
    async with (
        listening(handle) as base_url,
        VK(
            TOKEN,
            base_url=base_url,
            limit=200,
            request_mode=request_mode,
            retry_limit=0,
        ) as api,
    ):
        with anyio.fail_after(30):
            outcomes = await together(api, [get(i) for i in range(60)])
        assert api.statistics().too_many_requests == len(refused) > 0
    assert outcomes == [1] * 60


@real_time
@pytest.mark.parametrize(
    "header",
    [
        "Retry-After: 0.7",
        (
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT"
        ),
    ],
    ids=["seconds", "date"],
)
@pytest.mark.usefixtures("no_proxy_of_the_environment")
async def test_a_pause_over_a_socket_is_kept(header: str) -> None:
    times: list[float] = []

    async def handle(stream: BufferedByteStream) -> None:
        while True:
            await read_request(stream)
            times.append(current_time())
            page = PAGE + header.encode() + b"\r\n\r\nslow"
            await stream.send(page if len(times) == 1 else FINE)

    async with (
        listening(handle) as base_url,
        VK(TOKEN, base_url=base_url, limit=20) as api,
    ):
        assert await api.call_with_request(post(1)) == 1
    first, second = times
    assert 0.69 <= second - first <= 5.0


# 429, as error 6


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("request_of", READS_AND_WRITES)
async def test_429_does_not_count_against_the_limit_of_retries(
    simulator: Simulator, make_client: MakeClient, times: int, request_of: Any
) -> None:
    simulator.fault(too_many(), times=times)
    async with make_client(retry_limit=0) as api:
        assert await api.call_with_request(request_of(7)) == 7
        statistics = api.statistics()
    assert statistics.sent == times + 1
    assert statistics.too_many_requests == times
    assert statistics.retries == {"InvalidResponseError": times}
    assert carried_out(simulator) == [7]


@pytest.mark.parametrize("fault", [too_many(), faults.error(6)], ids=["429", "6"])
async def test_429_slows_down_as_error_6_does(
    simulator: Simulator, make_client: MakeClient, fault: Fault
) -> None:
    simulator.fault(fault, times=5)
    async with make_client(limit=20) as api:
        assert await together(api, map(get, range(4))) == [*range(4)]
        margin = api.statistics().margin
    assert starts(simulator)[:4] == pytest.approx([0.0, 0.5, 1.0, 1.5], abs=0.05)
    assert margin == pytest.approx(0.02 + 2 * 0.05, abs=0.02)


@pytest.mark.parametrize("request_of", READS_AND_WRITES)
async def test_429_for_a_minute_reaches_the_caller(
    simulator: Simulator, make_client: MakeClient, request_of: Any
) -> None:
    simulator.fault(too_many(), rate=1)
    async with make_client(retry_limit=0) as api:
        began = current_time()
        with pytest.raises(InvalidResponseError) as caught:
            await api.call_with_request(request_of(1))
        assert 45 <= current_time() - began <= MINUTE
    assert caught.value.status == 429
    assert "lower `limit`" in str(caught.value)
    assert caught.value.method == request_of(1).method
    assert caught.value.body.startswith(b"<html>")
    assert simulator.ledger.carried_out() == []


async def test_429_for_a_minute_after_a_doubtful_attempt_leaves_the_doubt(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.drop_after(), "messages.send")
    simulator.fault(too_many(), "messages.send", rate=1)
    async with make_client() as api:
        with pytest.raises(OutcomeUnknownError) as caught:
            await api.messages.send(peer_id=1, message="hello")
    assert isinstance(caught.value.__cause__, InvalidResponseError)


async def test_a_method_that_a_gateway_always_refuses_fails_alone(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(too_many(), "test.post", rate=1)

    async def refused() -> None:
        with pytest.raises(InvalidResponseError):
            await api.call_with_request(post(1))

    async with make_client(limit=20) as api, anyio.create_task_group() as tg:
        tg.start_soon(refused)
        for i in range(70):
            with anyio.fail_after(2):
                await api.call_with_request(get(i))
            await anyio.sleep(0.5)


async def test_429_and_error_6_share_one_patience(
    simulator: Simulator, make_client: MakeClient
) -> None:
    for nth in range(1, 99, 2):
        simulator.fault(too_many(), nth=nth)
    simulator.fault(faults.error(6), rate=1)
    async with make_client() as api:
        began = current_time()
        with pytest.raises((InvalidResponseError, TooManyRequestsError)):
            await api.call_with_request(get(1))
        assert 45 <= current_time() - began <= MINUTE
        assert api.statistics().retries.keys() == {
            "InvalidResponseError",
            "TooManyRequestsError",
        }


async def test_429_with_a_page_larger_than_max_answer_is_still_429(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.body(b" " * 5000, 429), times=2)
    async with make_client(max_answer=1024, retry_limit=0) as api:
        assert await api.call_with_request(post(1)) == 1
        assert api.statistics().too_many_requests == 2


@pytest.mark.client_options(mode="parallel")
async def test_a_batch_that_meets_429_is_retried_as_a_whole(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(too_many("3"), "execute", times=2)
    async with make_client(retry_limit=0) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        statistics = api.statistics()
    assert statistics.batches == {25: 3}
    assert statistics.split == 0
    assert statistics.too_many_requests == 2
    assert sizes(simulator) == [0, 0, 25]
    assert starts(simulator) == pytest.approx([0.0, 3.0, 6.0])
    assert done(simulator) == [*range(25)]


@pytest.mark.client_options(mode="parallel")
async def test_a_batch_that_meets_429_for_a_minute_fails_each_call(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(too_many(), "execute", rate=1)
    async with make_client(retry_limit=0) as api:
        outcomes = await together(api, [get(0), post(1)])
    assert [type(each) for each in outcomes] == [InvalidResponseError] * 2
    assert [each.status for each in outcomes] == [429] * 2
    assert [each.method for each in outcomes] == ["test.get", "test.post"]
    assert simulator.ledger.carried_out() == []


# Retry-After of 429: a pause of the token


@pytest.mark.parametrize(
    ("retry_after", "pause"),
    [
        ("7", 7.0),
        ("7.5", 7.5),
        ("3600", MINUTE),
        (formatdate(time() + 3600, usegmt=True), MINUTE),
        ("0", 0.5),
        ("soon", 0.5),
        ("-7", 0.5),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.5),
    ],
    ids=["7", "7.5", "3600", "in an hour", "0", "soon", "-7", "in 1994"],
)
async def test_a_token_pauses_for_as_long_as_a_gateway_asks(
    simulator: Simulator, make_client: MakeClient, retry_after: str, pause: float
) -> None:
    simulator.fault(too_many(retry_after))
    async with make_client() as api:
        assert await api.call_with_request(get(1)) == 1
    assert starts(simulator) == pytest.approx([0.0, pause], abs=0.1)


async def test_nothing_of_the_token_leaves_during_the_pause(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(too_many("10"))
    other = {"access_token": "vk1.a.another-token", "id": 9}
    async with make_client(limit=20) as api, anyio.create_task_group() as tg:
        began = current_time()
        for i in range(3):
            tg.start_soon(api.call_with_request, get(i))
            await checkpoint()
        await anyio.sleep(5)
        tg.start_soon(api.call_with_request, get(3))
        assert await api.call("test.get", other) == 9  # has a limit of its own
        assert current_time() == pytest.approx(began + 5)
    entries = [e for e in simulator.ledger if e.params["id"] != "9"]
    # The retry comes first, as it was the first call.
    assert [e.params["id"] for e in entries] == ["0", "0", "1", "2", "3"]
    times = [e.time - began for e in entries]
    assert times[0] == 0.0
    assert min(times[1:]) == pytest.approx(10.0)


async def test_clients_with_one_limiter_pause_together(
    simulator: Simulator,
) -> None:
    limiter, http_client = Limiter(20), simulator.http_client()
    simulator.fault(too_many("10"))
    async with (
        VK(TOKEN, http_client=http_client, limiter=limiter) as one,
        VK(TOKEN, http_client=http_client, limiter=limiter) as two,
    ):
        began = current_time()
        async with anyio.create_task_group() as tg:
            tg.start_soon(one.call_with_request, get(1))
            await anyio.sleep(1)
            assert await two.call_with_request(get(2)) == 2
        assert current_time() - began >= 10.0


async def test_a_pause_is_kept_where_the_method_is_to_blame(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(too_many("5"), times=6)
    async with make_client() as api:
        assert await api.call_with_request(get(1)) == 1
    gaps = [later - earlier for earlier, later in pairwise(starts(simulator))]
    assert len(gaps) == 6
    assert min(gaps) >= 5.0


async def test_pauses_use_up_the_patience(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(too_many("25"), rate=1)
    async with make_client() as api:
        with pytest.raises(InvalidResponseError):
            await api.call_with_request(get(1))
    assert starts(simulator) == pytest.approx([0.0, 25.0, 50.0], abs=0.1)


async def test_the_log_names_429_and_the_pause(
    simulator: Simulator, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "vkanyio")
    simulator.fault(too_many("7"))
    simulator.fault(faults.error(6), nth=2)
    async with make_client() as api:
        await api.call_with_request(get(1))
    texts = [each.getMessage() for each in caplog.records]
    assert (
        "HTTP 429 for test.get: from now on, 7 % of the limit stays unused, after a"
        " pause of 7.0 s"
    ) in texts
    assert "test.get is retried in 7.0 s after InvalidResponseError" in texts
    [line] = [text for text in texts if text.startswith("error 6 for")]
    assert line.endswith("of the limit stays unused")


# Retry-After of 503: a delay of the request


@pytest.mark.parametrize("status", [500, 502, 503, 408])
async def test_a_call_waits_as_long_as_a_gateway_asks(
    simulator: Simulator, make_client: MakeClient, status: int
) -> None:
    simulator.fault(faults.html(status, headers={"retry-after": "20"}), "test.get")
    async with make_client(wait=1.0) as api, anyio.create_task_group() as tg:
        began = current_time()
        tg.start_soon(api.call_with_request, get(1))
        await anyio.sleep(1)
        assert await api.call_with_request(get(2)) == 2  # the token does not pause
        assert current_time() == pytest.approx(began + 1)
    assert starts(simulator) == pytest.approx([0.0, 1.0, 20.0])


async def test_the_delay_of_503_is_cut_and_counts_as_a_retry(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(503, headers={"retry-after": "3600"}), rate=1)
    async with make_client(wait=1.0, retry_limit=2) as api:
        with pytest.raises(InvalidResponseError):
            await api.call_with_request(get(1))
        assert api.statistics().too_many_requests == 0
        assert api.statistics().margin == pytest.approx(0.02)
    assert starts(simulator) == pytest.approx([0.0, 60.0, 120.0])


async def test_503_does_not_repeat_a_write_whatever_it_asks(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(503, headers={"retry-after": "1"}, after=True))
    async with make_client() as api:
        with pytest.raises(OutcomeUnknownError):
            await api.call_with_request(post(1))
        assert api.statistics().sent == 1
    assert carried_out(simulator) == [1]


@pytest.mark.client_options(mode="parallel")
async def test_a_batch_waits_as_long_as_a_gateway_asks(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.html(503, headers={"retry-after": "20"}), "execute")
    async with make_client(wait=0) as api:
        assert await together(api, map(get, range(10))) == [*range(10)]
    assert starts(simulator)[:2] == pytest.approx([0.0, 20.0])
