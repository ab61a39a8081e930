"""Carry out one call, apply its fault, and record it in the ledger."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeAlias, final

import anyio
import attrs

from ._call import Call, Reply, SimulatedMethod
from ._errors import JSON, ConnectionDropped, VKFault
from ._ledger import Entry, Ledger
from ._wire import SimulatedResponse, error_response, value_response
from .faults import Fault, Mishap, Refusal, Refuse, captcha

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ._captcha import Captchas
    from ._quotas import Quotas
    from ._rules import Rules

Change: TypeAlias = "Callable[[SimulatedResponse], Awaitable[SimulatedResponse]]"
"""What becomes of a response: another one, a failure of the connection, or nothing."""


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
class CallPrevented(Exception):
    """Raised where a fault prevents a call, to end the whole request with it.

    :param fault: the name of the fault
    :param happen: what happens to the request: it returns a response, raises
        :exc:`ConnectionFault`, or does not return
    """

    def __init__(
        self, fault: str, happen: Callable[[], Awaitable[SimulatedResponse]]
    ) -> None:
        super().__init__(fault)
        self.fault = fault
        self.happen = happen


@final
@attrs.frozen(eq=False, kw_only=True)
class Visit:
    """An HTTP request that has arrived, with one call or several.

    :ivar changes: what becomes of the response by the faults of the calls, in order
    """

    backend: Backend
    number: int
    token: int | None
    changes: list[Change] = attrs.field(factory=list["Change"], init=False)

    async def invoke(self, inner: Call) -> JSON:
        """Carry out a call made from within another one.

        :param inner: the call
        :return: the method's value
        :raises VKFault: if it is refused
        :raises CallPrevented: if its fault ends the request
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
        """Carry out the call, subject to its fault and those of the calls in it.

        :return: the response
        :raises ConnectionFault: if the client should see the connection fail
        """
        try:
            await self._meet_fault()
            response = await self.carry_out()
        except CallPrevented as prevented:
            return await prevented.happen()
        for change in self.visit.changes:
            response = await change(response)
        return response

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
        :raises CallPrevented: if its fault ends the request
        """
        await self._meet_fault()
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

    async def _meet_fault(self) -> None:
        """Let a fault of the request happen, as far as it precedes the call."""
        fault = self.fault
        if isinstance(fault, Refuse):
            # This call is inside another one, so there is a connection.
            self._note(fault.name)
            raise CallPrevented(fault.name, _drop)
        if not isinstance(fault, Mishap):
            return
        if fault.lag:
            await anyio.sleep(fault.lag)
        if fault.instead is not None:
            self._note(fault.name)
            raise CallPrevented(fault.name, fault.instead)
        if fault.then is not None:
            self.visit.changes.append(fault.then)

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
        try:
            result = method.handler(call)
            if inspect.isawaitable(result):
                result = await result
        except CallPrevented as prevented:
            self._note(prevented.fault)  # what the script has done until then is done
            raise
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


async def _drop() -> SimulatedResponse:
    raise ConnectionDropped
