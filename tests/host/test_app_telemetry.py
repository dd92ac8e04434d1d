"""The real app, seen from outside: spans that are linked over the queues, metrics and the log, at a collector.

Input: a world with a stuck change of a customer with a name that shows. Output: what the collector was sent.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.domain.signals import METRICS, Step
from tests.host.app_kit import QUEUES, App, eventually, missed, running, world
from tests.host.collector import Collector, Sent, collecting

pytestmark = [pytest.mark.host, pytest.mark.azurite]

TIMES = {"OTEL_METRIC_EXPORT_INTERVAL": "300", "OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_BLRP_SCHEDULE_DELAY": "100"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[App]:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "UNSTUCK_TELEMETRY_CONSOLE": "true",
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        **TIMES,
    }
    with running(world("seen", missed("missed")), tmp_path_factory.mktemp("seen"), **settings) as app:
        assert app.sweep().status_code == 200
        app.until(app.one("missed").case, "resolved")
        yield app


def test_one_trace_leads_from_the_sweep_to_the_remediation(app: App, collector: Collector) -> None:
    remediate = eventually(lambda: next(iter(collector.named("remediate")), None), "a remediation is seen")
    by_id = {span.id: span for span in collector.spans}
    diagnose = by_id[remediate.parent]
    sweep = by_id[diagnose.parent]
    assert (diagnose.name, sweep.name) == ("diagnose", "sweep")
    assert {diagnose.trace, sweep.trace} == {remediate.trace}


def test_the_moves_of_the_case_are_in_it(app: App, collector: Collector) -> None:
    def moves() -> list[Sent]:
        return [span for span in collector.named("case") if span.attributes["case_id"] == app.one("missed").case]

    eventually(lambda: any(move.attributes["state"] == "resolved" for move in moves()), "it is seen to be resolved")
    [sweep] = collector.named("sweep")
    outcomes = [move.attributes["outcome"] for move in moves() if move.trace == sweep.trace]
    assert outcomes == ["diagnosed_ready", "intent", "not_applicable_set", "second_write", "retriggered"]
    assert {move.attributes["cause"] for move in moves()} == {"trigger_missed"}


def test_metrics_arrive_with_the_names_and_attributes_of_the_catalogue(app: App, collector: Collector) -> None:
    wanted = {
        *("unstuck.sweeps", "unstuck.sweeps.age_seconds", "unstuck.suspects", "unstuck.cases"),
        *("unstuck.cases.oldest_seconds", "unstuck.cases.oldest_open_seconds", "unstuck.transitions"),
        *("unstuck.effects", "unstuck.caps.used", "unstuck.changes.not_applicable", "unstuck.breakers.open"),
    }
    eventually(lambda: wanted <= {p.name for p in collector.points}, "metrics", lambda: _names(collector))
    for point in list(collector.points):
        assert set(point.attributes) == set(METRICS[point.name].attributes), point.name
    effects = {tuple(sorted(p.attributes.items())) for p in collector.points if p.name == "unstuck.effects"}
    assert effects == {(("action", "retrigger"), ("outcome", "done"))}


def test_what_failed_too_often_is_counted_by_its_queue(app: App, collector: Collector) -> None:
    for name in QUEUES:
        app.queue(f"{name}-poison").send("{}")  # as the host puts it away

    def counted() -> set[str]:
        return {p.attributes["queue"] for p in list(collector.points) if p.name == "unstuck.poison_messages"}

    eventually(lambda: counted() == set(QUEUES), "each is counted", counted)
    eventually(app.all_queues_empty, "none comes back")


def _names(collector: Collector) -> Any:
    return sorted({point.name for point in collector.points})


def test_the_log_arrives_with_the_trace_that_it_belongs_to(app: App, collector: Collector) -> None:
    [sweep] = collector.named("sweep")
    said = eventually(
        lambda: [r for r in list(collector.records) if "suspects" in r.name and r.trace == sweep.trace],
        "the sweep's record is sent",
    )
    assert {record.attributes["correlation_id"] for record in said} == {sweep.trace}


def test_no_name_and_no_secret_is_sent(app: App, collector: Collector) -> None:
    case = app.case(app.one("missed").case)
    assert case is not None
    names = [case[name] for name in ("subscription_name", "customer_name", "provider_name") if case.get(name)]
    assert names, "there is something to search for"
    sent = b"\n".join(collector.raw)
    assert b"trigger_missed" in sent
    assert [name for name in [*names, *app.secrets().values()] if name.encode() in sent] == []


def test_the_console_shows_the_same(app: App, collector: Collector) -> None:
    assert all(f'"name": "{step}"' in app.log() for step in (Step.SWEEP, Step.DIAGNOSE, Step.REMEDIATE, Step.CASE))
    assert '"unstuck.effects"' in app.log()
