"""What a second review and a model test found after the first review was mended, each kept as its test."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from typing import cast

import pytest

from shared.adapters.dataverse.client import Dataverse
from shared.adapters.dataverse.parts import Get, PartResult
from shared.adapters.work365 import schema
from shared.adapters.work365.work365 import DataverseWork365
from shared.domain.case import Case, State
from shared.domain.diagnosis import Diagnosis, diagnose
from shared.domain.evidence import ChangeType, JobStatus, ProviderReading, ProvisioningStatus, SubscriptionStatus
from shared.domain.finding import Disposition
from shared.domain.intent import Phase
from shared.domain.look import Look
from shared.domain.policy import Mode
from shared.errors import Garbled, NotPossible
from shared.ports import StatusWrite, WriteResult
from shared.workflow.approve import remediate_case
from shared.workflow.diagnose import diagnose_subscriptions
from shared.workflow.sweep import sweep
from tests.builders import (
    AT_PROVIDER,
    HOUR,
    MICROSOFT,
    NOW,
    PARENT,
    SOMEONE,
    STUCK,
    SUBSCRIPTION,
    TENANT,
    WORK365_USER,
    change,
    half_toggled,
    job,
    look,
    our_intent,
    provisioned,
    subscription,
)
from tests.fakes.clock import ManualClock
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Crash, Town

pytestmark = pytest.mark.anyio

AUTO, FAILED = Disposition.AUTO, ProvisioningStatus.FAILED
CYCLE = timedelta(minutes=15)
AT_REST = subscription(status=SubscriptionStatus.ACTIVE)


@pytest.fixture
def town() -> Town:
    return Town()


async def ready(town: Town) -> Case:
    """The case found and diagnosed: it may be retriggered, and its message waits."""
    await sweep(town.ctx)
    await town.run(town.queues.take())  # type: ignore[arg-type]
    return await town.case()


async def dies_between_the_writes(town: Town) -> None:
    town.crash_at_save(lambda c: c.intent is not None and c.intent.phase is Phase.NOT_APPLICABLE_SET, saved=True)
    with pytest.raises(Crash):
        await town.sweep()
    town.queues.lose_all()


async def test_a_create_that_someone_finished_meanwhile_is_not_retriggered_again(town: Town) -> None:
    unlinked = subscription(provider_subscription_id=None)
    town.work365.hold(unlinked, change(change_type=ChangeType.CREATE, quantity=Decimal(25)))
    town.provider.hold(TENANT)
    await dies_between_the_writes(town)
    town.clock.advance(timedelta(minutes=6))
    await diagnose_subscriptions(town.ctx, [SUBSCRIPTION])  # half toggled: its second write is due
    assert await town.state() is State.READY
    town.work365.edit(STUCK, SOMEONE, status=AWAITING)  # by hand; or our own second write, landing late
    await town.drain()
    assert town.written() == [NOT_APPLICABLE]


async def test_a_persons_not_applicable_is_not_ours_because_a_plug_in_touched_it(town: Town) -> None:
    def die(write: StatusWrite) -> None:
        town.work365.before_write = lambda _: None
        raise Crash

    town.stuck()
    await ready(town)
    town.work365.before_write = die  # before it is done: nothing of ours is on the row
    with pytest.raises(Crash):
        await town.drain()
    town.work365.edit(STUCK, SOMEONE, status=NOT_APPLICABLE)
    town.work365.edit(STUCK, WORK365_USER)
    for _ in range(8):
        await town.pass_time(CYCLE)
    assert town.written() == []
    assert town.work365.change(STUCK).status is NOT_APPLICABLE


async def test_a_worker_whose_time_is_over_writes_nothing(town: Town) -> None:
    quick = town.provider.read
    slept = False

    async def slow(tenant_ids: Sequence[str]) -> Mapping[str, ProviderReading]:
        nonlocal slept
        reading = await quick(tenant_ids)
        if town.written() and not slept:
            slept = True
            town.provider.set_quantity(TENANT, AT_PROVIDER, 25)  # an order that was on its way
            await town.pass_time(timedelta(minutes=6))
        return reading

    town.provider.read = slow  # type: ignore[method-assign]
    town.stuck()
    await town.sweep()
    assert slept
    assert town.written() == [NOT_APPLICABLE], "the provider has it: Awaiting Provisioning orders it again"


async def test_a_write_that_lands_after_its_intent_was_dropped_is_not_lost(town: Town) -> None:
    late: list[StatusWrite] = []

    def swallow(write: StatusWrite) -> WriteResult:
        late.append(write)
        town.work365.before_write = lambda _: None
        return WriteResult(write.change_id, unknown=True, reason="no answer in time")

    town.stuck(of=AT_REST)
    await ready(town)
    town.work365.before_write = swallow
    await town.run(town.queues.take())  # type: ignore[arg-type]
    town.mode = Mode.OBSERVE
    for _ in range(3):
        await town.pass_time(CYCLE)
    assert (await town.case()).intent is None
    await town.work365.set_provisioning_status(late)
    town.work365.edit(STUCK, WORK365_USER)
    for _ in range(12):
        await town.pass_time(CYCLE)
    assert town.work365.change(STUCK).status is NOT_APPLICABLE
    assert await town.state() is not State.RESOLVED


async def test_an_open_retrigger_that_stays_unreadable_is_told(town: Town) -> None:
    town.stuck()
    await dies_between_the_writes(town)
    town.work365.edit(STUCK, WORK365_USER, status=None)
    before = len(town.work365.reads)
    for _ in range(240):
        await town.pass_time(timedelta(minutes=1))
    assert town.notifier.told != []
    assert len(town.work365.reads) - before < 60


async def test_a_row_touched_by_nobody_knows_whom_is_a_persons() -> None:
    touched = half_toggled(etag='W/"109"', modified_by=None)
    assert diagnose(look(provisioned(), touched, intent=our_intent())).disposition is not AUTO


async def test_what_is_not_understood_stays_a_persons_beside_something_to_approve() -> None:
    renewed = replace(MICROSOFT, last_verified_on=NOW - timedelta(minutes=10))
    seen = look(
        provisioned(),
        change(status=FAILED, message="AADSTS700082: The refresh token has expired due to inactivity."),
        subscription=subscription(provider=renewed),
        provider=ProviderReading(NOW, problem="403"),
        unmapped={"work365_licensechangelog.statuscode": "7"},
    )
    assert diagnose(seen).cause == "consent_expired"
    assert diagnose(seen).disposition is Disposition.PERSON


async def test_a_message_newer_than_every_job_is_not_cured_by_an_older_verification() -> None:
    renewed = replace(MICROSOFT, last_verified_on=NOW - 2 * HOUR)
    old_job = job(JobStatus.FAILED, modified_on=NOW - 3 * HOUR, created_on=NOW - 4 * HOUR)
    failed = change(status=FAILED, message="AADSTS700082: The refresh token has expired.", modified_on=NOW - HOUR)
    seen = look(provisioned(), failed, subscription=subscription(provider=renewed), jobs=(old_job,))
    assert diagnose(seen).disposition is Disposition.PERSON


async def test_a_yes_does_not_cover_an_objection_that_came_up_between_the_writes(town: Town) -> None:
    def schedule(write: StatusWrite, result: WriteResult) -> WriteResult:
        if write.status is NOT_APPLICABLE:
            shows = town.provider.subscriptions[TENANT][AT_PROVIDER]
            town.provider.hold(TENANT, replace(shows, has_next_term_instructions=True))
        return result

    town.mode = Mode.APPROVE
    town.stuck()
    case = await ready(town)
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert case.plan is not None
    town.work365.after_write = schedule
    await remediate_case(town.ctx, stored, case.plan.digest, "Ann")
    await town.drain()
    assert town.written() == [NOT_APPLICABLE], "Ann was not told that a scheduled change would be deleted"


async def test_one_case_that_cannot_be_judged_holds_no_retrigger_back(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = town.many(3)
    await sweep(town.ctx)
    await town.run(town.queues.take())  # type: ignore[arg-type]

    def odd(look: Look) -> Diagnosis:
        if look.evidence.subscription.id == ids[1]:
            raise OverflowError("odd evidence")
        return diagnose(look)

    monkeypatch.setattr("shared.domain.retrigger.diagnose", odd)
    await town.drain()
    assert [await town.state(i) for i in (ids[0], ids[2])] == [State.VERIFYING] * 2


async def test_a_yes_is_not_lost_to_a_note_that_was_saved_at_the_same_moment(town: Town) -> None:
    town.mode = Mode.APPROVE
    town.stuck()
    case = await ready(town)
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert case.plan is not None
    await town.drain()  # people are told, which is noted on the case
    approved = await remediate_case(town.ctx, stored, case.plan.digest, "Ann")
    assert (approved.approved_by, approved.outgoing) == ("Ann", ())
    await town.drain()
    assert town.written() == [NOT_APPLICABLE, AWAITING]


async def test_a_yes_to_a_plan_that_has_moved_is_refused_though_the_page_was_older(town: Town) -> None:
    town.mode = Mode.APPROVE
    town.stuck()
    case = await ready(town)
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert case.plan is not None
    town.provider.set_quantity(TENANT, AT_PROVIDER, 25)
    await town.pass_time(timedelta(minutes=31))
    with pytest.raises(NotPossible):
        await remediate_case(town.ctx, stored, case.plan.digest, "Ann")
    assert town.written() == []


class Answers:
    """A Dataverse that has these subscriptions, answers what is asked about them, and has nothing else."""

    def __init__(self, *rows: dict[str, object], pages: list[dict[str, object]] | None = None) -> None:
        self.rows = rows
        self.pages = pages or []

    async def batch(self, parts: Sequence[Get], *, purpose: str) -> list[PartResult]:
        return [self._answer(part.path) for part in parts]

    async def get_pages(self, query: str, *, purpose: str) -> list[dict[str, object]]:
        return self.pages

    def _answer(self, path: str) -> PartResult:
        if path == "WhoAmI":
            return PartResult(200, {"OrganizationId": PARENT, "UserId": SOMEONE})
        table = schema.load().table("subscription")
        asked = path if path.startswith(f"{table.entity_set}?") else ""
        return PartResult(200, {"value": [row for row in self.rows if str(row[table.primary_id]) in asked]})


def work365(answers: Answers) -> DataverseWork365:
    return DataverseWork365(cast(Dataverse, answers), schema.load(), ManualClock(NOW), UTC)


async def test_a_row_of_a_sweep_that_makes_no_sense_is_not_left_out() -> None:
    with pytest.raises(Garbled):
        await work365(Answers(pages=[{"work365_name": "?"}])).find_suspects(NOW, NOW.date())


def row_of(table: str, id: str, **values: object) -> dict[str, object]:
    described = schema.load().table(table)
    columns = {described.column(key).in_row: value for key, value in values.items()}
    return {described.primary_id: id, "@odata.etag": 'W/"1"', **columns}


def collections(row: dict[str, object]) -> dict[str, object]:
    """The row with its two expanded collections, both empty."""
    tables = [schema.load().table(each) for each in ("license_change_log", "scheduled_license_change_log")]
    return {**row, **{str(table.column("subscription").collection): [] for table in tables}}


ADDON = collections(row_of("subscription", SUBSCRIPTION, status=1, parent=PARENT))


async def test_what_the_map_does_not_know_of_a_parent_is_named() -> None:
    above = collections(row_of("subscription", PARENT, status=424242))
    read = await work365(Answers(ADDON, above)).read_evidence([SUBSCRIPTION], purpose="diagnose")
    assert "424242" in read.evidence[SUBSCRIPTION].unmapped.values()


async def test_a_parent_whose_changes_were_not_read_is_not_fine() -> None:
    above = row_of("subscription", PARENT, status=1)
    read = await work365(Answers(ADDON, above)).read_evidence([SUBSCRIPTION], purpose="diagnose")
    assert read.evidence[SUBSCRIPTION].unread == ("parent: its License Change Logs",)
