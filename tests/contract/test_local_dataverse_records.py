"""The local Dataverse's store by key names: what the engine, the worlds and the control endpoint rely on."""

import itertools
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.dataverse.records import Records, RowChange
from local.schema import MAP_FILE, SchemaError, load_schema, parse_schema

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
USER = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def records() -> Iterator[Records]:
    ticks = itertools.count()
    store = Records(clock=lambda: NOW + timedelta(seconds=next(ticks)))
    yield store
    store.close()


def test_schema_answers_both_ways() -> None:
    schema = load_schema()
    change = schema.table("license_change_log")
    assert schema.by_logical[change.logical] is change
    assert schema.by_entity_set[change.entity_set] is change
    status = change.columns["provisioning_status"]
    value = status.option_value("awaiting_provisioning")
    assert status.by_value[value].key == "awaiting_provisioning"
    with pytest.raises(SchemaError, match="no option 'gone'"):
        status.option_value("gone")


def test_schema_knows_collections_from_the_lookup_side() -> None:
    schema = load_schema()
    lookup = schema.table("license_change_log").columns["subscription"]
    assert lookup.collection is not None
    found = schema.collections("subscription")[lookup.collection]
    assert (found.table.key, found.column.key) == ("license_change_log", "subscription")


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        ({"logical": "x", "type": "money", "known": "assumed"}, "unknown type 'money'"),
        ({"logical": "x", "type": "choice", "known": "assumed"}, "choice without options"),
        ({"logical": "x", "type": "lookup", "known": "assumed", "target": "gone"}, "gone, which is no table"),
    ],
)
def test_a_broken_map_is_refused_by_name(column: dict[str, Any], complaint: str) -> None:
    table = {
        "logical": "t",
        "entity_set": "ts",
        "primary_id": "tid",
        "label": "T",
        "known": "assumed",
        "columns": {"c": column},
    }
    with pytest.raises(SchemaError, match=complaint):
        parse_schema({"tables": {"t": table}})


def test_the_map_file_is_the_projects_own() -> None:
    assert MAP_FILE.name == "schema_map.json"


def test_every_kind_of_value_comes_back_as_it_went_in(records: Records) -> None:
    subscription = records.create("subscription", {"name": "S", "quantity": Decimal("12.50")}, by=USER)
    values = {
        "name": "L",
        "subscription": subscription,
        "quantity": Decimal("-3.1"),
        "effective_date": date(2026, 12, 31),
        "actual_provisioned_on": datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC),
        "provisioning_status": "awaiting_provisioning",
    }
    change = records.get("license_change_log", records.create("license_change_log", values, by=USER))
    assert change is not None
    assert {key: change[key] for key in values} == {
        **values,
        "actual_provisioned_on": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    assert change["modified_by"] == USER
    user = records.create("system_user", {"name": "U", "is_disabled": True}, by=USER)
    assert records.find("system_user", id=user)[0]["is_disabled"] is True
    job = records.create("work365_job", {"attempts": 3}, by=USER)
    assert records.find("work365_job", id=job)[0]["attempts"] == 3


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"colour": "red"}, KeyError),
        ({"quantity": 1.5}, TypeError),
        ({"quantity": True}, TypeError),
        ({"start_date": datetime(2026, 1, 1, tzinfo=UTC)}, TypeError),
        ({"status": "gone"}, SchemaError),
        ({"customer": "contoso"}, ValueError),
        ({"created_on": datetime(2026, 1, 1)}, TypeError),  # noqa: DTZ001
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    records: Records, values: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        records.create("subscription", values, by=USER)
    assert records.find("subscription") == []


def test_a_row_from_the_past(records: Records) -> None:
    then = datetime(2025, 5, 5, tzinfo=UTC)
    row = records.get("account", records.create("account", {"name": "A"}, by=USER, on=then))
    assert row is not None
    assert (row["created_on"], row["modified_on"]) == (then, then)


def test_update_bumps_the_etag_and_stamps_the_row(records: Records) -> None:
    id = records.create("account", {"name": "A"}, by=USER)
    before = records.get("account", id)
    other = str(uuid.uuid4())
    records.update("account", id, {"name": "B"}, by=other)
    after = records.get("account", id)
    assert before is not None
    assert after is not None
    assert before["etag"] != after["etag"]
    assert (after["name"], after["modified_by"]) == ("B", other)
    assert after["modified_on"] > before["modified_on"]
    assert after["created_on"] == before["created_on"]
    with pytest.raises(KeyError):
        records.update("account", str(uuid.uuid4()), {"name": "C"}, by=USER)


@pytest.mark.parametrize(
    ("values", "state", "status"),
    [
        ({}, "active", "active"),
        ({"status": "awaiting_provisioning"}, "active", "awaiting_provisioning"),
        ({"status": "cancelled"}, "inactive", "cancelled"),
        ({"state": "inactive"}, "inactive", "inactive"),
    ],
)
def test_state_and_status_follow_each_other(
    records: Records, values: dict[str, object], state: str, status: str
) -> None:
    created = records.get("subscription", records.create("subscription", values, by=USER))
    assert created is not None
    assert (created["state"], created["status"]) == (state, status)
    id = records.create("subscription", {"status": "suspended"}, by=USER)
    records.update("subscription", id, values or {"state": "active"}, by=USER)
    updated = records.get("subscription", id)
    assert updated is not None
    assert (updated["state"], updated["status"]) == (state, status if values else "suspended")


def test_find_matches_all_given_columns_oldest_first(records: Records) -> None:
    a, b = (records.create("subscription", {"name": name}, by=USER) for name in ("a", "b"))
    late = records.create("license_change_log", {"subscription": a, "name": "late"}, by=USER)
    early = records.create("license_change_log", {"subscription": a, "name": "early"}, by=USER, on=NOW)
    none = records.create("license_change_log", {"name": "early"}, by=USER)
    found = records.find("license_change_log", subscription=[a, b])
    assert [row["id"] for row in found] == [early, late]
    assert [row["id"] for row in records.find("license_change_log", subscription=None)] == [none]
    assert [row["id"] for row in records.find("license_change_log", name="EARLY", subscription=(a, None))] == [
        early,
        none,
    ]
    with pytest.raises(KeyError):
        records.find("license_change_log", colour="red")


def test_listeners_hear_of_committed_writes_with_both_sides(records: Records) -> None:
    heard: list[RowChange] = []
    records.subscribe(heard.append)
    id = records.create("account", {"name": "A"}, by=USER)
    records.update("account", id, {"name": "B"}, by=USER)
    records.delete("account", id, by=USER)
    names = [(c.before and c.before["name"], c.after and c.after["name"]) for c in heard]
    assert names == [(None, "A"), ("A", "B"), ("B", None)]
    assert {(c.table, c.id, c.by, c.source) for c in heard} == {("account", id, USER, "records")}
    with pytest.raises(sqlite3.IntegrityError):
        [records.create("account", {}, id=id, by=USER) for _ in range(2)]
    assert len(heard) == 4


def test_a_listener_may_write(records: Records) -> None:
    def answer(change: RowChange) -> None:
        if change.table == "license_change_log":
            records.create("work365_job", {"license_change_log": change.id}, by=USER)

    records.subscribe(answer)
    id = records.create("license_change_log", {}, by=USER)
    assert len(records.find("work365_job", license_change_log=id)) == 1


def test_many_rows_at_once_keep_their_own_ids_and_times(records: Records) -> None:
    mine = str(uuid.uuid4())
    then = datetime(2024, 1, 1, tzinfo=UTC)
    heard: list[RowChange] = []
    records.subscribe(heard.append)
    rows: list[dict[str, object]] = [{"id": mine, "created_on": then}, {"name": "second"}]
    ids = records.create_many("account", rows, by=USER)
    assert ids[0] == mine
    assert records.find("account")[0]["created_on"] == then
    assert heard == []


def test_roles_are_given_and_taken(records: Records) -> None:
    user = records.create("system_user", {"name": "Work 365"}, by=USER)
    for role in ("Work 365 Service", "Work 365 Portal Service", "Work 365 Service"):
        records.grant_role(user, role)
    assert records.roles_of(user) == ["Work 365 Portal Service", "Work 365 Service"]
    records.revoke_role(user, "Work 365 Service")
    assert records.roles_of(user) == ["Work 365 Portal Service"]


def test_the_organization_can_become_another(records: Records) -> None:
    other = str(uuid.uuid4())
    assert records.organization_id != other
    records.set_organization(other)
    assert records.organization_id == other
    assert len(records.find("organization")) == 1


def test_a_store_in_a_file_goes_on_counting(tmp_path: Any) -> None:
    path = str(tmp_path / "rows.sqlite")
    first = Records(path=path)
    id = first.create("account", {"name": "A"}, by=USER)
    tag = first.find("account")[0]["etag"]
    first.close()
    second = Records(path=path)
    assert second.find("account")[0]["etag"] == tag
    second.update("account", id, {"name": "B"}, by=USER)
    assert second.find("account")[0]["etag"] != tag
    second.close()
