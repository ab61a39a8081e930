from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from vkanyio import VK, ParameterError
from vkanyio.telemetry import OpenTelemetry
from vkanyio.testing import Simulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.anyio


class Recorded:
    """The spans and metrics of a client."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])
        self.observer = OpenTelemetry(
            tracer_provider=self.tracers, meter_provider=self.meters
        )

    def spans(self) -> dict[str, list[ReadableSpan]]:
        found: dict[str, list[ReadableSpan]] = {}
        for span in self._exporter.get_finished_spans():
            found.setdefault(span.name, []).append(span)
        return found

    def points(self, name: str) -> list[Any]:
        data: Any = self._reader.get_metrics_data()
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.tracers.shutdown()
    recorded.meters.shutdown()


async def test_a_call_is_a_child_of_the_callers_span_and_its_request_of_the_calls(
    simulator: Simulator, make_client: Callable[..., VK], recorded: Recorded
):
    tracer = recorded.tracers.get_tracer("the program")
    async with make_client(on_event=recorded.observer) as api:
        with tracer.start_as_current_span("the program's work"):
            await api.users.get(user_ids=[1])
    spans = recorded.spans()
    [work], [call], [request] = (
        spans["the program's work"],
        spans["users.get"],
        spans["POST users.get"],
    )
    assert call.parent == work.context
    assert request.parent == call.context
    assert call.attributes == {
        "rpc.system": "vk",
        "rpc.method": "users.get",
        "vk.ending": "value",
        "vk.requests": 1,
        "vk.packed": False,
    }
    assert call.status.status_code is StatusCode.UNSET


async def test_a_request_for_several_calls_has_links_to_them(
    simulator: Simulator, make_client: Callable[..., VK], recorded: Recorded
):
    options = {"mode": "parallel", "on_event": recorded.observer}
    async with make_client(**options) as api, anyio.create_task_group() as tg:
        for user_id in (1, 2, 3):
            tg.start_soon(api.call, "users.get", {"user_ids": user_id})
    spans = recorded.spans()
    [request] = spans["POST execute"]
    assert request.parent is None
    assert {link.context.span_id for link in request.links} == {
        span.context.span_id for span in spans["users.get"]
    }
    assert request.attributes is not None
    assert request.attributes["vk.calls"] == 3
    [sizes] = recorded.points("vk.request.calls")
    assert (sizes.count, sizes.sum) == (1, 3)


async def test_an_error_marks_both_spans(
    simulator: Simulator, make_client: Callable[..., VK], recorded: Recorded
):
    simulator.fault(faults.error(100), "users.get")
    async with make_client(on_event=recorded.observer) as api:
        with pytest.raises(ParameterError):
            await api.users.get(user_ids=[424242])
    for spans in recorded.spans().values():
        [span] = spans
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == "ParameterError"
        assert span.attributes is not None
        assert span.attributes["vk.error_code"] == 100
        assert span.attributes["error.type"] == "ParameterError"
        assert "424242" not in span.to_json()


async def test_durations_and_waiting_are_measured_in_seconds(
    simulator: Simulator, make_client: Callable[..., VK], recorded: Recorded
):
    slow = Simulator(limit=0, latency=0.5)
    options = {"limit": 1, "on_event": recorded.observer}
    async with make_client(http_client=slow.http_client(), **options) as api:
        await api.users.get(user_ids=[1])
        await api.users.get(user_ids=[1])
    [calls] = recorded.points("vk.call.duration")
    [waits] = recorded.points("vk.call.wait")
    [requests] = recorded.points("vk.request.duration")
    assert (calls.count, calls.sum) == (2, pytest.approx(0.5 + 0.52 + 0.5))
    assert (waits.count, waits.sum) == (2, pytest.approx(0.52))
    assert (requests.count, requests.sum) == (2, pytest.approx(1.0))
    assert calls.attributes["rpc.method"] == "users.get"


async def test_a_cancelled_call_ends_its_spans_and_is_not_remembered(
    simulator: Simulator, make_client: Callable[..., VK], recorded: Recorded
):
    slow = Simulator(limit=0, latency=5)
    options = {"http_client": slow.http_client(), "on_event": recorded.observer}
    async with make_client(**options) as api:
        with anyio.move_on_after(1):
            await api.users.get(user_ids=[1])
    spans = recorded.spans()
    assert set(spans) == {"users.get", "POST users.get"}
    for [span] in spans.values():
        assert span.attributes is not None
        assert span.attributes["vk.ending"] == "cancelled"
    assert recorded.observer._calls == recorded.observer._requests == {}
