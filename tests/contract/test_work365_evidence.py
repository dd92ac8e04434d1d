"""What a diagnosis reads beyond the change itself, over the real adapters from the local Dataverse."""

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from local.dataverse.faults import Fault, Match, Status
from local.work365_engine.options import WORK365_USER_ID
from shared.adapters.work365 import schema
from shared.adapters.work365.environment_queries import EnvironmentQueries
from shared.adapters.work365.work365 import DataverseWork365
from shared.domain.evidence import (
    ChangeType,
    Environment,
    Evidence,
    JobStatus,
    ProvisioningStatus,
    ReductionBehavior,
    SystemJobStatus,
)
from shared.errors import Forbidden, Garbled, SettingsError
from tests.contract.city_kit import APP_USER, LOG, PERSON, City, city

pytestmark = pytest.mark.anyio

SCHEDULED = "scheduled_license_change_log"
DAY = timedelta(days=1)


@pytest.fixture
def town() -> Iterator[City]:
    with city() as built:
        yield built


def stuck(town: City, **values: object) -> tuple[str, str]:
    """A subscription with a stuck change: their ids."""
    (change_id,) = town.stuck_many(1)
    row = town.records.get(LOG, change_id)
    assert row is not None
    if values:
        town.records.update("subscription", row["subscription"], values, by=PERSON)
    return str(row["subscription"]), change_id


def add(town: City, table: str, **values: object) -> str:
    return town.records.create(table, values, by=PERSON)


async def read(town: City, *ids: str, work365: DataverseWork365 | None = None) -> Evidence:
    """Evidence of the first of these subscriptions, read together with the others."""
    found = await (work365 or town.real_work365).read_evidence(ids, purpose="diagnose")
    return found.evidence[ids[0]]


def with_map(town: City, raw: dict[str, Any], zone: Any = UTC) -> DataverseWork365:
    return DataverseWork365(town.dataverse, schema.SchemaMap.model_validate(raw), town.clock, zone)


def shipped() -> dict[str, Any]:
    return schema.load().model_dump(exclude_none=True)


class TestTheSubscription:
    async def test_customer_product_contract_prices_and_reductions(self, town: City) -> None:
        customer, account, _ = town.customers[0]
        invoice = date(2026, 12, 1)
        contract = add(town, "billing_contract", name="Monthly", customer=customer, next_invoice_on=invoice)
        prices, euro = add(town, "price_list", name="Retail"), add(town, "currency", name="Euro", iso_code="EUR")
        id, change_id = stuck(
            town,
            billing_contract=contract,
            price_list=prices,
            currency=euro,
            reduction_behavior="within_window",
            reduction_window=7,
        )
        town.records.update(LOG, change_id, {"unit_price": Decimal("4.20"), "account": customer}, by=PERSON)
        evidence = await read(town, id)
        seen, change = evidence.subscription, next(c for c in evidence.changes if c.id == change_id)
        assert (seen.customer_active, seen.product_name, seen.product_active) == (True, "Business Basic", True)
        assert (seen.contract_id, seen.contract_customer_id, seen.contract_active) == (contract, customer, True)
        assert (seen.next_invoice_on, seen.price_list_id, seen.currency) == (invoice, prices, "EUR")
        assert (seen.reduction_behavior, seen.reduction_window_days) == (ReductionBehavior.WITHIN_WINDOW, 7)
        assert (change.unit_price, change.account_id) == (Decimal("4.2"), customer)
        assert seen.account is not None
        assert (seen.account.id, seen.account.customer_id) == (account, customer)
        assert (seen.account.provider_id, seen.account.active) == (town.csp, True)
        assert (seen.provider is not None and seen.provider.active, evidence.unread) == (True, ())

    @pytest.mark.parametrize(("state", "active"), [("draft", False), ("inactive", False), ("under_revision", True)])
    async def test_what_is_switched_off(self, town: City, state: str, active: bool) -> None:
        id, _ = stuck(town)
        customer, account, _ = town.customers[0]
        town.records.update("product", town.product, {"state": state}, by=PERSON)
        for table, row in (("account", customer), ("provider_account", account), ("provider", town.csp)):
            town.records.update(table, row, {"state": "inactive"}, by=PERSON)
        seen = (await read(town, id)).subscription
        assert (seen.product_active, seen.customer_active) == (active, False)
        assert seen.provider is not None
        assert seen.account is not None
        assert (seen.provider.active, seen.account.active) == (False, False)

    async def test_lookups_that_are_empty_are_empty_and_not_unread(self, town: City) -> None:
        id, _ = stuck(town, provider=None, provider_account=None, customer=None, product=None)
        evidence = await read(town, id)
        seen = evidence.subscription
        assert (seen.provider, seen.account, seen.customer_id, seen.product_id) == (None, None, None, None)
        assert (evidence.unread, evidence.unmapped, evidence.accounts_of_customer) == ((), {}, None)

    async def test_a_row_that_a_lookup_leads_to_and_that_is_gone_is_named(self, town: City) -> None:
        contract = add(town, "billing_contract", name="Monthly")
        id, _ = stuck(town, billing_contract=contract)
        town.records.delete("billing_contract", contract, by=PERSON)
        evidence = await read(town, id)
        assert evidence.subscription.contract_id == contract
        assert evidence.unread == ("the Billing Contract that its billing_contract points to",)


class TestScheduledChangesAndJobs:
    async def test_scheduled_changes_with_the_jobs_that_were_to_merge_them(self, town: City) -> None:
        id, change_id = stuck(town)
        scheduled = add(
            town,
            SCHEDULED,
            subscription=id,
            status="merge_failed",
            change_type="update",
            provision_on=date(2026, 11, 20),
            effective_date=date(2026, 11, 21),
        )
        merge = {"type": "merge_scheduled_change", "job_status": "failed", "results": "no"}
        merge_job = add(town, "work365_job", scheduled_license_change_log=scheduled, **merge)
        sync_job = add(town, "work365_job", license_change_log=change_id, job_status="succeeded")
        evidence = await read(town, id)
        (seen,) = evidence.scheduled
        assert (seen.change_type, seen.provision_on) == (ChangeType.UPDATE, date(2026, 11, 20))
        assert seen.created_on == town.clock.now()
        assert {(j.id, j.change_id, j.scheduled_change_id, j.status) for j in evidence.jobs} == {
            (sync_job, change_id, None, JobStatus.SUCCEEDED),
            (merge_job, "", scheduled, JobStatus.FAILED),
        }

    async def test_system_jobs_that_did_not_succeed_and_a_later_one_that_did(self, town: City) -> None:
        id, change_id = stuck(town)
        other, _ = stuck(town)
        scheduled = add(town, SCHEDULED, subscription=id, status="pending")
        now = town.clock.now()

        def ran(name: str, regarding: str, status: str, ago: timedelta, message: str = "") -> str:
            values = {"name": name, "regarding": regarding, "status": status, "message": message}
            on = now - ago
            return town.records.create("system_job", {**values, "completed_on": on}, by=PERSON, on=on)

        failed = ran("Trigger", change_id, "failed", 3 * DAY, "no rights")
        ran("Trigger", change_id, "succeeded", 2 * DAY)
        newest = ran("Trigger", change_id, "succeeded", DAY)
        ran("Trigger", change_id, "succeeded", 40 * DAY)
        ran("Other", change_id, "succeeded", DAY)
        ran("Trigger", other, "failed", DAY)
        waiting = ran("Dispatch", id, "waiting", DAY)
        cancelled = ran("Merge", scheduled, "cancelled", DAY)
        evidence = await read(town, id, other)
        seen = {job.id: job for job in evidence.system_jobs}
        assert set(seen) == {failed, newest, waiting, cancelled}
        assert (seen[failed].message, seen[failed].regarding_id) == ("no rights", change_id)
        assert (seen[newest].status, seen[newest].completed_on) == (SystemJobStatus.SUCCEEDED, now - DAY)
        assert (seen[waiting].suspended, seen[failed].suspended) == (True, False)


class TestOtherSubscriptions:
    async def test_the_linked_subscription_with_its_changes(self, town: City) -> None:
        other, open_change = stuck(town)
        id, _ = stuck(town, linked=other)
        linked = (await read(town, id)).linked
        assert linked is not None
        assert linked.subscription.id == other
        assert linked.subscription.account is not None
        unprovisioned = [c.id for c in linked.changes if c.status is ProvisioningStatus.AWAITING]
        assert unprovisioned == [open_change]

    async def test_a_parents_parents(self, town: City) -> None:
        line = town._subscriptions(6, "provisioned", seats=20)
        for below, above in pairwise(line):
            town.records.update("subscription", below, {"parent": above}, by=PERSON)
        evidence = await read(town, line[0])
        assert evidence.parent is not None
        assert (evidence.parent.subscription.id, evidence.ancestors) == (line[1], tuple(line[2:]))
        assert (await read(town, line[5])).ancestors == ()

    @pytest.mark.parametrize("length", [1, 2, 3])
    async def test_a_circle_of_parents_is_gone_round_once(self, town: City, length: int) -> None:
        ring = town._subscriptions(length, "provisioned", seats=20)
        for n, each in enumerate(ring):
            town.records.update("subscription", each, {"parent": ring[(n + 1) % length]}, by=PERSON)
        evidence = await read(town, ring[0])
        assert sorted(evidence.ancestors) == sorted(ring)
        assert len(evidence.ancestors) == length

    async def test_a_parent_that_is_gone_is_named(self, town: City) -> None:
        (parent,) = town._subscriptions(1, "provisioned", seats=20)
        id, _ = stuck(town, parent=parent)
        town.records.delete("subscription", parent, by=PERSON)
        evidence = await read(town, id)
        assert (evidence.parent, evidence.unread) == (None, ("parent (not found)",))

    async def test_the_customers_accounts_only_where_its_own_is_in_doubt(self, town: City) -> None:
        customer, own, tenant = town.customers[0]
        fine, _ = stuck(town)
        second = add(town, "provider_account", name="B", account=customer, provider=town.csp, provider_specific_id="t2")
        town.records.update("provider_account", second, {"state": "inactive"}, by=PERSON)
        empty, _ = stuck(town, provider_account=None)
        inactive, _ = stuck(town, provider_account=second)
        foreign, _ = stuck(town, provider_account=town.customers[1][1])
        found = await town.real_work365.read_evidence([fine, empty, inactive, foreign], purpose="diagnose")
        assert found.evidence[fine].accounts_of_customer is None
        for each in (empty, inactive, foreign):
            accounts = found.evidence[each].accounts_of_customer or ()
            assert {(a.id, a.tenant_id, a.active) for a in accounts} == {(own, tenant, True), (second, "t2", False)}


class TestTheEnvironment:
    async def test_workflows_jobs_users_and_roles(self, town: City) -> None:
        id, _ = stuck(town)
        now = town.clock.now()
        prefix = {"category": 0, "type": 1, "primary_entity": schema.load().table(LOG).logical}
        town.records.create("workflow", {"name": "Trigger", "state": "draft", **prefix}, by=PERSON, on=now - DAY)
        town.records.create("workflow", {"name": "Active", "state": "activated", **prefix}, by=PERSON)
        others: tuple[dict[str, object], ...] = ({"type": 2}, {"category": 2}, {"primary_entity": "account"})
        for other in others:
            add(town, "workflow", name="x", state="draft", **{**prefix, **other})
        runs = {"last_run_on": now - DAY, "next_run_on": now, "last_result": "Succeeded"}
        add(town, "scheduled_job", name="License Sync", enabled=True, **runs)
        for status, ago in (("failed", DAY), ("succeeded", 2 * DAY), ("waiting", timedelta())):
            town.records.create("work365_job", {"job_status": status}, by=PERSON, on=now - ago)
        environment = (await read(town, id)).environment
        assert {(w.name, w.active) for w in environment.workflows or ()} == {("Trigger", False), ("Active", True)}
        assert {w.modified_on for w in environment.workflows or () if not w.active} == {now - DAY}
        (job,) = environment.scheduled_jobs or ()
        assert (job.name, job.enabled, job.last_run_on, job.next_run_on) == ("License Sync", True, now - DAY, now)
        assert job.last_result == "Succeeded"
        (user,) = environment.service_users or ()
        assert (user.id, user.name, user.enabled) == (WORK365_USER_ID, "Work 365", True)
        assert sorted(user.roles or ()) == ["Work 365 Portal Service", "Work 365 Service"]
        assert (environment.last_job_on, environment.unread) == (now - DAY, ())

    async def test_of_all_jobs_that_ended_one_row_is_fetched(self, town: City) -> None:
        for hours in range(3):
            values = {"job_status": "succeeded"}
            town.records.create("work365_job", values, by=PERSON, on=town.clock.now() - timedelta(hours=hours))
        asked = EnvironmentQueries(schema.load()).all()["last Work 365 job"]
        (result,) = await town.dataverse.batch([asked], purpose="diagnose")
        assert len(result.rows) == 1

    async def test_a_user_without_roles_has_none_and_no_user_is_no_user(self, town: City) -> None:
        id, _ = stuck(town)
        for role in town.records.roles_of(WORK365_USER_ID):
            town.records.revoke_role(WORK365_USER_ID, role)
        town.records.update("system_user", WORK365_USER_ID, {"is_disabled": True}, by=PERSON)
        (user,) = (await read(town, id)).environment.service_users or ()
        assert (user.enabled, user.roles) == (False, frozenset())
        town.records.delete("system_user", WORK365_USER_ID, by=PERSON)
        assert (await read(town, id)).environment.service_users == ()

    @pytest.mark.parametrize("status", [403, 404, 500])
    @pytest.mark.parametrize(
        ("table", "unread", "field"),
        [
            ("workflow", "workflows", "workflows"),
            ("scheduled_job", "scheduled jobs", "scheduled_jobs"),
            ("currency", "currencies", None),
            ("system_job", "system jobs", None),
        ],
    )
    async def test_a_table_that_may_not_be_read_is_named_and_the_rest_stands(
        self, town: City, table: str, unread: str, field: str | None, status: int
    ) -> None:
        id, change_id = stuck(town)
        entity_set = schema.load().table(table).entity_set
        town.faults.add(Fault(Status(status), Match(target=f"^{entity_set}", part=True), times=None))
        evidence = await read(town, id)
        assert evidence.environment.unread == (f"{unread} ({status})",)
        assert (evidence.unread, change_id in {c.id for c in evidence.changes}) == ((), True)
        assert field is None or getattr(evidence.environment, field) is None

    async def test_a_privilege_that_is_missing(self, town: City) -> None:
        id, _ = stuck(town, provider_account=None)
        for table in ("role", "system_job", "workflow", "provider_account", "work365_job"):
            town.access.deny(APP_USER, table, "Read")
        with pytest.raises(Forbidden, match="prvRead"):  # what a subscription itself needs
            await read(town, id)
        town.access.allow(APP_USER, "provider_account", "Read")
        evidence = await read(town, id)
        assert set(evidence.environment.unread) == {
            "security roles (403)",
            "workflows (403)",
            "last Work 365 job (403)",
            "system jobs (403)",
        }
        assert [u.roles for u in evidence.environment.service_users or ()] == [None]
        assert evidence.unread == ("jobs (403)",)

    async def test_users_that_may_not_be_read_are_not_known(self, town: City) -> None:
        id, _ = stuck(town)
        town.access.deny(APP_USER, "system_user", "Read")
        evidence = await read(town, id)
        assert (evidence.environment.service_users, evidence.service_user_ids) == (None, frozenset())
        assert evidence.unread == ("application users (403)",)

    async def test_tables_that_the_operator_took_out_are_not_looked_at(self, town: City) -> None:
        id, _ = stuck(town, currency=add(town, "currency", name="Euro", iso_code="EUR"))
        raw = shipped()
        for table in ("system_job", "scheduled_job", "price_list", "currency", "workflow", "role"):
            del raw["tables"][table]
        evidence = await read(town, id, work365=with_map(town, raw))
        assert (evidence.environment.workflows, evidence.environment.scheduled_jobs) == (None, None)
        assert (evidence.environment.unread, evidence.unread, evidence.unmapped) == ((), (), {})
        assert (evidence.subscription.currency, evidence.system_jobs) == (None, ())
        del raw["application_ids"]
        assert (await read(town, id, work365=with_map(town, raw))).environment.service_users is None

    @pytest.mark.parametrize("table", ["billing_contract", "system_user", "product", "account", "provider_account"])
    def test_a_table_that_is_needed_is_named_when_it_is_missing(self, town: City, table: str) -> None:
        raw = shipped()
        del raw["tables"][table]
        with pytest.raises(SettingsError, match=table):
            with_map(town, raw)

    @pytest.mark.parametrize(
        ("table", "column"), [("workflow", "category"), ("system_job", "message"), ("billing_contract", "customer")]
    )
    def test_so_is_a_column_of_a_table_that_is_there(self, town: City, table: str, column: str) -> None:
        raw = shipped()
        del raw["tables"][table]["columns"][column]
        with pytest.raises(SettingsError, match=column):
            with_map(town, raw)


class TestWhatTheMapDoesNotKnow:
    @staticmethod
    def forget(raw: dict[str, Any], table: str, column: str, option: str) -> str:
        """Gives an option of the map a number that Dataverse does not use; the number that it does use."""
        options = raw["tables"][table]["columns"][column]["options"]
        known = options[option]["value"]
        options[option]["value"] = 424242
        return str(known)

    async def test_is_named_where_it_concerns(self, town: City) -> None:
        other = add(town, "provider", name="Other", type="rest", connector="pax8")
        parent, _ = stuck(town, provider=other, status="suspended")
        id, change_id = stuck(town, parent=parent)
        alone, _ = stuck(town)
        add(town, "work365_job", license_change_log=change_id, job_status="dispatched")
        raw = shipped()
        wanted = {
            self.forget(raw, "subscription", "status", "suspended"),
            self.forget(raw, "work365_job", "job_status", "dispatched"),
            self.forget(raw, "provider", "type", "rest"),
        }
        found = await with_map(town, raw).read_evidence([id, alone], purpose="diagnose")
        assert set(found.evidence[id].unmapped.values()) == wanted
        assert found.evidence[alone].unmapped == {}

    async def test_is_named_everywhere_when_it_is_shared(self, town: City) -> None:
        id, _ = stuck(town)
        logical = schema.load().table(LOG).logical
        add(town, "workflow", name="x", state="suspended", category=0, type=1, primary_entity=logical)
        raw = shipped()
        known = self.forget(raw, "workflow", "state", "suspended")
        evidence = await read(town, id, work365=with_map(town, raw))
        assert list(evidence.unmapped.values()) == [known]
        assert [w.active for w in evidence.environment.workflows or ()] == [None]


class TestRequests:
    async def test_two_for_everything_at_once(self, town: City) -> None:
        parent, _ = stuck(town)
        ids = [stuck(town, parent=parent, linked=parent, provider_account=None)[0] for _ in range(3)]
        add(town, SCHEDULED, subscription=ids[0], status="pending")
        await town.real_work365.read_evidence(ids, purpose="diagnose")
        assert town.traffic.requests["diagnose"] == 2

    async def test_a_subscription_without_an_id_is_an_answer_that_cannot_be_trusted(self, town: City) -> None:
        stuck(town)
        raw = shipped()
        raw["tables"]["subscription"]["primary_id"] = raw["tables"]["subscription"]["columns"]["name"]["logical"]
        with pytest.raises(Garbled):
            await with_map(town, raw).find_suspects(town.clock.now(), town.clock.now().date())


def test_nothing_read_of_the_environment_says_nothing() -> None:
    assert Environment() == Environment(None, None, None, None, ())
