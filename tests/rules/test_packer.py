"""Which calls may share an ``execute``, and how many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from _helpers import TOKEN, calls
from vkanyio import APIRequest, Config
from vkanyio._batch import FORGET_SECONDS, MAX_CODE, BatchSizes
from vkanyio._engine._packer import Packer

if TYPE_CHECKING:
    from collections.abc import Callable


def packer(**options: Any) -> Packer:
    return Packer(Config(TOKEN, **{"mode": "parallel", **options}))


def get(method: str = "users.get", **params: Any) -> APIRequest:
    return APIRequest(method, params)


def urgent(request: APIRequest) -> APIRequest:
    request._pending.urgent = True
    return request


@pytest.mark.parametrize(
    "make",
    [
        get,
        lambda: get(user_ids=1, code="1", random_id=5),
        lambda: get("x_1.get_2"),
        lambda: get(access_token=TOKEN),
    ],
)
def test_an_ordinary_call_may_be_packed(make: Callable[[], APIRequest]) -> None:
    assert packer().may_pack(make())


@pytest.mark.parametrize(
    "make",
    [
        lambda: get("docs.save"),
        lambda: get("execute"),
        lambda: get("execute.mine"),
        lambda: get("a.b.c"),
        lambda: APIRequest("users.get", headers={}),
        lambda: urgent(get()),
    ],
)
def test_a_call_with_a_reason_to_go_alone_is_not_packed(
    make: Callable[[], APIRequest],
) -> None:
    assert not packer().may_pack(make())


@pytest.mark.parametrize(
    "name",
    [
        "captcha_key",
        "captcha_sid",
        "confirm",
        "lang",
        "success_token",
        "test_mode",
        "v",
    ],
)
def test_a_parameter_of_the_http_request_keeps_a_call_alone(name: str) -> None:
    params: dict[str, Any] = {name: 1}
    assert not packer().may_pack(get(**params))


@pytest.mark.parametrize(
    ("mode", "count", "packs"),
    [
        ("parallel", 25, True),
        ("parallel", 2, True),
        ("parallel", 1, False),
        ("sequential", 25, False),
        ("parallel_selected", 25, False),
    ],
)
def test_the_options_say_whether_calls_are_packed(
    mode: str, count: int, packs: bool
) -> None:
    assert packer(mode=mode, execute_count=count).may_pack(get()) == packs


def test_selective_packing_takes_the_methods_that_are_named() -> None:
    selective = packer(mode="parallel_selected", execute_methods=["users.get"])
    assert selective.may_pack(get("users.get"))
    assert not selective.may_pack(get("wall.get"))


def test_parallel_mode_does_not_ask_which_methods_are_named() -> None:
    assert packer(execute_methods=["wall.get"]).may_pack(get("users.get"))


def test_stopping_is_logged_once_with_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stopped = packer()
    stopped.stop("the token may not")
    stopped.stop("the token may not")
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().endswith("from now on: the token may not")
    assert stopped.may_pack(get()) is False


def of_size(size: int) -> APIRequest:
    request = get("a.b", text="x")
    request = get("a.b", text="x" * (size - len(str(request)) + 1))
    assert len(str(request)) == size
    return request


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ([MAX_CODE // 2, MAX_CODE // 2, 50], 2),
        ([MAX_CODE // 2, MAX_CODE // 2 + 1], 1),
        ([50, MAX_CODE - 50], 2),
        ([50, MAX_CODE - 49], 1),
        ([MAX_CODE + 1, 50], 1),
        ([MAX_CODE // 4] * 5, 4),
    ],
)
def test_code_is_taken_up_to_its_cap(sizes: list[int], chosen: int) -> None:
    requests = [of_size(size) for size in sizes]
    assert packer().choose(requests, 0.0) == requests[:chosen]


def test_the_cap_counts_bytes_and_not_letters() -> None:
    requests = [get("a.b", text="ж" * (MAX_CODE // 3)) for _ in range(2)]
    assert packer().choose(requests, 0.0) == requests[:1]


# Sizes.


def test_sizes_are_learned_by_method_and_forgotten_gradually() -> None:
    sizes = BatchSizes(25)
    assert sizes.max_size_with("a.b", 0) == 25
    sizes.note_too_much(calls(*["a.b"] * 20, "c.d"), 0)
    assert sizes.max_size_with("a.b", 0) == 10
    assert sizes.max_size_with("c.d", 0) == 10
    assert sizes.max_size_with("e.f", 0) == 25
    sizes.note_too_much(calls(*["a.b"] * 10), 1)
    assert sizes.max_size_with("a.b", 1) == 5
    assert sizes.max_size_with("c.d", 1) == 10
    assert sizes.max_size_with("a.b", FORGET_SECONDS) == 5
    assert sizes.max_size_with("a.b", FORGET_SECONDS + 1) == 10
    assert sizes.max_size_with("a.b", 2 * FORGET_SECONDS + 1) == 20
    assert sizes.max_size_with("a.b", 3 * FORGET_SECONDS + 1) == 25
    assert sizes.max_size_with("a.b", 3 * FORGET_SECONDS + 1) == 25


def test_no_size_is_less_than_one_call() -> None:
    sizes = BatchSizes(25)
    for _ in range(10):
        sizes.note_too_much(calls("a.b", "a.b"), 0)
    assert sizes.max_size_with("a.b", 0) == 1
    assert sizes.max_size_with("a.b", 10 * FORGET_SECONDS) == 25


def test_a_response_that_is_too_large_never_increases_a_size() -> None:
    sizes = BatchSizes(25)
    sizes.note_too_much(calls("a.b", "a.b"), 0)
    sizes.note_too_much(calls(*["a.b"] * 20), 0)
    assert sizes.max_size_with("a.b", 0) == 1


def test_a_batch_is_as_small_as_any_of_its_methods_requires() -> None:
    packer = Packer(Config(TOKEN, mode="parallel"))
    packer.note_too_much(calls(*["a.b"] * 6), 0)
    large = calls(*["a.b"] * 5)
    small = calls(*["c.d"] * 5)
    assert packer.choose(large, 0) == large[:3]
    assert packer.choose([*small, *large], 0) == small
    assert packer.choose([small[0], *large], 0) == [small[0], *large[:2]]
    assert packer.choose([large[0], *small], 0) == [large[0], *small[:2]]


def test_a_stopped_packer_chooses_one_call_at_a_time() -> None:
    packer = Packer(Config(TOKEN, mode="parallel"))
    requests = calls("a.b", "a.b")
    assert packer.choose(requests, 0) == requests
    packer.stop("no")
    assert packer.choose(requests, 0) == requests[:1]
    assert not packer.may_pack(requests[0])
