"""Saving columns of a row: the same suite on the fake Work 365 and, through the real adapter, on the local Dataverse.

Input: one row and an amendment of it. Output: what the evidence shows when it is read again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.amendment import CHANGE, SUBSCRIPTION, Amendment, Column, etag_of, holds, shown, stands_before
from shared.domain.evidence import Evidence, ProviderAccount
from shared.ports import RowWrite, Work365, WriteResult
from tests.builders import STUCK
from tests.builders import SUBSCRIPTION as FAKES
from tests.contract.city_kit import LOG, PERSON, City, city
from tests.workflow_kit import Town

pytestmark = pytest.mark.anyio

GONE = "12345678-0000-4000-8000-00000000dead"


@dataclass(frozen=True)
class Bench:
    """A Work 365 with a stuck change, and other rows that its subscription could point to."""

    work365: Work365
    subscription_id: str
    change_id: str
    other_account: str
    other_customer: str
    city: City | None = None

    async def evidence(self) -> Evidence:
        read = await self.work365.read_evidence([self.subscription_id], purpose="remediate")
        return read.evidence[self.subscription_id]

    async def amendment(self, table: str, **after: str | None) -> Amendment:
        """These columns, with what stands in them now."""
        row_id = self.change_id if table == CHANGE else self.subscription_id
        wanted = Amendment(table, row_id, tuple(Column(name, None, value) for name, value in after.items()))
        now = shown(await self.evidence(), wanted)
        assert now is not None
        return replace(wanted, columns=tuple(replace(c, before=now[c.name]) for c in wanted.columns))

    async def save(self, amendment: Amendment, etag: str = "") -> WriteResult:
        version = etag or etag_of(await self.evidence(), amendment)
        values = {c.name: c.after for c in amendment.columns}
        (result,) = await self.work365.amend([RowWrite(amendment.table, amendment.row_id, version, values)])
        return result


def fake() -> Bench:
    town = Town()
    town.stuck()
    own = town.work365.held[FAKES].subscription
    other = ProviderAccount("77777777-0000-0000-0000-000000000002")
    assert own.account is not None
    town.work365.accounts = (own.account, other)
    return Bench(town.work365, FAKES, STUCK, other.id, "66666666-0000-0000-0000-000000000002")


@contextmanager
def real() -> Iterator[Bench]:
    with city() as town:
        (change_id,) = town.stuck_many(1)
        row = town.records.get(LOG, change_id)
        assert row is not None
        customer, account, _ = town.customers[7]
        yield Bench(town.real_work365, str(row["subscription"]), change_id, account, customer, town)


@pytest.fixture(params=["fake", "local Dataverse"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "fake":
        yield fake()
        return
    with real() as built:
        yield built


COLUMNS: list[tuple[str, dict[str, str | None]]] = [
    (CHANGE, {"provisioning_status": "not_applicable"}),
    (CHANGE, {"provisioning_status": "failed_provisioning"}),
    (CHANGE, {"provisioning_status": "provisioned", "actual_provisioned_on": "2026-11-20T14:30:00+00:00"}),
    (CHANGE, {"actual_provisioned_on": "2026-11-20T14:30:00+00:00"}),
    (CHANGE, {"effective_date": "2027-02-28"}),
    (CHANGE, {"effective_date": None}),
    (CHANGE, {"effective_date": "2027-01-01", "provisioning_status": "awaiting_provisioning"}),
    (CHANGE, {"status": "archived"}),
    (SUBSCRIPTION, {"provider_account": "other"}),
    (SUBSCRIPTION, {"provider_account": None}),
    (SUBSCRIPTION, {"customer": "other"}),
    (SUBSCRIPTION, {"customer": None}),
    (SUBSCRIPTION, {"provider_subscription_id": "5f3c9f0e-6a8b-4c6e-9b1d-2f0c7a1e4d55"}),
    (SUBSCRIPTION, {"provider_subscription_id": None}),
]


def names(bench: Bench, after: dict[str, str | None]) -> dict[str, str | None]:
    others = {"provider_account": bench.other_account, "customer": bench.other_customer}
    return {name: others[name] if value == "other" else value for name, value in after.items()}


@pytest.mark.parametrize(("table", "after"), COLUMNS, ids=str)
async def test_what_is_saved_is_read_and_its_inverse_puts_it_back(
    bench: Bench, table: str, after: dict[str, str | None]
) -> None:
    amendment = await bench.amendment(table, **names(bench, after))
    result = await bench.save(amendment)
    read = await bench.evidence()
    assert (result.done, holds(read, amendment), result.etag) == (True, True, etag_of(read, amendment)), result
    back = await bench.save(amendment.inverse())
    assert (back.done, stands_before(await bench.evidence(), amendment)) == (True, True), back


@pytest.mark.parametrize(("table", "after"), COLUMNS, ids=str)
async def test_nothing_else_of_the_row_is_touched(bench: Bench, table: str, after: dict[str, str | None]) -> None:
    before = await bench.evidence()
    amendment = await bench.amendment(table, **names(bench, after))
    await bench.save(amendment)
    await bench.save(amendment.inverse())
    read = await bench.evidence()
    same: dict[str, Any] = {"etag": "", "modified_on": None, "modified_by": None}
    assert [replace(c, **same) for c in read.changes] == [replace(c, **same) for c in before.changes]
    assert replace(read.subscription, etag="", status=None) == replace(before.subscription, etag="", status=None)


@pytest.mark.parametrize(("table", "after"), [COLUMNS[0], COLUMNS[7], COLUMNS[8], COLUMNS[9]], ids=str)
async def test_another_version_is_never_written_over(bench: Bench, table: str, after: dict[str, str | None]) -> None:
    first = await bench.amendment(table, **names(bench, after))
    old = etag_of(await bench.evidence(), first)
    assert (await bench.save(first)).done
    stale = await bench.save(first.inverse(), etag=old)
    assert (stale.version_changed, stale.done) == (True, False)
    assert holds(await bench.evidence(), first)


async def test_a_row_that_is_gone_is_refused_and_not_created(bench: Bench) -> None:
    for table in (CHANGE, SUBSCRIPTION):
        (result,) = await bench.work365.amend([RowWrite(table, GONE, 'W/"1"', {})])
        assert result.refused
    if bench.city is not None:
        assert (bench.city.records.get(LOG, GONE), bench.city.records.get(SUBSCRIPTION, GONE)) == (None, None)


async def test_results_stand_for_themselves_in_order(bench: Bench) -> None:
    change, own = await bench.evidence(), bench.subscription_id
    version = etag_of(change, Amendment(SUBSCRIPTION, own, ()))
    writes = [
        RowWrite(SUBSCRIPTION, own, version, {"provider_subscription_id": None}),
        RowWrite(CHANGE, bench.change_id, 'W/"1"', {"provisioning_status": "provisioned"}),
    ]
    first, second = await bench.work365.amend(writes)
    assert [(first.change_id, first.done), (second.change_id, second.version_changed)] == [
        (own, True),
        (bench.change_id, True),
    ]


class TestOnTheLocalDataverse:
    """What only rows show."""

    async def test_archived_is_inactive_and_active_again(self) -> None:
        with real() as bench:
            assert bench.city is not None
            amendment = await bench.amendment(CHANGE, status="archived")
            await bench.save(amendment)
            row = bench.city.records.get(LOG, bench.change_id)
            assert row is not None
            assert (row["state"], row["status"]) == ("inactive", "archived")
            await bench.save(amendment.inverse())
            row = bench.city.records.get(LOG, bench.change_id)
            assert row is not None
            assert (row["state"], row["status"]) == ("active", "active")

    async def test_a_person_who_points_to_nothing_is_refused(self) -> None:
        """An id of no account: Dataverse refuses the lookup, and the app says so."""
        with real() as bench:
            amendment = await bench.amendment(SUBSCRIPTION, provider_account=GONE)
            result = await bench.save(amendment)
            assert (result.refused, GONE in result.reason or "does not exist" in result.reason.lower()) == (True, True)

    async def test_marked_by_hand_at_a_manual_provider_the_subscription_settles(self) -> None:
        with real() as bench:
            town = bench.city
            assert town is not None
            manual = town.records.create("provider", {"name": "By hand", "type": "manual"}, by=PERSON)
            town.records.update(SUBSCRIPTION, bench.subscription_id, {"provider": manual}, by=PERSON)
            town.engine.options.done_by_hand.add(bench.change_id)
            on = "2026-11-22T11:00:00+00:00"
            result = await bench.save(
                await bench.amendment(CHANGE, provisioning_status="provisioned", actual_provisioned_on=on)
            )
            assert result.done
            town.engine.cycle()
            row = town.records.get(SUBSCRIPTION, bench.subscription_id)
            assert row is not None
            assert (row["status"], town.engine.harm) == ("provisioned", [])

    async def test_moved_to_a_later_day_its_job_waits_for_it(self) -> None:
        with real() as bench:
            town = bench.city
            assert town is not None
            await bench.save(await bench.amendment(CHANGE, provisioning_status="failed_provisioning"))
            later = {"effective_date": "2026-12-01", "provisioning_status": "awaiting_provisioning"}
            await bench.save(await bench.amendment(CHANGE, **later))
            for _ in range(3):
                town.engine.cycle()
            jobs = [job for job in town.records.find("work365_job") if job["license_change_log"] == bench.change_id]
            assert [(job["job_status"], str(job["scheduled_for"])[:10]) for job in jobs] == [("waiting", "2026-12-01")]
            assert town.at_provider.orders == []

    async def test_archived_it_lets_the_next_change_go(self) -> None:
        with real() as bench:
            town = bench.city
            assert town is not None
            behind = {
                "name": "+3",
                "subscription": bench.subscription_id,
                "change_type": "update",
                "quantity": Decimal(3),
                "effective_date": town.clock.now().date(),
                "provisioning_status": "failed_provisioning",
                "change_source": "work365",
            }
            later = town.records.create(LOG, behind, by=PERSON)
            await bench.save(await bench.amendment(CHANGE, status="archived"))
            town.records.update(LOG, later, {"provisioning_status": "awaiting_provisioning"}, by=PERSON)
            for _ in range(4):
                town.engine.cycle()
            row = town.records.get(LOG, later)
            assert row is not None
            assert row["provisioning_status"] == "provisioned"
            assert [order.change_id for order in town.at_provider.orders] == [later]
