"""`error.is_transient` of the errors that callers get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from _helpers import READ, both_calls, gather
from vkanyio import VK, HTTPResponse, OutcomeUnknownError, VKError
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from _helpers import MakeClient

pytestmark = pytest.mark.anyio

FAULTS = [
    (faults.error(1), True),
    (faults.error(6), True),
    (faults.error(10), True),
    (faults.error(36), True),
    (faults.html(429), True),
    (faults.html(408), True),
    (faults.html(502), True),
    (faults.body(b"<!--"), True),
    (faults.refuse(), True),
    (faults.drop_before(), True),
    (faults.hang_before(), True),
    (faults.html(404), False),
    (faults.error(5), False),
    (faults.error(9), False),
    (faults.error(29), False),
    (faults.error(901), False),
    (faults.captcha(), False),
    (faults.validation(), False),
]
each_fault = pytest.mark.parametrize(
    ("fault", "is_transient"),
    FAULTS,
    ids=[f"{number}-{fault.name}" for number, (fault, _) in enumerate(FAULTS)],
)


async def error_of(api: VK, call: Any) -> VKError:
    with pytest.raises(VKError) as caught:
        await api.call(*call)
    return caught.value


@each_fault
@both_calls
async def test_it_tells_whether_to_try_later(
    simulator: Simulator,
    make_client: MakeClient,
    call: Any,
    fault: faults.Fault,
    is_transient: bool,
) -> None:
    simulator.fault(fault, rate=1)
    async with make_client() as api:
        error = await error_of(api, call)
    assert error.is_transient is (
        is_transient and not isinstance(error, OutcomeUnknownError)
    )


@each_fault
async def test_it_is_the_same_for_calls_in_a_batch(
    simulator: Simulator,
    make_client: MakeClient,
    fault: faults.Fault,
    is_transient: bool,
) -> None:
    simulator.fault(fault, rate=1)
    async with make_client(mode="parallel") as api:
        errors = await gather(*[lambda: error_of(api, READ)] * 3)
    assert [error.is_transient for error in errors] == [is_transient] * 3


async def test_an_http_client_that_fails_by_itself_is_no_reason_to_try_later() -> None:
    class Broken:
        async def post(self, url: str, **arguments: Any) -> HTTPResponse:
            raise ZeroDivisionError(url)

    async with VK("any", http_client=Broken()) as api:
        error = await error_of(api, READ)
    assert not error.is_transient
