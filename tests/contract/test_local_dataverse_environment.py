"""The tables of every Dataverse environment that a diagnosis reads: System Jobs, processes, users with their roles."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.dataverse.exchange import Request
from local.dataverse.faults import Fault, Match, Status
from local.dataverse.metadata import answer
from local.dataverse.render import Language
from local.schema import SchemaError, parse_schema
from tests.contract.local_dataverse import (
    FORMATTED,
    NOW,
    SCHEMA,
    USER,
    Dataverse,
    name,
    nav,
    option,
    part,
    row_url,
    rows_url,
)

JOBS, CHANGES, SUBS = (rows_url(table) for table in ("system_job", "license_change_log", "subscription"))
REGARDING = SCHEMA.table("system_job").columns["regarding"]
BY_TABLE = {table: navigation for navigation, table in REGARDING.targets.items()}
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as running:
        yield running


def about(dataverse: Dataverse, table: str) -> tuple[str, str]:
    """A System Job about a new row of that table: the row's id and the job's."""
    row = dataverse.records.create(table, {"name": f"a {table}"}, by=USER)
    values = {"name": f"about a {table}", "regarding": row, "status": "failed"}
    return row, dataverse.records.create("system_job", values, by=USER)


TABLES = ["license_change_log", "scheduled_license_change_log", "subscription"]


def test_a_system_job_is_about_rows_of_several_tables(dataverse: Dataverse) -> None:
    rows = {about(dataverse, table)[0]: table for table in TABLES}
    ids = ",".join(f'"{id}"' for id in rows)
    wanted = f"Microsoft.Dynamics.CRM.In(PropertyName='{REGARDING.logical}',PropertyValues=[{ids}])"
    url = f"{JOBS}?$select={REGARDING.api_name}&$filter={wanted}"
    found = dataverse.get(url, 'odata.include-annotations="*"').rows
    seen = {row[REGARDING.api_name]: row for row in found}
    assert set(seen) == set(rows)
    for id, table in rows.items():
        assert seen[id][f"{REGARDING.api_name}@{LOGICAL_NAME}"] == SCHEMA.table(table).logical
        assert seen[id][f"{REGARDING.api_name}@{FORMATTED}"] == f"a {table}"


@pytest.mark.parametrize("table", TABLES)
def test_each_table_has_a_way_of_its_own_that_leads_nowhere_for_the_others(dataverse: Dataverse, table: str) -> None:
    row, job = about(dataverse, table)
    select = f"$select={name('system_job', 'name')}"
    expanded = ",".join(f"{way}($select={SCHEMA.table(key).primary_id})" for key, way in BY_TABLE.items())
    together = dataverse.get(f"{row_url('system_job', job)}?{select}&$expand={expanded}").json
    for key, way in BY_TABLE.items():
        alone = dataverse.get(f"{row_url('system_job', job)}/{way}")
        if key == table:
            assert together[way][SCHEMA.table(table).primary_id] == row
            assert alone.json[SCHEMA.table(table).primary_id] == row
        else:
            assert (together[way], alone.status) == (None, 204)


def test_a_system_job_is_made_about_a_row_of_the_table_that_is_named(dataverse: Dataverse) -> None:
    subscription, job = about(dataverse, "subscription")
    body = {f"{BY_TABLE['subscription']}@odata.bind": f"/{row_url('subscription', subscription)}"}
    assert dataverse.patch(row_url("system_job", job), body).status == 204
    wrong = {f"{BY_TABLE['license_change_log']}@odata.bind": f"/{row_url('subscription', subscription)}"}
    assert dataverse.patch(row_url("system_job", job), wrong).status == 400
    row = dataverse.records.get("system_job", job)
    assert row is not None
    assert row["regarding"] == subscription


def test_users_of_an_application_with_the_names_of_their_roles(dataverse: Dataverse) -> None:
    application = "e4b1a995-abe3-4350-a61c-65fccd32e8bd"
    user = dataverse.records.create("system_user", {"name": "Work 365", "application_id": application}, by=USER)
    for role in ("Work 365 Service", "Work 365 Portal Service"):
        dataverse.records.grant_role(user, role)
    roles = SCHEMA.association("system_user", "systemuserroles_association")
    assert roles is not None
    url = f"{rows_url('system_user')}?$select=systemuserid&$filter=applicationid eq {application}"
    (row,) = dataverse.get(f"{url}&$expand={roles.name}($select=name)").rows
    assert {each["name"] for each in row[roles.name]} == {"Work 365 Service", "Work 365 Portal Service"}


def test_nested_expands_of_lookups(dataverse: Dataverse) -> None:
    records = dataverse.records
    top = records.create("subscription", {"name": "top"}, by=USER)
    middle = records.create("subscription", {"name": "middle", "parent": top}, by=USER)
    low = records.create("subscription", {"name": "low", "parent": middle}, by=USER)
    parent, column = nav("subscription", "parent"), name("subscription", "parent")
    url = f"{row_url('subscription', low)}?$select={column}&$expand={parent}($select={column};$expand={parent})"
    found = dataverse.get(url).json
    assert (found[column], found[parent][column], found[parent][parent][name("subscription", "id")]) == (
        middle,
        top,
        top,
    )
    assert found[parent][parent][column] is None


def test_the_newest_of_a_kind(dataverse: Dataverse) -> None:
    for hours, status in ((3, "succeeded"), (1, "failed"), (2, "succeeded"), (0, "waiting")):
        on = NOW - timedelta(hours=hours)
        dataverse.records.create("work365_job", {"job_status": status}, by=USER, on=on)
    ended = " or ".join(
        f"{name('work365_job', 'job_status')} eq {option('work365_job', 'job_status', s)}"
        for s in ("succeeded", "failed")
    )
    url = f"{rows_url('work365_job')}?$select=modifiedon&$filter={ended}&$orderby=modifiedon desc&$top=1"
    (row,) = dataverse.get(url).rows
    assert row["modifiedon"] == "2026-11-22T11:00:00Z"


def test_one_table_may_be_closed_and_the_others_answer(dataverse: Dataverse) -> None:
    dataverse.faults.add(Fault(Status(403), Match(target=rf"^{JOBS}\?", part=True), times=None))
    _, answers = dataverse.batch(part("GET", f"{JOBS}?$top=1"), part("GET", f"{SUBS}?$top=1"), go_on=True)
    assert [each.status for each in answers] == [403, 200]


def test_or_closed_for_want_of_a_privilege_even_where_another_table_brings_it_along(dataverse: Dataverse) -> None:
    dataverse.access.deny(USER, "role", "Read")
    url = f"{rows_url('system_user')}?$expand=systemuserroles_association($select=name)"
    status, _, message = dataverse.get(url).error
    assert (status, "prvReadrole" in message) == (403, True)
    assert dataverse.get(rows_url("system_user")).status == 200


def test_metadata_tells_the_tables_that_a_lookup_leads_to(dataverse: Dataverse) -> None:
    logical = SCHEMA.table("system_job").logical
    rows = dataverse.get(f"EntityDefinitions(LogicalName='{logical}')/ManyToOneRelationships").rows
    found = {row["ReferencingEntityNavigationPropertyName"]: row["ReferencedEntity"] for row in rows}
    assert found == {way: SCHEMA.table(table).logical for table, way in BY_TABLE.items()}


def test_a_time_without_a_zone_is_told_by_metadata() -> None:
    columns = {"c": {"logical": "c", "type": "wall_time", "known": "assumed"}}
    table = {"logical": "t", "entity_set": "ts", "primary_id": "tid", "label": "T", "known": "assumed"}
    schema = parse_schema({"tables": {"t": {**table, "columns": columns}}})
    request = Request("GET", "EntityDefinitions(LogicalName='t')/Attributes", "", {}, b"", "http://contoso.local")
    (row,) = json.loads(answer(schema, request, Language()).body)["value"]
    assert (row["AttributeType"], row["DateTimeBehavior"]) == ("DateTime", {"Value": "TimeZoneIndependent"})


@pytest.mark.parametrize("broken", [{"also": {"way": "gone"}}, {"target": "gone"}])
def test_a_lookup_to_a_table_that_is_not_there_is_refused(broken: dict[str, object]) -> None:
    column = {"logical": "c", "type": "lookup", "known": "assumed", "navigation": "c", **broken}
    table = {"logical": "t", "entity_set": "ts", "primary_id": "tid", "label": "T", "known": "assumed"}
    with pytest.raises(SchemaError, match=r"gone, which is no table"):
        parse_schema({"tables": {"t": {**table, "columns": {"c": column}}}})


def test_so_is_an_association() -> None:
    table = {"logical": "t", "entity_set": "ts", "primary_id": "tid", "label": "T", "known": "assumed", "columns": {}}
    associations = {"a": {"navigation": "a", "target": "gone", "known": "assumed"}}
    with pytest.raises(SchemaError, match="gone, which is no table"):
        parse_schema({"tables": {"t": {**table, "associations": associations}}})
