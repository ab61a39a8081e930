"""Carry out one call, apply its fault, and record it in the ledger."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, final

import anyio
import attrs

from ._call import Call, Reply, SimulatedMethod
from ._errors import JSON, VKFault
from ._ledger import Entry, Ledger
from ._wire import SimulatedResponse, error_response, value_response
from .faults import Fault, Mishap, Refusal, captcha

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._captcha import Captchas
    from ._quotas import Quotas
    from ._rules import Rules


@final
@attrs.frozen(eq=False)
class Backend:
    """What all calls share."""

    methods: dict[str, SimulatedMethod]
    rules: Rules
    captchas: Captchas
    ledger: Ledger
    quotas: Quotas
    between: dict[str, list[Callable[[], object]]] = attrs.field(
        factory=dict[str, list["Callable[[], object]"]]
    )
    """What happens between two calls of a method."""

    def fault_for(
        self, method: str, params: Mapping[str, str], now: float, *, inner: bool = False
    ) -> Fault | None:
        """Choose the fault for a call.

        :param method: the method that is called
        :param params: its parameters
        :param now: the time
        :param inner: whether the call is inside an ``execute``
        :return: the fault, if any
        """
        verdict = self.captchas.judge(params, now)
        if verdict == "wrong":
            return captcha(self.captchas.kind_to_ask_next(params, now))
        excused: set[str] = set()
        if verdict == "right":
            excused.add("captcha")
        if params.get("confirm") == "1":
            excused.add("confirmation")
        return self.rules.pick(method, excused, inner=inner)


@final
@attrs.frozen(eq=False, kw_only=True)
class Visit:
    """An HTTP request that has arrived, with one call or several."""

    backend: Backend
    number: int
    token: int | None

    async def invoke(self, inner: Call) -> JSON:
        """Carry out a call made from within another one.

        :param inner: the call
        :return: the method's value
        :raises VKFault: if it is refused
        """
        fault = self.backend.fault_for(
            inner.method, inner.params, inner.time, inner=True
        )
        return await SimulatedAttempt(self, inner, fault).invoke()


@attrs.frozen(eq=False)
class SimulatedAttempt:
    """A call that was admitted, or is about to be refused."""

    visit: Visit
    call: Call
    fault: Fault | None = None

    async def run(self) -> SimulatedResponse:
        """Carry out the call, subject to its fault.

        :return: the response
        :raises ConnectionFault: if the client should see the connection fail
        """
        if isinstance(self.fault, Mishap):
            return await self.fault.strike(self)
        return await self.carry_out()

    async def carry_out(self) -> SimulatedResponse:
        """Execute the method, and record that in the ledger.

        :return: the response, which may be a refusal
        """
        try:
            reply = await self._perform()
        except VKFault as refusal:
            return self.refuse(refusal)
        return value_response(reply.response, reply.execute_errors)

    async def invoke(self) -> JSON:
        """Execute the method, and record that in the ledger.

        :return: the method's value
        :raises VKFault: if the call is refused
        """
        try:
            return (await self._perform()).response
        except VKFault as refusal:
            self._note(refusal.code)
            raise

    def refuse(self, refusal: VKFault) -> SimulatedResponse:
        """Refuse the call, and record that in the ledger.

        :param refusal: VK's error
        :return: the response
        """
        self._note(refusal.code)
        return error_response(refusal, self.call.method, self.call.params)

    def lose(self) -> None:
        """Record in the ledger that the fault prevented the call."""
        assert self.fault is not None
        self._note(self.fault.name)

    async def _perform(self) -> Reply:
        call, backend = self.call, self.visit.backend
        if isinstance(self.fault, Refusal):
            raise self.fault.refuse(backend.captchas, call.time)
        if (method := backend.methods.get(call.method)) is None:
            raise VKFault(3)
        if not call.params.get("v"):
            raise VKFault(8, "Invalid request: v (version) is required")
        method.check(call)
        backend.quotas.spend(call, self.visit.token)
        result = method.handler(call)
        if inspect.isawaitable(result):
            result = await result
        reply = result if isinstance(result, Reply) else Reply(result)
        self._note("repeated" if reply.repeated else "carried out")
        for change in backend.between.get(call.method, ()):
            change()
        return reply

    def _note(self, outcome: int | str) -> None:
        self.visit.backend.ledger.append(
            Entry(
                time=anyio.current_time(),
                request=self.visit.number,
                token=self.visit.token,
                method=self.call.method,
                params=self.call.params,
                outcome=outcome,
                fault=self.fault.name if self.fault else None,
            )
        )
