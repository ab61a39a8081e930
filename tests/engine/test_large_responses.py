"""Responses of more bytes than ``max_answer`` allows."""

from __future__ import annotations

import gzip
import random
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import TOKEN, assert_at_rest, get
from _packing import done, message, post, together
from vkanyio import VK, InvalidResponseError, OutcomeUnknownError
from vkanyio._batch import FORGET_SECONDS
from vkanyio._engine._response_body import decompress_limited
from vkanyio.testing import Call, Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("echoes"),
]

MAX_BYTES = 10_000


def return_letters(simulator: Simulator, size: int) -> None:
    """Add methods that return this many letters."""

    def long(call: Call) -> str:
        return call.text("id")[:1] * size

    simulator.add_method("test.get", long)
    simulator.add_method("test.post", long)


async def errors_of(
    make_client: MakeClient, request: Any, **options: Any
) -> tuple[Any, int]:
    async with make_client(max_answer=MAX_BYTES, **options) as api:
        [error] = await together(api, [request])
        assert_at_rest(api)
        return error, api.statistics().sent


async def test_a_read_reports_what_to_do_and_is_not_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    return_letters(simulator, MAX_BYTES)
    error, sent = await errors_of(make_client, get(1), retry_limit=3)
    assert type(error) is InvalidResponseError
    assert error.method == "test.get"
    assert error.status == 200
    assert error.body == b'{"response":"' + b"1" * 187
    assert f"more than {MAX_BYTES} bytes" in str(error)
    assert "request less" in str(error)
    assert "`max_answer`" in str(error)
    assert sent == 1


@pytest.mark.parametrize("retry_unsafe", [False, True])
@pytest.mark.parametrize("request_of", [post, message])
async def test_a_write_has_an_unknown_outcome_and_is_not_retried(
    simulator: Simulator, make_client: MakeClient, request_of: Any, retry_unsafe: bool
) -> None:
    return_letters(simulator, MAX_BYTES)
    simulator.fault(faults.body(b" " * (MAX_BYTES + 1), after=True), "messages.send")
    request = request_of(1)
    error, sent = await errors_of(make_client, request, retry_unsafe=retry_unsafe)
    assert type(error) is OutcomeUnknownError
    assert type(error.__cause__) is InvalidResponseError
    assert "`max_answer`" in str(error)
    assert sent == 1
    assert done(simulator) == [1]


@pytest.mark.parametrize("status", [302, 404, 413])
async def test_a_page_that_rejects_a_write_leaves_no_doubt(
    simulator: Simulator, make_client: MakeClient, status: int
) -> None:
    simulator.fault(faults.body(b" " * (MAX_BYTES + 1), status))
    error, sent = await errors_of(make_client, post(1))
    assert type(error) is InvalidResponseError
    assert error.status == status
    assert sent == 1


async def test_the_maximum_is_exact_to_the_byte(
    simulator: Simulator, make_client: MakeClient
) -> None:
    for size, is_fine in [(MAX_BYTES, True), (MAX_BYTES + 1, False)]:
        padded = b'{"response":1}'.ljust(size)
        simulator.fault(faults.body(padded))
        async with make_client(max_answer=MAX_BYTES) as api:
            [outcome] = await together(api, [get(1)])
        assert (outcome == 1) is is_fine


@pytest.mark.parametrize(
    "size", [MAX_BYTES - 1, MAX_BYTES, MAX_BYTES + 1, 1000 * MAX_BYTES]
)
def test_a_body_is_decompressed_up_to_one_byte_over_the_maximum(size: int) -> None:
    body = decompress_limited(gzip.compress(bytes(size)), "gzip", MAX_BYTES)
    assert body == bytes(min(size, MAX_BYTES + 1))


def test_a_truncated_body_is_not_decompressed() -> None:
    cut = gzip.compress(random.Random(0).randbytes(2 * MAX_BYTES))[: MAX_BYTES + 1]
    assert decompress_limited(cut, "gzip", MAX_BYTES) == cut


# Calls in one request


async def test_calls_that_are_too_large_together_are_requested_in_parts(
    simulator: Simulator, make_client: MakeClient
) -> None:
    return_letters(simulator, MAX_BYTES // 3)
    async with make_client(mode="parallel", max_answer=MAX_BYTES) as api:
        values = await together(api, map(get, range(8)))
        assert api.statistics().batches == {8: 1, 4: 2, 2: 4}
        assert api.statistics().split == 3
        assert await together(api, map(get, range(8))) == values
        assert api.statistics().batches == {8: 1, 4: 2, 2: 8}  # the size is known now
        await anyio.sleep(2 * FORGET_SECONDS + 1)
        assert await together(api, map(get, range(8))) == values
        assert api.statistics().batches[8] == 2
        assert_at_rest(api)
    assert values == [f"{i}" * (MAX_BYTES // 3) for i in range(8)]


async def test_one_call_that_is_too_large_alone_fails_alone(
    simulator: Simulator, make_client: MakeClient
) -> None:
    def long(call: Call) -> str:
        return call.text("id") * (MAX_BYTES if call.text("id") == "5" else 1)

    simulator.add_method("test.get", long)
    async with make_client(mode="parallel", max_answer=MAX_BYTES) as api:
        outcomes = await together(api, map(get, range(8)))
    error = outcomes.pop(5)
    assert type(error) is InvalidResponseError
    assert error.method == "test.get"
    assert outcomes == ["0", "1", "2", "3", "4", "6", "7"]


async def test_writes_in_a_batch_that_is_too_large_are_carried_out_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    return_letters(simulator, MAX_BYTES // 3)
    requests = [*map(post, range(4)), *map(get, range(4, 8)), *map(message, (8, 9))]
    async with make_client(mode="parallel", max_answer=MAX_BYTES) as api:
        outcomes = await together(api, requests)
        assert_at_rest(api)
    for error in outcomes[:4]:
        assert type(error) is OutcomeUnknownError
        assert error.method == "test.post"
        assert type(error.__cause__) is InvalidResponseError
        assert error.__cause__.method == "test.post"
        assert "`max_answer`" in str(error)
    assert len({id(error.__cause__) for error in outcomes[:4]}) == 4
    assert outcomes[4:8] == [f"{i}" * (MAX_BYTES // 3) for i in range(4, 8)]
    assert {type(outcome) for outcome in outcomes[8:]} == {int}
    assert [i for i in done(simulator) if i < 4 or i > 7] == [0, 1, 2, 3, 8, 9]
    assert len(simulator.ledger.repeated("messages.send")) == 2  # under their keys


async def test_calls_of_a_script_rejected_by_a_large_page_are_sent_in_parts(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.body(b" " * (MAX_BYTES + 1), 413), "execute")
    async with make_client(mode="parallel", max_answer=MAX_BYTES) as api:
        assert await together(api, map(post, range(6))) == [*range(6)]
        assert api.statistics().batches == {6: 1, 3: 2}
        assert api.statistics().split == 1
    assert done(simulator) == [*range(6)]


@pytest.mark.parametrize("request_mode", ["burst", "sequential"])
async def test_the_parts_keep_to_the_rate_limit(request_mode: Any) -> None:
    simulator = Simulator(limit=3, latency=0.05)
    return_letters(simulator, MAX_BYTES // 2)
    async with VK(
        TOKEN,
        limit=3,
        request_mode=request_mode,
        mode="parallel",
        max_answer=MAX_BYTES,
        http_client=simulator.http_client(),
    ) as api:
        values = await together(api, map(get, range(16)))
        statistics = api.statistics()
    assert values == [f"{i}"[:1] * (MAX_BYTES // 2) for i in range(16)]
    assert simulator.ledger.worst_window() <= 3
    assert statistics.too_many_requests == 0
    assert statistics.sent == simulator.ledger.requests == 31
    assert statistics.retries == {}


# Responses of a user's HTTP client


class Odd:
    """An HTTP client whose responses are not what they should be."""

    def __init__(self, **fields: Any) -> None:
        self.fields = {"status_code": 200, "content": b'{"response":1}', **fields}

    async def post(self, url: str, **_: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        response = type("Response", (), {})()
        vars(response).update(self.fields)
        return response


@pytest.mark.parametrize(
    "fields",
    [
        {"content": '{"response":1}'},
        {"content": None},
        {"status_code": "OK"},
        {"status_code": None},
    ],
    ids=repr,
)
async def test_an_invalid_response_is_the_fault_of_the_http_client(
    make_client: MakeClient, fields: Any
) -> None:
    error, sent = await errors_of(
        make_client, post(1), http_client=Odd(**fields), retry_limit=3
    )
    assert type(error) is OutcomeUnknownError
    assert "the HTTP client failed with" in str(error)
    assert sent == 1


@pytest.mark.parametrize("content", [bytearray(b'{"response":1}'), b'{"response":1}'])
async def test_any_bytes_like_body_is_accepted(
    make_client: MakeClient, content: Any
) -> None:
    value, _ = await errors_of(make_client, get(1), http_client=Odd(content=content))
    assert value == 1
