"""The local Dataverse pages and expands as the real one does (dataverse.md 1.4, 1.5)."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.contract.local_dataverse import (
    FORMATTED,
    USER,
    Dataverse,
    collection,
    follow,
    make,
    name,
    nav,
    row_url,
    rows_url,
)

SUBS, ACCOUNTS = rows_url("subscription"), rows_url("account")
SUB_NAME = name("subscription", "name")
CHANGES = collection("license_change_log", "subscription")
ANNOTATED = f'odata.include-annotations="{FORMATTED}"'


@pytest.fixture
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        yield environment


# ---- Paging


def test_pages_by_the_preferred_size_with_dataverses_cookie(dataverse: Dataverse) -> None:
    ids = sorted(make(dataverse, 5))
    url = f"{SUBS}?$select={SUB_NAME}&$filter=statecode eq 0"
    first = dataverse.get(url, "odata.maxpagesize=2")
    link = first.json["@odata.nextLink"]
    assert first.headers["preference-applied"] == "odata.maxpagesize=2"
    primary = name("subscription", "id")
    cookie = re.fullmatch(
        r".*\?\$select=.*&\$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22(.*)%22"
        r"%20istracking=%22False%22%20/%3E",
        link,
    )
    assert cookie is not None
    assert unquote(unquote(cookie.group(1))) == (
        f'<cookie page="1"><{primary} last="{{{ids[1].upper()}}}" first="{{{ids[0].upper()}}}" /></cookie>'
    )
    pages = follow(dataverse, url, "odata.maxpagesize=2")
    assert [[row[primary] for row in page] for page in pages] == [ids[:2], ids[2:4], ids[4:]]


def test_the_largest_page_is_5000(dataverse: Dataverse) -> None:
    make(dataverse, 5001)
    assert [len(page) for page in follow(dataverse, f"{SUBS}?$select=statecode")] == [5000, 1]
    assert [len(page) for page in follow(dataverse, f"{SUBS}?$select=statecode", "odata.maxpagesize=9000")] == [5000, 1]


def test_a_full_last_page_has_no_next_link(dataverse: Dataverse) -> None:
    make(dataverse, 4)
    assert [len(page) for page in follow(dataverse, SUBS, "odata.maxpagesize=2")] == [2, 2]


def test_rows_that_leave_between_two_pages_do_not_make_others_be_skipped(dataverse: Dataverse) -> None:
    ids = sorted(make(dataverse, 4))
    first = dataverse.get(f"{SUBS}?$filter=statecode eq 0", "odata.maxpagesize=2").json
    for id in ids[:2]:
        dataverse.records.update("subscription", id, {"state": "inactive"}, by=USER)
    second = dataverse.get(first["@odata.nextLink"], "odata.maxpagesize=2").json
    assert [row[name("subscription", "id")] for row in second["value"]] == ids[2:]


@pytest.mark.parametrize("mangle", [quote, unquote, lambda link: link.replace("pagenumber", "page")])
def test_a_link_that_was_encoded_again_or_decoded_is_refused(dataverse: Dataverse, mangle: Any) -> None:
    make(dataverse, 3)
    link = dataverse.get(SUBS, "odata.maxpagesize=2").json["@odata.nextLink"]
    root, _, token = link.partition("$skiptoken=")
    assert dataverse.get(link, "odata.maxpagesize=2").status == 200
    spoilt = dataverse.get(f"{root}$skiptoken={mangle(token)}", "odata.maxpagesize=2")
    assert spoilt.error == (400, "0x80060888", "Malformed XML in the Paging Cookie")


def test_any_text_survives_in_a_cookie(dataverse: Dataverse) -> None:
    texts = ["100%25 & <b> \"x\" 'y'", "a+b%20c", "{brace}", "Zoë ☂"]
    dataverse.records.create_many("account", [{"name": text} for text in texts], by=USER)
    pages = follow(dataverse, f"{ACCOUNTS}?$select=name&$orderby=name", "odata.maxpagesize=1")
    assert sorted(row["name"] for page in pages for row in page) == sorted(texts)


def test_top_limits_and_is_ignored_beside_a_page_size(dataverse: Dataverse) -> None:
    make(dataverse, 5)
    limited = dataverse.get(f"{SUBS}?$top=3").json
    assert len(limited["value"]) == 3
    assert "@odata.nextLink" not in limited
    assert dataverse.get(f"{SUBS}?$top=0").rows == []
    assert len(dataverse.get(f"{SUBS}?$top=999999999").rows) == 5
    pages = follow(dataverse, f"{SUBS}?$top=3", "odata.maxpagesize=4")
    assert [len(page) for page in pages] == [4, 1]


def test_count_in_the_page_and_alone_stops_at_5000(dataverse: Dataverse) -> None:
    make(dataverse, 5003)
    answer = dataverse.get(f"{SUBS}?$count=true&$top=1", 'odata.include-annotations="*"').json
    assert answer["@odata.count"] == 5000
    assert answer["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
    few = dataverse.get(f"{SUBS}?$count=true&$filter={SUB_NAME} lt 'S03'", 'odata.include-annotations="*"').json
    assert few["@odata.count"] == len(few["value"]) == 3
    assert few["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
    assert dataverse.get(f"{ACCOUNTS}/$count").text == "1"


# ---- Expand


def test_lookups_expand_to_a_row_or_null(dataverse: Dataverse) -> None:
    (id,) = make(dataverse, 1)
    customer, product = nav("subscription", "customer"), nav("subscription", "product")
    row = dataverse.get(
        f"{row_url('subscription', id)}?$select={SUB_NAME}&$expand={customer}($select=name),{product}"
    ).json
    account = dataverse.records.find("account")[0]
    assert row[customer] == {"@odata.etag": account["etag"], "name": "Contoso", "accountid": account["id"]}
    assert row[product] is None
    # The lookup's own value was not selected.
    assert name("subscription", "customer") not in row


def test_a_collection_expands_with_its_own_options(dataverse: Dataverse) -> None:
    first, second = make(dataverse, 2, changes=3)
    quantity = name("license_change_log", "quantity")
    options = f"$select={quantity};$filter={quantity} gt 1;$orderby={quantity} desc;$top=2"
    rows = dataverse.get(f"{SUBS}?$select={SUB_NAME}&$expand={CHANGES}({options})", ANNOTATED).rows
    assert [row[name("subscription", "id")] for row in rows] == [first, second]
    for row in rows:
        assert [change[quantity] for change in row[CHANGES]] == [3, 2]
        assert all("@odata.etag" in change for change in row[CHANGES])
        assert row[CHANGES][0][f"{quantity}@{FORMATTED}"] == "3.00"


def test_a_single_level_expand_links_to_the_same_rows_again(dataverse: Dataverse) -> None:
    (id,) = make(dataverse, 1, changes=2)
    quantity = name("license_change_log", "quantity")
    expand = f"{CHANGES}($select={quantity};$orderby={quantity} desc)"
    row = dataverse.get(f"{SUBS}?$expand={expand}", "odata.maxpagesize=1").rows[0]
    link = row[f"{CHANGES}@odata.nextLink"]
    assert "skiptoken" not in link
    assert link.split("?")[0].endswith(f"{row_url('subscription', id)}/{CHANGES}")
    # Not paged by the preferred size, though the page itself is.
    assert [change[quantity] for change in row[CHANGES]] == [2, 1]
    assert [change[quantity] for change in dataverse.get(link).rows] == [2, 1]


def test_with_a_nested_expand_collections_are_paged_and_their_links_go_on(dataverse: Dataverse) -> None:
    make(dataverse, 2, changes=3)
    quantity, account = name("license_change_log", "quantity"), nav("license_change_log", "subscription")
    expand = f"{CHANGES}($select={quantity};$expand={account}($select={SUB_NAME}))"
    url = f"{SUBS}?$select={SUB_NAME}&$expand={expand}"
    row = dataverse.get(url, "odata.maxpagesize=2").rows[0]
    assert [change[account][SUB_NAME] for change in row[CHANGES]] == ["S00", "S00"]
    link = row[f"{CHANGES}@odata.nextLink"]
    assert "$skiptoken=" in link
    rest = dataverse.get(link, "odata.maxpagesize=2").json
    assert [change[quantity] for change in rest["value"]] == [3]
    assert rest["value"][0][account][SUB_NAME] == "S00"
    assert "@odata.nextLink" not in rest
    # All there: no link at all, other than with single-level expands.
    assert f"{CHANGES}@odata.nextLink" not in dataverse.get(url, "odata.maxpagesize=3").rows[0]


@pytest.mark.parametrize("forbidden", ["$top=1", "$orderby=createdon"])
def test_with_a_nested_expand_there_is_no_top_and_no_orderby(dataverse: Dataverse, forbidden: str) -> None:
    nested = f"$expand={nav('license_change_log', 'subscription')}"
    url = f"{SUBS}?$expand={CHANGES}({forbidden};{nested})"
    status, code, message = dataverse.get(url).error
    assert (status, code) == (400, "0x80060888")
    assert message.startswith("Only $select and $filter clause can be provided while doing $expand on many-to-one")


def test_fifteen_expands_and_not_one_more(dataverse: Dataverse) -> None:
    make(dataverse, 1)
    customer = nav("subscription", "customer")
    assert dataverse.get(f"{SUBS}?$expand={','.join([customer] * 15)}").status == 200
    assert dataverse.get(f"{SUBS}?$expand={','.join([customer] * 16)}").error[:2] == (400, "0x80060888")


def test_a_lookup_expands_with_select_only_and_a_collection_never_as_reference(dataverse: Dataverse) -> None:
    customer = nav("subscription", "customer")
    assert dataverse.get(f"{SUBS}?$expand={customer}($filter=name eq 'x')").status == 400
    assert dataverse.get(f"{SUBS}?$expand={CHANGES}/$ref").status == 400
    (id,) = make(dataverse, 1)
    row = dataverse.get(f"{row_url('subscription', id)}?$expand={customer}/$ref").json
    assert set(row[customer]) == {"@odata.etag", "accountid"}


def test_navigation_paths_read_related_rows(dataverse: Dataverse) -> None:
    (id,) = make(dataverse, 1, changes=2)
    url = row_url("subscription", id)
    assert dataverse.get(f"{url}/{nav('subscription', 'customer')}").json["name"] == "Contoso"
    assert dataverse.get(f"{url}/{nav('subscription', 'product')}").status == 204
    assert len(dataverse.get(f"{url}/{CHANGES}").rows) == 2
    assert dataverse.get(f"{url}/{CHANGES}/$count").text == "2"
    assert len(dataverse.get(f"{url}/{CHANGES}?$filter={name('license_change_log', 'quantity')} eq 2").rows) == 1


def test_roles_of_users_expand_through_many_to_many(dataverse: Dataverse) -> None:
    for role in ("Work 365 Service", "Work 365 Portal Service"):
        dataverse.records.grant_role(USER, role)
    other = dataverse.records.create("system_user", {"name": "Ann"}, by=USER)
    roles = "systemuserroles_association"
    rows = dataverse.get(f"systemusers?$select=fullname&$expand={roles}($select=name)").rows
    assert {row["systemuserid"]: sorted(role["name"] for role in row[roles]) for row in rows} == {
        USER: ["Work 365 Portal Service", "Work 365 Service"],
        other: [],
    }
    assert len(dataverse.get(f"systemusers({USER})/{roles}?$select=name").rows) == 2
    found = dataverse.get(f"systemusers?$filter={roles}/any(r:r/name eq 'work 365 service')").rows
    assert [row["systemuserid"] for row in found] == [USER]
    mixed = f"systemusers?$expand={roles}($expand={roles})"
    assert dataverse.get(mixed).status == 400
