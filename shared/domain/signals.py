"""What is seen of the app from outside: the names, units and attributes of its metrics and spans.

They are a contract: alerts and workbooks are written against them. docs/telemetry.md describes each one. No attribute
holds a name of a person or a customer, a text that somebody wrote, or a key: only ids, and words out of fixed lists.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

type Attributes = Mapping[str, str]
"""By the attribute's name. Whether something holds is said by `true` and `false`."""


class Kind(StrEnum):
    """How a metric's values go together."""

    COUNTER = "counter"
    """What has happened since the last export; values add up."""
    GAUGE = "gauge"
    """How things stand; the newest value counts."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Every value of it has exactly these attributes."""

    name: str
    kind: Kind
    unit: str
    """In UCUM: `s` seconds, `1` a share, `{case}` and the like for what is counted."""
    meaning: str
    attributes: tuple[str, ...] = ()


def _counter(name: str, unit: str, meaning: str, *attributes: str) -> Metric:
    return Metric(f"unstuck.{name}", Kind.COUNTER, unit, meaning, attributes)


def _gauge(name: str, unit: str, meaning: str, *attributes: str) -> Metric:
    return Metric(f"unstuck.{name}", Kind.GAUGE, unit, meaning, attributes)


SWEEPS = _counter("sweeps", "{sweep}", "sweeps that left a receipt", "complete")
SWEEP_AGE = _gauge("sweeps.age_seconds", "s", "since the newest sweep began", "complete")
SUSPECTS = _gauge("suspects", "{subscription}", "suspects that the last complete sweep found")
CASES = _gauge("cases", "{case}", "open cases", "state", "cause")
OLDEST_IN_STATE = _gauge("cases.oldest_seconds", "s", "that the case longest in this state has stood there", "state")
OLDEST_OPEN = _gauge("cases.oldest_open_seconds", "s", "since the oldest open case was opened")
TRANSITIONS = _counter("transitions", "{case}", "cases that went from one state to another", "from", "to", "cause")
EFFECTS = _counter("effects", "{write}", "writes to Dataverse", "action", "outcome")
REFUSALS = _counter("refusals", "{case}", "cases that a guard newly holds back", "guard")
CAPS_USED = _gauge("caps.used", "1", "share of an hourly cap that is used", "cap")
NOT_APPLICABLE = _gauge("changes.not_applicable", "{change}", "changes that the app has left at Not Applicable")
BREAKERS_OPEN = _gauge("breakers.open", "{breaker}", "breakers that let no call through", "breaker")
BREAKER_OPENINGS = _counter("breakers.openings", "{opening}", "breakers that opened", "breaker")
THROTTLED = _counter("throttled", "{answer}", "answers that asked for fewer requests (429)", "source")
REFUSED = _counter("refused", "{answer}", "answers that did not accept the app's identity or rights", "source")
POISON_MESSAGES = _counter("poison_messages", "{message}", "queue messages that failed too often", "queue")

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        *(SWEEPS, SWEEP_AGE, SUSPECTS, CASES, OLDEST_IN_STATE, OLDEST_OPEN, TRANSITIONS, EFFECTS, REFUSALS),
        *(CAPS_USED, NOT_APPLICABLE, BREAKERS_OPEN, BREAKER_OPENINGS, THROTTLED, REFUSED, POISON_MESSAGES),
    )
}
"""All of them, by name."""


class Step(StrEnum):
    """Spans: one for each run of a step of the workflow, and one for each move of a case in it."""

    SWEEP = "sweep"
    WAKE = "wake"
    DIAGNOSE = "diagnose"
    REMEDIATE = "remediate"
    NOTIFY = "notify"
    DELIVER = "deliver"
    PARK = "park"
    CASE = "case"
    """One save of one case that had something new to say. Child of the step that made it."""


SPAN_ATTRIBUTES = frozenset({"case_id", "cause", "state", "state_before", "action", "outcome", "error_type"})
"""What spans may say."""

_SAFE = re.compile(r"[A-Za-z0-9_.,:-]{0,200}")
HIDDEN = "hidden"


def safe(value: str) -> str:
    """The value if it is an id, a number or a word of ours; `hidden` for anything that could be somebody's text."""
    return value if _SAFE.fullmatch(value) else HIDDEN


_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def is_traceparent(text: str) -> bool:
    """Whether this is a trace's W3C traceparent, version 00. https://www.w3.org/TR/trace-context/"""
    return _TRACEPARENT.fullmatch(text) is not None
