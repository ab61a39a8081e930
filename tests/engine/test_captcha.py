"""Captchas: what is sent back, how often handlers are asked, and what callers get."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import anyio
import httpx
import pytest

from _helpers import POST, READ
from vkanyio import (
    APIError,
    Captcha,
    CaptchaError,
    ConnectionFailedError,
    OutcomeUnknownError,
    VKError,
)
from vkanyio.testing import faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio.testing import Entry, Simulator

pytestmark = pytest.mark.anyio


class Solver:
    """A person who answers captchas, and the captchas they saw."""

    def __init__(self, simulator: Simulator, *, wrong: int = 0) -> None:
        self._simulator = simulator
        self._wrong = wrong
        self.seen: list[Captcha] = []
        self.pages: list[str | None] = []
        self.attempts: list[int] = []
        self.refusals: list[CaptchaError] = []

    def answer(self, captcha: Captcha) -> str:
        if len(self.attempts) <= self._wrong:
            return "wrong"
        return self._simulator.solve(captcha.redirect_uri or captcha.sid or "")

    async def __call__(self, captcha: Captcha) -> None:
        self.seen.append(captcha)
        self.pages.append(captcha.redirect_uri)
        self.attempts.append(captcha.attempt)
        try:
            await captcha.retry(self.answer(captcha))
        except CaptchaError as error:
            self.refusals.append(error)


def answers_of(simulator: Simulator) -> list[Entry]:
    keys = {"success_token", "captcha_key"}
    return [entry for entry in simulator.ledger if keys & entry.params.keys()]


@pytest.mark.parametrize("call", [READ, POST], ids=["read", "post"])
async def test_without_a_handler_a_captcha_is_raised_at_once(
    simulator: Simulator, make_client: MakeClient, call: Any
) -> None:
    simulator.fault(faults.captcha(), rate=1)
    async with make_client() as api:
        begin = anyio.current_time()
        with pytest.raises(CaptchaError) as caught:
            await api.call(*call)
        assert anyio.current_time() == begin
    assert caught.value.raw["redirect_uri"].startswith("https://id.vk.ru/")
    assert simulator.ledger.requests == 1


async def test_a_captcha_of_the_old_kind_is_answered_by_sid_and_key(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha("old"))
    solver = Solver(simulator)
    async with make_client(on_captcha=solver) as api:
        assert await api.call(*POST) == {"post_id": 1}
    [captcha] = solver.seen
    [answered] = answers_of(simulator)
    assert captcha.redirect_uri is None
    assert captcha.img == f"https://api.vk.ru/captcha.php?sid={captcha.sid}"
    assert answered.params["captcha_sid"] == captcha.sid
    assert "success_token" not in answered.params
    assert answered.outcome == "carried out"
    assert simulator.ledger.requests == 2


async def test_a_captcha_of_the_new_kind_is_answered_by_a_token_and_all_that_vk_sent(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha("new"))
    solver = Solver(simulator)
    async with make_client(on_captcha=solver) as api:
        await api.call(*POST)
    [captcha] = solver.seen
    [answered] = answers_of(simulator)
    assert "captcha_key" not in answered.params
    for name in ("captcha_sid", "captcha_ts", "captcha_attempt", "remixstlid"):
        assert answered.params[name] == str(captcha.raw[name])
    assert answered.params["message"] == "hello"


class Script:
    """An HTTP client that asks for a captcha once."""

    def __init__(self, error: str) -> None:
        self._bodies = [f'{{"error": {error}}}'.encode(), b'{"response": 1}']
        self.forms: list[dict[str, str]] = []

    async def post(self, url: str, *, content: Any, **_: Any) -> httpx.Response:
        self.forms.append(dict(parse_qsl(content.decode(), keep_blank_values=True)))
        return httpx.Response(200, content=self._bodies.pop(0))

    async def aclose(self) -> None:
        raise AssertionError("it is not the client's to close")


async def answer_raw(
    make_client: MakeClient, error: str, **options: Any
) -> tuple[Captcha, dict[str, str]]:
    """Answer a captcha that VK sends as these bytes.

    :return: the captcha, and the parameters that were added to those of the call
    """
    captchas: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        captchas.append(captcha)
        await captcha.retry("the-answer", **options)

    script = Script(error)
    async with make_client(on_captcha=solve, http_client=script) as api:
        assert await api.call("users.get", {"user_ids": 1}) == 1
    before, after = script.forms
    assert before.items() <= after.items()
    return captchas[0], {k: v for k, v in after.items() if k not in before}


@pytest.mark.parametrize(
    "literal",
    ["1738590926.995", "1738590926.990", "1738590926.0", "1738590926", "1.7385909E9"],
)
async def test_the_time_of_a_captcha_is_sent_back_unchanged(
    make_client: MakeClient, literal: str
) -> None:
    error = (
        f'{{"error_code": 14, "redirect_uri": "https://a/", "captcha_ts": {literal}}}'
    )
    _, params = await answer_raw(make_client, error)
    assert params == {"success_token": "the-answer", "captcha_ts": literal}


async def test_a_captcha_with_nothing_but_its_code_can_be_answered(
    make_client: MakeClient,
) -> None:
    captcha, params = await answer_raw(make_client, '{"error_code": 14}')
    assert (captcha.sid, captcha.img, captcha.redirect_uri) == (None, None, None)
    assert captcha.attempt == 2
    assert captcha.raw == {"error_code": 14}
    assert "captcha_sid" not in params
    assert "the-answer" in params.values()


async def test_fields_of_a_captcha_that_are_null_or_empty_count_as_missing(
    make_client: MakeClient,
) -> None:
    names = ["captcha_sid", "captcha_img", "captcha_ts", "captcha_attempt"]
    error = {"error_code": 14, **dict.fromkeys([*names, "remixstlid"])}
    error["redirect_uri"] = ""
    captcha, params = await answer_raw(make_client, json.dumps(error))
    assert (captcha.sid, captcha.img, captcha.redirect_uri) == (None, None, None)
    assert params == {"captcha_key": "the-answer"}


async def test_a_captcha_of_2026_without_a_sid_is_answered_by_its_token(
    make_client: MakeClient,
) -> None:
    error = {
        "error_code": 14,
        "error_msg": "Captcha need",
        "is_enabled_captcha": True,
        "redirect_uri": "https://id.vk.ru/not_robot_captcha?session_token=1",
        "captcha_stid": "2",
    }
    captcha, params = await answer_raw(make_client, json.dumps(error))
    assert captcha.redirect_uri == error["redirect_uri"]
    assert params == {"success_token": "the-answer"}


async def test_a_cookie_of_the_page_replaces_the_one_in_the_error(
    make_client: MakeClient,
) -> None:
    error = '{"error_code": 14, "redirect_uri": "https://a/", "remixstlid": 1}'
    _, params = await answer_raw(make_client, error, cookie="2")
    assert params == {"success_token": "the-answer", "remixstlid": "2"}


# Wrong answers.


async def test_a_refused_answer_raises_in_the_handler_and_a_fresh_captcha_comes(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    solver = Solver(simulator, wrong=2)
    async with make_client(on_captcha=solver) as api:
        assert await api.call(*POST) == {"post_id": 1}
    assert solver.attempts == [1, 2, 3]
    assert len(solver.refusals) == 2
    assert len({*solver.pages}) == 3
    assert simulator.ledger.requests == 4


async def test_a_refused_answer_that_the_handler_lets_through_is_asked_again(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    pages: list[str | None] = []

    async def solve(captcha: Captcha) -> None:
        pages.append(captcha.redirect_uri)
        right = len(pages) == 3
        await captcha.retry(simulator.solve(pages[-1] or "") if right else "wrong")

    async with make_client(on_captcha=solve) as api:
        await api.call(*POST)
    assert len({*pages}) == 3


async def test_a_refused_answer_can_be_corrected_in_place(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    called = 0

    async def solve(captcha: Captcha) -> None:
        nonlocal called
        called += 1
        with pytest.raises(CaptchaError):
            await captcha.retry("wrong")
        assert captcha.attempt == 2
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    async with make_client(on_captcha=solve) as api:
        await api.call(*POST)
    assert called == 1
    assert simulator.ledger.requests == 3


async def test_after_five_wrong_answers_the_call_fails(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    solver = Solver(simulator, wrong=100)
    async with make_client(on_captcha=solver) as api:
        with pytest.raises(CaptchaError):
            await api.call(*POST)
    assert solver.attempts == [1, 2, 3, 4, 5]
    assert simulator.ledger.requests == 6


async def test_a_handler_that_answers_in_place_for_ever_is_stopped(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    rounds = 0

    async def solve(captcha: Captcha) -> None:
        nonlocal rounds
        while rounds < 20:  # in place of an endless loop
            rounds += 1
            try:
                await captcha.retry("wrong")
            except CaptchaError:
                continue

    async with make_client(on_captcha=solve) as api:
        with pytest.raises(CaptchaError):
            await api.call(*POST)
    assert simulator.ledger.requests == 6
    assert rounds <= 6


async def test_a_method_that_asks_for_ever_gets_five_answers(
    simulator: Simulator, make_client: MakeClient
) -> None:
    solver = Solver(simulator)
    async with make_client(on_captcha=solver) as api:
        with pytest.raises(CaptchaError):
            await api.call("captcha.force")
    assert solver.attempts == [1, 2, 3, 4, 5]


async def test_another_error_after_the_right_answer_goes_to_the_caller(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    simulator.fault(faults.error(100), nth=2)
    solver = Solver(simulator)
    async with make_client(on_captcha=solver) as api:
        with pytest.raises(APIError[100]):
            await api.call(*POST)
    assert solver.refusals == []
    assert simulator.ledger.requests == 2


async def test_a_lost_verdict_on_a_write_leaves_its_outcome_unknown(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    simulator.fault(faults.drop_after(), nth=2)
    seen: list[VKError] = []

    async def solve(captcha: Captcha) -> None:
        try:
            await captcha.retry(simulator.solve(captcha.redirect_uri or ""))
        except VKError as error:
            seen.append(error)

    async with make_client(on_captcha=solve) as api:
        with pytest.raises(OutcomeUnknownError) as caught:
            await api.call(*POST)
    assert isinstance(caught.value.__cause__, ConnectionFailedError)
    assert [type(error) for error in seen] == [ConnectionFailedError]
    assert len(simulator.ledger.carried_out()) == 1


async def test_a_read_whose_verdict_was_lost_is_retried(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.captcha())
    simulator.fault(faults.drop_after(), nth=2)
    solver = Solver(simulator)
    async with make_client(on_captcha=solver) as api:
        [user] = await api.call(*READ)
    assert user["id"] == 1
    # An answer is valid for one call: the simulator wants another the second time.
    first, second, third = (e.params["success_token"] for e in answers_of(simulator))
    assert first == second != third
    assert len(solver.refusals) == 1
