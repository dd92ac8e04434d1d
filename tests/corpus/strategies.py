"""Any evidence at all: every field of every row missing, extreme or odd. Input of the property tests."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from shared.domain import evidence as rows
from shared.domain.intent import Attempt, Intent, Phase
from shared.domain.look import Look
from shared.domain.policy import Mode, Policy
from tests.builders import (
    AT_PROVIDER,
    LATER,
    NOW,
    OLD,
    OURS,
    PARENT,
    SOMEONE,
    STUCK,
    SUBSCRIPTION,
    TENANT,
    WORK365_USER,
)
from tests.corpus.all_cases import CASES
from tests.corpus.case import Case
from tests.corpus.parts import CUSTOMER, LINKED, OTHER_CUSTOMER, PART

_MEGABYTE = "x" * 1_000_000
_TEXTS = [
    "",
    " ",
    "\x00\x07\x1b[31m",
    "<script>alert(1)</script>",
    "code 800082 then code 900257",
    '{"error":"invalid_grant","error_description":"AADSTS700082: expired"}',
    '{"code":800091}',
    '{"code":27009}',
    '{"code":"900257"}',
    "HTTP 504 Gateway Timeout",
    "429 Too Many Requests. Retry-After: 999999999",
    f"{_MEGABYTE} AADSTS50076",
    "{" * 3_000,
    "\ud800 \u202e \u0000",
    *(case.seen.message for case in CASES if 0 < len(case.seen.message) < 2_000),
]
# By number, since Hypothesis writes down what it samples from, and a megabyte is too much for that.
TEXTS = st.integers(0, len(_TEXTS) - 1).map(lambda number: _TEXTS[number]) | st.text(max_size=40)
_ROW_IDS = [
    "",
    " ",
    "x",
    SUBSCRIPTION,
    PARENT,
    LINKED,
    OLD,
    STUCK,
    LATER,
    AT_PROVIDER,
    AT_PROVIDER.upper(),
    "\u00c4" * 300,
]
_OTHER_IDS = [TENANT, CUSTOMER, OTHER_CUSTOMER, OURS, SOMEONE, WORK365_USER, PART, "\x00"]
_WORDS = ["active", "suspended", "microsoft_csp", "verified", "failed", "merge_failed", "pending", "license", "usage"]
IDS = st.sampled_from([*_ROW_IDS, *_OTHER_IDS, *_WORDS, "jobs (403)"])
DATES = st.sampled_from([date.min, date.max, date(2028, 2, 29), NOW.date()]) | st.dates()
_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])
MOMENTS = st.one_of(
    st.sampled_from(
        [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), NOW, NOW - timedelta(hours=1)]
    ),
    st.timedeltas(timedelta(days=-120), timedelta(days=120)).map(lambda ago: NOW - ago),
    st.datetimes(timezones=_ZONES),
)
NUMBERS = st.sampled_from(
    [Decimal(n) for n in (0, 1, -1, 5, 20, 25)] + [Decimal("1E+30"), Decimal("-0.5"), Decimal("-0")]
)
_LEAVES: Mapping[Any, st.SearchStrategy[Any]] = {
    str: TEXTS | IDS,
    bool: st.booleans(),
    int: st.sampled_from([0, 1, -1, 5, 20, 25, 10**12, -(10**12)]),
    float: st.floats(),
    Decimal: NUMBERS,
    date: DATES,
    datetime: MOMENTS,
    timedelta: st.timedeltas(),
}


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type of the evidence."""
    if kind in _LEAVES:
        return _LEAVES[kind]
    if kind is type(None):
        return st.none()
    origin, inside = get_origin(kind), get_args(kind)
    if origin is tuple:
        return st.lists(of(inside[0]), max_size=3, unique_by=_identity).map(tuple)
    if origin is frozenset:
        return st.frozensets(of(inside[0]), max_size=3)
    if origin is UnionType:  # missing comes as often as all the rest
        return st.none() | st.one_of(*(of(one) for one in inside if one is not type(None)))
    if origin is not None:  # a mapping, by an id
        return st.dictionaries(IDS, IDS if inside[1] is str else of(inside[1]), max_size=2)
    return _row(kind) if hasattr(kind, "__dataclass_fields__") else st.sampled_from(list(kind))


def _identity(row: Any) -> object:
    """No two rows have one id: the order of two such could not be told."""
    return getattr(row, "id", row) if hasattr(row, "__dataclass_fields__") else row


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _row(kind: Any) -> st.SearchStrategy[Any]:
    hints = _hints(kind)
    fields = {name: IDS if name in _IDS else of(hint) for name, hint in hints.items()}
    return st.builds(kind, **fields)


_IDS = frozenset({"id", "change_id", "regarding_id"})

ANY_EVIDENCE = st.builds(
    rows.Evidence, **{name: of(hint) for name, hint in _hints(rows.Evidence).items()} | {"read_on": st.just(NOW)}
)
POLICIES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Pacific/Auckland"]).map(
    lambda zone: Policy(mode=Mode.AUTO, time_zone=ZoneInfo(zone))
)
INTENTS = st.none() | st.builds(
    Intent, change_id=IDS, plan_digest=st.just("d"), by=st.just("u"), written_on=MOMENTS, phase=st.sampled_from(Phase),
    status_before=st.sampled_from(rows.ProvisioningStatus), etag_before=IDS, etag_after=IDS,
)  # fmt: skip
ATTEMPTS = st.lists(st.builds(Attempt, IDS, MOMENTS, IDS, TEXTS), max_size=3).map(tuple)

ANY_LOOK = st.builds(Look, ANY_EVIDENCE, st.just(NOW), POLICIES, INTENTS, ATTEMPTS)
"""Anything that the types allow."""


@st.composite
def nearly_labelled(draw: st.DrawFn) -> Look:
    """A case of the corpus in which a few fields are something else: nearer to what happens than anything at all."""
    look = draw(labelled()).seen
    evidence = look.evidence
    for _ in range(draw(st.integers(1, 3))):
        evidence = _with_odd_field(draw, evidence)
    return replace(look, evidence=evidence)


def _with_odd_field(draw: st.DrawFn, evidence: rows.Evidence) -> rows.Evidence:
    """One field of the evidence or of a row in it, drawn anew."""
    place = draw(st.sampled_from(["subscription", "changes", "jobs", "provider", "environment", "scheduled", "itself"]))
    if place == "itself":
        return _odd(draw, evidence, frozenset({"read_on", "subscription", "changes"}))
    there = getattr(evidence, place)
    if isinstance(there, tuple):
        if not there:
            return evidence
        at = draw(st.integers(0, len(there) - 1))
        there = (*there[:at], _odd(draw, there[at], _IDS), *there[at + 1 :])
    elif there is not None:
        there = _odd(draw, there, _IDS)
    return replace(evidence, **{place: there})


def _odd[Row](draw: st.DrawFn, row: Row, but: frozenset[str]) -> Row:
    kind: Any = type(row)
    hints = {name: hint for name, hint in _hints(kind).items() if name not in but}
    name = draw(st.sampled_from(sorted(hints)))
    return replace(row, **{name: draw(of(hints[name]))})  # type: ignore[type-var]


def labelled() -> st.SearchStrategy[Case]:
    """A case of the corpus, each as likely as any other."""
    return st.sampled_from(CASES)
