"""What VK refuses: at the beginning, while polls go on, and what nobody may see."""

from __future__ import annotations

import io
import logging
import traceback
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from _bots import GROUP, Followed, read, write
from anyio import current_time, fail_after, move_on_after, sleep

from vkanyio import (
    VK,
    AccessDeniedError,
    AuthError,
    GroupAuthError,
    ParameterError,
    PollEnded,
    PollStarted,
    RequestStarted,
    VKError,
)
from vkanyio.testing import Simulator, faults
from vkanyio.updates import UpdatesError

if TYPE_CHECKING:
    import httpx

    from vkanyio import Event

pytestmark = pytest.mark.anyio

SERVER = "groups.getLongPollServer"


# At the beginning


async def test_a_server_that_is_switched_off_is_an_error_of_the_block(
    town: Simulator, club: VK
) -> None:
    await club.groups.setLongPollSettings(group_id=GROUP, enabled=False)
    with pytest.raises(ParameterError, match="switch on the Long Poll API") as caught:
        async with club.bot_updates():
            pytest.fail("entered")
    assert caught.value.method == SERVER
    assert "configure=True" in str(caught.value)


async def test_the_community_of_somebody_else_is_an_error_of_the_block(
    town: Simulator, club: VK
) -> None:
    town.add_group(77)
    with pytest.raises(AccessDeniedError, match="is group_id right") as caught:
        async with club.bot_updates(77):
            pytest.fail("entered")
    assert "right to manage communities" in str(caught.value)


@pytest.mark.parametrize("code", [15, 27, 28, 5, 100])
async def test_errors_of_the_beginning_are_raised_as_they_are(
    town: Simulator, club: VK, code: int
) -> None:
    town.fault(faults.error(code), SERVER)
    with pytest.raises(VKError) as caught:
        async with club.bot_updates():
            pytest.fail("entered")
    assert getattr(caught.value, "code", None) == code


async def test_a_token_of_a_user_has_no_community_of_its_own(town: Simulator) -> None:
    async with VK("anna", http_client=town.http_client(), limit=1000) as club:
        advice = "pass group_id, or use the token of a community"
        with pytest.raises(ParameterError, match=advice):
            async with club.bot_updates():
                pytest.fail("entered")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"server": "https://lp.vk.com/1", "key": 5, "ts": "1"},
        {"server": "https://lp.vk.com/1", "key": "k", "ts": None},
        {"server": "ftp://lp.vk.com/1", "key": "k", "ts": "1"},
        {"server": "https://", "key": "k", "ts": "1"},
    ],
)
async def test_a_server_that_makes_no_sense_is_an_error(
    town: Simulator, club: VK, value: Any
) -> None:
    town.add_method(SERVER, lambda call: value)
    with pytest.raises(UpdatesError, match="returned no server, or no key"):
        async with club.bot_updates(GROUP):
            pytest.fail("entered")


@pytest.mark.parametrize("value", [None, [], {}, {"groups": []}, {"groups": [5]}])
async def test_without_a_community_the_error_says_what_to_pass(
    town: Simulator, club: VK, value: Any
) -> None:
    town.add_method("groups.getById", lambda call: value)
    with pytest.raises(UpdatesError, match="pass group_id"):
        async with club.bot_updates():
            pytest.fail("entered")


async def test_the_token_of_a_user_needs_a_community(town: Simulator) -> None:
    async with VK("anna", http_client=town.http_client()) as api:
        with pytest.raises(ParameterError, match="pass group_id, or use the token of"):
            async with api.bot_updates():
                pytest.fail("entered")


# While polls go on


def lose_the_key(town: Simulator) -> None:
    town.fault(faults.failed(2), "longpoll")


@pytest.mark.parametrize(
    ("code", "kind"), [(5, AuthError), (15, AccessDeniedError), (27, GroupAuthError)]
)
async def test_a_token_that_becomes_useless_ends_the_loop(
    town: Simulator, followed: Followed, code: int, kind: type[Exception]
) -> None:
    async with followed.listen() as updates:
        lose_the_key(town)
        town.fault(faults.error(code), followed.server)
        with pytest.raises(kind), fail_after(600):
            await anext(updates)


@pytest.mark.parametrize("code", [1, 6, 9, 10, 36])
async def test_an_error_that_may_pass_is_waited_for(
    town: Simulator, followed: Followed, code: int
) -> None:
    async with followed.listen() as updates:
        lose_the_key(town)
        town.fault(faults.error(code), followed.server, rate=1)
        with move_on_after(600):
            await anext(updates)
        town.clear_faults()
        write(town, 1)
        assert await read(updates, 1) == [1]


async def test_after_error_29_the_waits_grow_up_to_an_hour(
    town: Simulator, followed: Followed
) -> None:
    async with followed.listen() as updates:
        lose_the_key(town)
        town.fault(faults.error(29), followed.server, rate=1)
        with move_on_after(24 * 3600):
            await anext(updates)
        times = [each.time for each in town.ledger.refused(29)]
        waits = [b - a for a, b in pairwise(times)]
        assert waits[:7] == pytest.approx([120, 240, 480, 960, 1920, 3600, 3600], abs=1)
        town.clear_faults()
        write(town, 1)
        start = current_time()
        assert await read(updates, 1) == [1]
        assert current_time() - start <= 3600


async def test_after_error_29_the_history_of_a_mailbox_is_read_less_and_less_often(
    town: Simulator, club: VK
) -> None:
    async with club.user_updates() as updates:
        position = updates.position
    town.fault(faults.error(29), "messages.getLongPollHistory", rate=1)
    write(town, 1)
    async with club.user_updates(position=position) as updates:
        for _ in range(900):  # a wait that is cancelled makes no other call
            with move_on_after(1):
                await anext(updates)
        times = [each.time for each in town.ledger.refused(29)]
        waits = [b - a for a, b in pairwise(times)]
        assert waits == pytest.approx([120, 240, 480], abs=2)
        town.clear_faults()
        assert await read(updates, 1) == [1]


async def test_while_vk_answers_no_calls_the_old_server_is_asked_on(
    town: Simulator, followed: Followed
) -> None:
    async with followed.listen() as updates:
        await sleep(100)
        town.fault(faults.error(10), followed.server, rate=1)
        town.fault(faults.drop_before(), "longpoll", times=8)
        async with anyio.create_task_group() as tg:

            async def write_later() -> None:
                await sleep(1000)
                write(town, 1)

            tg.start_soon(write_later)
            assert await read(updates, 1) == [1]


# Events, secrets


async def test_polls_are_reported_to_on_event(town: Simulator) -> None:
    events: list[Event] = []
    async with (
        VK("club", http_client=town.http_client(), on_event=events.append) as club,
        club.bot_updates() as updates,
    ):
        write(town, 1, 2)
        await anext(updates)
        await anext(updates)
        town.fault(faults.drop_before(), "longpoll")
        town.fault(faults.failed(2), "longpoll")
        with move_on_after(100):
            await anext(updates)
    polls = [each for each in events if isinstance(each, PollStarted | PollEnded)]
    started, ended = polls[::2], polls[1::2]
    assert [each.poll for each in started] == [each.poll for each in ended]
    shown = [(e.ending, e.updates, e.error) for e in ended if isinstance(e, PollEnded)]
    assert shown[:4] == [
        ("value", 2, None),
        ("error", 0, "ConnectionFailedError"),
        ("value", 0, None),
        ("value", 0, None),
    ]
    assert shown[-1] == ("cancelled", 0, None)
    assert {each.group_id for each in polls} == {GROUP}
    last = ended[-1]
    assert isinstance(last, PollEnded)
    assert last.duration == pytest.approx(last.at - started[-1].at)
    assert len([e for e in events if isinstance(e, RequestStarted)]) == 3


async def test_statistics_say_for_how_long_nothing_was_heard(
    town: Simulator, club: VK
) -> None:
    updates = club.bot_updates()
    made = updates.statistics()
    assert (made.polls, made.since_answer, made.since_update) == (0, None, None)
    async with updates:
        write(town, 1)
        await read(updates, 1)
        await sleep(7)
        town.fault(faults.hang_before(), "longpoll")
        with move_on_after(20):
            await anext(updates)
        made = updates.statistics()
    assert made.since_answer == pytest.approx(27, abs=0.1)
    assert made.since_update == pytest.approx(27, abs=0.1)
    assert (made.updates, made.duplicates, made.servers) == (1, 0, 1)


async def test_the_key_is_in_no_log_error_repr_or_traceback(
    town: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="vkanyio")
    town.fault(faults.html(502), "longpoll", rate=0.3)
    town.fault(faults.drop_after(), "longpoll", rate=0.3)
    texts: list[str] = []
    events: list[Event] = []
    keys: set[str] = set()

    async def note_key(request: httpx.Request) -> None:
        if "key" in request.url.params:
            keys.add(request.url.params["key"])

    client = town.http_client(event_hooks={"request": [note_key]})
    try:
        async with (
            VK("club", http_client=client, on_event=events.append) as club,
            club.bot_updates(GROUP) as updates,
        ):
            texts.append(repr(updates))
            with move_on_after(200):
                await anext(updates)
            texts.append(repr(updates.statistics()))
            town.clear_faults()
            town.fault(faults.failed(9), "longpoll")
            await anext(updates)
    except UpdatesError as error:
        texts.append(repr(error))
        summary = traceback.TracebackException.from_exception(
            error, capture_locals=True
        )
        out = io.StringIO()
        summary.print(file=out)
        texts.append(out.getvalue())
    shown = "".join(texts) + caplog.text + repr(events)
    assert keys
    caught = repr(keys)
    assert "refused the poll" in shown
    assert "poller" in shown
    shown = shown.replace(caught, "")  # a local variable of this test
    assert not [key for key in keys if key in shown]


@pytest.mark.parametrize(
    "body", ['{"failed": "%s"}', '{"ts": "%s", "updates": []}'], ids=["failed", "ts"]
)
async def test_a_number_of_thousands_of_digits_is_no_number(
    town: Simulator, club: VK, body: str
) -> None:
    async with club.bot_updates() as updates:
        town.fault(faults.body(body.encode() % (b"9" * 5000)), "longpoll")
        write(town, 1)
        assert await read(updates, 1) == [1]
        assert updates.statistics().failures == {"InvalidResponseError": 1}


async def test_a_response_that_repeats_the_key_is_masked() -> None:
    from vkanyio._response import Response
    from vkanyio.updates._answer import LongPollServer, read_answer

    server = LongPollServer("lp.vk.com/lp/1?x=1", "secret-key+/")
    url = server.poll_url("5", 25, {})
    expected = (
        "https://lp.vk.com/lp/1?x=1&act=a_check&key=secret-key%2B%2F&ts=5&wait=25"
    )
    assert url == expected
    assert repr(url) == "'***'"
    for status, body in ((502, b"for secret-key+/"), (200, b'{"key":"secret-key+/"}')):
        found = read_answer(Response(status, body), server.key)
        assert isinstance(found, VKError)
        assert "secret-key" not in repr(found) + repr(found.__dict__)
        assert f"HTTP status {status}" in str(found)
