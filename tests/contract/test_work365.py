"""The port Work365 against the local Dataverse, and the whole job through the real adapters."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from local.dataverse.faults import CutAfter, Fault, Html, Match, Status
from local.work365_engine.options import EngineOptions
from shared.adapters.work365 import schema
from shared.adapters.work365.work365 import DataverseWork365
from shared.domain.case import State
from shared.domain.evidence import ChangeSource, ChangeType, JobStatus, ProviderType, ProvisioningStatus
from shared.errors import SettingsError, SourceError
from shared.ports import StatusWrite
from tests.contract.city_kit import APP_USER, LOG, PERSON, City, city

pytestmark = pytest.mark.anyio

NOT_APPLICABLE = ProvisioningStatus.NOT_APPLICABLE


@pytest.fixture
def town() -> Iterator[City]:
    with city() as built:
        yield built


def subscription_of(town: City, change_id: str) -> str:
    row = town.records.get(LOG, change_id)
    assert row is not None
    return str(row["subscription"])


class TestEvidence:
    async def test_what_dataverse_holds_is_what_is_read(self, town: City) -> None:
        (change_id,) = town.stuck_many(1)
        subscription_id = subscription_of(town, change_id)
        job = town.records.create(
            "work365_job",
            {
                "license_change_log": change_id,
                "job_status": "retry",
                "results": "429",
                "type": "sync_license_change_log",
            },
            by=PERSON,
        )
        read = await town.real_work365.read_evidence([subscription_id], purpose="diagnose")
        evidence = read.evidence[subscription_id]
        assert read.organization_id == town.records.organization_id
        assert (evidence.own_user_id, APP_USER in evidence.service_user_ids) == (APP_USER, True)
        assert PERSON not in evidence.service_user_ids
        change = next(c for c in evidence.changes if c.id == change_id)
        assert (change.change_type, change.quantity, change.source) == (
            ChangeType.UPDATE,
            Decimal(5),
            ChangeSource.WORK365,
        )
        assert change.created_on == town.clock.now() - timedelta(hours=2)
        assert change.etag
        subscription = evidence.subscription
        assert subscription.provider is not None
        assert subscription.account is not None
        assert (subscription.provider.type, subscription.account.tenant_id) == (
            ProviderType.AUTOMATIC,
            town.customers[0][2],
        )
        assert (subscription.part_number, subscription.customer_name) == ("CFQ7TTC0LH18:0001", "Customer 0")
        assert [(j.id, j.status, j.results) for j in evidence.jobs] == [(job, JobStatus.RETRY, "429")]
        assert (evidence.unread, evidence.unmapped) == ((), {})

    async def test_a_parent_and_what_of_it_is_open(self, town: City) -> None:
        (child,) = town.stuck_many(1)
        (parent_change,) = town.stuck_many(1)
        parent_id = subscription_of(town, parent_change)
        town.records.update("subscription", subscription_of(town, child), {"parent": parent_id}, by=PERSON)
        read = await town.real_work365.read_evidence([subscription_of(town, child)], purpose="diagnose")
        parent = next(iter(read.evidence.values())).parent
        assert parent is not None
        still_open = [c.id for c in parent.changes if c.status is not ProvisioningStatus.PROVISIONED]
        assert (parent.subscription.id, still_open) == (parent_id, [parent_change])

    async def test_an_option_that_the_map_does_not_know_is_named_not_guessed(self, town: City) -> None:
        (change_id,) = town.stuck_many(1)
        raw = schema.load().model_dump(exclude_none=True)
        options = raw["tables"][LOG]["columns"]["provisioning_status"]["options"]
        known = options["awaiting_provisioning"]["value"]
        options["awaiting_provisioning"]["value"] = 7
        ours = DataverseWork365(town.dataverse, schema.SchemaMap.model_validate(raw), town.clock, UTC)
        (evidence,) = (
            await ours.read_evidence([subscription_of(town, change_id)], purpose="diagnose")
        ).evidence.values()
        assert next(c for c in evidence.changes if c.id == change_id).status is None
        assert list(evidence.unmapped.values()) == [str(known)]

    async def test_jobs_that_may_not_be_read_are_not_fine(self, town: City) -> None:
        changes = town.stuck_many(1)
        town.access.deny(APP_USER, "work365_job", "Read")
        await town.sweep()
        case = await town.case(subscription_of(town, changes[0]))
        assert (case.state, town.statuses(changes)) == (State.NEEDS_PERSON, {"awaiting_provisioning"})
        assert "jobs (403) could not be read" in str(case.diagnosis)

    async def test_ids_that_do_not_exist_are_missing_not_healthy(self, town: City) -> None:
        read = await town.real_work365.read_evidence([PERSON], purpose="diagnose")
        assert (read.evidence, read.missing) == ({}, (PERSON,))

    async def test_the_subscription_of_a_change(self, town: City) -> None:
        (change_id,) = town.stuck_many(1)
        assert await town.real_work365.subscription_of_change(change_id) == subscription_of(town, change_id)
        assert await town.real_work365.subscription_of_change(PERSON) is None


class TestSuspects:
    async def test_who_is_one_and_who_is_not(self, town: City) -> None:
        now = town.clock.now()
        town.healthy(3)
        stuck = {subscription_of(town, c) for c in town.stuck_many(2)}
        young = town.stuck_many(1)
        for change_id in young:
            values = {"created_on": now - timedelta(minutes=1)}
            town.records.update(LOG, change_id, values, by=PERSON)
        found = await town.real_work365.find_suspects(now - timedelta(minutes=30), now.date())
        assert set(found.subscription_ids) == stuck

    async def test_awaiting_without_any_change_is_one(self, town: City) -> None:
        (subscription_id,) = town._subscriptions(1, "awaiting_provisioning", seats=20)
        now = town.clock.now()
        found = await town.real_work365.find_suspects(now - timedelta(minutes=30), now.date())
        assert found.subscription_ids == (subscription_id,)

    async def test_a_scheduled_change_that_failed_to_merge_or_is_overdue_is_one(self, town: City) -> None:
        ids = town._subscriptions(3, "provisioned", seats=20)
        now = town.clock.now()
        for each, status, days in zip(ids, ("merge_failed", "pending", "pending"), (9, -2, 2), strict=True):
            values = {"subscription": each, "status": status, "effective_date": (now + timedelta(days=days)).date()}
            town.records.create("scheduled_license_change_log", values, by=PERSON)
        found = await town.real_work365.find_suspects(now - timedelta(minutes=30), now.date())
        assert sorted(found.subscription_ids) == sorted(ids[:2])

    @pytest.mark.parametrize("answer", [Status(401), Status(403), Status(500), Html(502), Html(200), Status(429)])
    async def test_a_read_that_fails_is_an_error_never_an_empty_list(self, town: City, answer: object) -> None:
        town.stuck_many(1)
        town.faults.add(Fault(answer, Match(purpose="sweep"), times=None))  # type: ignore[arg-type]
        now = town.clock.now()
        with pytest.raises(SourceError):
            await town.real_work365.find_suspects(now, now.date())


class TestWrites:
    async def test_results_stand_for_themselves_in_order(self, town: City) -> None:
        changes = town.stuck_many(3)
        etags = [str((town.records.get(LOG, c) or {})["etag"]) for c in changes]
        town.records.update(LOG, changes[1], {"name": "edited"}, by=PERSON)
        writes = [StatusWrite(c, e, NOT_APPLICABLE) for c, e in zip(changes, etags, strict=True)]
        first, second, third = await town.real_work365.set_provisioning_status(writes)
        assert (first.done, second.version_changed, third.done) == (True, True, True)
        assert first.etag == (town.records.get(LOG, changes[0]) or {})["etag"]

    async def test_a_row_that_is_gone_is_refused_and_never_created(self, town: City) -> None:
        (result,) = await town.real_work365.set_provisioning_status([StatusWrite(PERSON, 'W/"1"', NOT_APPLICABLE)])
        assert result.refused
        assert town.records.get(LOG, PERSON) is None

    async def test_no_privilege_to_write_is_a_refusal_that_says_so(self, town: City) -> None:
        (change_id,) = town.stuck_many(1)
        town.access.deny(APP_USER, LOG, "Write")
        await town.sweep()
        await town.cycles(12)
        case = await town.case(subscription_of(town, change_id))
        assert case.state is State.ESCALATED
        timeline = await town.store.timeline(case.subscription_id, 1)
        assert any("prv" in event.text for event in timeline if event.kind == "write_refused")


class TestTheMainJobThroughTheRealAdapters:
    async def test_freed_and_verified_without_harm(self, town: City) -> None:
        changes = town.stuck_many(3)
        await town.sweep()
        await town.cycles()
        assert town.statuses(changes) == {"provisioned"}
        assert town.engine.harm == []
        assert {await town.state(subscription_of(town, c)) for c in changes} == {State.RESOLVED}

    @pytest.mark.parametrize("share", [50, 100])
    async def test_plug_ins_that_touch_every_row_between_the_writes(self, share: int) -> None:
        with city(options=EngineOptions(plugin_touch=share)) as town:
            changes = town.stuck_many(8)
            await town.sweep()
            await town.cycles()
            assert (town.statuses(changes), town.engine.harm) == ({"provisioned"}, [])

    @pytest.mark.parametrize("after", [0, 1])
    async def test_the_answer_to_a_write_is_cut_after_it_took_effect(self, town: City, after: int) -> None:
        changes = town.stuck_many(4)
        town.faults.add(Fault(CutAfter(), Match(method="PATCH"), after=after, times=1))
        await town.sweep()
        await town.cycles()
        assert (town.statuses(changes), town.engine.harm) == ({"provisioned"}, [])
        assert len(town.at_provider.orders) == 4

    async def test_a_rescheduled_job_row_never_orders_twice(self) -> None:
        with city(run_job="job_row") as town:
            changes = town.stuck_many(3)
            await town.sweep()
            jobs = town.records.find("work365_job")
            assert len(jobs) == 3, "Work 365 had made a job for each; a second one would order twice"
            assert {job["scheduled_for"] for job in jobs} == {town.clock.now()}
            await town.cycles()
            assert (town.statuses(changes), town.engine.harm) == ({"provisioned"}, [])

    async def test_a_job_row_is_created_where_work_365_made_none(self) -> None:
        with city(run_job="job_row", options=EngineOptions(workflow_on=False)) as town:
            changes = town.stuck_many(3)
            await town.sweep()
            await town.cycles()
            assert (town.statuses(changes), town.engine.harm) == ({"provisioned"}, [])

    async def test_a_way_to_run_jobs_that_fails_costs_a_cycle_and_nothing_more(self) -> None:
        with city(run_job="workflow:10000000-0000-4000-8000-0000000000ff") as town:
            changes = town.stuck_many(2)
            await town.sweep()
            case = await town.case(subscription_of(town, changes[0]))
            timeline = await town.store.timeline(case.subscription_id, 1)
            assert any("could not be run" in event.text for event in timeline)
            await town.cycles()
            assert (town.statuses(changes), town.engine.harm) == ({"provisioned"}, [])


class TestSchemaMap:
    def test_the_shipped_one_loads(self) -> None:
        assert schema.load().table(LOG).column("provisioning_status").value("awaiting_provisioning")

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("", "not JSON"),
            ("[]", "valid dictionary"),
            ('{"version": 2, "about": "", "tables": {}}', "version"),
            ('{"version": 1, "about": "", "tables": {"subscription": {"logical": 3}}}', "tables.subscription.logical"),
        ],
    )
    def test_a_wrong_one_is_named(self, text: str, named: str, tmp_path: object) -> None:
        from pathlib import Path

        path = Path(str(tmp_path)) / "map.json"
        path.write_text(text, "utf-8")
        with pytest.raises(SettingsError, match=named) as raised:
            schema.load(str(path))
        assert all(problem.startswith("WORK365_SCHEMA_MAP") for problem in raised.value.problems)

    def test_one_that_is_not_there_is_named(self) -> None:
        with pytest.raises(SettingsError, match="WORK365_SCHEMA_MAP"):
            schema.load("/nowhere/map.json")

    @pytest.mark.parametrize(("table", "column"), [("work365_job", "results"), (LOG, "quantity"), ("provider", "type")])
    def test_one_that_lacks_a_name_is_found_before_anything_is_read(self, town: City, table: str, column: str) -> None:
        raw = schema.load().model_dump(exclude_none=True)
        del raw["tables"][table]["columns"][column]
        with pytest.raises(SettingsError, match=column):
            DataverseWork365(town.dataverse, schema.SchemaMap.model_validate(raw), town.clock, UTC)
