"""A collector of the test's own: takes OTLP over HTTP and keeps what it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS: dict[str, Any] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


@dataclass(frozen=True)
class Sent:
    """A span, a value of a metric or a record of the log."""

    name: str
    """For a record of the log: what it says."""
    attributes: dict[str, str]
    trace: str = ""
    id: str = ""
    parent: str = ""


@dataclass
class Collector:
    """What has come in so far."""

    url: str
    spans: list[Sent] = field(default_factory=list)
    points: list[Sent] = field(default_factory=list)
    records: list[Sent] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def named(self, name: str) -> list[Sent]:
        """Spans of this name."""
        return [span for span in list(self.spans) if span.name == name]

    def take(self, path: str, body: bytes) -> None:
        """One export."""
        request = KINDS[path].FromString(body)
        self.raw.append(body)
        for resource in getattr(request, "resource_spans", ()):
            self.spans += [_span(span) for scope in resource.scope_spans for span in scope.spans]
        for resource in getattr(request, "resource_metrics", ()):
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                data = getattr(metric, metric.WhichOneof("data"))
                self.points += [Sent(metric.name, _said(point.attributes)) for point in data.data_points]
        for resource in getattr(request, "resource_logs", ()):
            self.records += [_record(each) for scope in resource.scope_logs for each in scope.log_records]


def _span(span: Any) -> Sent:
    return Sent(span.name, _said(span.attributes), span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())


def _record(record: Any) -> Sent:
    return Sent(record.body.string_value, _said(record.attributes), record.trace_id.hex(), record.span_id.hex())


def _said(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing on the console."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
