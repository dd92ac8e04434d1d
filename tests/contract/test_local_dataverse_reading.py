"""The local Dataverse answers queries as the real one does (dataverse.md 1.1 to 1.5)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from urllib.parse import quote

import pytest

from local.dataverse.render import Language
from local.dataverse.web_api import Options
from tests.contract.local_dataverse import (
    FORMATTED,
    NOW,
    SCHEMA,
    USER,
    Dataverse,
    collection,
    follow,
    make,
    name,
    names,
    nav,
    option,
    part,
    row_url,
    rows_url,
)

SUBS, LCLS, ACCOUNTS = (rows_url(t) for t in ("subscription", "license_change_log", "account"))
SUB_NAME = name("subscription", "name")
CHANGES = collection("license_change_log", "subscription")
ABSENT = "00000000-0000-0000-0000-00000000abcd"
ANNOTATED = f'odata.include-annotations="{FORMATTED}"'


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        yield environment


# ---- Rows, columns, order


def test_a_row_has_etag_id_and_the_selected_columns(dataverse: Dataverse) -> None:
    (id,) = make(dataverse, 1)
    answer = dataverse.get(f"{row_url('subscription', id)}?$select={SUB_NAME}")
    stored = dataverse.records.get("subscription", id)
    assert stored is not None
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["odata-version"] == "4.0"
    assert {k: v for k, v in answer.json.items() if k != "@odata.context"} == {
        "@odata.etag": stored["etag"],
        SUB_NAME: "S00",
        name("subscription", "id"): id,
    }


def test_without_select_every_column_comes_lookups_by_value_and_empty_ones_as_null(dataverse: Dataverse) -> None:
    (id,) = make(dataverse, 1)
    row = dataverse.get(row_url("subscription", id)).json
    wanted = {column.api_name for column in SCHEMA.table("subscription").columns.values()}
    assert wanted <= set(row)
    assert row[name("subscription", "product")] is None
    assert row[name("subscription", "customer")] == dataverse.records.find("account")[0]["id"]
    assert row[name("subscription", "created_on")] == "2026-11-22T12:00:00Z"


def test_a_lookup_may_be_selected_by_its_navigation_property(dataverse: Dataverse) -> None:
    make(dataverse, 1)
    (row,) = dataverse.get(f"{SUBS}?$select={nav('subscription', 'customer')}").rows
    assert name("subscription", "customer") in row


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("{n} asc", ["a", "B", "c"]),
        ("{n} desc", ["c", "B", "a"]),
        ("{q},{n} desc", ["c", "a", "B"]),
        ("{q} desc,{n}", ["B", "a", "c"]),
        # A lookup sorts by the name it shows: Adatum before Zeta, nothing first.
        ("{c}", ["B", "c", "a"]),
        ("{c} desc", ["a", "c", "B"]),
        # A choice sorts by its number, not by its label.
        ("{h} desc", ["B", "c", "a"]),
    ],
)
def test_orderby(dataverse: Dataverse, order: str, expected: list[str]) -> None:
    records = dataverse.records
    zeta, adatum = (records.create("account", {"name": n}, by=USER) for n in ("Zeta", "Adatum"))
    rows: list[dict[str, object]] = [
        {"name": "c", "quantity": Decimal(1), "customer": adatum, "channel": "provider"},
        {"name": "a", "quantity": Decimal(1), "customer": zeta, "channel": "portal"},
        {"name": "B", "quantity": Decimal(2), "channel": "system"},
    ]
    records.create_many("subscription", rows, by=USER)
    keys = {
        letter: name("subscription", key)
        for letter, key in zip("nqch", ("name", "quantity", "customer", "channel"), strict=True)
    }
    url = f"{SUBS}?$select={SUB_NAME}&$orderby={order.format(**keys)}"
    assert names(dataverse.get(url).rows) == expected
    # The same order survives being paged one row at a time, empty values included.
    assert [names(page)[0] for page in follow(dataverse, url, "odata.maxpagesize=1")] == expected


def test_rows_come_by_primary_key_when_nobody_says_otherwise(dataverse: Dataverse) -> None:
    for number in (3, 1, 2):
        dataverse.records.create("account", {}, id=f"{number * 11111111}-0000-4000-8000-000000000000", by=USER)
    assert [row["accountid"][0] for row in dataverse.get(ACCOUNTS).rows] == ["1", "2", "3"]


def test_filters_reach_the_url_encoded(dataverse: Dataverse) -> None:
    dataverse.records.create("account", {"name": "R&D +1 #"}, by=USER)
    text = quote("name eq 'R&D +1 #'", safe="")
    assert len(dataverse.get(f"{ACCOUNTS}?$filter={text}").rows) == 1
    assert len(dataverse.get(f"{ACCOUNTS}?$filter=name+eq+@n&@n='R%26D%20%2B1%20%23'").rows) == 1


@pytest.mark.parametrize(
    ("url", "status", "code", "message"),
    [
        ("accounts?$select=Name", 400, "0x80060888", "named 'Name' on type 'Microsoft.Dynamics.CRM.account'."),
        ("accounts?$orderby=gone", 400, "0x80060888", "named 'gone'"),
        ("accounts?$filter=gone eq 1", 400, "0x80060888", "named 'gone'"),
        ("accounts?$expand=gone", 400, "0x80060888", "named 'gone'"),
        ("accounts?$orderby=name up", 400, "0x80060888", "Syntax error"),
        ("accounts?$top=many", 400, "0x80060888", "'many' for $top"),
        (f"accounts?$top={'9' * 30}", 400, "0x80060888", "for $top"),
        (f"accounts?$filter=statecode eq {'9' * 5000}", 400, "0x80060888", "Syntax error"),
        ("accounts?$skip=5", 400, "0x80060888", "The query parameter $skip is not supported."),
        ("accounts?$Filter=name eq 'x'", 400, "0x80060888", "The query parameter $Filter is not supported."),
        ("Accounts", 404, "0x8006088a", "Resource not found for the segment 'Accounts'."),
        ("accounts(42)", 400, "0x80060888", "'42'"),
        (f"accounts({ABSENT})", 404, "0x80040217", f"Entity 'account' With Id = {ABSENT} Does Not Exist"),
        (f"accounts({ABSENT})/gone", 404, "0x80040217", "Does Not Exist"),
        ("accounts/x/y", 404, "0x8006088a", "'y'"),
    ],
)  # fmt: skip
def test_refusals_have_dataverses_body(dataverse: Dataverse, url: str, status: int, code: str, message: str) -> None:
    answer = dataverse.get(url)
    assert answer.error[:2] == (status, code)
    assert message in answer.error[2]


def test_five_hundred_conditions_and_not_one_more(dataverse: Dataverse) -> None:
    def url(count: int) -> str:
        return f"{ACCOUNTS}?$filter={quote(' or '.join(['statecode eq 0'] * count))}"

    assert dataverse.get(url(500)).status == 200
    assert dataverse.get(url(501)).error == (
        400,
        "0x8004430C",
        "Number of conditions in query exceeded maximum limit.",
    )


def test_a_url_has_32_kb_and_64_in_a_batch(dataverse: Dataverse) -> None:
    def url(length: int) -> str:
        return f"{ACCOUNTS}?$filter=name eq '{'x' * length}'"

    assert dataverse.get(url(32_700).replace(" ", "%20")).status == 200
    assert dataverse.get(url(32_800).replace(" ", "%20")).error[0] == 413
    assert dataverse.batch(part("GET", url(65_400)))[1][0].status == 200
    assert dataverse.batch(part("GET", url(65_600)))[0].error[0] == 400


# ---- Annotations


def test_formatted_values_and_lookup_names_only_when_asked(dataverse: Dataverse) -> None:
    (id,) = make(dataverse, 1, changes=1)
    dataverse.records.update(
        "subscription", id, {"start_date": date(2026, 3, 9), "quantity": Decimal("1234.5")}, by=USER
    )
    url, customer = row_url("subscription", id), name("subscription", "customer")
    assert not [key for key in dataverse.get(url).json if "@" in key and not key.startswith("@odata")]
    answer = dataverse.get(url, 'odata.include-annotations="*"')
    row = answer.json
    assert row[f"{customer}@{FORMATTED}"] == "Contoso"
    assert row[f"{customer}@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    assert row[f"{customer}@Microsoft.Dynamics.CRM.associatednavigationproperty"] == nav("subscription", "customer")
    assert row[f"statecode@{FORMATTED}"] == "Active"
    assert row[f"createdon@{FORMATTED}"] == "11/22/2026 12:00 PM"
    assert row[f"{name('subscription', 'start_date')}@{FORMATTED}"] == "3/9/2026"
    assert row[f"{name('subscription', 'quantity')}@{FORMATTED}"] == "1,234.50"
    assert answer.headers["preference-applied"] == 'odata.include-annotations="*"'
    only = dataverse.get(url, 'odata.include-annotations="Microsoft.Dynamics.CRM.*"').json
    assert f"{customer}@Microsoft.Dynamics.CRM.lookuplogicalname" in only
    assert f"{customer}@{FORMATTED}" not in only


def test_labels_are_in_the_callers_language() -> None:
    dutch = Options(language=Language(1043, {"Active": "Actief"}))
    with Dataverse(dutch) as dataverse:
        (id,) = make(dataverse, 1)
        row = dataverse.get(f"{row_url('subscription', id)}?$select=statecode", ANNOTATED).json
    assert (row["statecode"], row[f"statecode@{FORMATTED}"]) == (0, "Actief")


# ---- Conditional reads and the rest


def test_not_modified_only_without_expands_and_annotations(dataverse: Dataverse) -> None:
    (id,) = make(dataverse, 1)
    url = row_url("subscription", id)
    etag = dataverse.get(url).headers["etag"]
    assert dataverse.get(url, **{"If-None-Match": etag}).status == 304
    assert dataverse.get(url, **{"If-None-Match": 'W/"0"'}).status == 200
    assert dataverse.get(url, **{"If-None-Match": "null"}).status == 200
    assert dataverse.get(url, ANNOTATED, **{"If-None-Match": etag}).status == 200
    expanded = f"{url}?$expand={nav('subscription', 'customer')}"
    assert dataverse.get(expanded, **{"If-None-Match": etag}).status == 200


def test_who_am_i_tells_user_and_organization(dataverse: Dataverse) -> None:
    for spelling in ("WhoAmI", "WhoAmI()"):
        answer = dataverse.get(spelling).json
        assert (answer["UserId"], answer["OrganizationId"]) == (USER, dataverse.records.organization_id)
    organization = dataverse.get("organizations?$select=languagecode").rows[0]
    assert organization["organizationid"] == dataverse.records.organization_id


def test_the_service_document_lists_entity_sets(dataverse: Dataverse) -> None:
    assert {"accounts", "workflows", SUBS, LCLS} <= {row["url"] for row in dataverse.get("").rows}


def test_flags_are_json_booleans(dataverse: Dataverse) -> None:
    assert dataverse.get("systemusers?$select=isdisabled&$filter=isdisabled eq false").rows[0]["isdisabled"] is False
    assert dataverse.get("systemusers?$filter=isdisabled eq true").rows == []


def test_workflows_by_state(dataverse: Dataverse) -> None:
    dataverse.records.create("workflow", {"name": "LCL sync", "type": 1, "state": "suspended"}, by=USER)
    dataverse.records.create("workflow", {"name": "LCL sync", "type": 2, "state": "activated"}, by=USER)
    found = dataverse.get("workflows?$select=name,statecode&$filter=type eq 1 and statecode ne 1").rows
    assert [row["statecode"] for row in found] == [2]


def test_an_unusable_page_size_is_refused(dataverse: Dataverse) -> None:
    assert dataverse.get(ACCOUNTS, "odata.maxpagesize=0").status == 400
    assert dataverse.get(ACCOUNTS, "odata.maxpagesize=x").status == 400
    assert dataverse.get(ACCOUNTS, "odata.unknown=x").status == 200


def test_the_diagnosis_query_in_one_request(dataverse: Dataverse) -> None:
    """The shape that the app sends (dataverse.md 6): a lambda, many single-level expands, annotations."""
    first, _ = make(dataverse, 2, changes=1)
    later = NOW.replace(year=2027)
    dataverse.records.update(
        "license_change_log",
        dataverse.records.find("license_change_log")[1]["id"],
        {"quantity": Decimal(9)},
        by=USER,
        on=later,
    )
    status = name("license_change_log", "provisioning_status")
    awaiting = option("license_change_log", "provisioning_status", "awaiting_provisioning")
    lookups = ",".join(
        f"{nav('subscription', key)}($select=statecode)"
        for key in ("customer", "provider", "provider_account", "parent", "product")
    )
    url = (
        f"{SUBS}?$select={SUB_NAME}"
        f"&$filter={CHANGES}/any(l:l/{status} eq {awaiting} and l/statecode eq 0 "
        f"and l/modifiedon lt 2026-12-01T00:00:00Z)"
        f"&$expand={CHANGES}($select={status};$filter={status} eq {awaiting};$orderby=createdon asc),"
        f"{collection('scheduled_license_change_log', 'subscription')}($filter=statecode eq 0),{lookups}"
    )
    rows = dataverse.get(url, f"odata.maxpagesize=5000,{ANNOTATED}").rows
    assert [row[name("subscription", "id")] for row in rows] == [first]
    assert [change[f"{status}@{FORMATTED}"] for change in rows[0][CHANGES]] == ["Awaiting Provisioning"]
