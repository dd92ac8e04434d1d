"""The adapter on OpenTelemetry: spans, metrics and the log in memory, and what must never be in them."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.adapters.telemetry import telemetry_for
from shared.adapters.telemetry.exporters import LateMetrics, LateSpans, destinations
from shared.adapters.telemetry.log_records import SentLog
from shared.adapters.telemetry.open_telemetry import OpenTelemetry, case_in_hand
from shared.domain import signals
from shared.domain.policy import Mode
from shared.domain.signals import HIDDEN, Step
from shared.errors import Unreachable
from shared.ports import NoTelemetry, Telemetry
from shared.workflow.diagnose import diagnose_subscriptions
from tests.builders import change, provisioned, subscription
from tests.fakes.telemetry import FakeTelemetry
from tests.workflow_kit import Town

ROOT = Path(__file__).parents[2]
MESSAGE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CANARIES = ("Kanarienvogel", "canary-of-the-message", "eyJhbGciOiJub25lIn0.canary.token")
NOBODY: dict[str, Any] = {"app_insights": None, "identity": None, "collector": None, "console": False}


@dataclass
class Watched:
    """Telemetry with everything that it has sent."""

    telemetry: OpenTelemetry
    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader
    logs: InMemoryLogRecordExporter

    def span(self, name: str) -> ReadableSpan:
        [found] = [span for span in self.spans.get_finished_spans() if span.name == name]
        return found

    def signals(self) -> str:
        """Spans and metrics as they would be sent."""
        data = self.metrics.get_metrics_data()
        spans = [span.to_json() for span in self.spans.get_finished_spans()]
        return "\n".join([*spans, data.to_json() if data is not None else ""])

    def log(self) -> str:
        """The log as it would be sent."""
        return "\n".join(record.to_json() for record in self.logs.get_finished_logs())

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        """The values of one metric by its attributes' values."""
        data = self.metrics.get_metrics_data()
        found = json.loads(data.to_json())["resource_metrics"][0]["scope_metrics"][0]["metrics"] if data else []
        points = [point for metric in found if metric["name"] == name for point in metric["data"]["data_points"]]
        return {tuple(point["attributes"].values()): point["value"] for point in points}


@pytest.fixture
def watched() -> Iterator[Watched]:
    spans, reader, logs = InMemorySpanExporter(), InMemoryMetricReader(), InMemoryLogRecordExporter()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    handler, root = SentLog(provider.get_logger("unstuck"), case_in_hand.get), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield Watched(OpenTelemetry([SimpleSpanProcessor(spans)], [reader]), spans, reader, logs)
    root.removeHandler(handler)
    root.setLevel(before)
    provider.shutdown()


@pytest.fixture(params=["OpenTelemetry", "fake"])
def either(request: pytest.FixtureRequest, watched: Watched) -> Telemetry:
    return watched.telemetry if request.param == "OpenTelemetry" else FakeTelemetry()


class TestThePort:
    def test_there_is_no_span_to_begin_with(self, either: Telemetry) -> None:
        assert either.traceparent() == ""
        assert NoTelemetry().traceparent() == ""

    def test_a_span_within_another_has_its_trace(self, either: Telemetry) -> None:
        with either.span(Step.SWEEP):
            outer = either.traceparent()
            with either.span(Step.CASE):
                assert either.traceparent().split("-")[1] == outer.split("-")[1]
                assert either.traceparent() != outer
            assert either.traceparent() == outer
        assert either.traceparent() == ""

    def test_a_message_is_followed(self, either: Telemetry) -> None:
        with either.following(MESSAGE), either.span(Step.DIAGNOSE):
            assert either.traceparent().split("-")[1] == MESSAGE.split("-")[1]
        assert either.traceparent() == ""

    @pytest.mark.parametrize("garbled", ["", "nonsense", "00-xyz-1-2", MESSAGE + "\n", MESSAGE.upper()])
    def test_what_makes_no_sense_is_not_followed(self, either: Telemetry, garbled: str) -> None:
        with either.following(garbled):
            assert either.traceparent() == ""
            with either.span(Step.DIAGNOSE):
                assert signals.is_traceparent(either.traceparent())

    def test_what_is_raised_goes_through(self, either: Telemetry) -> None:
        with pytest.raises(KeyError), either.following(MESSAGE), either.span(Step.DIAGNOSE):
            raise KeyError("x")
        assert either.traceparent() == ""

    async def _both(self, telemetry: Telemetry) -> set[str]:
        async def one() -> str:
            with telemetry.span(Step.DIAGNOSE):
                await asyncio.sleep(0)
                return telemetry.traceparent().split("-")[1]

        return set(await asyncio.gather(one(), one()))

    def test_two_at_once_do_not_mix(self, either: Telemetry) -> None:
        assert len(asyncio.run(self._both(either))) == 2


class TestSpans:
    def test_the_hosts_span_becomes_a_link(self, watched: Watched) -> None:
        telemetry = watched.telemetry
        with telemetry.span(Step.WAKE), telemetry.following(MESSAGE), telemetry.span(Step.DIAGNOSE):
            self._case(telemetry)
        host, diagnose, case = (watched.span(name) for name in ("wake", "diagnose", "case"))
        assert diagnose.parent is not None
        assert f"{diagnose.parent.span_id:016x}" == MESSAGE.split("-")[2]
        assert [link.context for link in diagnose.links] == [host.get_span_context()]
        assert list(case.links) == []

    def _case(self, telemetry: Telemetry) -> None:
        with telemetry.span(Step.CASE):
            assert telemetry.traceparent()

    def test_only_known_and_harmless_attributes_are_shown(self, watched: Watched) -> None:
        given = {"case_id": "1-1", "cause": "Contoso & Sons", "customer": "Contoso", "action": ""}
        with watched.telemetry.span(Step.CASE, given) as span:
            span.note({"state": "ready", "name": "x"})
        assert dict(watched.span("case").attributes or {}) == {"case_id": "1-1", "cause": HIDDEN, "state": "ready"}

    def test_an_error_is_named_by_its_type_alone(self, watched: Watched) -> None:
        with pytest.raises(ValueError, match="canary"), watched.telemetry.span(Step.DIAGNOSE):
            raise ValueError("canary")
        span = watched.span("diagnose")
        assert span.attributes == {"error_type": "ValueError"}
        assert not span.status.is_ok
        assert list(span.events) == []


class TestMetrics:
    def test_counters_add_up_and_gauges_do_not(self, watched: Watched) -> None:
        for number in (3, 4):
            watched.telemetry.count(signals.SWEEPS, {"complete": "true"}, number)
            watched.telemetry.gauge(signals.SUSPECTS, number)
        assert watched.values("unstuck.sweeps") == {("true",): 7}
        assert watched.values("unstuck.suspects") == {(): 4}

    def test_every_metric_of_the_catalogue_can_be_sent(self, watched: Watched) -> None:
        for metric in signals.METRICS.values():
            labels = dict.fromkeys(metric.attributes, "x")
            if metric.kind is signals.Kind.COUNTER:
                watched.telemetry.count(metric, labels)
            else:
                watched.telemetry.gauge(metric, 1, labels)
        data = watched.metrics.get_metrics_data()
        assert data is not None
        sent = {m.name: m.unit for m in data.resource_metrics[0].scope_metrics[0].metrics}
        assert sent == {metric.name: metric.unit for metric in signals.METRICS.values()}


class TestNoPersonalData:
    def test_names_texts_and_tokens_are_in_no_span_and_no_metric(self, watched: Watched) -> None:
        asyncio.run(self._story(watched.telemetry))
        sent = watched.signals()
        assert "trigger_missed" in sent, "the search looks at what was sent"
        assert "unstuck.transitions" in sent
        assert [canary for canary in CANARIES if canary in sent] == []
        assert "is incomplete" in watched.log(), "the story has an error that quotes the token"
        assert CANARIES[2] not in watched.log()

    async def _story(self, telemetry: Telemetry) -> None:
        """Every step, with canaries wherever somebody else's text can come from."""
        name, text, token = CANARIES
        own = subscription(name=f"{name} 365", customer_name=f"{name} GmbH")
        own = replace(own, provider=replace(own.provider, name=name)) if own.provider is not None else own
        for mode in (Mode.APPROVE, Mode.AUTO):
            town = Town(telemetry=telemetry, mode=mode)
            town.stuck(provisioned(), change(message=f"{text} {name}"), of=own)
            await town.sweep()
            town = Town(telemetry=telemetry, mode=mode)
            town.stuck(of=own)
            await town.sweep()
            await town.pass_time(town.policy.waiting_time)
            detail = f"{text} Bearer {token} of {name}"
            town.work365.unavailable = Unreachable("dataverse", "No answer.", detail=detail)
            await town.sweep()
            with pytest.raises(Unreachable):
                await diagnose_subscriptions(town.ctx, town.many(1))


class TestLog:
    def test_a_record_names_its_case_and_trace(self, watched: Watched) -> None:
        with watched.telemetry.span(Step.CASE, {"case_id": "1-1"}):
            logging.getLogger("shared.x").warning("Odd: %s", "7")
            trace = watched.telemetry.traceparent().split("-")[1]
        [sent] = watched.logs.get_finished_logs()
        assert sent.log_record.body == "Odd: 7"
        assert sent.log_record.attributes == {"logger": "shared.x", "case_id": "1-1", "correlation_id": trace}
        assert sent.log_record.severity_text == "WARNING"

    def test_one_outside_of_any_span_names_neither(self, watched: Watched) -> None:
        logging.getLogger("shared.x").error("Odd")
        [sent] = watched.logs.get_finished_logs()
        assert sent.log_record.attributes == {"logger": "shared.x"}

    def test_tokens_are_taken_out_of_texts_and_errors(self, watched: Watched) -> None:
        try:
            self._refused()
        except ValueError:
            logging.getLogger("shared.x").exception("With %s", CANARIES[2])
        [sent] = watched.logs.get_finished_logs()
        said: dict[str, Any] = dict(sent.log_record.attributes or {})
        assert said["exception.type"] == "ValueError"
        assert "in _refused" in said["exception.stacktrace"]
        assert CANARIES[2] not in sent.to_json()

    def _refused(self) -> None:
        raise ValueError(f"refused: Bearer {CANARIES[2]}")

    @pytest.mark.parametrize("name", ["opentelemetry.sdk", "azure.core", "urllib3.connectionpool"])
    def test_what_the_senders_say_is_not_sent(self, watched: Watched, name: str) -> None:
        logging.getLogger(name).error("Could not send")
        assert watched.logs.get_finished_logs() == ()


class TestDestinations:
    KEY = "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=https://127.0.0.1:1/"

    def test_nobody_watches_and_nothing_of_it_is_imported(self) -> None:
        assert isinstance(telemetry_for(**NOBODY, logs=True), NoTelemetry)
        code = "import sys, shared.bootstrap; sys.exit(any(n.startswith('opentelemetry') for n in sys.modules))"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0  # noqa: S603

    def test_those_that_the_settings_name(self) -> None:
        assert len(destinations(**NOBODY)) == 0
        everyone = {**NOBODY, "app_insights": self.KEY, "collector": "http://localhost:4318", "console": True}
        assert [each.deltas for each in destinations(**everyone)] == [True, False, False]

    def test_application_insights_is_reached_by_identity_and_nothing_is_kept_on_the_disk(self) -> None:
        code = f"""
from shared.adapters.telemetry.exporters import destinations
[watcher] = destinations(app_insights={self.KEY!r}, identity="i", collector=None, console=False)
exporter = watcher.spans()
assert type(exporter).__name__ == "AzureMonitorTraceExporter"
assert type(exporter._credential).__name__ == "ManagedIdentityCredential"
assert exporter.storage is None
"""
        nowhere = {"APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true"}
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], cwd=ROOT, check=False, env=nowhere, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def test_an_exporter_is_made_when_there_is_something_to_send(self) -> None:
        made: list[InMemorySpanExporter] = []

        def make() -> InMemorySpanExporter:
            made.append(InMemorySpanExporter())
            return made[-1]

        late = LateSpans(make)
        assert late.force_flush()
        assert made == []
        assert late.export([]) is late.export([]) is SpanExportResult.SUCCESS
        assert len(made) == 1

    def test_a_gauge_that_is_not_read_anew_is_not_sent_again(self) -> None:
        temporality = LateMetrics(lambda: pytest.fail("made too early"), deltas=False)._preferred_temporality
        reader = InMemoryMetricReader(preferred_temporality=temporality)
        telemetry = OpenTelemetry([], [reader])
        telemetry.gauge(signals.SUSPECTS, 5)
        telemetry.count(signals.SWEEPS, {"complete": "true"})
        assert _names(reader) == {"unstuck.suspects", "unstuck.sweeps"}
        assert _names(reader) == {"unstuck.sweeps"}, "a counter's total is sent again and again, a gauge is not"


def _names(reader: InMemoryMetricReader) -> set[str]:
    data = reader.get_metrics_data()
    return {m.name for m in data.resource_metrics[0].scope_metrics[0].metrics} if data is not None else set()
