"""OpenTelemetry spans and metrics; needs the extra ``opentelemetry``.

::

    async with VK(token, on_event=OpenTelemetry()) as api:
        ...
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, final

from ._extras import without_extra

if find_spec("opentelemetry") is None:
    raise without_extra(__name__, "opentelemetry")

from opentelemetry.metrics import get_meter
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    get_tracer,
    set_span_in_context,
)

from . import CallEnded, CallStarted, RequestEnded, RequestStarted
from ._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from . import Event

__all__ = ["OpenTelemetry"]


@final
class OpenTelemetry:
    """Record spans and metrics for the calls of a client; pass it as ``on_event``.

    Each call has a span named after its method, a child of the span that was current
    when the call was made. Each HTTP request has its own span: a child of its call, or,
    if the request carries several calls, a span with links to them.

    The metrics are histograms. In seconds: ``vk.call.duration``, ``vk.call.wait`` (from
    a call to its first request) and ``vk.request.duration``. In calls:
    ``vk.request.calls``, the number of calls that a request carried.

    :param tracer_provider: the provider of the tracer, by default the global one
    :param meter_provider: the provider of the meter, by default the global one
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._tracer = get_tracer("vkanyio", __version__, tracer_provider)
        meter = get_meter("vkanyio", __version__, meter_provider)
        self._call_duration = meter.create_histogram(
            "vk.call.duration", "s", "Duration of calls, as seen by the caller."
        )
        self._call_wait = meter.create_histogram(
            "vk.call.wait", "s", "Time that calls waited for the rate limit."
        )
        self._request_duration = meter.create_histogram(
            "vk.request.duration", "s", "Duration of HTTP requests."
        )
        self._request_calls = meter.create_histogram(
            "vk.request.calls", "{call}", "Number of calls per HTTP request."
        )
        self._calls: dict[int, Span] = {}
        self._requests: dict[int, Span] = {}

    def __call__(self, event: Event) -> None:
        """Record an event."""
        if isinstance(event, CallStarted):
            self._calls[event.call] = self._tracer.start_span(
                event.method,
                kind=SpanKind.INTERNAL,
                attributes=_method_attributes(event),
            )
        elif isinstance(event, RequestStarted):
            self._start_request(event)
        elif isinstance(event, CallEnded):
            self._end_call(event)
        elif isinstance(event, RequestEnded):
            self._end_request(event)

    def _start_request(self, event: RequestStarted) -> None:
        spans = [self._calls[call] for call in event.calls if call in self._calls]
        context, links = None, None
        if len(spans) == 1:
            context = set_span_in_context(spans[0])
        else:
            links = [Link(span.get_span_context()) for span in spans]
        self._requests[event.request] = self._tracer.start_span(
            f"POST {event.method}",
            context=context,
            kind=SpanKind.CLIENT,
            attributes={"http.request.method": "POST", "vk.calls": len(event.calls)},
            links=links,
        )

    def _end_call(self, event: CallEnded) -> None:
        attributes = {**_method_attributes(event), **_outcome_attributes(event)}
        self._call_duration.record(event.duration, attributes)
        if event.waited is not None:
            self._call_wait.record(event.waited, _method_attributes(event))
        span = self._calls.pop(event.call, None)
        if span is not None:
            more = {"vk.requests": event.requests, "vk.packed": event.packed}
            _end(span, event, more)

    def _end_request(self, event: RequestEnded) -> None:
        self._request_duration.record(
            event.duration, {**_method_attributes(event), **_outcome_attributes(event)}
        )
        self._request_calls.record(len(event.calls), _method_attributes(event))
        span = self._requests.pop(event.request, None)
        if span is not None:
            _end(span, event, {})


def _method_attributes(
    event: CallStarted | CallEnded | RequestEnded,
) -> dict[str, str]:
    return {"rpc.system": "vk", "rpc.method": event.method}


def _outcome_attributes(event: CallEnded | RequestEnded) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {"vk.ending": event.ending}
    if event.error is not None:
        attributes["error.type"] = event.error
    if event.code is not None:
        attributes["vk.error_code"] = event.code
    return attributes


def _end(
    span: Span, event: CallEnded | RequestEnded, more: Mapping[str, int | bool]
) -> None:
    span.set_attributes({**more, **_outcome_attributes(event)})
    if event.ending == "error":
        span.set_status(Status(StatusCode.ERROR, event.error))
    span.end()
