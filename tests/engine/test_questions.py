"""Confirmation, validation and the token that it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from _helpers import gather
from vkanyio import (
    AuthError,
    Captcha,
    Confirmation,
    ConfirmationError,
    OutcomeUnknownError,
    TokenExpiredError,
    Validation,
    ValidationError,
)
from vkanyio.testing import Call, Simulator, VKFault, faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from _helpers import MakeClient

    Solve = Callable[[Captcha], Awaitable[None]]

pytestmark = pytest.mark.anyio

TOKEN = "vk1.a.the-secret-token"
NEW_TOKEN = "vk1.a.the-token-after-validation"
OTHER_TOKEN = "vk1.a.another-token"


@pytest.fixture
def solve(simulator: Simulator) -> Solve:
    """An ``on_captcha`` that answers correctly."""

    async def solve(captcha: Captcha) -> None:
        await captcha.retry(simulator.solve(captcha.redirect_uri or ""))

    return solve


# Confirmation.


async def agree(question: Confirmation) -> bool:
    return True


async def test_a_confirmed_call_is_sent_with_the_confirmation(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.confirmation("Really?"), "wall.post", times=2)
    questions: list[Confirmation] = []

    async def decide(question: Confirmation) -> bool:
        questions.append(question)
        return True

    async with make_client(on_confirmation=decide) as api:
        assert await api.wall.post(message="hello") == {"post_id": 1}
        await api.users.get(user_ids=[1])
    [question] = questions
    assert question.text == "Really?"
    assert question.request.method == "wall.post"
    assert question.raw["error_code"] == 24
    confirmations = [entry.params.get("confirm") for entry in simulator.ledger]
    assert confirmations == [None, "1", None]


async def test_a_call_that_is_not_confirmed_fails(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.confirmation(), rate=1)

    async def decline(question: Confirmation) -> bool:
        return False

    async with make_client(on_confirmation=decline) as api:
        with pytest.raises(ConfirmationError) as caught:
            await api.wall.post(message="hello")
    assert caught.value.__cause__ is None
    assert simulator.ledger.requests == 1


async def test_an_error_of_the_confirmation_handler_is_the_cause(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.confirmation())

    async def fail(question: Confirmation) -> bool:
        raise KeyError("nobody home")

    async with make_client(on_confirmation=fail) as api:
        with pytest.raises(ConfirmationError) as caught:
            await api.wall.post(message="hello")
        await api.users.get(user_ids=[1])
    assert isinstance(caught.value.__cause__, KeyError)


async def test_the_same_call_is_confirmed_only_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.error(24), rate=1)
    async with make_client(on_confirmation=agree) as api:
        with pytest.raises(ConfirmationError):
            await api.wall.post(message="hello")
    assert simulator.ledger.requests == 2


async def test_two_calls_are_confirmed_separately(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.confirmation(), rate=1)

    async def only_the_first(question: Confirmation) -> bool:
        return question.request.params["message"] == "first"

    async with make_client(on_confirmation=only_the_first) as api:

        async def second() -> None:
            with pytest.raises(ConfirmationError):
                await api.wall.post(message="second")

        await gather(lambda: api.wall.post(message="first"), second)
    [post] = simulator.ledger.carried_out()
    assert post.params["message"] == "first"


async def test_a_lost_response_to_a_confirmed_write_leaves_its_outcome_unknown(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.confirmation(), "wall.post")
    simulator.fault(faults.drop_after(), "wall.post", nth=2)
    async with make_client(on_confirmation=agree) as api:
        with pytest.raises(OutcomeUnknownError):
            await api.wall.post(message="hello")
    assert simulator.ledger.requests == 2


# Validation, and tokens that are replaced by it.


async def validate(question: Validation) -> str:
    return NEW_TOKEN


def tokens_of(simulator: Simulator) -> list[int | None]:
    return [entry.token for entry in simulator.ledger]


async def test_the_token_of_a_validation_serves_all_later_calls(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.validation("https://vk.ru/validate"))
    questions: list[Validation] = []

    async def open_page(question: Validation) -> str:
        questions.append(question)
        return NEW_TOKEN

    async with make_client(on_validation=open_page) as api:
        await api.wall.post(message="hello")
        simulator.expire(TOKEN)
        await api.users.get(user_ids=[1])
        await api.call("users.get", {"access_token": TOKEN})
    [question] = questions
    assert question.redirect_uri == "https://vk.ru/validate"
    assert question.request.method == "wall.post"
    assert tokens_of(simulator) == [0, 1, 1, 1]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "two words",
        "Ключ",
        None,
        5,
        "https://oauth.vk.ru/blank.html#success=1&access_token=abc&user_id=1",
    ],
)
async def test_a_validation_that_brings_no_token_fails_the_call(
    simulator: Simulator, make_client: MakeClient, token: Any
) -> None:
    simulator.fault(faults.validation())

    async def open_page(question: Validation) -> Any:
        return token

    async with make_client(on_validation=open_page) as api:
        with pytest.raises(ValidationError) as caught:
            await api.wall.post(message="hello")
        await api.users.get(user_ids=[1])
    assert isinstance(caught.value.__cause__, TypeError | ValueError)
    assert tokens_of(simulator) == [0, 0]


async def test_an_error_of_the_validation_handler_is_the_cause(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.validation())

    async def open_page(question: Validation) -> str:
        raise KeyError("no browser")

    async with make_client(on_validation=open_page) as api:
        with pytest.raises(ValidationError) as caught:
            await api.wall.post(message="hello")
    assert isinstance(caught.value.__cause__, KeyError)


async def test_a_validation_that_several_calls_meet_at_once_is_asked_once(
    far_simulator: Simulator, make_client: MakeClient
) -> None:
    simulator = far_simulator
    simulator.fault(faults.validation(), times=2)
    asked = 0

    async def open_page(question: Validation) -> str:
        nonlocal asked
        asked += 1
        await anyio.sleep(60)
        return NEW_TOKEN

    async with make_client(
        on_validation=open_page,
        request_mode="burst",
        http_client=simulator.http_client(),
    ) as api:
        await gather(
            lambda: api.users.get(user_ids=[1]), lambda: api.wall.post(message="hello")
        )
    assert asked == 1
    assert tokens_of(simulator) == [0, 0, 1, 1]


async def test_an_endless_validation_is_asked_once(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.validation(), rate=1)
    async with make_client(on_validation=validate) as api:
        with pytest.raises(ValidationError):
            await api.users.get(user_ids=[1])
    assert simulator.ledger.requests == 2


async def test_a_token_of_a_call_is_replaced_for_that_token_only(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.validation())
    async with make_client(on_validation=validate) as api:
        await api.call("users.get", {"access_token": OTHER_TOKEN})
        await api.users.get(user_ids=[1])
        await api.call("users.get", {"access_token": OTHER_TOKEN})
    assert tokens_of(simulator) == [0, 1, 2, 1]


async def test_a_replaced_token_of_a_call_is_remembered_over_idle_time(
    simulator: Simulator, make_client: MakeClient
) -> None:
    simulator.fault(faults.validation())
    async with make_client(on_validation=validate) as api:
        await api.call("users.get", {"access_token": OTHER_TOKEN})
        await anyio.sleep(3600)
        await api.call("users.get", {"access_token": "a-third-token"})
        await anyio.sleep(3600)
        await api.call("users.get", {"access_token": OTHER_TOKEN})
    assert tokens_of(simulator) == [0, 1, 2, 1]


@pytest.mark.parametrize(
    ("code", "kind"), [(5, AuthError), (1117, TokenExpiredError)], ids=["5", "1117"]
)
@pytest.mark.parametrize("again", [False, True], ids=["once", "always"])
async def test_a_call_refused_for_its_old_token_is_retried_with_the_new_one(
    simulator: Simulator,
    make_client: MakeClient,
    code: int,
    kind: type[Exception],
    again: bool,
) -> None:
    simulator.fault(faults.validation(), "users.get")
    tokens: list[str] = []

    async def post(call: Call) -> int:
        tokens.append(f"{call.account.id}")
        if again or len(tokens) == 1:
            await anyio.sleep(5)
            raise VKFault(code)
        return 1

    simulator.add_method("wall.post", post)
    async with make_client(on_validation=validate) as api:

        async def write() -> None:
            if not again:
                assert await api.call("wall.post", {"message": "hello"}) == 1
                return
            with pytest.raises(kind):
                await api.wall.post(message="hello")

        async def meet_validation() -> None:
            await anyio.sleep(1)
            await api.users.get(user_ids=[1])

        await gather(write, meet_validation)
    assert len(tokens) == len({*tokens}) == 2


# One question after another about the same call.


async def test_a_captcha_and_then_a_confirmation_are_both_answered(
    simulator: Simulator, make_client: MakeClient, solve: Solve
) -> None:
    simulator.fault(faults.captcha(), "wall.post")
    simulator.fault(faults.confirmation(), "wall.post", nth=2)
    async with make_client(on_captcha=solve, on_confirmation=agree) as (api):
        assert await api.wall.post(message="hello") == {"post_id": 1}
    assert len(simulator.ledger.carried_out()) == 1


async def test_a_captcha_and_then_a_validation_are_both_answered(
    simulator: Simulator, make_client: MakeClient, solve: Solve
) -> None:
    simulator.fault(faults.captcha(), "wall.post")
    simulator.fault(faults.validation(), "wall.post", nth=2)
    async with make_client(on_captcha=solve, on_validation=validate) as (api):
        assert await api.wall.post(message="hello") == {"post_id": 1}


async def test_a_confirmation_and_then_a_captcha_are_both_answered(
    simulator: Simulator, make_client: MakeClient, solve: Solve
) -> None:
    simulator.fault(faults.confirmation(), "wall.post")
    simulator.fault(faults.captcha(), "wall.post", nth=2)
    async with make_client(on_captcha=solve, on_confirmation=agree) as api:
        assert await api.wall.post(message="hello") == {"post_id": 1}
    assert simulator.ledger[-1].params["confirm"] == "1"
