"""Whatever is asked, the local Dataverse answers: with rows, or with an error body that says what is wrong."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.local_dataverse import SCHEMA, USER, Dataverse, collection, name, nav, row_url, rows_url

CHANGES = collection("license_change_log", "subscription")
# Pieces of real queries, so that nonsense gets past the first character.
PIECES = [
    *("$select=", "$filter=", "$orderby=", "$expand=", "$top=", "$count=", "$skiptoken=", "&", ",", ";", "/", "(", ")"),
    *(
        " eq ",
        " ne ",
        " lt ",
        " and ",
        " or ",
        "not ",
        "null",
        "true",
        "'x'",
        "'",
        '"',
        "5",
        "-1.5",
        "1e999",
        "@p",
        "=",
    ),
    *("any(l:l/", "all(", "any()", "contains(", "startswith(", "2026-11-22", "2026-99-99T00:00:00Z", "[", "]", ":"),
    *("Microsoft.Dynamics.CRM.In(PropertyName='createdon',PropertyValues=[", "statecode", "createdon", "%", "%22", "+"),
    *(
        "Microsoft.Dynamics.CRM.OlderThanXHours(PropertyName='createdon',PropertyValue=",
        "é",
        "\\",
        "{",
        "#",
        "99999999999",
    ),
    *(name("subscription", "quantity"), name("subscription", "customer"), nav("subscription", "customer"), CHANGES),
    *("%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253c", "%22%20istracking=%22False%22%20/%3E", "/$ref"),
]


@pytest.fixture(scope="module")
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        environment.records.create("subscription", {"name": "S"}, by=USER)
        yield environment


many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_queries(dataverse: Dataverse, query: str) -> None:
    answer = dataverse.get(f"{rows_url('subscription')}?{query}")
    assert "value" in answer.json if answer.status == 200 else answer.error[2]


@many
@given(st.lists(st.sampled_from(["$filter=", *PIECES[13:]]), max_size=12).map("".join))
def test_metadata_queries(dataverse: Dataverse, query: str) -> None:
    answer = dataverse.get(f"EntityDefinitions?$filter={query}")
    assert "value" in answer.json if answer.status == 200 else answer.error[2]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
SUBSCRIPTION = SCHEMA.table("subscription")
columns = st.sampled_from([*SUBSCRIPTION.by_logical, f"{nav('subscription', 'customer')}@odata.bind", "statecode"])


@many
@given(st.dictionaries(columns, json_values, max_size=3))
def test_bodies(dataverse: Dataverse, body: dict[str, object]) -> None:
    id = dataverse.records.find("subscription", name="S")[0]["id"]
    answer = dataverse.patch(row_url("subscription", id), body)
    assert answer.status == 204 or answer.error[2]
    dataverse.records.update("subscription", id, {"name": "S"}, by=USER)


@many
@given(st.lists(st.sampled_from(["--b", "--b--", "\r\n", "\r\n\r\n", "Content-Type: application/http", "GET ", "PATCH ",
    "accounts", " HTTP/1.1", "Content-Type: multipart/mixed; boundary=c", "--c", "--c--", "{", "$1", ":", "\n", "é"]),
    max_size=20).map("".join))  # fmt: skip
def test_batches(dataverse: Dataverse, body: str) -> None:
    headers = {"Content-Type": "multipart/mixed; boundary=b"}
    answer = dataverse.send("POST", "$batch", body.encode(), headers)
    assert answer.status in (200, 400)
