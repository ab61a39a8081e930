"""What ``api.collect`` refuses, before anything is sent, and how it says so."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from codegen._pages import write_page_facts
from codegen._read import read
from codegen._schema import FACTS, load

from _helpers import LIBRARY
from vkanyio import API, VK
from vkanyio._method_facts import METHODS
from vkanyio._page_facts import NOT_PAGED, PAGES
from vkanyio._reading._list_call import ListCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from vkanyio.testing import Simulator


@pytest.fixture
def api() -> VK:
    return VK("a-token")


@pytest.mark.parametrize(
    ("method", "params", "problem"),
    [
        ("users.get", {}, r"users\.get cannot be collected: it does not return a list"),
        ("polls.getVoters", {}, r"polls\.getVoters cannot be collected: VK returns a"),
        ("wall.gets", {}, r"no such method: did you mean wall\.get\?"),
        ("wall get", {}, "wall get"),
        (
            "wall.get",
            {"count": 101},
            r"count must be .* from 1 to 100 \(a page of wall",
        ),
        ("wall.get", {"count": 0}, "count must be a whole number from 1 to 100"),
        ("wall.get", {"count": "many"}, "count must be .*'many'"),
        ("wall.get", {"offset": -1}, "offset must be a whole number at least 0"),
        ("users.getSubscriptions", {}, "only with extended=True: VK returns two"),
        (
            "friends.getOnline",
            {"online_mobile": 1},
            "cannot be collected with online_m",
        ),
        ("newsfeed.search", {"offset": 5}, "is read with start_from: leave out"),
    ],
)
def test_a_call_that_cannot_be_collected_is_refused_with_the_reason(
    api: VK, method: str, params: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        api.collect(method, **params)


@pytest.mark.parametrize(
    ("options", "error", "problem"),
    [
        ({"overlap": -1}, ValueError, "overlap must be a whole number from 0 to 1000"),
        ({"overlap": 2.5}, TypeError, "overlap must be .*, got 2.5"),
        ({"overlap": True}, TypeError, "overlap must be .*, got True"),
        (
            {"max_items": 0},
            ValueError,
            "max_items must be a whole number of at least 1",
        ),
        ({"max_items": "5"}, TypeError, "max_items must be"),
        ({"resume_from": 5}, TypeError, "resume_from must be a position, a str, got 5"),
        ({"resume_from": ""}, ValueError, "resume_from must be the `position`"),
        ({"resume_from": "[]"}, ValueError, "resume_from must be the `position`"),
        ({"resume_from": "{}"}, ValueError, "resume_from must be the `position`"),
    ],
)
def test_options_are_checked_by_name(
    api: VK, options: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        api.collect("wall.get", owner_id=1).options(**options)


@pytest.mark.parametrize("pages", [0, 1001])
def test_the_number_of_pages_ahead_is_checked(api: VK, pages: int) -> None:
    with pytest.raises(ValueError, match="pages must be a whole number from 1 to 1000"):
        api.collect("wall.get").ahead(pages)


def test_a_position_belongs_to_one_list(api: VK) -> None:
    position = api.collect("wall.get", owner_id=1).position
    api.collect("wall.get", owner_id="1").options(resume_from=position)
    with pytest.raises(ValueError, match=r"'wall\.get' with other parameters, not"):
        api.collect("wall.get", owner_id=2).options(resume_from=position)
    with pytest.raises(
        ValueError, match=r"a position in 'wall\.get', not in this news"
    ):
        api.collect("newsfeed.get").options(resume_from=position)


@pytest.mark.parametrize(
    "change",
    [
        {"at": -1},
        {"at": "5"},
        {"at": True},
        {"last": None},
        {"last": [None]},
        {"total": "x"},
        {"read": -1},
        {"method": None},
        {"more": 1},
    ],
)
def test_a_position_that_was_changed_is_refused(
    api: VK, change: dict[str, Any]
) -> None:
    items = api.collect("wall.get", owner_id=1)
    position = json.dumps({**json.loads(items.position), **change})
    with pytest.raises(ValueError, match="resume_from must be the `position`"):
        items.options(resume_from=position)


def test_a_method_makes_the_errors_that_a_call_of_it_would(api: VK) -> None:
    with pytest.raises(TypeError, match=r"wall\.get has no parameter owner: did you"):
        api.collect(api.wall.get, owner=1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="parameters are passed by name: api"):
        api.collect(api.wall.get, -1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="parameters are passed by name: api"):
        api.collect("wall.get", {"owner_id": 1})  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="parameters are passed by name: api"):
        api.collect("wall.get", extra_params={"lang": "en"})
    with pytest.raises(TypeError, match="extra_params must be a dict of parameters"):
        api.collect(api.wall.get, extra_params=5)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="owner_id"):
        api.collect("wall.get", owner_id=object())


@pytest.mark.parametrize("method", [None, print, VK, API.call, {"a": 1}])
def test_what_is_no_method_is_refused(api: VK, method: Any) -> None:
    with pytest.raises(TypeError, match=r"method must be a method such as"):
        api.collect(method)


def test_secrets_are_not_shown(api: VK) -> None:
    secret = "vk1.a.another-secret"
    items = api.collect("wall.get", owner_id=1, access_token=secret)
    assert secret not in f"{items!r}{items.position}"
    same = api.collect("wall.get", owner_id=1)
    assert same.position == items.position


@pytest.mark.parametrize("params", [{"count": 1000}, {"owner": 1}])
def test_no_frame_of_an_error_shows_a_token(api: VK, params: dict[str, Any]) -> None:
    extra = {"access_token": "vk1.a.another-secret"}
    method: Any = api.wall.get
    with pytest.raises((TypeError, ValueError)) as caught:
        api.collect(method, extra_params=extra, **params)
    frames = traceback.TracebackException.from_exception(
        caught.value, capture_locals=True
    )
    own = [frame for frame in frames.stack if frame.filename.startswith(LIBRARY)]
    assert own
    assert "another-secret" not in str([frame.locals for frame in own])


@pytest.mark.parametrize("method", PAGES)
def test_every_method_of_the_table_has_what_the_reading_needs(method: str) -> None:
    facts = PAGES[method]
    call = ListCall(method, dict.fromkeys(facts.needs, 1))
    assert call.size(None) == facts.size >= 1
    assert call.size(1) == 1
    request = call.request("next" if facts.by_cursor else 5, 7)
    assert request.reads()
    assert request.params[facts.limit] == 7
    assert ("start_from" in request.params) == facts.by_cursor
    assert ("offset" in request.params) != facts.by_cursor


def test_the_table_is_that_of_the_schema() -> None:
    # In this process: `codegen --check` compares it in another one.
    rows = write_page_facts(read(load(FACTS)))
    assert all(f'"{method}": PageFacts(' in rows for method in PAGES)


def test_the_table_has_all_methods_that_return_lists_in_pages() -> None:
    assert len(PAGES) == 95
    assert not {*PAGES} & {*NOT_PAGED}
    assert {*PAGES, *NOT_PAGED} <= {*METHODS}


@pytest.mark.anyio
async def test_a_method_is_found_in_either_spelling(
    simulator: Simulator, make_client: Callable[..., VK]
) -> None:
    simulator.add_group(7, members=[1, 2])
    async with make_client() as api:
        assert await api.collect(api.groups.get_members, group_id="7").all() == [1, 2]
