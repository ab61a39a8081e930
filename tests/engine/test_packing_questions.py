"""Captchas and other questions about a call that shares an ``execute``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import get
from _packing import done, one_a_second, plain_calls, post, scripts, together
from vkanyio import (
    CaptchaError,
    ConfirmationError,
    FloodControlError,
    ParameterError,
    ValidationError,
    VKError,
)
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient
    from vkanyio import Captcha, Confirmation, Validation

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.client_options(mode="parallel"),
    pytest.mark.usefixtures("echoes"),
]


@pytest.mark.parametrize("kind", ["new", "old"])
async def test_a_captcha_is_answered_for_its_call_alone(
    simulator: Simulator, make_client: MakeClient, kind: Any
) -> None:
    seen: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        seen.append(captcha)
        await captcha.retry(simulator.solve(captcha.redirect_uri or captcha.sid or ""))

    simulator.fault(faults.captcha(kind), "test.post", nth=5)
    async with make_client(on_captcha=solve) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 1, 1: 1}
    [captcha] = seen
    [plain] = plain_calls(simulator)
    assert plain.params["id"] == str(captcha.request.params["id"])
    assert done(simulator) == [*range(25)]


async def test_captchas_of_a_batch_are_asked_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    seen: list[Captcha] = []

    async def solve(captcha: Captcha) -> None:
        seen.append(captcha)
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.captcha(), "test.post", times=5)
    async with make_client(on_captcha=solve) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        assert api.statistics().batches == {25: 1, 1: 5}
    assert len(seen) == 1
    assert done(simulator) == [*range(25)]


async def test_a_captcha_of_a_later_batch_is_asked_at_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    async with make_client(on_captcha=solve) as api:
        for _ in range(2):
            simulator.fault(faults.captcha(), "test.post")
            await together(api, map(post, range(5)))
        # The second is not retried in hope of the first one's answer.
        assert api.statistics().batches == {5: 2, 1: 2}


async def test_the_timestamp_of_a_captcha_in_a_batch_is_sent_back_unchanged(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.error(100), "test.get")
    simulator.fault(faults.captcha(), "test.post", nth=2)
    async with make_client(on_captcha=solve) as api:
        outcomes = await together(api, [get(0), *map(post, range(1, 6))])
    assert type(outcomes[0]) is ParameterError
    assert outcomes[1:] == [*range(1, 6)]
    [plain] = plain_calls(simulator)
    assert "." in plain.params["captcha_ts"]


async def test_a_batch_waits_for_nothing_while_a_captcha_is_answered(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(100)
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    simulator.fault(faults.captcha(), "test.post")
    async with make_client(on_captcha=solve) as api, anyio.create_task_group() as tg:
        tg.start_soon(together, api, map(post, range(3)))
        await anyio.sleep(1)
        with anyio.fail_after(1):  # reads pass by
            assert await together(api, map(get, range(10, 20))) == [*range(10, 20)]
        writes = map(post, range(20, 30))
        with anyio.move_on_after(1) as scope:
            await together(api, writes)
        assert scope.cancelled_caught
    assert [i for i in done(simulator) if i >= 20] == []


async def test_half_a_batch_waits_while_a_captcha_of_the_other_half_is_answered(
    simulator: Simulator, make_client: MakeClient
) -> None:
    answered: list[float] = []

    async def solve(captcha: Captcha) -> None:
        await anyio.sleep(100)
        assert done(simulator) == []
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))
        answered.append(anyio.current_time())

    simulator.fault(faults.error(12), "execute")
    simulator.fault(faults.captcha(), "test.post", times=2)
    async with one_a_second(make_client, on_captcha=solve) as api:
        assert await together(api, map(post, range(4))) == [*range(4)]
    assert len(answered) == 1
    assert done(simulator) == [*range(4)]


async def test_a_confirmation_is_given_for_its_call_alone(
    simulator: Simulator, make_client: MakeClient
) -> None:
    seen: list[Confirmation] = []

    async def agree(question: Confirmation) -> bool:
        seen.append(question)
        return True

    simulator.fault(faults.confirmation("Sure?"), "test.post", nth=5)
    async with make_client(on_confirmation=agree) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
    assert [question.text for question in seen] == ["Sure?"]
    [plain] = plain_calls(simulator)
    assert plain.params["confirm"] == "1"
    assert done(simulator) == [*range(25)]


async def test_a_validation_brings_a_token_and_its_call_goes_on(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def open_page(_: Validation) -> str:
        return "a-new-token"

    simulator.fault(faults.validation(), "test.post", nth=5)
    async with make_client(on_validation=open_page) as api:
        assert await together(api, map(post, range(25))) == [*range(25)]
        await together(api, map(post, range(25, 30)))
    [plain] = plain_calls(simulator)
    assert plain.token == 1
    assert scripts(simulator)[-1].token == 1
    assert done(simulator) == [*range(30)]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.captcha(), CaptchaError),
        (faults.confirmation(), ConfirmationError),
        (faults.validation(), ValidationError),
        (faults.error(9), FloodControlError),
    ],
    ids=["captcha", "confirmation", "validation", "flood"],
)
async def test_an_unanswered_question_is_the_error_of_its_call(
    simulator: Simulator, make_client: MakeClient, fault: Any, kind: type[VKError]
) -> None:
    simulator.fault(fault, "test.post", nth=5)
    async with make_client() as api:
        outcomes = await together(api, map(post, range(25)))
        assert api.statistics().batches == {25: 1}
    errors = [outcome for outcome in outcomes if isinstance(outcome, VKError)]
    assert [type(error) for error in errors] == [kind]
    assert len(done(simulator)) == 24
