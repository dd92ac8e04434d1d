"""The port Telemetry on OpenTelemetry's SDK."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.metrics import Counter, _Gauge
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.adapters.telemetry.exporters import Destination, LateLogs, LateMetrics, LateSpans
from shared.adapters.telemetry.log_records import SentLog
from shared.domain.signals import METRICS, SPAN_ATTRIBUTES, Attributes, Kind, Metric, Step, is_traceparent, safe

SCOPE = "unstuck"

case_in_hand: ContextVar[str] = ContextVar("case_in_hand", default="")
"""The id of the case whose span is open here; log records name it."""

_invoked_in: ContextVar[trace.SpanContext | None] = ContextVar("invoked_in", default=None)
"""The host's own span of this invocation, while the message's trace is followed instead."""

_PROPAGATOR = TraceContextTextMapPropagator()


class OpenTelemetry:
    """Port Telemetry. What is not in the catalogue of shared.domain.signals, or is not safe to show, is left out."""

    def __init__(self, spans: Sequence[SpanProcessor], metrics: Sequence[MetricReader]) -> None:
        resource = Resource.create({"service.name": SCOPE})
        # Whatever the host samples: there are few spans, and alerts and stories need all of them.
        tracing = TracerProvider(sampler=ALWAYS_ON, resource=resource)
        for processor in spans:
            tracing.add_span_processor(processor)
        self._tracer = tracing.get_tracer(SCOPE)
        meter = MeterProvider(metric_readers=metrics, resource=resource).get_meter(SCOPE)
        named = METRICS.values()
        self._counters: dict[str, Counter] = {
            m.name: meter.create_counter(m.name, m.unit, m.meaning) for m in named if m.kind is Kind.COUNTER
        }
        self._gauges: dict[str, _Gauge] = {
            m.name: meter.create_gauge(m.name, m.unit, m.meaning) for m in named if m.kind is Kind.GAUGE
        }

    @classmethod
    def sending_to(cls, watchers: Sequence[Destination], *, logs: bool) -> "OpenTelemetry":
        """Exports in the background. `logs`: the log as well, to those who take one."""
        if logs:
            provider = LoggerProvider(resource=Resource.create({"service.name": SCOPE}))
            for watcher in watchers:
                if watcher.logs is not None:
                    provider.add_log_record_processor(BatchLogRecordProcessor(LateLogs(watcher.logs)))
            logging.getLogger().addHandler(SentLog(provider.get_logger(SCOPE), case_in_hand.get))
        return cls(
            [BatchSpanProcessor(LateSpans(w.spans)) for w in watchers],
            [PeriodicExportingMetricReader(LateMetrics(w.metrics, deltas=w.deltas)) for w in watchers],
        )

    @contextmanager
    def span(self, step: Step, attributes: Attributes | None = None) -> Iterator["OpenSpan"]:
        """A span with the same name as the step. Of an error it shows the type: its text may quote anything."""
        given = attributes or {}
        case, host = case_in_hand.set(given.get("case_id", case_in_hand.get())), _invoked_in.get()
        linked = _invoked_in.set(None)
        try:
            with self._tracer.start_as_current_span(
                step.value,
                attributes=_shown(given),
                links=[trace.Link(host)] if host is not None else None,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                try:
                    yield OpenSpan(span)
                except BaseException as error:
                    name = type(error).__name__
                    span.set_status(Status(StatusCode.ERROR, name))
                    span.set_attribute("error_type", name)
                    raise
        finally:
            _invoked_in.reset(linked)
            case_in_hand.reset(case)

    @contextmanager
    def following(self, traceparent: str) -> Iterator[None]:
        """The next span is a child of the message's; the host's span of this invocation becomes a link of it."""
        if not is_traceparent(traceparent):
            yield
            return
        here = trace.get_current_span().get_span_context()
        linked = _invoked_in.set(here if here.is_valid else None)
        token = contexts.attach(_PROPAGATOR.extract({"traceparent": traceparent}))
        try:
            yield
        finally:
            contexts.detach(token)
            _invoked_in.reset(linked)

    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent", "")

    def count(self, metric: Metric, attributes: Attributes | None = None, by: int = 1) -> None:
        self._counters[metric.name].add(by, _labels(metric, attributes))

    def gauge(self, metric: Metric, value: float, attributes: Attributes | None = None) -> None:
        self._gauges[metric.name].set(value, _labels(metric, attributes))


class OpenSpan:
    """Port Noting."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(_shown(attributes))


def _shown(attributes: Attributes) -> dict[str, str]:
    return {name: safe(value) for name, value in attributes.items() if name in SPAN_ATTRIBUTES and value}


def _labels(metric: Metric, attributes: Attributes | None) -> dict[str, str]:
    given = attributes or {}
    return {name: safe(given.get(name, "")) for name in metric.attributes}
