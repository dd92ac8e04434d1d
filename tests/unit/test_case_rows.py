"""A case as a row and back, for any case at all; and long text in short columns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.adapters.tables import events, rows
from shared.adapters.tables.columns import (
    COLUMN_UNITS,
    ENTITY_BYTES,
    as_json,
    cut,
    joined,
    size,
    split,
    units,
)
from shared.adapters.tables.keys import moment_of, stamp
from shared.adapters.text import well_formed
from shared.domain.amendment import CHANGE, Amendment, Asked, Column, Done
from shared.domain.case import ACTING, Case, Notification, Recorded, State, event_hash, record
from shared.domain.diagnosis import Diagnosis
from shared.domain.evidence import ProvisioningStatus
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.intent import Attempt, Intent, Phase
from shared.domain.plan import MOST_DONE, Plan
from shared.errors import Refused
from shared.workflow.ask import LONGEST_TEXT

ID = "11111111-0000-4000-8000-000000000001"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

zones = st.sampled_from([UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=5, minutes=45))])
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones)  # noqa: DTZ001  they get a zone
texts = st.text(max_size=40)
facts = st.builds(Fact, texts, texts, texts, moments)
findings = st.builds(
    Finding,
    texts,
    st.sampled_from(Disposition),
    st.sampled_from(Confidence),
    texts,
    texts,
    texts,
    st.lists(facts, max_size=3).map(tuple),
    st.lists(facts, max_size=3).map(tuple),
    st.none() | moments,
    st.none() | texts,
    st.booleans(),
)
diagnoses = st.builds(
    Diagnosis,
    st.none() | texts,
    st.none() | st.sampled_from(Disposition),
    st.lists(findings, max_size=3).map(tuple),
    st.lists(st.builds(RuledOut, texts, texts), max_size=3).map(tuple),
    texts,
)
statuses = st.sampled_from(ProvisioningStatus)
plans = st.builds(Plan, texts, texts, texts, statuses, st.lists(statuses, max_size=2).map(tuple), texts)
retriggers = st.builds(Intent, texts, texts, texts, moments, st.sampled_from(Phase), statuses, texts, texts)
set_columns = st.builds(Column, texts, st.none() | texts, st.none() | texts)
amendments = st.builds(Amendment, texts, texts, st.lists(set_columns, max_size=2).map(tuple))
intents = retriggers | st.builds(
    Intent,
    texts,
    texts,
    texts,
    moments,
    st.just(Phase.INTENDED),
    st.none() | statuses,
    texts,
    action=texts,
    amendment=st.none() | amendments,
    then=texts,
    over=st.none() | retriggers,
)
dones = st.builds(Done, texts, texts, moments, texts, texts, st.none() | amendments, st.none() | moments)
requests = st.builds(Asked, texts, texts, texts, moments, st.lists(st.tuples(texts, texts), max_size=2).map(tuple))
cases = st.builds(
    Case,
    subscription_id=st.just(ID),
    number=st.integers(1, 2**31 - 1),
    opened_on=moments,
    state=st.sampled_from(State),
    due_on=st.none() | moments,
    subscription_name=texts,
    customer_name=texts,
    provider_name=texts,
    cause=st.none() | texts,
    first_cause=st.none() | texts,
    disposition=st.none() | st.sampled_from(Disposition),
    change_id=st.none() | texts,
    summary=texts,
    next_step=texts,
    diagnosis=st.none() | diagnoses,
    plan=st.none() | plans,
    approved_digest=texts,
    approved_by=texts,
    intent=st.none() | intents,
    attempts=st.lists(st.builds(Attempt, texts, moments, texts, texts), max_size=3).map(tuple),
    provisioned_since=st.none() | moments,
    resolved_on=st.none() | moments,
    outgoing=st.lists(st.builds(Notification, texts, texts, texts, moments), max_size=3).map(tuple),
    told=st.lists(texts, max_size=3).map(tuple),
    asked=st.none() | requests,
    done=st.lists(dones, max_size=3).map(tuple),
    closed_before=st.lists(texts, max_size=3).map(tuple),
    last_sequence=st.integers(0, 2**31 - 1),
    last_hash=texts,
).filter(lambda case: case.intent is not None or case.state not in ACTING)


@given(cases)
@settings(max_examples=200, deadline=None)
def test_any_case_comes_back_from_its_row(case: Case) -> None:
    row = rows.to_row(case, "case")
    assert all(isinstance(value, (str, int)) and value is not None for value in row.values())
    assert rows.from_row(row) == case


def test_as_many_actions_as_a_case_may_see_fit_into_its_row() -> None:
    """What was done and cannot be saved would be done and forgotten."""
    columns = tuple(Column(name, "x" * 100, "y" * 100) for name in ("provisioning_status", "actual_provisioned_on"))
    done = Done("mark_provisioned", ID, NOW, "b" * 200, "r" * LONGEST_TEXT, Amendment(CHANGE, ID, columns), NOW)
    case = Case(ID, 1, NOW, done=(done,) * MOST_DONE)
    assert rows.from_row(rows.to_row(case, "case")) == case


details = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(alphabet=st.characters())
    | moments,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
any_text = st.text(alphabet=st.characters(exclude_categories=()), max_size=60)


@given(any_text, any_text, st.dictionaries(any_text, details | any_text, max_size=4), moments)
@settings(max_examples=200, deadline=None)
def test_any_event_comes_back_with_its_hash_intact(text: str, by: str, more: dict[str, Any], on: datetime) -> None:
    recorded = record(Case(ID, 1, NOW), on, by=well_formed(by), kind="note", text=text, details=more)
    event = events.from_row(events.to_row(ID, 1, recorded.events[0]))
    assert event.text == text
    content = (event.sequence, event.on, event.by, event.kind, event.text, event.details, event.previous_hash)
    assert event_hash(*content) == event.hash == recorded.case.last_hash


@given(any_text, st.integers(0, 3), st.sampled_from(["a", "ü", "😀", "\ud83d", "\n"]))
@example("", 0, "a")
@settings(deadline=None)
def test_text_split_over_columns_is_put_together_again(text: str, times: int, filler: str) -> None:
    long = text + filler * (times * (COLUMN_UNITS - 1)) + text
    parts = split("name", long)
    assert joined({**parts, "name_of_another": "x"}, "name") == long
    assert all(units(part) <= COLUMN_UNITS for part in parts.values())
    if long == well_formed(long):
        assert all(part == well_formed(part) for part in parts.values()), "no emoji is torn apart"


@given(any_text, st.integers(0, 3_000), st.integers(40, 2_000))
@settings(deadline=None)
def test_text_that_is_cut_is_not_longer_than_allowed_and_says_how_long_it_was(text: str, times: int, most: int) -> None:
    long = well_formed(text + "😀" * times)
    short = cut(long, most)
    assert units(short) <= most
    assert short == well_formed(short)
    assert short == long or short.endswith(f" … [cut: {len(long):,} characters]")


@given(details | any_text)
@settings(deadline=None)
def test_json_can_always_be_sent(value: Any) -> None:
    text = as_json(value)
    assert text == well_formed(text)


@given(moments, moments)
def test_stamps_sort_as_time_does_and_say_it_exactly(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) == (one < other)
    assert moment_of(stamp(one)) == one
    assert len(stamp(one)) == 27


def test_the_largest_case_fits_into_a_row() -> None:
    long = "\x01" * 40_000  # escaped in JSON, six characters each
    fact = Fact(long, long, long, NOW)
    finding = Finding(long, Disposition.PERSON, Confidence.LOW, long, long, long, (fact,) * 50, (fact,) * 50)
    case = Case(
        ID,
        1,
        NOW,
        subscription_name=long,
        customer_name=long,
        provider_name=long,
        summary=long,
        next_step=long,
        diagnosis=Diagnosis(None, Disposition.PERSON, (finding,) * 10, (RuledOut("x", long),) * 20),
        attempts=(Attempt("x", NOW, "y", long),) * 20,
        outgoing=(Notification("k", "k", long, NOW),) * 20,
        told=tuple(f"key-{n}" for n in range(10_000)),
    )
    row = rows.to_row(case, "case")
    assert size(row) <= ENTITY_BYTES
    assert all(units(value) <= COLUMN_UNITS for value in row.values() if isinstance(value, str))
    kept = rows.from_row(row)
    assert kept.told[-1] == "key-9999"
    assert len(kept.attempts) == len(kept.outgoing) == 20
    assert kept.diagnosis is not None
    assert len(kept.diagnosis.findings) == 10
    assert "[cut: 40,000 characters]" in kept.diagnosis.findings[0].proof[0].value


def test_what_cannot_be_shortened_is_refused_rather_than_lost() -> None:
    many = tuple(Attempt(f"{n:036d}", NOW, "app") for n in range(3_000))
    with pytest.raises(Refused, match="its attempts has"):
        rows.to_row(Case(ID, 1, NOW, attempts=many), "case")
    event = Recorded(Case(ID, 1, NOW))
    with pytest.raises(Refused, match="by is too long"):
        events.to_row(ID, 1, record(event, NOW, by="x" * 40_000, kind="note", text="").events[0])


def test_a_short_diagnosis_is_left_as_it_is() -> None:
    fact = Fact("message", "x" * 15_000, "row", NOW)
    diagnosis = Diagnosis("x", None, (), (RuledOut("all", "nothing"),))
    finding = Finding("unknown", Disposition.PERSON, Confidence.LOW, "s", "n", "w", (fact,) * 5)
    case = replace(Case(ID, 1, NOW), diagnosis=replace(diagnosis, findings=(finding,)))
    assert rows.from_row(rows.to_row(case, "case")) == case
