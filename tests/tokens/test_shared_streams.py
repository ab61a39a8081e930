"""`api.stream(calls, views=[...])`: one big read over several tokens."""

from __future__ import annotations

from collections import Counter, OrderedDict
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from _helpers import assert_gone, solve_by
from vkanyio import (
    VK,
    APIError,
    APIRequest,
    AuthError,
    Captcha,
    ClientClosedError,
    NoTokenLeftError,
    OutcomeUnknownError,
    RateLimitError,
    TokenRenewalError,
    Validation,
    VKError,
)
from vkanyio._reading._sharing import SharedCalls
from vkanyio._reading._stream import CallStream
from vkanyio.testing import Account, Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Coroutine,
        Iterator,
    )

    from vkanyio.testing import Call

pytestmark = pytest.mark.anyio

NAMES = [f"vk1.a.the-token-{i}" for i in range(5)]


@pytest.fixture
def simulator() -> Simulator:
    """Five tokens of communities, which allow three requests a second."""
    tokens = {name: Account(id=i + 1) for i, name in enumerate(NAMES)}
    simulator = Simulator(limit=3, latency=0.1, tokens=tokens)
    simulator.add_method("test.get", lambda call: call.integer("id"))
    simulator.add_method("other.get", lambda call: call.integer("id"))
    return simulator


@pytest.fixture
async def api(simulator: Simulator) -> AsyncIterator[VK]:
    """A client of the first token, which packs."""
    http_client = simulator.http_client()
    async with VK(NAMES[0], http_client=http_client, mode="parallel") as api:
        yield api
    assert_gone(api)


def views_of(api: VK, **options: Any) -> list[Any]:
    """Return a view of each token."""
    return [api, *[api.as_token(name, **options) for name in NAMES[1:]]]


def reads(count: int, method: str = "test.get") -> list[tuple[str, dict[str, Any]]]:
    return [(method, {"id": i}) for i in range(count)]


async def read(
    api: VK, calls: Any, views: list[Any], **how: Any
) -> tuple[list[int], list[VKError]]:
    """Read a stream, and return the values and the errors of its calls."""
    values: list[int] = []
    errors: list[VKError] = []
    indexes: list[int] = []
    async with api.stream(calls, views=views, **how) as settled:
        async for call in settled:
            indexes.append(call.index)
            try:
                values.append(call.result())
            except VKError as error:
                errors.append(error)
    assert len(set(indexes)) == len(indexes)
    return values, errors


def by_token(simulator: Simulator, method: str = "test.get") -> Counter[int | None]:
    """Count the calls that were carried out, by the numbers of their tokens."""
    return Counter(each.token for each in simulator.ledger.carried_out(method))


async def test_five_tokens_share_one_read(api: VK, simulator: Simulator):
    began = anyio.current_time()
    values, errors = await read(api, reads(1000), views_of(api))
    seconds = anyio.current_time() - began
    assert sorted(values) == [*range(1000)]
    assert errors == []
    assert seconds < 1000 / (5 * 75) * 1.15 + 0.2
    assert min(by_token(simulator).values()) > 150
    assert {each.outcome for each in simulator.ledger} == {"carried out"}


async def test_requests_are_full_from_the_first_one_on():
    tokens = {name: Account(id=i + 1) for i, name in enumerate(NAMES)}
    simulator = Simulator(limit=20, latency=0.1, tokens=tokens)
    simulator.add_method("test.get", lambda call: call.integer("id"))
    options: dict[str, Any] = {"limit": 20, "request_mode": "burst", "mode": "parallel"}
    http_client = simulator.http_client()
    async with VK(NAMES[0], http_client=http_client, **options) as api:
        values, errors = await read(api, reads(1000), views_of(api))
    assert sorted(values) == [*range(1000)]
    assert errors == []
    assert simulator.ledger.requests == 1000 / 25
    assert min(by_token(simulator).values()) >= 150


async def test_results_come_in_order_on_demand(api: VK):
    values, _ = await read(api, reads(200), views_of(api), ordered=True)
    assert values == [*range(200)]


async def test_each_item_comes_once_though_a_token_dies_and_one_meets_error_29(
    api: VK, simulator: Simulator
):
    calls = [("test.get" if i % 2 else "other.get", {"id": i}) for i in range(1500)]
    made = Counter[tuple[int, str]]()

    def get(call: Call) -> int:
        if (call.account.id, call.method) == (3, "test.get") and made[
            3, "test.get"
        ] >= 30:
            raise VKFault(29)
        made[call.account.id, call.method] += 1
        return call.integer("id")

    async def die() -> None:
        await anyio.sleep(2)
        simulator.revoke(NAMES[1])

    simulator.add_method("test.get", get)
    simulator.add_method("other.get", get)
    async with anyio.create_task_group() as tg:
        tg.start_soon(die)
        values, errors = await read(api, calls, views_of(api))
    assert sorted(values) == [*range(1500)]
    assert errors == []
    assert sum(made.values()) == 1500  # none was made twice
    refused = Counter(each.outcome for each in simulator.ledger)
    assert 1 <= refused[5] <= 2  # the requests that were in flight
    assert 1 <= refused[29] <= 50  # their calls
    assert made[3, "test.get"] == 30
    assert made[3, "other.get"] > 150  # other methods go on


@pytest.mark.parametrize("code", [5, 27, 28, 1117, 3610])
async def test_a_token_that_vk_refuses_falls_out_for_good(
    api: VK, simulator: Simulator, code: int
):
    def get(call: Call) -> int:
        if call.account.id == 3:
            raise VKFault(code)
        return call.integer("id")

    simulator.add_method("test.get", get)
    views = views_of(api, mode="sequential")[1:]
    values, errors = await read(api, reads(40), views)
    assert sorted(values) == [*range(40)]
    assert errors == []
    refused = [each.outcome for each in simulator.ledger if each.outcome == code]
    assert 1 <= len(refused) <= 3  # those that were in flight
    await read(api, reads(10), views)  # another stream tries it again
    assert [each.outcome for each in simulator.ledger].count(code) > len(refused)


@pytest.mark.parametrize("code", [5, 27, 28, 1117, 3610, 14, 17])
async def test_when_the_last_token_has_fallen_out_what_is_left_raises(
    simulator: Simulator, code: int
):
    simulator.fault(faults.error(code), "test.get", rate=1)
    http_client = simulator.http_client()
    async with VK(NAMES[0], http_client=http_client) as api:
        values, errors = await read(api, reads(30), views_of(api)[:3])
    assert values == []
    assert len(errors) == len({id(each) for each in errors}) == 30
    for error in errors:
        assert isinstance(error, NoTokenLeftError)
        assert [type(each) for each in error.reasons] == [APIError[code]] * 3
        assert error.method == "test.get"
        assert not error.is_transient
        assert "views[0]: test.get: error" in str(error)
        assert "views[2]: test.get: error" in str(error)
        assert "the-token" not in str(error)
    assert simulator.ledger.requests <= 15


async def test_a_used_up_quota_keeps_a_token_from_one_method_for_an_hour(
    api: VK, simulator: Simulator
):
    simulator.quota("test.get", 20, seconds=1800)
    views = views_of(api)[:2]
    gates = [anyio.Event(), anyio.Event()]

    async def calls() -> AsyncGenerator[tuple[str, dict[str, Any]]]:
        for i in range(60):
            yield "test.get", {"id": i}
        await gates[0].wait()
        yield "other.get", {"id": 60}
        await gates[1].wait()
        for i in range(61, 81):
            yield "test.get", {"id": i}

    outcomes: dict[int, Any] = {}
    generator = calls()
    async with api.stream(generator, views=views) as settled:
        async for call in settled:
            try:
                outcomes[call.index] = call.result()
            except VKError as error:
                outcomes[call.index] = error
            if len(outcomes) == 60:
                gates[0].set()
            if len(outcomes) == 61:
                await anyio.sleep(3600)
                gates[1].set()
    await generator.aclose()
    failed = [each for each in outcomes.values() if isinstance(each, VKError)]
    assert len(failed) == 20
    for each in failed:
        assert isinstance(each, NoTokenLeftError)
        assert [type(reason) for reason in each.reasons] == [RateLimitError] * 2
    assert outcomes[60] == 60
    assert [outcomes[i] for i in range(61, 81)] == [*range(61, 81)]


async def test_other_errors_are_outcomes_of_their_calls(api: VK, simulator: Simulator):
    simulator.fault(faults.error(100), "test.get", nth=5)
    simulator.fault(faults.error(9), "test.get", nth=9)
    values, errors = await read(api, reads(50), views_of(api))
    assert len(values) == 48
    assert sorted(each.code for each in errors if isinstance(each, APIError)) == [
        9,
        100,
    ]


async def test_a_write_is_refused_by_name(api: VK, simulator: Simulator):
    calls = [*reads(3), ("wall.post", {"message": "hello"}), ("test.post", {"id": 1})]
    refusals: list[str] = []
    async with api.stream(calls, views=views_of(api)) as settled:
        async for call in settled:
            try:
                call.result()
            except ValueError as error:
                refusals.append(str(error))
    assert len(refusals) == 2
    assert any("wall.post may change something" in each for each in refusals)
    assert by_token(simulator, "wall.post") == {}


async def test_a_call_with_its_own_token_is_refused(api: VK):
    calls = [("test.get", {"id": 1, "access_token": NAMES[3]})]
    async with api.stream(calls, views=views_of(api)) as settled:
        async for call in settled:
            with pytest.raises(ValueError, match="cannot have a token of its own"):
                call.result()


async def test_a_request_is_settled_as_it_was_passed(api: VK):
    request = APIRequest("test.get", {"id": 7})
    async with api.stream([request], views=views_of(api)) as settled:
        [call] = [each async for each in settled]
    assert call.request is request
    assert request.result() == await request.wait() == 7
    assert request.maybe_carried_out


# Questions.


@pytest.mark.parametrize(("mode", "count"), [("sequential", 150), ("parallel", 600)])
async def test_a_token_makes_no_calls_while_its_captcha_is_open(
    simulator: Simulator, mode: Any, count: int
):
    asked: list[float] = []

    async def solve(captcha: Captcha) -> None:
        asked.append(anyio.current_time())
        await anyio.sleep(60)
        await solve_by(simulator, captcha)

    http_client = simulator.http_client()
    simulator.fault(faults.captcha(), "test.get", nth=7)
    options: dict[str, Any] = {"mode": mode, "on_captcha": solve, "timeout": 5}
    async with VK(NAMES[0], http_client=http_client, **options) as api:
        views = views_of(api)[:2]
        done: list[float] = []
        async with api.stream(reads(count), views=views) as settled:
            async for call in settled:
                call.result()
                done.append(anyio.current_time())
    assert len(done) == count
    assert len(asked) == 1
    # All others were made by the other token meanwhile.
    late = [each for each in done if each >= asked[0] + 60]
    assert 1 <= len(late) <= 3 if mode == "sequential" else 1 <= len(late) <= 75


async def test_a_validation_that_waits_for_a_person_holds_up_no_other_token(
    simulator: Simulator,
):
    async def validate(_: Validation) -> str:
        await anyio.sleep(60)
        return NAMES[4]

    http_client = simulator.http_client()
    simulator.fault(faults.validation(), "test.get", nth=3)
    options: dict[str, Any] = {"on_validation": validate}
    async with VK(NAMES[0], http_client=http_client, **options) as api:
        began = anyio.current_time()
        late = 0
        async with api.stream(reads(60), views=views_of(api)[:2]) as settled:
            async for call in settled:
                call.result()
                late += anyio.current_time() > began + 50
    assert 1 <= late <= 3


async def test_a_token_whose_question_is_answered_takes_part_again(
    simulator: Simulator,
):
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(1)
        await solve_by(simulator, captcha)

    http_client = simulator.http_client()
    simulator.fault(faults.captcha(), "test.get", nth=2)
    async with VK(NAMES[0], http_client=http_client, on_captcha=solve) as api:
        values, errors = await read(api, reads(60), views_of(api)[:2])
    assert sorted(values) == [*range(60)]
    assert errors == []
    assert min(by_token(simulator).values()) > 20


async def test_the_only_token_is_waited_for_while_its_question_is_open(
    simulator: Simulator,
):
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(100)
        await solve_by(simulator, captcha)

    http_client = simulator.http_client()
    simulator.fault(faults.captcha(), "test.get", nth=2)
    async with VK(NAMES[0], http_client=http_client, on_captcha=solve) as api:
        values, errors = await read(api, reads(20), [api])
    assert sorted(values) == [*range(20)]
    assert errors == []


# Tokens that refresh.


async def test_a_renewal_that_fails_makes_a_token_fall_out(
    api: VK, simulator: Simulator
):
    async def token(refused: str | None) -> str:
        if refused is not None:
            raise LookupError
        return NAMES[4]

    simulator.expire(NAMES[4])
    views = [api.as_token(NAMES[1]), api.as_token(token)]
    values, errors = await read(api, reads(200), views)
    assert sorted(values) == [*range(200)]
    assert errors == []
    simulator.revoke(NAMES[1])
    _, errors = await read(api, reads(5), views)
    assert {type(error) for error in errors} == {NoTokenLeftError}
    [first, *_] = errors
    assert isinstance(first, NoTokenLeftError)
    assert [type(each) for each in first.reasons] == [AuthError, TokenRenewalError]


# Leaving.


async def test_leaving_the_block_gives_up_the_calls_of_all_tokens(
    api: VK, simulator: Simulator
):
    views = views_of(api)
    async with api.stream(reads(1000), views=views) as settled:
        async for _ in settled:
            break
    await anyio.lowlevel.checkpoint()
    requests = simulator.ledger.requests
    await anyio.sleep(5)
    assert simulator.ledger.requests == requests
    for view in views:
        assert view.statistics().waiting == view.statistics().in_flight == 0
    assert (await read(api, reads(10), views))[1] == []


async def consume_until_closed(
    simulator: Simulator,
    consume: Callable[[VK], Coroutine[Any, Any, None]],
    seconds: float,
) -> None:
    """Consume in another task than that of the client, whose block is cancelled."""
    http_client = simulator.http_client()
    with anyio.fail_after(seconds + 1):
        async with anyio.create_task_group() as tg:
            with anyio.move_on_after(seconds):
                async with VK(NAMES[0], http_client=http_client) as api:
                    tg.start_soon(consume, api)
                    await anyio.sleep_forever()
    assert_gone(api)


async def test_closing_the_client_fails_what_is_left(simulator: Simulator):
    errors: list[Any] = []

    async def consume(api: VK) -> None:
        with suppress(ClientClosedError):  # in the end, since more were to be made
            async with api.stream(reads(500), views=views_of(api)) as settled:
                async for call in settled:
                    try:
                        call.result()
                    except VKError as error:
                        errors.append(error)

    await consume_until_closed(simulator, consume, 0.5)
    assert errors
    assert {type(error) for error in errors} == {ClientClosedError}


@pytest.mark.parametrize("shared", [False, True])
async def test_an_endless_stream_ends_with_the_client(
    simulator: Simulator, shared: bool
):
    async def consume(api: VK) -> None:
        views = views_of(api) if shared else None
        with pytest.raises(ClientClosedError):  # noqa: PT012 - in the end
            async with api.stream(endless(), views=views) as settled:
                async for call in settled:
                    with suppress(ClientClosedError):
                        call.result()

    await consume_until_closed(simulator, consume, 5)


def endless() -> Iterator[tuple[str, dict[str, Any]]]:
    for i in count():
        assert i < 1000, "it has not ended"
        yield "test.get", {"id": i}


async def test_many_calls_may_wait_for_their_tokens(simulator: Simulator):
    begun = Counter[str]()

    class Counted(OrderedDict[APIRequest, None]):
        def __iter__(self) -> Iterator[APIRequest]:
            for each in super().__iter__():
                begun["steps"] += 1
                yield each

    http_client = simulator.http_client()
    async with VK(NAMES[0], http_client=http_client) as api:
        shared = SharedCalls([view._caller for view in views_of(api)])
        shared._line = Counted()
        stream = CallStream(
            shared,
            reads(1000),
            ordered=False,
            max_pending=1000,
            block=shared.watching(),
        )
        async with stream as settled:
            assert sorted([each.result() async for each in settled]) == [*range(1000)]
    assert begun["steps"] < 5000


async def test_a_lost_read_is_read_again(api: VK, simulator: Simulator):
    simulator.fault(faults.drop_after(), rate=0.2)
    simulator.fault(faults.error(10), "execute", rate=0.1)
    values, errors = await read(api, reads(300), views_of(api))
    assert sorted(values) == [*range(300)]
    assert not [each for each in errors if isinstance(each, OutcomeUnknownError)]


@pytest.mark.parametrize(
    ("views", "kind", "text"),
    [
        ([], ValueError, "views must be a list of clients, .* got none"),
        ("token", TypeError, "views must be a list of clients, .* got str"),
        (5, TypeError, "views must be a list of clients, .* got int"),
        (["a-token"], TypeError, r"got str as views\[0\]"),
        ("twice", ValueError, r"each of them only once, got views\[1\] twice"),
    ],
    ids=str,
)
async def test_wrong_views_are_named(api: VK, views: Any, kind: Any, text: str):
    if views == "twice":
        views = [api, api]
    with pytest.raises(kind, match=text):
        api.stream(reads(1), views=views)
