"""Queries are built so that no value can become a part of the query."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.dataverse import odata
from shared.adapters.dataverse.odata import Expand
from shared.adapters.web.links import Site

ID = UUID("0f3c1d52-8a77-4f4e-9d1c-2b5f6a7e8c90")
SITE = Site("https://contoso.crm4.dynamics.com", "/api/data/v9.2/")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("O'Bryan", "'O''Bryan'"),
        ("", "''"),
        ("' or 1 eq 1 or 'a' eq '", "''' or 1 eq 1 or ''a'' eq '''"),
        (ID, str(ID)),
        (7, "7"),
        (-7, "-7"),
        (True, "true"),
        (None, "null"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 8, tzinfo=UTC), "2026-11-22T08:00:00Z"),
        (datetime(2026, 11, 22, 8, 0, 0, 500_000, tzinfo=UTC), "2026-11-22T08:00:00.500000Z"),
        (datetime(2026, 11, 22, 8, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T06:00:00Z"),
    ],
)
def test_literals(value: odata.Value, text: str) -> None:
    assert odata.literal(value) == text


@pytest.mark.parametrize("value", [datetime(2026, 11, 22, 8), Decimal("NaN"), Decimal("Infinity"), "\ud800"])  # noqa: DTZ001
def test_what_has_no_exact_literal_is_refused(value: odata.Value) -> None:
    with pytest.raises(ValueError, match=r"zone|number|surrogates"):
        odata.literal(value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_stays_inside_its_quotes_and_its_option(text: str) -> None:
    path = odata.query("accounts", select=["name"], filter=odata.compare("name", "eq", text), top=5)
    assert SITE.target(path) == f"/api/data/v9.2/{path}"  # nothing in it that must not be in a URL
    options = parse_qsl(path.partition("?")[2], keep_blank_values=True, strict_parsing=True)
    literal = dict(options)["$filter"].removeprefix("name eq ")
    assert [name for name, _ in options] == ["$select", "$filter", "$top"]
    assert literal[0] == literal[-1] == "'"
    assert literal[1:-1].replace("''", "") == text.replace("'", "")
    assert literal[1:-1].replace("''", "'") == text


@given(st.text(min_size=1, max_size=30))
def test_a_list_of_values_takes_plain_text_only(text: str) -> None:
    try:
        condition = odata.in_("name", [text])
    except ValueError:
        assert any(c in "\"'\\" or ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in text)
    else:
        assert condition.text == f"Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[\"{text}\"])"


def test_a_list_of_values() -> None:
    assert odata.in_("statuscode", [1, 2]).text == (
        'Microsoft.Dynamics.CRM.In(PropertyName=\'statuscode\',PropertyValues=["1","2"])'
    )
    assert f'["{ID}"]' in odata.in_("accountid", [ID]).text
    assert odata.in_("x/status", [1]).text.startswith("x/Microsoft.Dynamics.CRM.In(PropertyName='status',")
    for values in ([], [True], ["x" * 851], [""]):
        with pytest.raises(ValueError, match=r"empty|cannot stand"):
            odata.in_("name", values)


def test_a_whole_query() -> None:
    stuck = odata.all_of(
        odata.compare("x/status", "eq", 1), odata.compare("x/modifiedon", "lt", datetime(2026, 1, 1, tzinfo=UTC))
    )
    path = odata.query(
        "subscriptions",
        select=["name", "_customer_value"],
        filter=odata.one_of(odata.any_row("logs", stuck), odata.negated(odata.compare("name", "eq", "a&b#c+d%"))),
        expand=[
            Expand("logs", ["n"], odata.compare("n", "gt", 1), ["createdon asc"], 3),
            Expand("Parent", expand=[Expand("Customer", ["name"])]),
            Expand("Product"),
        ],
        orderby=["createdon desc", "id"],
    )
    assert unquote(path) == (
        "subscriptions?$select=name,_customer_value"
        "&$filter=(logs/any(x:(x/status eq 1) and (x/modifiedon lt 2026-01-01T00:00:00Z)))"
        " or (not (name eq 'a&b#c+d%'))"
        "&$orderby=createdon desc,id"
        "&$expand=logs($select=n;$filter=n gt 1;$orderby=createdon asc;$top=3)"
        ",Parent($expand=Customer($select=name)),Product"
    )
    assert "a%26b%23c%2Bd%25" in path


def test_one_condition_needs_no_joining() -> None:
    one = odata.compare("a", "eq", 1)
    assert odata.all_of(one) == one
    with pytest.raises(ValueError, match="nothing to join"):
        odata.one_of()


@pytest.mark.parametrize("text", ["a b", "a'", "", "1a", "a,b", "a)", "é", "a\n", "$select", "x" * 129])
def test_names_are_names(text: str) -> None:
    calls: list[Any] = [
        lambda: odata.query("t", select=[text]),
        lambda: odata.query("t", orderby=[text]),
        lambda: odata.query("t", expand=[Expand(text)]),
        lambda: odata.compare(text, "eq", 1),
        lambda: odata.in_(text, [1]),
        lambda: odata.any_row(text, odata.compare("x/a", "eq", 1)),
        lambda: odata.row(text, str(ID)),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"not a (name|direction)"):
            call()


def test_a_row_is_addressed_by_a_guid() -> None:
    assert odata.row("accounts", str(ID).upper()) == f"accounts({ID})"
    for text in ("", "1", f"{ID})", f"{ID}\n", str(ID).replace("-", ""), "{" + str(ID) + "}"):
        with pytest.raises(ValueError, match="not a GUID"):
            odata.row("accounts", text)


def test_a_direction_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="not a direction"):
        odata.query("t", orderby=["a desc,b"])
