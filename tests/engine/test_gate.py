"""`Gate`, which holds calls back while a captcha is open, outside a client."""

from __future__ import annotations

import anyio
import pytest
from anyio import create_task_group

from _helpers import counted_turns, settle
from _parts import accepted, gate

pytestmark = pytest.mark.anyio


async def test_a_gate_is_open_to_all_until_a_captcha_comes() -> None:
    for method in ("users.get", "wall.post", "no.suchMethod"):
        assert gate().is_open_to(accepted(method))


@pytest.mark.parametrize(
    ("method", "is_open"),
    [("users.get", True), ("wall.post", False), ("messages.send", False)],
)
async def test_a_closed_gate_lets_only_reads_through(
    method: str, is_open: bool
) -> None:
    closing = gate()
    with closing.closed("wall.createComment"):
        assert closing.is_open_to(accepted(method)) is is_open
    assert closing.is_open_to(accepted(method))


async def test_a_closed_gate_holds_back_reads_of_the_method_with_the_captcha() -> None:
    closing = gate()
    with closing.closed("users.get"):
        assert not closing.is_open_to(accepted("users.get"))
        assert closing.is_open_to(accepted("users.get", urgent=True))
        assert closing.is_open_to(accepted("groups.get"))


async def test_a_gate_opens_when_the_last_captcha_has_ended() -> None:
    seen: list[tuple[int, bool]] = []

    def note() -> None:
        seen.append((closing.questions, closing.is_open_to(accepted("wall.post"))))

    closing = gate(note)
    with closing.closed("wall.post"):
        with closing.closed("wall.post"):
            assert seen == [(1, False), (2, False)]
        assert seen[2:] == [(1, False)]
    assert seen[3:] == [(0, True)]


async def test_a_question_that_holds_back_nothing_is_noted() -> None:
    seen: list[int] = []
    asking = gate(lambda: seen.append(asking.questions))
    with asking.asked():
        assert not asking.is_closed
        assert asking.is_open_to(accepted("wall.post"))
    assert seen == [1, 0]


async def test_a_gate_opens_after_an_exception_too() -> None:
    closing = gate()
    with pytest.raises(ZeroDivisionError), closing.closed("wall.post"):
        raise ZeroDivisionError
    assert closing.is_open_to(accepted("wall.post"))


async def test_waiting_calls_go_on_when_the_gate_opens() -> None:
    closing, went_on = gate(), []

    async def wait() -> None:
        await closing.wait(accepted("wall.post"))
        went_on.append(anyio.current_time())

    async with create_task_group() as tasks:
        with closing.closed("wall.post"):
            tasks.start_soon(wait)
            await anyio.sleep(3)
            assert went_on == []
        await settle()
        assert len(went_on) == 1


async def test_a_waiting_call_goes_on_waiting_for_the_next_captcha() -> None:
    closing, went_on = gate(), []

    async def wait() -> None:
        await closing.wait(accepted("wall.post"))
        went_on.append(anyio.current_time())

    async with create_task_group() as tasks:
        with closing.closed("wall.post"):
            tasks.start_soon(wait)
            await settle()
        for _ in range(2):
            with closing.closed("wall.post"):
                async with counted_turns() as turns:
                    await anyio.sleep(3)
                assert went_on == []
                assert turns.count < 20  # it does not look again and again
        await settle()
        assert len(went_on) == 1
