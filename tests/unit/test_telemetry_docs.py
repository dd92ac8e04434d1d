"""docs/telemetry.md says which metrics and spans there are: exactly those of the catalogue."""

import re
from pathlib import Path

from shared.domain.signals import METRICS, SPAN_ATTRIBUTES, Step
from shared.settings import Settings

TEXT = (Path(__file__).parents[2] / "docs/telemetry.md").read_text("utf-8")


def row_of(name: str) -> str:
    metric = METRICS[name]
    attributes = ", ".join(f"`{each}`" for each in metric.attributes)
    cells = [f"`{name}`", metric.kind.value, metric.unit, metric.meaning]
    return f"| {' | '.join(cells)} | {attributes} |" if attributes else f"| {' | '.join(cells)} | |"


def test_the_docs_list_exactly_the_metrics_of_the_code() -> None:
    shown = re.findall(r"^\| `unstuck\..*$", TEXT, re.MULTILINE)
    assert shown == [row_of(name) for name in METRICS]


def test_no_other_metric_is_named() -> None:
    assert set(re.findall(r"`(unstuck\.[a-z._]+)`", TEXT)) == set(METRICS)


def test_the_docs_list_exactly_the_spans_of_the_code() -> None:
    section = TEXT.partition("## Spans")[2].partition("## Metrics")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [step.value for step in Step]
    assert {name for name in SPAN_ATTRIBUTES if f"`{name}`" not in section} == set()


def test_settings_are_those_that_are_read() -> None:
    section = TEXT.partition("## Settings")[2].partition("## Spans")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) <= set(Settings.model_fields)
