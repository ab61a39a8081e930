"""Functions of the user see the context variables of the caller, where there is one."""

from __future__ import annotations

import gc
import weakref
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, final

import anyio
import pytest

from _helpers import Reply, gather, get, settle, solve_by
from _probe import Probe
from vkanyio import (
    CallEnded,
    CallStarted,
    CaptchaError,
    HTTPResponse,
    RequestEnded,
    RequestStarted,
)
from vkanyio._engine import _questions, _session
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from _helpers import MakeClient
    from vkanyio import Captcha, Confirmation, Event, Validation

pytestmark = pytest.mark.anyio

user: ContextVar[str] = ContextVar("user", default="nobody")


async def call_as(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
    """Make a call in a task with a context variable of its own."""
    user.set(name)
    value = await call()
    assert user.get() == name
    return value


def as_user(name: str, call: Callable[[], Awaitable[Any]]) -> Callable[[], Any]:
    return partial(call_as, name, call)


@pytest.fixture
def seen() -> list[str]:
    """What the functions see."""
    return []


@pytest.fixture
def options(simulator: Simulator, seen: list[str]) -> dict[str, Any]:
    """Functions that answer every question, and note the context variable."""

    async def note_user() -> None:
        seen.append(user.get())
        await anyio.sleep(1)
        seen.append(user.get())
        user.set("the function's own")

    async def on_captcha(captcha: Captcha) -> None:
        await note_user()
        await solve_by(simulator, captcha)

    async def on_confirmation(confirmation: Confirmation) -> bool:
        await note_user()
        return True

    async def on_validation(validation: Validation) -> str:
        await note_user()
        return "a-new-token"

    return {
        "on_captcha": on_captcha,
        "on_confirmation": on_confirmation,
        "on_validation": on_validation,
    }


QUESTIONS = [faults.captcha(), faults.confirmation(), faults.validation()]
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda it: it.name)


@each_question
async def test_a_function_that_answers_sees_the_variables_of_the_caller(
    simulator: Simulator,
    make_client: MakeClient,
    options: dict[str, Any],
    seen: list[str],
    question: faults.Fault,
) -> None:
    user.set("the one who entered")
    async with make_client(**options) as api:
        simulator.fault(question)
        await gather(as_user("anna", api.users.get))
        simulator.fault(question)
        await gather(as_user("boris", api.users.get))
        simulator.fault(question)
        await api.users.get()
    assert seen == ["anna"] * 2 + ["boris"] * 2 + ["the one who entered"] * 2
    assert user.get() == "the one who entered"


async def test_a_variable_that_the_caller_does_not_have_is_not_set(
    simulator: Simulator,
    make_client: MakeClient,
    options: dict[str, Any],
    seen: list[str],
) -> None:
    entered, done = anyio.Event(), anyio.Event()
    clients: list[Any] = []

    async def keep_open() -> None:
        user.set("the one who entered")
        async with make_client(**options) as api:
            clients.append(api)
            entered.set()
            await done.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_open)
        await entered.wait()
        simulator.fault(faults.captcha())
        await clients[0].users.get()
        done.set()
    assert seen == ["nobody"] * 2


async def test_each_call_of_a_batch_has_variables_of_its_own(
    simulator: Simulator,
    make_client: MakeClient,
    options: dict[str, Any],
    seen: list[str],
) -> None:
    simulator.fault(faults.confirmation(), "users.get")
    simulator.fault(faults.confirmation(), "groups.getById")
    async with make_client(mode="parallel", **options) as api:
        await gather(
            as_user("anna", api.users.get),
            as_user("boris", partial(api.groups.getById, group_ids=["1"])),
            as_user("daria", api.wall.get),
        )
        assert 3 in api.statistics().batches
    assert sorted(seen) == ["anna"] * 2 + ["boris"] * 2


async def test_what_a_function_raises_is_the_cause_as_before(
    simulator: Simulator, make_client: MakeClient
) -> None:
    async def on_captcha(captcha: Captcha) -> None:
        raise LookupError(user.get())

    simulator.fault(faults.captcha())
    async with make_client(on_captcha=on_captcha) as api:
        with pytest.raises(CaptchaError) as caught:
            await call_as("anna", api.users.get)
    assert repr(caught.value.__cause__) == "LookupError('anna')"


@pytest.fixture
def events() -> list[tuple[type, str]]:
    """The events, each with the context variable that was seen."""
    return []


@pytest.fixture
def on_event(events: list[tuple[type, str]]) -> Callable[[Event], None]:
    return lambda event: events.append((type(event), user.get()))


async def test_the_events_of_a_plain_call_see_the_variables_of_the_caller(
    simulator: Simulator,
    make_client: MakeClient,
    on_event: Any,
    events: list[tuple[type, str]],
) -> None:
    simulator.fault(faults.error(10), "users.get")
    async with make_client(on_event=on_event) as api:
        await gather(as_user("anna", api.users.get))
    attempt = [RequestStarted, RequestEnded]
    kinds = [CallStarted, *attempt, *attempt, CallEnded]
    assert events == [(kind, "anna") for kind in kinds]


async def test_a_request_with_several_callers_has_the_variables_of_none(
    make_client: MakeClient, on_event: Any, events: list[tuple[type, str]]
) -> None:
    async with make_client(mode="parallel", on_event=on_event) as api:
        await gather(as_user("anna", api.users.get), as_user("boris", api.wall.get))
    assert sorted(events[:2], key=str) == [
        (CallStarted, "anna"),
        (CallStarted, "boris"),
    ]
    assert events[2:4] == [(RequestStarted, "nobody"), (RequestEnded, "nobody")]
    assert {name for kind, name in events if kind is CallEnded} == {"anna", "boris"}


@pytest.mark.usefixtures("echoes")
async def test_a_call_that_no_task_waits_for_has_those_of_the_task_that_made_it(
    make_client: MakeClient, on_event: Any, events: list[tuple[type, str]]
) -> None:
    ended: list[str] = []
    async with make_client(on_event=on_event) as api:

        async def submit() -> None:
            user.set("anna")
            Probe(api).caller.submit(get(1), lambda request: ended.append(user.get()))

        await gather(submit)
    kinds = [CallStarted, RequestStarted, RequestEnded, CallEnded]
    assert events == [(kind, "anna") for kind in kinds]
    assert ended == ["nobody"]


async def test_a_function_for_events_cannot_change_the_variables_of_others(
    make_client: MakeClient, seen: list[str]
) -> None:
    def on_event(event: Event) -> None:
        if isinstance(event, RequestStarted | RequestEnded):
            seen.append(user.get())
            user.set("of the event")

    async with make_client(on_event=on_event) as api:
        await gather(as_user("anna", api.users.get))
    assert seen == ["anna"] * 2


async def test_without_such_functions_no_context_is_kept(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (_session, _questions):
        monkeypatch.setattr(module, "copy_context", pytest.fail)
    for mode in ("sequential", "parallel"):
        async with make_client(mode=mode) as api:
            await gather(api.users.get, api.wall.get)


@final
class Client:
    """An HTTP client that notes the context variable."""

    def __init__(self, seen: list[str]) -> None:
        self._seen = seen

    async def post(self, url: str, **_: Any) -> HTTPResponse:
        """Respond with a value."""
        self._seen.append(user.get())
        return Reply()


@pytest.mark.parametrize("token", [None, "another"])
async def test_an_http_client_sees_the_variables_of_the_block(
    make_client: MakeClient, seen: list[str], token: str | None
) -> None:
    async with make_client(http_client=Client(seen)) as api:
        call = partial(api.call, "users.get", {"access_token": token})
        for _ in range(2):
            await gather(as_user("anna", call))
            await gather(as_user("boris", call), as_user("daria", call))
    assert seen == ["nobody"] * 6


async def test_a_lane_does_not_keep_the_context_of_the_call_that_it_was_made_for(
    make_client: MakeClient,
) -> None:
    class Kept(str):
        __slots__ = ("__weakref__",)

    kept: list[weakref.ref[Kept]] = []

    async def call() -> None:
        name = Kept("anna")
        kept.append(weakref.ref(name))
        user.set(name)
        await api.call("users.get", {"access_token": "another"})

    async with make_client() as api:
        await gather(call)
        await settle()
        gc.collect()
        assert len(Probe(api).lanes) == 2
        assert kept[0]() is None
