"""Packing changes how fast calls are, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import pytest

from _helpers import TOKEN, settle
from vkanyio import VK, APIError, APIRequest, VKError
from vkanyio.testing import Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio import Captcha, Confirmation
    from vkanyio.testing import Call

    Setup: TypeAlias = Callable[[Simulator], list[APIRequest]]

pytestmark = pytest.mark.anyio

VALUES: list[Any] = [
    *(False, True, None, 0, 1, -1, 2**31, -(2**31) - 1, 2**53, 1.5, "", "0", " "),
    *("жираф 🦒", '"', "\\", "\\u0041", "\n\r\t", "\u2028\x7f", "false", "null"),
    *([], [None], [False, False], [[[]]], {"error": 1}, {"response": False}),
    {"error_code": 5, "error_msg": "no error at all", "method": "test.get"},
    {"items": [{"id": 1, "имя": "Анна"}], "count": 1},
]
CODES = [
    *(1, 3, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 20, 23, 24, 27, 28, 29, 30),
    *(36, 43, 100, 113, 125, 200, 214, 901, 902, 914, 1117, 9999, 77777, -1, 0),
]
ARGUMENTS: list[Any] = [
    *("жираф 🦒", '"});API.wall.post({"a":"', "\\", "\\n", "\n", "\x00", "'", "//"),
    *(True, False, 2**31, -(2**63), 1.5, 1e300, [1, 2], ["a,b", "c"], {"a": ["ж"]}),
    *("", " ", None, "%00&a=b", "\u2028"),
]


def values(simulator: Simulator) -> list[APIRequest]:
    simulator.add_method("test.get", lambda call: VALUES[call.integer("n")])
    return [APIRequest("test.get", {"n": n}) for n in range(len(VALUES))]


def written_values(simulator: Simulator) -> list[APIRequest]:
    simulator.add_method("test.post", lambda call: VALUES[call.integer("n")])
    return [APIRequest("test.post", {"n": n}) for n in range(len(VALUES))]


def arguments(simulator: Simulator) -> list[APIRequest]:
    def sent_params(call: Call) -> list[list[str]]:
        return sorted([k, v] for k, v in call.params.items() if k != "v")

    simulator.add_method("test.get", sent_params)
    requests = [APIRequest("test.get", {"a": value}) for value in ARGUMENTS]
    names = [str(value) for value in ARGUMENTS if value]
    return requests + [APIRequest("test.get", {name: 1}) for name in names]


def _fail(call: Call) -> int:
    code = call.integer("code")
    if code != 4:
        raise VKFault(code, f"it is {code}", extra_field=code)
    return 4


def errors_of_reads(simulator: Simulator) -> list[APIRequest]:
    simulator.add_method("test.get", _fail)
    return [APIRequest("test.get", {"code": code}) for code in [4, *CODES, 4]]


def errors_of_writes(simulator: Simulator) -> list[APIRequest]:
    simulator.add_method("test.post", _fail)
    return [APIRequest("test.post", {"code": code}) for code in [4, *CODES, 4]]


def false_among_errors(simulator: Simulator) -> list[APIRequest]:
    def picky(call: Call) -> bool:
        if call.integer("n") % 3 == 0:
            raise VKFault(100)
        return call.integer("n") % 3 == 1

    simulator.add_method("test.is", picky)
    return [APIRequest("test.is", {"n": n}) for n in range(20)]


def methods_of_vk(simulator: Simulator) -> list[APIRequest]:
    return [
        APIRequest("users.get", {"user_ids": [1, 2]}),
        APIRequest("users.get", {"user_ids": "nobody-of-that-name!"}),
        APIRequest("messages.send", {"peer_id": 1, "message": "привет"}),
        APIRequest("messages.send", {"message": "to nobody"}),
        APIRequest("wall.get", {"owner_id": "x"}),
        APIRequest("nothing.atAll", {}),
        APIRequest("utils.resolveScreenName", {"screen_name": "id0x"}),
        APIRequest("execute", {"code": "return 1 +;"}),
        APIRequest("execute", {"code": "return [API.users.get()[0].id, false];"}),
        APIRequest("status.get", {"v": "5.131"}),
    ]


def passing_faults(simulator: Simulator) -> list[APIRequest]:
    codes = [1, 6, 10, 36]
    methods = [
        f"{kind}.{verb}{code}"
        for kind in ("a", "b")
        for verb in ("get", "add")
        for code in codes
    ]
    for method in methods:
        simulator.add_method(method, lambda call: call.method)
        code = int(method.strip("abgetd."))
        simulator.fault(faults.error(code), method, times=1)
    return [APIRequest(method, {}) for method in methods]


def questions(simulator: Simulator) -> list[APIRequest]:
    kinds = {
        "a.add": faults.captcha(),
        "b.add": faults.captcha("old"),
        "c.add": faults.confirmation(),
        "d.add": faults.captcha(),
        "e.get": faults.captcha(),
    }
    for method, fault in kinds.items():
        simulator.add_method(method, lambda call: call.method)
        simulator.fault(fault, method)
    simulator.add_method("f.get", lambda call: call.method)
    return [APIRequest(method, {}) for method in [*kinds, "f.get"]]


def a_captcha_without_end(simulator: Simulator) -> list[APIRequest]:
    simulator.add_method("a.add", _fail)
    simulator.add_method("b.get", lambda call: call.method)
    reads = [APIRequest("b.get", {}) for _ in range(3)]
    return [APIRequest("a.add", {"code": 14}), *reads]


def slow_calls(simulator: Simulator) -> list[APIRequest]:
    async def slow(call: Call) -> str:
        await anyio.sleep(2)
        return call.text("n")

    simulator.add_method("test.get", slow)
    # The first is abandoned after a second, see `outcomes_of`.
    return [APIRequest("test.get", {"n": n, "patience": n or 1}) for n in (0, 20, 30)]


CASES: list[Setup] = [
    values,
    written_values,
    arguments,
    errors_of_reads,
    errors_of_writes,
    false_among_errors,
    methods_of_vk,
    passing_faults,
    questions,
    a_captcha_without_end,
    slow_calls,
]
PACKING = ["parallel", "parallel_selected"]


async def outcomes_of(setup: Setup, mode: Any) -> tuple[list[Any], int]:
    """Make the calls of a case; return their outcomes and the largest batch size."""
    simulator = Simulator(limit=0)
    requests = setup(simulator)
    outcomes: dict[int, Any] = {}

    async def solve(captcha: Captcha) -> None:
        question = captcha.redirect_uri or captcha.sid or captcha.img
        await captcha.retry(simulator.solve(question) if question else "who knows")

    async def agree(_: Confirmation) -> bool:
        return True

    async def call(place: int, request: APIRequest) -> None:
        try:
            with anyio.fail_after(float(request.params.get("patience", 1000))):
                outcomes[place] = await api.call_with_request(request)
        except TimeoutError as error:
            outcomes[place] = type(error)
        except VKError as error:
            outcomes[place] = in_short(error)

    async with VK(
        TOKEN,
        limit=1000,
        mode=mode,
        execute_methods=[request.method for request in requests[::2]],
        retry_limit=1,
        wait=0.1,
        on_captcha=solve,
        on_confirmation=agree,
        http_client=simulator.http_client(),
    ) as api:
        await settle()
        async with anyio.create_task_group() as tg:
            for place, request in enumerate(requests):
                tg.start_soon(call, place, request)
        max_size = max(api.statistics().batches)
    return [outcomes[place] for place in range(len(requests))], max_size


def in_short(error: VKError) -> tuple[Any, ...]:
    """Return the parts of an error that a caller may use."""
    cause = error.__cause__
    more: tuple[Any, ...] = ()
    if isinstance(error, APIError):
        random = ("captcha_sid", "captcha_ts", "captcha_img", "redirect_uri")
        raw = {k: v for k, v in error.raw.items() if k not in random}
        raw.pop("method", None)  # the entry of a call in a script has it
        params = {k: v for k, v in error.params.items() if k != "random_id"}
        more = (error.code, error.message, error.subcode, params, raw)
    return (
        type(error),
        getattr(error, "method", None),
        in_short(cause) if isinstance(cause, VKError) else type(cause),
        *more,
    )


@pytest.mark.parametrize("mode", PACKING)
@pytest.mark.parametrize("setup", CASES, ids=lambda setup: setup.__name__)
async def test_each_call_ends_as_it_does_without_packing(
    setup: Setup, mode: str
) -> None:
    plain, one = await outcomes_of(setup, "sequential")
    packed, max_size = await outcomes_of(setup, mode)
    assert one == 1
    assert max_size > 1  # it was packed
    for n, (was, outcome) in enumerate(zip(plain, packed, strict=True)):
        assert outcome == was, f"call {n}"
        assert type(outcome) is type(was)


async def test_packed_values_are_the_plain_ones() -> None:
    packed, _ = await outcomes_of(values, "parallel")
    assert packed == VALUES
