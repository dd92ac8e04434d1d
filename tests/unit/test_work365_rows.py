"""Rows become evidence by the map's types, and nothing that a row may hold raises."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.work365 import schema
from shared.adapters.work365.drafts import draft
from shared.adapters.work365.more import JOBS, More, Noted
from shared.adapters.work365.queries import Queries
from shared.adapters.work365.reader import Reader
from shared.adapters.work365.rows import Rows, Shared
from shared.adapters.work365.schema import SchemaMap

NEW_YORK, BERLIN, AUCKLAND = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland")
ID = "0f3c1d52-8a77-4f4e-9d1c-2b5f6a7e8c90"
SHIPPED = schema.load()


def typed(kind: str, table: str = "license_change_log", column: str = "effective_date") -> SchemaMap:
    """The shipped map with one column of another type."""
    raw = SHIPPED.model_dump(exclude_none=True)
    raw["tables"][table]["columns"][column]["type"] = kind
    return SchemaMap.model_validate(raw)


def reader(value: object, kind: str, zone: Any = UTC) -> Reader:
    table = typed(kind).table("license_change_log")
    return Reader(table, {table.column("effective_date").in_row: value}, zone)


@pytest.mark.parametrize(
    ("kind", "value", "zone", "day"),
    [
        ("date", "2026-11-22", NEW_YORK, date(2026, 11, 22)),
        ("date", "2026-11-22", AUCKLAND, date(2026, 11, 22)),
        ("datetime", "2026-11-22", NEW_YORK, date(2026, 11, 22)),
        ("date", "2026-11-22T00:00:00Z", NEW_YORK, date(2026, 11, 21)),
        ("datetime", "2026-11-22T00:00:00Z", NEW_YORK, date(2026, 11, 21)),
        ("datetime", "2026-11-21T23:00:00Z", BERLIN, date(2026, 11, 22)),
        ("datetime", "2026-06-30T22:00:00Z", BERLIN, date(2026, 7, 1)),  # summer time
        ("wall_time", "2026-11-22T00:00:00Z", NEW_YORK, date(2026, 11, 22)),
        ("wall_time", "2026-11-22T23:30:00Z", AUCKLAND, date(2026, 11, 22)),
        ("date", "2028-02-29", BERLIN, date(2028, 2, 29)),
        ("datetime", "9999-12-31T23:59:59Z", BERLIN, date(9999, 12, 31)),
        ("datetime", "0001-01-01T00:00:00Z", NEW_YORK, date(1, 1, 1)),
        ("date", "2026-02-30", BERLIN, None),
        ("date", "soon", BERLIN, None),
    ],
)
def test_days(kind: str, value: str, zone: ZoneInfo, day: date | None) -> None:
    assert reader(value, kind, zone).day("effective_date") == day


@pytest.mark.parametrize(
    ("kind", "value", "moment"),
    [
        ("datetime", "2026-11-22T12:00:00Z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("datetime", "2026-11-22T12:00:00.1234567Z", datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)),
        ("datetime", "2026-11-22T12:00:00+02:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("wall_time", "2026-11-22T12:00:00Z", datetime(2026, 11, 22, 17, tzinfo=UTC)),
        ("wall_time", "2026-07-01T12:00:00Z", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        ("wall_time", "2026-03-08T02:30:00Z", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),  # the hour that is left out
        ("wall_time", "2026-11-01T01:30:00Z", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # the hour that comes twice
        ("date", "2026-11-22", datetime(2026, 11, 22, 5, tzinfo=UTC)),
        ("wall_time", "9999-12-31T23:59:59Z", None),
        ("datetime", "9999-12-31T23:59:59-05:00", None),
        ("datetime", 20261122, None),
    ],
)
def test_moments_in_new_york(kind: str, value: object, moment: datetime | None) -> None:
    read = reader(value, kind, NEW_YORK)
    assert read.moment("effective_date") == moment
    assert bool(read.unmapped) == (moment is None)


@pytest.mark.parametrize(
    ("kind", "literal"),
    [("date", "2026-11-22"), ("datetime", "2026-11-22T05:00:00Z"), ("wall_time", "2026-11-22T00:00:00Z")],
)
def test_overdue_is_asked_for_in_the_columns_own_terms(kind: str, literal: str) -> None:
    queries = Queries(typed(kind, "scheduled_license_change_log"), NEW_YORK)
    query = queries.suspects(datetime(2026, 11, 22, tzinfo=UTC), date(2026, 11, 22))
    assert f"effectivedate%20lt%20{literal.replace(':', '%3A')})" in query


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (25.0, Decimal(25)),
        (4.2, Decimal("4.2")),
        ("7", Decimal(7)),
        (-3, Decimal(-3)),
        (1e300, None),
        (10**30, None),
        (float("nan"), None),
        (True, None),
        ([25], None),
        ({"Value": 25}, None),
        ("twenty", None),
    ],
)
def test_numbers(value: object, number: Decimal | None) -> None:
    table = SHIPPED.table("license_change_log")
    read = Reader(table, {table.column("quantity").in_row: value}, UTC)
    assert read.number("quantity") == number
    assert bool(read.unmapped) == (number is None)


@pytest.mark.parametrize(("value", "days"), [(7, 7), (7.0, 7), (0, 0), (-1, None), (0.5, None), ("x", None)])
def test_whole_numbers(value: object, days: int | None) -> None:
    table = SHIPPED.table("subscription")
    assert Reader(table, {table.column("reduction_window").in_row: value}, UTC).whole("reduction_window") == days


@pytest.mark.parametrize("value", [True, 1.5, "Active", [1], {}, 424242])
def test_an_option_of_another_kind_is_noted_and_not_guessed(value: object) -> None:
    table = SHIPPED.table("subscription")
    read = Reader(table, {table.column("status").in_row: value}, UTC)
    assert read.option_name("status") is None
    assert list(read.unmapped.values()) == [str(value)]


def test_a_change_whose_state_is_empty_is_noted() -> None:
    """It counts as archived, which nobody would look at; so somebody must hear of it."""
    rows = Rows(SHIPPED, UTC)
    assert rows.change({SHIPPED.table("license_change_log").primary_id: ID}).archived
    assert list(rows.unmapped.values()) == ["(empty)"]


def test_a_change_without_an_id_is_not_one_but_the_changes_are_not_all_there() -> None:
    name = SHIPPED.table("license_change_log").column("subscription").collection or ""
    row = {SHIPPED.table("subscription").primary_id: ID, name: [{"work365_name": "?"}, "nonsense"]}
    found = draft(row, Rows(SHIPPED, UTC), Shared())
    assert (found.changes, "changes" in found.noted.unread) == ((), True)


def test_a_job_of_nobody_knows_what_may_be_a_live_one_of_anybody() -> None:
    job = {SHIPPED.table("work365_job").column("license_change_log").in_row: "nonsense"}
    more, found = More({JOBS: [job]}, {}, Rows(SHIPPED, UTC), {}), Noted()
    assert more.jobs_of([ID], [], found) == ()
    assert found.unread == ["jobs (a row that makes no sense)"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def nonsense(draw: st.DrawFn, table: str) -> dict[str, Any]:
    """A row of that table with anything in any column, in its expanded lookups, and in its collections too."""
    described = SHIPPED.table(table)
    names = [described.primary_id, *(column.in_row for column in described.columns.values())]
    names += [column.navigation for column in described.columns.values() if column.navigation]
    row = {name: draw(JSON) for name in names}
    row[described.primary_id] = draw(st.just(ID) | JSON)
    return row


@given(st.data(), st.sampled_from([UTC, NEW_YORK, AUCKLAND]))
def test_nothing_that_a_row_holds_raises(data: st.DataObject, zone: ZoneInfo) -> None:
    rows = Rows(SHIPPED, zone)
    row = data.draw(nonsense("subscription"))
    for table in ("license_change_log", "scheduled_license_change_log"):
        name = SHIPPED.table(table).column("subscription").collection or ""
        row[name] = data.draw(st.lists(nonsense(table) | JSON, max_size=2) | JSON)
    found = draft(row, rows, Shared())
    assert all(change.id for change in found.changes)
    rows.above(row)
    for table, read in (
        ("work365_job", rows.job),
        ("system_job", rows.system_job),
        ("provider", rows.provider),
        ("provider_account", rows.account),
    ):
        read(data.draw(nonsense(table)))
    assert all(isinstance(value, str) for value in rows.unmapped.values())


def test_the_shipped_map_names_work_365s_own_applications() -> None:
    assert {str(each) for each in SHIPPED.application_ids.values()} == {
        "e4b1a995-abe3-4350-a61c-65fccd32e8bd",
        "5e56ae97-9be1-40d3-938b-99ea52175a30",
    }


def test_a_map_of_an_older_kind_has_none_and_loads() -> None:
    raw = json.loads(SHIPPED.model_dump_json(exclude_none=True))
    del raw["application_ids"]
    assert SchemaMap.model_validate(raw).application_ids == {}
