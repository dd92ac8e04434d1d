"""$filter: text -> tree -> SQL, against rows in SQLite and against a second evaluation in Python."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.dataverse.errors import ODataError
from local.dataverse.odata.ast import Compare, Lambda, Literal, Logical, Not, Path, TextTest, conditions
from local.dataverse.odata.parser import parse_filter
from local.dataverse.odata.sql import FilterCompiler
from local.dataverse.records import Records
from local.schema import load_schema

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SCHEMA = load_schema()
SUB = SCHEMA.table("subscription")
LCL = SCHEMA.table("license_change_log")
NAME = SUB.columns["name"].api_name
QUANTITY = SUB.columns["quantity"].api_name
START = SUB.columns["start_date"].api_name
CHANNEL = SUB.columns["channel"].api_name
CUSTOMER = SUB.columns["customer"].api_name
CHANGES = str(LCL.columns["subscription"].collection)
CHANGE_STATUS = LCL.columns["provisioning_status"].api_name
ACCOUNT = "aaaaaaaa-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def records() -> Iterator[Records]:
    """Five subscriptions a to e; e is all empty. a has two changes, b has one, and one belongs to nobody."""
    store = Records(clock=lambda: NOW)
    store.create("account", {"name": "Contoso"}, id=ACCOUNT, by="")
    rows: dict[str, dict[str, Any]] = {
        "a": {"name": "Office 100% café", "quantity": Decimal(5), "channel": "portal", "customer": ACCOUNT},
        "b": {"name": "office_365", "quantity": Decimal("7.5"), "channel": "provider"},
        "c": {"name": "O'Bryan [x]", "quantity": Decimal(5), "start_date": date(2026, 11, 1)},
        "d": {"name": "zebra", "start_date": date(2026, 12, 1), "customer": ACCOUNT},
        "e": {},
    }
    for number, (letter, values) in enumerate(rows.items()):
        store.create("subscription", values, id=_id(letter), by="", on=NOW.replace(hour=6 + number))
    for letter, status, hour in (
        ("a", "provisioned", 1),
        ("a", "awaiting_provisioning", 9),
        ("b", "provisioned", 2),
    ):
        change = {"subscription": _id(letter), "provisioning_status": status, "account": ACCOUNT}
        store.create("license_change_log", change, by="", on=NOW.replace(hour=hour))
    store.create("license_change_log", {"provisioning_status": "awaiting_provisioning"}, by="", on=NOW)
    yield store
    store.close()


def _id(letter: str) -> str:
    return f"{letter * 8}-0000-4000-8000-000000000000"


def found(records: Records, text: str, **aliases: str) -> str:
    """The letters of the subscriptions that a filter finds, in order."""
    compiler = FilterCompiler(records.schema, lambda: NOW)
    node = parse_filter(text, {f"@{key}": value for key, value in aliases.items()})
    sql = compiler.compile(node, SUB, "t")
    rows = records.store.db.execute(f"SELECT id FROM subscription t WHERE {sql.text} ORDER BY id", sql.values)  # noqa: S608
    return "".join(row[0][0] for row in rows)


def status(key: str) -> int:
    return LCL.columns["provisioning_status"].option_value(key)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        (f"{QUANTITY} eq 5", "ac"),
        (f"{QUANTITY} eq 5.0", "ac"),
        (f"5 lt {QUANTITY}", "b"),
        (f"{QUANTITY} ge 5 and {QUANTITY} le 7.5", "abc"),
        (f"{QUANTITY} gt -1", "abc"),
        (f"  {QUANTITY} eq 5  ", "ac"),
        # A comparison with nothing is never true, and neither is its opposite.
        (f"{QUANTITY} ne 5", "b"),
        (f"not ({QUANTITY} eq 5)", "b"),
        (f"{QUANTITY} eq null", "de"),
        (f"{QUANTITY} ne null", "abc"),
        (f"{QUANTITY} gt null", ""),
        # and binds closer than or; not closer than and.
        (f"{QUANTITY} eq 5 or {QUANTITY} eq 7.5 and {NAME} eq 'none'", "ac"),
        (f"({QUANTITY} eq 5 or {QUANTITY} eq 7.5) and {NAME} eq 'office_365'", "b"),
        (f"not contains({NAME},'office') and {QUANTITY} eq 5", "c"),
        # Text: no regard to case, two quotes for one, SQL Server's wildcards.
        (f"{NAME} eq 'OFFICE_365'", "b"),
        (f"{NAME} eq 'OFFICE 100% CAFÉ'", "a"),
        (f"{NAME} lt 'P'", "abc"),
        (f"{NAME} eq 'O''Bryan [x]'", "c"),
        (f"contains({NAME},'FICE')", "ab"),
        (f"startswith({NAME},'office')", "ab"),
        (f"endswith({NAME},'É')", "a"),
        (f"contains({NAME},'e_3')", "b"),
        (f"contains({NAME},'e[_]3')", "b"),
        (f"contains({NAME},'[_]1')", ""),
        (f"startswith({NAME},'[xyz]e')", "d"),
        (f"startswith({NAME},'[^xyz]')", "abc"),
        (f"contains({NAME},'o%é')", "a"),
        # Dates, times, choices, lookups.
        (f"{START} lt 2026-11-15", "c"),
        ("createdon lt 2026-11-22T08:00:00Z", "ab"),
        ("createdon lt 2026-11-22T10:00:00+02:00", "ab"),
        ("createdon ge 2026-11-22", "abcde"),
        (f"{CHANNEL} eq {SUB.columns['channel'].option_value('portal')}", "a"),
        (f"{CUSTOMER} eq {ACCOUNT}", "ad"),
        (f"{CUSTOMER} eq {ACCOUNT.upper()}", "ad"),
        (f"{CUSTOMER} eq '{ACCOUNT}'", "ad"),
        (f"{CUSTOMER} eq null", "bce"),
        (f"{SUB.columns['customer'].navigation}/name eq 'CONTOSO'", "ad"),
        (f"{SUB.columns['customer'].navigation}/name eq null", "bce"),
        (f"{SUB.primary_id} eq {_id('b')}", "b"),
        ("createdon eq modifiedon", "abcde"),
        # Collections.
        (f"{CHANGES}/any()", "ab"),
        (f"not {CHANGES}/any()", "cde"),
        (f"{CHANGES}/any(l:l/{CHANGE_STATUS} eq {status('awaiting_provisioning')})", "a"),
        (f"{CHANGES}/all(l:l/{CHANGE_STATUS} eq {status('provisioned')})", "bcde"),
        (
            f"{CHANGES}/any(l:l/{CHANGE_STATUS} eq {status('provisioned')} and l/createdon lt 2026-11-22T02:00:00Z)",
            "a",
        ),
        (f"{CHANGES}/any(l:l/{LCL.columns['account'].navigation}/name eq 'contoso')", "ab"),
        # Dataverse's own functions take logical names and, in lists, text for everything.
        (f'Microsoft.Dynamics.CRM.In(PropertyName=\'{QUANTITY}\',PropertyValues=["5","9"])', "ac"),
        (f"Microsoft.Dynamics.CRM.In(PropertyName='{NAME}',PropertyValues=['ZEBRA','x'])", "d"),
        (f"Microsoft.Dynamics.CRM.In(PropertyName='{NAME}',PropertyValues=[])", ""),
        (f"Microsoft.Dynamics.CRM.NotIn(PropertyName='{QUANTITY}',PropertyValues=[\"5\"])", "b"),
        (
            f"Microsoft.Dynamics.CRM.In(PropertyName='{SUB.columns['customer'].logical}',"
            f'PropertyValues=["{ACCOUNT}"])',
            "ad",
        ),
        (
            f"Microsoft.Dynamics.CRM.In(PropertyName='{SUB.primary_id}',PropertyValues=[\"{{{_id('c').upper()}}}\"])",
            "c",
        ),
        (f"Microsoft.Dynamics.CRM.Between(PropertyName='{QUANTITY}',PropertyValues=[6,8])", "b"),
        ("Microsoft.Dynamics.CRM.OlderThanXHours(PropertyName='createdon',PropertyValue=4)", "ab"),
        ("Microsoft.Dynamics.CRM.OlderThanXHours(PropertyName=@p1,PropertyValue=@p2)", "ab"),
        ("Microsoft.Dynamics.CRM.LastXHours(PropertyName='createdon',PropertyValue=3)", "de"),
        (f"Microsoft.Dynamics.CRM.OlderThanXDays(PropertyName='{START}',PropertyValue=3)", "c"),
        (f"Microsoft.Dynamics.CRM.NextXMonths(PropertyName='{START}',PropertyValue=1)", "d"),
        (f"Microsoft.Dynamics.CRM.OnOrAfter(PropertyName='{START}',PropertyValue='2026-12-01')", "d"),
        ("Microsoft.Dynamics.CRM.Today(PropertyName='createdon')", "abcde"),
        ("Microsoft.Dynamics.CRM.Yesterday(PropertyName='createdon')", ""),
        (f"{CHANGES}/any(l:l/Microsoft.Dynamics.CRM.OlderThanXHours(PropertyName='createdon',PropertyValue=5))", "ab"),
        # Aliases; one that nobody gave a value is null.
        (f"{QUANTITY} eq @q", "ac"),
        (f"{QUANTITY} eq @missing", "de"),
    ],
)
def test_finds(records: Records, text: str, letters: str) -> None:
    aliases = {"p1": "'createdon'", "p2": "4", "q": "5"}
    assert found(records, text, **aliases) == letters


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gone eq 1", "Could not find a property named 'gone' on type 'Microsoft.Dynamics.CRM.work365_subscription'."),
        (f"{NAME.upper()} eq 'x'", f"Could not find a property named '{NAME.upper()}'"),
        (f"{NAME} eq 'O'Bryan'", f"There is an unterminated literal at position {len(NAME) + 13} in"),
        (f"{NAME} eq", "Syntax error at position"),
        (f"{NAME} EQ 'x'", "Syntax error at position"),
        (f"{NAME} eq 'x' AND {NAME} eq 'y'", "Syntax error at position"),
        (f"({NAME} eq 'x'", "Syntax error at position"),
        (f"{NAME} eq 'x')", "Syntax error at position"),
        (f"{NAME} ; 'x'", "Syntax error at position"),
        ("", "Syntax error at position 0"),
        (NAME, "must evaluate to a single boolean value"),
        ("1 eq 1", "at least"),
        (f"{NAME} eq 5", "Found operand types 'Edm.String' and 'Edm.Int32' for operator kind 'Equal'."),
        (f"5 eq {NAME}", "Found operand types 'Edm.Int32' and 'Edm.String' for operator kind 'Equal'."),
        (f"{QUANTITY} lt '5'", "Found operand types 'Edm.Decimal' and 'Edm.String' for operator kind 'LessThan'."),
        (f"{START} lt 2026-11-22T08:00:00Z", "'Edm.Date' and 'Edm.DateTimeOffset'"),
        (f"{CUSTOMER} eq 'contoso'", "'Edm.Guid' and 'Edm.String'"),
        (f"{QUANTITY} eq {10**30}", "incompatible types"),
        (f"{NAME} eq createdon", "incompatible types"),
        ("createdon lt 2026-13-45T08:00:00Z", "incompatible types"),
        ("year(createdon) eq 2026", "unknown function with name 'year'"),
        (f"{NAME} in ('a','b')", "Syntax error at position"),
        (f"contains({QUANTITY},'5')", "No function signature"),
        (f"contains({NAME},5)", "No function signature"),
        ("gone/any()", "Could not find a property named 'gone'"),
        (f"{CHANGES}/any(l:{CHANGE_STATUS} eq 1)", "must start with its variable 'l'"),
        (f"{CHANGES}/any(l:l/gone eq 1)", "'gone' on type 'Microsoft.Dynamics.CRM.work365_licensechangelog'"),
        (f"{SUB.columns['customer'].navigation}/{CHANGES}/any()", "collection-valued navigation properties"),
        ("Microsoft.Dynamics.CRM.EqualUserId(PropertyName='createdon')", "unknown function"),
        (f"Microsoft.Dynamics.CRM.In(PropertyName='{CUSTOMER}',PropertyValues=[])", "doesn't contain attribute"),
        (f"Microsoft.Dynamics.CRM.In(PropertyName='{QUANTITY}',PropertyValues=[\"x\"])", "'x' does not fit"),
        (f"Microsoft.Dynamics.CRM.In(PropertyName='{QUANTITY}',PropertyValues=[1 2])", "A comma character ','"),
        (f"Microsoft.Dynamics.CRM.In(PropertyName='{QUANTITY}')", "needs PropertyValues"),
        ("Microsoft.Dynamics.CRM.OlderThanXHours(PropertyName='createdon',PropertyValue='x')", "whole PropertyValue"),
        ("Microsoft.Dynamics.CRM.OlderThanXYears(PropertyName='createdon',PropertyValue=9999)", "out of range"),
        (f"Microsoft.Dynamics.CRM.OlderThanXHours(PropertyName='{NAME}',PropertyValue=1)", "needs a date column"),
        ("(" * 200 + f"{QUANTITY} eq 5" + ")" * 200, "Recursion depth exceeded"),
    ],
)  # fmt: skip
def test_refuses_with_dataverses_words(records: Records, text: str, message: str) -> None:
    with pytest.raises(ODataError) as caught:
        found(records, text)
    assert message in caught.value.message
    assert caught.value.status == 400


def test_the_tree_is_flat_and_counts_conditions() -> None:
    many = " or ".join(["a eq 1"] * 700)
    node = parse_filter(f"({many}) and not b/any(x:x/c eq 2 and contains(x/d,'e'))")
    assert isinstance(node, Logical)
    assert node.operator == "and"
    assert conditions(node) == 702
    assert parse_filter("a eq 'it''s'") == Compare("eq", Path(("a",)), Literal("string", "it's"))
    assert parse_filter("not a/any()") == Not(Lambda("any", Path(("a",)), "", None))
    assert parse_filter("contains(a/b,'x')") == TextTest("contains", Path(("a", "b")), "x")


def test_a_list_holds_fifteen_hundred_values(records: Records) -> None:
    ids = [str(uuid.uuid4()) for _ in range(1499)] + [_id("d")]
    listed = ",".join(f'"{id}"' for id in ids)
    text = f"Microsoft.Dynamics.CRM.In(PropertyName='{SUB.primary_id}',PropertyValues=[{listed}])"
    assert found(records, text) == "d"


# ---- The same filters evaluated twice: by SQLite, and here with SQL's three-valued logic.

Row = dict[str, Any]
VALUES: dict[str, Row] = {
    "a": {"name": "Office 100% café", "quantity": 5},
    "b": {"name": "office_365", "quantity": 7.5},
    "c": {"name": "O'Bryan [x]", "quantity": 5},
    "d": {"name": "zebra", "quantity": None},
    "e": {"name": None, "quantity": None},
}
_TESTS: dict[str, Any] = {
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
}

Expression = tuple[Any, ...]


def _compare() -> st.SearchStrategy[Expression]:
    texts = st.sampled_from(["office_365", "OFFICE_365", "O'Bryan [x]", "p", "ZEBRA", ""])
    numbers = st.sampled_from([4, 5, 7.5, -1, 8])
    return st.one_of(
        st.tuples(st.sampled_from(list(_TESTS)), st.just("name"), texts),
        st.tuples(st.sampled_from(list(_TESTS)), st.just("quantity"), numbers),
        st.tuples(st.sampled_from(["eq", "ne"]), st.sampled_from(["name", "quantity"]), st.none()),
    )


def _grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    )


def _text(expression: Expression) -> str:
    match expression:
        case ("not", inner):
            return f"not ({_text(inner)})"
        case ("and" | "or" as operator, left, right):
            return f"({_text(left)}) {operator} ({_text(right)})"
        case (operator, key, value):
            literal = "null" if value is None else f"{value}"
            if isinstance(value, str):
                literal = "'" + value.replace("'", "''") + "'"
            return f"{SUB.columns[key].api_name} {operator} {literal}"
    raise AssertionError(expression)


def _truth(expression: Expression, row: Row) -> bool | None:
    match expression:
        case ("not", inner):
            value = _truth(inner, row)
            return None if value is None else not value
        case ("and" | "or" as operator, left, right):
            values = {_truth(left, row), _truth(right, row)}
            deciding = operator == "or"
            return deciding if deciding in values else None if None in values else not deciding
        case (operator, key, None):
            return bool((row[key] is None) == (operator == "eq"))
        case (operator, key, value):
            if row[key] is None:
                return None
            left, right = (row[key].casefold(), value.casefold()) if key == "name" else (row[key], value)
            return bool(_TESTS[operator](left, right))
    raise AssertionError(expression)


@settings(max_examples=300, deadline=None)
@given(st.recursive(_compare(), _grow, max_leaves=12))
def test_sqlite_and_python_agree(records: Records, expression: Expression) -> None:
    expected = "".join(letter for letter, row in VALUES.items() if _truth(expression, row))
    assert found(records, _text(expression)) == expected
