"""Lists, counts and their cost in a ledger of thousands of cases, on Azurite and over HTTP.

`python3 dev.py test tests/contract/test_ten_thousand_cases.py --cases 10000` is the size that the app promises; without
the option there are 2,000, so that every run of all tests can afford it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, cast

import pytest

from local.azurite import Azurite, start_azurite
from shared.adapters.tables.store import TableCaseStore
from shared.domain.case import FINAL, State
from shared.entrypoints.queries import MOST
from shared.ports import Stored
from tests.contract.case_kit import Failpoints, WatchedTables
from tests.contract.changing_cases import FILTERS, KINDS, Change, Changing, Walk
from tests.contract.many_cases import seed
from tests.contract.storage_requests import CountedTransport, StorageRequest, counted
from tests.entrypoint_kit import Front
from tests.fakes.clock import ManualClock
from tests.workflow_kit import Town

pytestmark = [pytest.mark.anyio, pytest.mark.azurite]

FEW = 100
SPARE = 5
"""Rows that a page reads beyond its own."""

OPEN_STATES = len(State) - len(FINAL)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


type Costs = dict[str, list[StorageRequest]]


@dataclass
class Ledger:
    """A storage account with many cases, and what the lists cost while there were few of them."""

    azurite: Azurite
    size: int
    newest: dict[str, Stored]
    with_few: Costs


@pytest.fixture(scope="module")
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Its own emulator, so that nobody has to wait for it to be emptied."""
    size = int(request.config.getoption("--cases"))
    with start_azurite() as azurite:
        way, clock = azurite.connection_string, ManualClock()
        newest = asyncio.run(seed(way, clock, range(FEW), size))
        with_few = asyncio.run(costs(azurite))
        newest |= asyncio.run(seed(way, clock, range(FEW, size), size))
        yield Ledger(azurite, size, newest, with_few)


@asynccontextmanager
async def asked(azurite: Azurite) -> AsyncIterator[tuple[Front, CountedTransport]]:
    """The app's HTTP functions over this account, with every request to storage counted."""
    tables, transport = counted(azurite.connection_string)
    try:
        front = Front(Town(store=cast(Any, TableCaseStore(tables, ManualClock()))))
        await front.ask("ListCases")  # finds out that the tables are there
        transport.taken()
        yield front, transport
    finally:
        await tables.close()


async def costs(azurite: Azurite) -> Costs:
    """What the first page of each list asks of storage, five cases long, and what counting asks."""
    found: Costs = {}
    async with asked(azurite) as (front, transport):
        for name, (query, _) in FILTERS.items():
            answer = await front.ask("ListCases", query={**query, "limit": "1"})
            assert len(answer.json["cases"]) == 1, name
            found[name] = transport.taken()
        for operation in ("ListApprovals", "GetSummary", "ListProviders"):
            assert (await front.ask(operation)).status == 200
            found[operation] = transport.taken()
    return found


async def test_a_page_costs_the_same_with_a_hundred_cases_and_with_thousands(ledger: Ledger) -> None:
    """One range of one partition, and the rows of the cases on it: those that are shown and a few to spare."""
    with_many = await costs(ledger.azurite)
    for name in (*FILTERS, "ListApprovals"):
        asked_for = with_many[name]
        assert all(each.one_partition for each in asked_for), asked_for
        most = 50 + SPARE if name == "ListApprovals" else 1 + SPARE
        assert Counter(each.what for each in asked_for) == {"query caseindex": 1, "get cases": most}, name
        if name != "ListApprovals":
            assert Counter(ledger.with_few[name]) == Counter(asked_for), name


async def test_counting_reads_no_case_and_every_index_row_twice_at_most(ledger: Ledger) -> None:
    """By thousands: each open state's partition, and once more all that is open."""
    with_many = await costs(ledger.azurite)
    for operation in ("GetSummary", "ListProviders"):
        many, few = with_many[operation], ledger.with_few[operation]
        assert Counter(each.what for each in few) == {"query caseindex": OPEN_STATES + 1}
        assert {each.what for each in many} == {"query caseindex"}
        assert all(each.one_partition for each in many)
        assert len(many) <= OPEN_STATES + 1 + 2 * (ledger.size // 1_000)


async def test_the_summary_counts_every_open_case_once(ledger: Ledger) -> None:
    async with asked(ledger.azurite) as (front, _):
        answer = (await front.ask("GetSummary")).json
    standing = [each.case for each in ledger.newest.values() if each.case.open]
    assert answer["cases"] == len(standing)
    assert {each["name"]: each["cases"] for each in answer["by_state"]} == Counter(each.state for each in standing)


async def test_every_list_is_right_while_cases_change(ledger: Ledger) -> None:
    """Changes between the pages, and within each page behind its query: where the lists of old lost cases.

    The last test of this module: the cases are others afterwards.
    """
    tables = WatchedTables.connect(ledger.azurite.connection_string)
    tables.points = Failpoints()
    store = TableCaseStore(tables, ManualClock())
    cases = Changing(store, dict(ledger.newest))
    chosen = Random(4711)  # noqa: S311  to repeat what was found

    def some(count: int) -> list[Change]:
        return [(chosen.randrange(ledger.size), chosen.choice(KINDS), chosen.randrange(6)) for _ in range(count)]

    async def behind_the_query() -> None:
        for change in some(2):
            await cases.change(change)

    try:
        for name in FILTERS:
            tables.points.after["query caseindex"] = behind_the_query
            pages = await Walk(name, cases).walk(MOST if ledger.size > MOST else 7, lambda _: some(5))
            assert pages > 1 or name in ("customer", "stock", "two"), name
    finally:
        await store.close()
