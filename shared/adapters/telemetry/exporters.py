"""Where telemetry goes. Exporters are imported and made when something is first exported, on a thread of the SDK's:
importing that of Application Insights takes a second, which no first request should wait for."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics import Counter, _Gauge
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

_DELTA = AggregationTemporality.DELTA


@dataclass(frozen=True, slots=True)
class Destination:
    """One who watches. Each part is made when it is first needed."""

    spans: Callable[[], SpanExporter]
    metrics: Callable[[], MetricExporter]
    logs: Callable[[], LogRecordExporter] | None
    """None: the log is not for them."""
    deltas: bool
    """Whether counters are sent as what was added since the last export, not as totals."""


def destinations(
    *, app_insights: str | None, identity: str | None, collector: str | None, console: bool
) -> list[Destination]:
    """Everyone that the settings name."""
    found = [_application_insights(app_insights, identity)] if app_insights else []
    found += [_collector(collector)] if collector else []
    return [*found, *([_console()] if console else [])]


def _application_insights(connection_string: str, identity: str | None) -> Destination:
    """Signs in by managed identity: the connection string alone lets nobody in. Nothing is kept on the disk."""

    def options() -> dict[str, Any]:
        from azure.identity import ManagedIdentityCredential

        credential = ManagedIdentityCredential(client_id=identity)
        return {"connection_string": connection_string, "credential": credential, "disable_offline_storage": True}

    def spans() -> SpanExporter:
        from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

        return AzureMonitorTraceExporter(**options())

    def metrics() -> MetricExporter:
        from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter

        return AzureMonitorMetricExporter(**options())

    def logs() -> LogRecordExporter:
        from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter

        return AzureMonitorLogExporter(**options())

    return Destination(spans, metrics, logs, deltas=True)


def _collector(url: str) -> Destination:
    def spans() -> SpanExporter:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(f"{url}/v1/traces")

    def metrics() -> MetricExporter:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        return OTLPMetricExporter(f"{url}/v1/metrics")

    def logs() -> LogRecordExporter:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

        return OTLPLogExporter(f"{url}/v1/logs")

    return Destination(spans, metrics, logs, deltas=False)


def _console() -> Destination:
    """The log stands on standard error already."""

    def spans() -> SpanExporter:
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: f"{span.to_json(indent=None)}\n")

    def metrics() -> MetricExporter:
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter

        return ConsoleMetricExporter(out=sys.stderr, formatter=lambda data: f"{data.to_json(indent=None)}\n")

    return Destination(spans, metrics, None, deltas=False)


class LateSpans(SpanExporter):
    """A span exporter that is made when the first spans are there."""

    def __init__(self, make: Callable[[], SpanExporter]) -> None:
        self._make = make
        self._made: SpanExporter | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._made = self._made or self._make()
        return self._made.export(spans)

    def shutdown(self) -> None:
        if self._made is not None:
            self._made.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._made is None or self._made.force_flush(timeout_millis)


class LateMetrics(MetricExporter):
    """The same for metrics. A gauge is sent when it has been read anew: an old value says nothing about now."""

    def __init__(self, make: Callable[[], MetricExporter], *, deltas: bool) -> None:
        super().__init__({_Gauge: _DELTA, **({Counter: _DELTA} if deltas else {})})
        self._make = make
        self._made: MetricExporter | None = None

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        self._made = self._made or self._make()
        return self._made.export(metrics_data, timeout_millis, **kwargs)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        if self._made is not None:
            self._made.shutdown(timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return self._made is None or self._made.force_flush(timeout_millis)


class LateLogs(LogRecordExporter):
    """The same for the log."""

    def __init__(self, make: Callable[[], LogRecordExporter]) -> None:
        self._make = make
        self._made: LogRecordExporter | None = None

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self._made = self._made or self._make()
        return self._made.export(batch)

    def shutdown(self) -> None:
        if self._made is not None:
            self._made.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._made is None or self._made.force_flush(timeout_millis)
