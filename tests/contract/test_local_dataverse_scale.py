"""20,000 subscriptions with 60,000 changes: what the suspects cost must not grow with the healthy.

Measured in SQLite's own steps (thousands of them), so that no machine's speed decides.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from tests.contract.local_dataverse import USER, Dataverse, collection, name, nav, option, part, rows_url

SUBS = rows_url("subscription")
CHANGES = collection("license_change_log", "subscription")
STATUS = name("license_change_log", "provisioning_status")
AWAITING = option("license_change_log", "provisioning_status", "awaiting_provisioning")
ALL, STUCK = 20_000, 1_000
PAGE = "odata.maxpagesize=5000"


@pytest.fixture(scope="module")
def dataverse() -> Iterator[Dataverse]:
    with Dataverse() as environment:
        records = environment.records
        account = records.create("account", {"name": "Contoso"}, by=USER)
        subscriptions = ({"name": f"S{n}", "customer": account, "quantity": Decimal(n)} for n in range(ALL))
        ids = records.create_many("subscription", subscriptions, by=USER)
        changes = (
            {"subscription": id, "quantity": Decimal(1), "provisioning_status": _status(n, third)}
            for n, id in enumerate(ids)
            for third in range(3)
        )
        records.create_many("license_change_log", changes, by=USER)
        yield environment


def _status(number: int, third: int) -> str:
    stuck = third == 2 and number % (ALL // STUCK) == 0
    return "awaiting_provisioning" if stuck else "provisioned"


@contextmanager
def steps(dataverse: Dataverse) -> Iterator[list[int]]:
    """Counts thousands of SQLite's steps; the list holds one number when it is over."""
    count = [0]

    def tick() -> int:
        count[0] += 1
        return 0

    dataverse.records.store.db.set_progress_handler(tick, 1_000)
    try:
        yield count
    finally:
        dataverse.records.store.db.set_progress_handler(None, 0)


def test_the_sweeps_question_costs_what_the_suspects_cost(dataverse: Dataverse) -> None:
    question = f"{STATUS} eq {AWAITING} and l/statecode eq 0 and l/createdon le 2026-11-22T12:00:00Z"
    with steps(dataverse) as cost:
        answer = dataverse.get(f"{SUBS}?$select=statecode&$filter={CHANGES}/any(l:l/{question})", PAGE)
    assert len(answer.rows) == STUCK
    # Looking at each of the 60,000 changes once would be 600 and more.
    assert cost[0] < 100


def test_the_evidence_of_a_thousand_suspects_costs_what_they_have(dataverse: Dataverse) -> None:
    lookups = ",".join(f"{nav('subscription', key)}($select=statecode)" for key in ("customer", "provider", "parent"))
    expand = f"{CHANGES}($select={STATUS},createdon;$orderby=createdon asc),{lookups}"
    url = f"{SUBS}?$select=statecode&$filter={CHANGES}/any(l:l/{STATUS} eq {AWAITING})&$expand={expand}"
    with steps(dataverse) as cost:
        rows = dataverse.get(url, f'{PAGE},odata.include-annotations="*"').rows
    assert sum(len(row[CHANGES]) for row in rows) == 3 * STUCK
    assert cost[0] < 400


def test_a_list_of_ids_is_looked_up_not_searched_for(dataverse: Dataverse) -> None:
    ids = [row["id"] for row in dataverse.records.find("subscription")[:1500]]
    listed = ",".join(f'"{id}"' for id in ids)
    primary = name("subscription", "id")
    text = f"Microsoft.Dynamics.CRM.In(PropertyName='{primary}',PropertyValues=[{listed}])"
    # Longer than a URL may be on its own; in a $batch it fits.
    with steps(dataverse) as cost:
        _, answers = dataverse.batch(part("GET", f"{SUBS}?$select=statecode&$filter={text}"))
    assert len(answers[0].rows) == 1500
    assert cost[0] < 100


def test_changes_of_a_list_of_subscriptions_come_through_the_index(dataverse: Dataverse) -> None:
    ids = [row["id"] for row in dataverse.records.find("subscription")[:500]]
    listed = ",".join(f'"{id}"' for id in ids)
    lookup = dataverse.records.schema.table("license_change_log").columns["subscription"].logical
    text = f"Microsoft.Dynamics.CRM.In(PropertyName='{lookup}',PropertyValues=[{listed}])"
    url = f"{rows_url('license_change_log')}?$select=statecode&$filter=statecode eq 0 and {text}"
    with steps(dataverse) as cost:
        _, answers = dataverse.batch(part("GET", url))
    assert len(answers[0].rows) == 1500
    assert cost[0] < 100


def test_the_last_page_costs_no_more_than_the_first(dataverse: Dataverse) -> None:
    url: str | None = f"{SUBS}?$select=statecode"
    costs: list[int] = []
    while url:
        with steps(dataverse) as cost:
            document = dataverse.get(url, PAGE).json
        costs.append(cost[0])
        url = document.get("@odata.nextLink")
    assert len(costs) == 4
    assert max(costs) <= 2 * min(costs)


def test_one_row_by_id_costs_nothing_worth_counting(dataverse: Dataverse) -> None:
    id = dataverse.records.find("subscription")[ALL // 2]["id"]
    with steps(dataverse) as cost:
        assert len(dataverse.get(f"{SUBS}?$filter={name('subscription', 'id')} eq {id}").rows) == 1
    assert cost[0] == 0
