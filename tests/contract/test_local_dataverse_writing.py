"""The local Dataverse takes writes as the real one does (dataverse.md 1.2, 1.8, 2.3)."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from local.dataverse.records import RowChange
from tests.contract.local_dataverse import (
    BASE,
    NOW,
    SCHEMA,
    USER,
    Dataverse,
    collection,
    name,
    nav,
    option,
    row_url,
    rows_url,
)

SUBS = rows_url("subscription")
STATUS = name("license_change_log", "provisioning_status")
AWAITING, NOT_APPLICABLE = (
    option("license_change_log", "provisioning_status", key) for key in ("awaiting_provisioning", "not_applicable")
)


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        yield environment


@pytest.fixture
def change(dataverse: Dataverse) -> str:
    """The address of a License Change Log in Awaiting Provisioning, made an hour ago by somebody else."""
    id = dataverse.records.create(
        "license_change_log",
        {"name": "LCL", "provisioning_status": "awaiting_provisioning"},
        by=str(uuid.uuid4()),
        on=NOW - timedelta(hours=1),
    )
    return row_url("license_change_log", id)


def etag_of(dataverse: Dataverse, url: str) -> str:
    return str(dataverse.get(url).json["@odata.etag"])


# ---- Update and optimistic concurrency


def test_an_update_with_the_etag_that_was_read(dataverse: Dataverse, change: str) -> None:
    etag = etag_of(dataverse, change)
    answer = dataverse.patch(change, {STATUS: NOT_APPLICABLE}, etag)
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["odata-entityid"] == BASE + change
    row = dataverse.get(change).json
    assert row[STATUS] == NOT_APPLICABLE
    assert row["@odata.etag"] != etag
    assert row["modifiedon"] == "2026-11-22T12:00:00Z"
    assert row["createdon"] == "2026-11-22T11:00:00Z"
    assert row[name("license_change_log", "modified_by")] == USER


def test_a_stale_etag_is_refused_and_nothing_is_written(dataverse: Dataverse, change: str) -> None:
    etag = etag_of(dataverse, change)
    dataverse.patch(change, {"work365_name": "somebody else"})
    before = dataverse.get(change).json
    answer = dataverse.patch(change, {STATUS: NOT_APPLICABLE}, etag)
    assert answer.error == (
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )
    assert dataverse.get(change).json == before


def test_every_write_gives_a_new_etag_even_without_a_change(dataverse: Dataverse, change: str) -> None:
    seen = {etag_of(dataverse, change)}
    for _ in range(3):
        dataverse.patch(change, {STATUS: AWAITING})
        seen.add(etag_of(dataverse, change))
    assert len(seen) == 4


def test_return_representation_brings_the_new_etag(dataverse: Dataverse, change: str) -> None:
    answer = dataverse.patch(f"{change}?$select={STATUS}", {STATUS: NOT_APPLICABLE}, prefer="return=representation")
    assert answer.status == 200
    assert answer.headers["preference-applied"] == "return=representation"
    assert answer.json[STATUS] == NOT_APPLICABLE
    assert "createdon" not in answer.json
    again = dataverse.patch(change, {STATUS: AWAITING}, answer.json["@odata.etag"])
    assert again.status == 204


@pytest.mark.parametrize("etag", ["*", 'W/"1"'])
def test_if_match_never_creates(dataverse: Dataverse, etag: str) -> None:
    absent = str(uuid.uuid4())
    answer = dataverse.patch(row_url("account", absent), {"name": "A"}, etag)
    assert answer.error == (404, "0x80040217", f"Entity 'account' With Id = {absent} Does Not Exist")
    assert dataverse.records.find("account") == []


def test_without_if_match_a_patch_creates_what_is_not_there(dataverse: Dataverse) -> None:
    id = str(uuid.uuid4())
    answer = dataverse.patch(row_url("account", id), {"name": "A"}, etag=None)
    assert answer.status == 204
    assert answer.headers["odata-entityid"] == BASE + row_url("account", id)
    assert dataverse.records.find("account")[0]["id"] == id
    assert dataverse.patch(row_url("account", id), {"name": "B"}, etag=None).status == 204
    assert [row["name"] for row in dataverse.records.find("account")] == ["B"]


def test_if_none_match_creates_only(dataverse: Dataverse) -> None:
    url = row_url("account", str(uuid.uuid4()))
    once, twice = (dataverse.send("PATCH", url, {"name": n}, {"If-None-Match": "*"}) for n in "AB")
    assert once.status == 204
    assert twice.error[:2] == (412, "0x80040237")
    assert dataverse.records.find("account")[0]["name"] == "A"


def test_delete_looks_at_the_etag_too(dataverse: Dataverse, change: str) -> None:
    assert dataverse.send("DELETE", change, headers={"If-Match": 'W/"0"'}).status == 412
    assert dataverse.send("DELETE", change).status == 204
    assert dataverse.send("DELETE", change).error[:2] == (404, "0x80040217")
    assert dataverse.records.find("license_change_log") == []


# ---- Create


def test_create_tells_where_the_row_is(dataverse: Dataverse) -> None:
    account = dataverse.records.create("account", {"name": "Contoso"}, by=USER)
    body: dict[str, Any] = {
        name("subscription", "name"): "S",
        name("subscription", "quantity"): 2.5,
        name("subscription", "start_date"): "2026-12-01",
        f"{nav('subscription', 'customer')}@odata.bind": f"/accounts({account})",
        "@odata.type": "Microsoft.Dynamics.CRM.work365_subscription",
    }
    answer = dataverse.send("POST", SUBS, body)
    row = dataverse.records.find("subscription")[0]
    assert answer.status == 204
    assert answer.headers["location"] == answer.headers["odata-entityid"] == BASE + row_url("subscription", row["id"])
    assert (row["name"], row["quantity"], row["customer"]) == ("S", Decimal("2.5"), account)
    assert (row["state"], row["status"], row["modified_by"]) == ("active", "active", USER)
    assert row["created_on"] == NOW


def test_create_with_representation_and_an_own_id(dataverse: Dataverse) -> None:
    id = str(uuid.uuid4())
    prefer = {"Prefer": "return=representation"}
    answer = dataverse.send("POST", "accounts?$select=name", {"accountid": id, "name": "A"}, prefer)
    assert answer.status == 201
    assert (answer.json["accountid"], answer.json["name"]) == (id, "A")
    assert dataverse.send("POST", "accounts", {"accountid": id}).error[:2] == (412, "0x80040237")


def test_lookups_are_bound_and_unbound_by_navigation_property(dataverse: Dataverse) -> None:
    account = dataverse.records.create("account", {"name": "Contoso"}, by=USER)
    id = dataverse.records.create("subscription", {}, by=USER)
    bind = f"{nav('subscription', 'customer')}@odata.bind"
    for reference in (f"accounts({account})", f"/accounts({account.upper()})", f"{BASE}accounts({account})"):
        dataverse.records.update("subscription", id, {"customer": None}, by=USER)
        assert dataverse.patch(row_url("subscription", id), {bind: reference}).status == 204
        assert dataverse.records.find("subscription")[0]["customer"] == account
    assert dataverse.patch(row_url("subscription", id), {bind: None}).status == 204
    assert dataverse.records.find("subscription")[0]["customer"] is None


# ---- Refusals

ABSENT = "00000000-0000-0000-0000-00000000abcd"
CUSTOMER = SCHEMA.table("subscription").columns["customer"]
NAME = name("subscription", "name")


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({"gone": 1}, 400, "0x80048d19", "The property 'gone' does not exist on type"),
        ({NAME.upper(): "x"}, 400, "0x80048d19", "does not exist on type"),
        ({NAME: 5}, 400, "0x80048d19", "Cannot convert the literal '5' to the expected type 'Edm.String'"),
        ({NAME: "x" * 4001}, 400, "0x80044331", "exceeded the maximum allowed length of '4000'"),
        ({name("subscription", "quantity"): "5"}, 400, "0x80048d19", "expected type 'Edm.Decimal'"),
        ({name("subscription", "quantity"): True}, 400, "0x80048d19", "expected type 'Edm.Decimal'"),
        ({name("subscription", "start_date"): "1.12.2026"}, 400, "0x80048d19", "expected type 'Edm.Date'"),
        ({name("subscription", "channel"): "Portal"}, 400, "0x80048d19", "expected type 'Edm.Int32'"),
        ({name("subscription", "channel"): 7}, 400, "0x8004431a", "Accepted Values: 100000000,100000001,100000002"),
        ({"statecode": None}, 400, "0x8004431a", "The value None of 'statecode'"),
        ({CUSTOMER.api_name: ABSENT}, 400, "0x80060888", "CRM do not support direct update of Entity Reference"),
        ({CUSTOMER.logical: ABSENT}, 400, "0x80060888", "CRM do not support direct update of Entity Reference"),
        (
            {f"{CUSTOMER.logical}@odata.bind": f"/accounts({ABSENT})"},
            400,
            "0x80048d19",
            f"An undeclared property '{CUSTOMER.logical}' which only has property annotations",
        ),
        (
            {f"{CUSTOMER.navigation}@odata.bind": f"/accounts({ABSENT})"},
            404,
            "0x80040217",
            f"Entity 'account' With Id = {ABSENT} Does Not Exist",
        ),
        ({f"{CUSTOMER.navigation}@odata.bind": f"/products({ABSENT})"}, 400, "0x80048d19", "is no account"),
        ([], 400, "0x80048d19", "must be a JSON object"),
        (b"{", 400, "0x80048d19", "Invalid JSON"),
        (b"", 400, "0x80048d19", "Invalid JSON"),
    ],
)
def test_a_bad_body_is_refused_and_nothing_is_written(
    dataverse: Dataverse, body: Any, status: int, code: str, message: str
) -> None:
    id = dataverse.records.create("subscription", {"name": "S"}, by=USER)
    before = dataverse.records.find("subscription")
    created = dataverse.send("POST", SUBS, body)
    updated = dataverse.patch(row_url("subscription", id), body)
    for answer in (created, updated):
        assert answer.error[:2] == (status, code)
        assert message in answer.error[2]
    assert dataverse.records.find("subscription") == before


def test_whole_numbers_and_flags_are_not_mixed_up(dataverse: Dataverse) -> None:
    attempts = name("work365_job", "attempts")
    assert dataverse.send("POST", rows_url("work365_job"), {attempts: 2.5}).error[1] == "0x80048d19"
    assert dataverse.send("POST", rows_url("work365_job"), {attempts: 2**31}).error[1] == "0x80048d19"
    assert dataverse.patch(f"systemusers({USER})", {"isdisabled": 1}).error[1] == "0x80048d19"


def test_what_dataverse_sets_itself_is_quietly_ignored(dataverse: Dataverse, change: str) -> None:
    body = {"createdon": "2001-01-01T00:00:00Z", "modifiedon": "2001-01-01T00:00:00Z"}
    assert dataverse.patch(change, body).status == 204
    row = dataverse.get(change).json
    assert (row["createdon"], row["modifiedon"]) == ("2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"statecode": 1}, (1, "inactive")),
        ({"statecode": 1, "statuscode": "expired"}, (1, "expired")),
        ({"statuscode": "suspended"}, (0, "suspended")),
        ({"statecode": 0, "statuscode": "provisioned"}, (0, "provisioned")),
    ],
)
def test_a_status_within_its_state_is_taken(
    dataverse: Dataverse, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    id = dataverse.records.create("subscription", {}, by=USER)
    status = SCHEMA.table("subscription").columns["status"]
    if "statuscode" in body:
        body = {**body, "statuscode": status.option_value(body["statuscode"])}
    assert dataverse.patch(row_url("subscription", id), body).status == 204
    row = dataverse.get(row_url("subscription", id)).json
    assert (row["statecode"], row["statuscode"]) == (expected[0], status.option_value(expected[1]))


@pytest.mark.parametrize("body", [{"statuscode": "cancelled"}, {"statecode": 1, "statuscode": "active"}])
def test_a_status_of_another_state_is_refused(dataverse: Dataverse, body: dict[str, Any]) -> None:
    id = dataverse.records.create("subscription", {}, by=USER)
    body = {**body, "statuscode": option("subscription", "status", body["statuscode"])}
    status, code, message = dataverse.patch(row_url("subscription", id), body).error
    assert (status, code) == (400, "0x80048408")
    assert "is not a valid status code for state code" in message
    assert id in message
    assert dataverse.records.find("subscription")[0]["status"] == "active"


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("PUT", row_url("account", ABSENT), 405),
        ("POST", row_url("account", ABSENT), 405),
        ("PATCH", "accounts", 405),
        ("DELETE", "accounts", 405),
        ("POST", "nothing", 404),
        ("POST", "WhoAmI", 404),
        ("GET", "$batch", 405),
        ("HEAD", "accounts", 405),
        ("PATCH", f"{row_url('subscription', ABSENT)}/{collection('license_change_log', 'subscription')}", 405),
    ],
)
def test_methods_that_an_address_does_not_take(dataverse: Dataverse, method: str, url: str, status: int) -> None:
    assert dataverse.send(method, url, {}).status == status


# ---- What others hear of a write


def test_writes_are_heard_by_listeners_and_kept_with_both_sides(dataverse: Dataverse, change: str) -> None:
    heard: list[RowChange] = []
    dataverse.records.subscribe(heard.append)
    dataverse.send(
        "PATCH", change, {STATUS: NOT_APPLICABLE}, {"If-Match": "*", "User-Agent": "unstuck/0.1 (remediate)"}
    )
    dataverse.patch(change, {STATUS: AWAITING}, etag='W/"0"')
    (row_change,) = heard
    assert (row_change.source, row_change.by, row_change.purpose) == ("web_api", USER, "remediate")
    assert row_change.before is not None
    assert row_change.before["provisioning_status"] == "awaiting_provisioning"
    (write,) = dataverse.traffic.writes
    assert (write.on, write.user, write.table, write.kind, write.purpose) == (
        NOW,
        USER,
        "license_change_log",
        "updated",
        "remediate",
    )
    assert write.changes == {"provisioning_status": ("awaiting_provisioning", "not_applicable")}


def test_writes_of_others_are_not_counted_as_the_web_apis(dataverse: Dataverse) -> None:
    dataverse.records.create("account", {"name": "A"}, by=USER)
    assert dataverse.traffic.writes == []
    dataverse.send("POST", "accounts", {"name": "B"})
    (id,) = [row["id"] for row in dataverse.records.find("account", name="B")]
    dataverse.send("DELETE", row_url("account", id))
    assert [write.kind for write in dataverse.traffic.writes] == ["created", "deleted"]
    assert dataverse.traffic.writes[0].changes["name"] == (None, "B")


def test_a_listener_may_answer_a_write_with_a_write(dataverse: Dataverse, change: str) -> None:
    def engine(row_change: RowChange) -> None:
        if row_change.table == "license_change_log":
            dataverse.records.create("work365_job", {"license_change_log": row_change.id}, by=USER)

    dataverse.records.subscribe(engine)
    assert dataverse.patch(change, {STATUS: AWAITING}).status == 204
    assert len(dataverse.records.find("work365_job")) == 1
