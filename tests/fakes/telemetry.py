"""Telemetry that remembers everything, and refuses what the catalogue does not know."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from shared.domain.signals import METRICS, SPAN_ATTRIBUTES, Attributes, Kind, Metric, Step, is_traceparent

type Labels = tuple[tuple[str, str], ...]

_current: ContextVar["SeenSpan | None"] = ContextVar("current_fake_span", default=None)


@dataclass
class SeenSpan:
    """One span. Ids are hexadecimal, as in a traceparent."""

    step: Step
    trace: str
    id: str
    parent: str
    attributes: dict[str, str] = field(default_factory=dict)

    def note(self, attributes: Attributes) -> None:
        assert set(attributes) <= SPAN_ATTRIBUTES, attributes
        self.attributes |= attributes


@dataclass
class FakeTelemetry:
    """Port Telemetry."""

    spans: list[SeenSpan] = field(default_factory=list)
    """In the order in which they were opened."""
    counters: dict[tuple[str, Labels], int] = field(default_factory=dict)
    gauges: dict[tuple[str, Labels], float] = field(default_factory=dict)
    """The newest value of each."""
    _next: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def span(self, step: Step, attributes: Attributes | None = None) -> Iterator[SeenSpan]:
        above = _current.get()
        trace = above.trace if above is not None else f"{next(self._next):032x}"
        span = SeenSpan(step, trace, f"{next(self._next):016x}", above.id if above is not None else "")
        span.note(attributes or {})
        self.spans.append(span)
        token = _current.set(span)
        try:
            yield span
        except BaseException as error:
            span.note({"error_type": type(error).__name__})
            raise
        finally:
            _current.reset(token)

    @contextmanager
    def following(self, traceparent: str) -> Iterator[None]:
        if not is_traceparent(traceparent):
            yield
            return
        _, trace, id_, _ = traceparent.split("-")
        token = _current.set(SeenSpan(Step.CASE, trace, id_, ""))
        try:
            yield
        finally:
            _current.reset(token)

    def traceparent(self) -> str:
        span = _current.get()
        return f"00-{span.trace}-{span.id}-01" if span is not None else ""

    def count(self, metric: Metric, attributes: Attributes | None = None, by: int = 1) -> None:
        key = _key(metric, Kind.COUNTER, attributes or {})
        self.counters[key] = self.counters.get(key, 0) + by

    def gauge(self, metric: Metric, value: float, attributes: Attributes | None = None) -> None:
        self.gauges[_key(metric, Kind.GAUGE, attributes or {})] = value

    def of(self, step: Step) -> list[SeenSpan]:
        """The spans of one kind."""
        return [span for span in self.spans if span.step is step]

    def total(self, metric: Metric, **attributes: str) -> float:
        """The sum of all values of a metric that have these attributes."""
        held = self.counters if metric.kind is Kind.COUNTER else self.gauges
        wanted = set(attributes.items())
        return sum(value for (name, labels), value in held.items() if name == metric.name and wanted <= set(labels))


def _key(metric: Metric, kind: Kind, attributes: Mapping[str, str]) -> tuple[str, Labels]:
    assert METRICS[metric.name] is metric
    assert metric.kind is kind, metric
    assert tuple(sorted(attributes)) == tuple(sorted(metric.attributes)), (metric.name, attributes)
    return metric.name, tuple(sorted((name, str(value)) for name, value in attributes.items()))
