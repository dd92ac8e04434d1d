"""Defects that a cold review found, each as the test that went red. All are mended; most harmful first."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shared.domain.case import Case, State
from shared.domain.decision import settle
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    ChangeType,
    JobStatus,
    ProviderReading,
    ProviderSubscription,
    ProvisioningStatus,
    SubscriptionStatus,
)
from shared.domain.finding import Disposition
from shared.domain.intent import Attempt, Phase
from shared.domain.plan import plan_for
from shared.domain.policy import Mode, Policy
from shared.domain.provider_errors import read_message
from shared.ports import StatusWrite, WriteResult
from shared.workflow.approve import remediate_case
from shared.workflow.park import park
from shared.workflow.sweep import sweep
from tests.builders import (
    DAY,
    HOUR,
    LATER,
    NOW,
    PARENT,
    SOMEONE,
    STUCK,
    SUBSCRIPTION,
    TENANT,
    change,
    half_toggled,
    job,
    look,
    our_intent,
    parent,
    provisioned,
    shown,
    subscription,
)
from tests.workflow_kit import AWAITING, NOT_APPLICABLE, Crash, Town

pytestmark = pytest.mark.anyio

AUTO = Disposition.AUTO
FAILED, PROVISIONED = ProvisioningStatus.FAILED, ProvisioningStatus.PROVISIONED
CYCLE = timedelta(minutes=15)
AT_REST = subscription(status=SubscriptionStatus.ACTIVE)
"""Work 365 often leaves a subscription Active while one of its changes is unprovisioned."""


@pytest.fixture
def town() -> Town:
    return Town()


async def ready(town: Town) -> Case:
    """The case found and diagnosed: it may be retriggered, and its message waits."""
    await sweep(town.ctx)
    await town.run(town.queues.take())  # type: ignore[arg-type]
    return await town.case()


def unlinked_create(town: Town) -> None:
    """A first order whose trigger was missed; nothing is at the provider."""
    own = subscription(provider_subscription_id=None)
    town.work365.hold(own, change(change_type=ChangeType.CREATE, quantity=Decimal(25)))
    town.provider.hold(TENANT)


# --- orders twice, or writes against a person's will -----------------------------------------------------------------


async def test_a_person_who_sets_not_applicable_is_not_overruled(town: Town) -> None:
    def decide(write: StatusWrite) -> None:
        town.work365.before_write = lambda _: None
        town.work365.edit(write.change_id, SOMEONE, status=NOT_APPLICABLE)

    town.work365.before_write = decide
    town.stuck()
    await town.sweep()
    assert town.written() == []
    assert town.work365.change(STUCK).status is NOT_APPLICABLE


async def test_a_create_is_retriggered_once_although_both_replies_are_lost(town: Town) -> None:
    def lose(write: StatusWrite, _: WriteResult) -> WriteResult:
        return WriteResult(write.change_id, unknown=True, reason="cut")

    unlinked_create(town)
    await ready(town)
    town.work365.after_write = lose
    for _ in range(8):
        if (message := town.queues.take()) is not None:
            await town.run(message)
    town.work365.after_write = lambda _, result: result
    await town.drain()
    assert town.written().count(AWAITING) == 1


async def test_an_open_intent_is_never_used_for_another_change(town: Town) -> None:
    town.stuck()
    town.crash_at_save(lambda c: c.intent is not None and c.intent.phase is Phase.NOT_APPLICABLE_SET, saved=True)
    with pytest.raises(Crash):
        await town.sweep()
    town.queues.lose_all()
    earlier = change(LATER, created_on=NOW - 2 * HOUR, effective_date=date(2026, 11, 1), etag='W/"7"')
    town.work365.held[SUBSCRIPTION].changes[LATER] = earlier
    for _ in range(8):
        await town.pass_time(CYCLE)
    assert town.work365.change(LATER).status is not NOT_APPLICABLE
    assert town.work365.change(STUCK).status is not NOT_APPLICABLE


async def test_finishing_a_toggle_waits_when_a_job_has_just_ended() -> None:
    ended = job(JobStatus.SUCCEEDED, modified_on=NOW - timedelta(minutes=1))
    seen = look(provisioned(), half_toggled(), jobs=(ended,), intent=our_intent(written_on=NOW - timedelta(minutes=3)))
    assert diagnose(seen).disposition is not AUTO


async def test_a_second_retrigger_waits_for_the_providers_lag() -> None:
    policy = Policy(Mode.AUTO, job_cycle=timedelta(minutes=1), grace=timedelta())
    attempt = Attempt(STUCK, NOW - timedelta(minutes=2), "unstuck")
    assert diagnose(look(policy=policy, attempts=(attempt,))).disposition is Disposition.WAIT


@pytest.mark.parametrize("status", ["pending", "suspended", "deleted", None])
async def test_an_update_is_not_retriggered_while_the_provider_shows_no_active_subscription(status: str | None) -> None:
    assert diagnose(look(provider=shown(status=status))).disposition is not AUTO


async def test_an_activation_is_not_retriggered_when_the_providers_status_is_missing() -> None:
    activation = change(change_type=ChangeType.ACTIVATE, quantity=Decimal(0))
    assert diagnose(look(provisioned(), activation, provider=shown(status=None))).disposition is not AUTO


async def test_a_usage_update_is_not_retriggered_without_anything_to_compare() -> None:
    assert diagnose(look(subscription=subscription(product_class="usage"))).disposition is not AUTO


async def test_an_order_of_unknown_age_may_be_one_of_a_moment_ago() -> None:
    other = ProviderSubscription("f" * 8, 25, "active", "OTHER:0001", created_on=None)
    seen = look(
        change(change_type=ChangeType.CREATE, quantity=Decimal(25)),
        subscription=subscription(provider_subscription_id=None),
        provider=ProviderReading(NOW, (other,)),
        linked_at_provider=frozenset(),
    )
    assert diagnose(seen).disposition is not AUTO


# --- left at Not Applicable -------------------------------------------------------------------------------------------


async def test_a_first_write_that_lands_late_is_still_ours(town: Town) -> None:
    late: list[StatusWrite] = []

    def swallow(write: StatusWrite) -> WriteResult:
        late.append(write)
        town.work365.before_write = lambda _: None
        return WriteResult(write.change_id, unknown=True, reason="no answer in time")

    town.stuck(of=AT_REST)
    town.mode = Mode.APPROVE  # a yes is used up by the first try, so no second write gets in the way
    case = await ready(town)
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert case.plan is not None
    town.work365.before_write = swallow
    await remediate_case(town.ctx, stored, case.plan.digest, "Ann")
    await town.drain()
    await town.work365.set_provisioning_status(late)  # Dataverse gets it done after all
    for _ in range(8):
        await town.pass_time(CYCLE)
    assert town.work365.change(STUCK).status is not NOT_APPLICABLE, "the yes covers both writes"
    causes = [e.details.get("cause") for e in await town.store.timeline(SUBSCRIPTION, 1)]
    assert "half_toggled" in causes


async def test_an_intent_is_kept_while_its_change_cannot_be_read() -> None:
    opened = our_intent(phase=Phase.NOT_APPLICABLE_SET)
    case = Case(SUBSCRIPTION, 1, NOW - DAY, state=State.REMEDIATING, intent=opened, due_on=NOW)
    seen = look(provisioned(), unread=("changes",), intent=opened)
    assert settle(case, seen, NOW).case.intent == opened


async def test_an_intent_is_kept_while_its_changes_status_is_not_known() -> None:
    opened = our_intent(phase=Phase.NOT_APPLICABLE_SET)
    case = Case(SUBSCRIPTION, 1, NOW - DAY, state=State.REMEDIATING, intent=opened, due_on=NOW)
    seen = look(provisioned(), half_toggled(status=None), intent=opened)
    assert settle(case, seen, NOW).case.intent == opened


async def test_a_change_archived_at_our_not_applicable_is_not_healthy(town: Town) -> None:
    town.stuck(of=AT_REST)
    town.crash_at_save(lambda c: c.intent is not None and c.intent.phase is Phase.NOT_APPLICABLE_SET, saved=True)
    with pytest.raises(Crash):
        await town.sweep()
    town.queues.lose_all()
    town.work365.edit(STUCK, SOMEONE, archived=True)  # the invoice run
    for _ in range(8):
        await town.pass_time(CYCLE)
    assert await town.state() is not State.RESOLVED


async def test_resolved_only_when_the_change_is_provisioned(town: Town) -> None:
    town.stuck(of=AT_REST)
    await town.sweep()
    town.work365.edit(STUCK, SOMEONE, status=NOT_APPLICABLE)
    for _ in range(8):
        await town.pass_time(CYCLE)
    case = await town.case()
    assert (case.state, case.summary) != (State.RESOLVED, "Change and subscription are provisioned and stayed so.")


async def test_a_half_done_toggle_in_observe_mode_is_told(town: Town) -> None:
    town.stuck()
    town.crash_at_save(lambda c: c.intent is not None and c.intent.phase is Phase.NOT_APPLICABLE_SET, saved=True)
    with pytest.raises(Crash):
        await town.sweep()
    town.queues.lose_all()
    town.mode = Mode.OBSERVE
    for _ in range(8):
        await town.pass_time(CYCLE)
    assert town.notifier.told != []


async def test_a_yes_covers_both_writes_across_a_crash(town: Town) -> None:
    town.stuck()
    town.mode = Mode.APPROVE
    case = await ready(town)
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert case.plan is not None
    await remediate_case(town.ctx, stored, case.plan.digest, "Ann")
    town.crash_at_save(lambda c: c.intent is not None and c.intent.phase is Phase.NOT_APPLICABLE_SET, saved=True)
    with pytest.raises(Crash):
        await town.drain()
    town.queues.lose_all()
    await town.pass_time(timedelta(minutes=6))
    assert town.written() == [NOT_APPLICABLE, AWAITING]


# --- for ever, or at speed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["version_changed", "unknown"])
@pytest.mark.parametrize("at", [NOT_APPLICABLE, AWAITING])
async def test_a_write_that_never_gets_through_does_not_spin(town: Town, at: ProvisioningStatus, answer: str) -> None:
    def never(write: StatusWrite) -> WriteResult | None:
        return WriteResult(write.change_id, **{answer: True}) if write.status is at else None  # type: ignore[arg-type]

    town.work365.before_write = never
    town.stuck()
    await town.sweep()
    for _ in range(12):
        await town.pass_time(CYCLE)
    assert len(town.work365.batches) < 20
    assert await town.state() in (State.NEEDS_PERSON, State.ESCALATED)


async def test_one_unreadable_case_holds_no_other_back(town: Town) -> None:
    ids = town.many(3)
    await sweep(town.ctx)
    town.store.cases[ids[1]] = {"case": {"PartitionKey": ids[1], "RowKey": "case", "schema_version": 99}}
    await town.drain()
    assert [await town.state(i) for i in (ids[0], ids[2])] == [State.VERIFYING] * 2


async def test_one_subscription_that_cannot_be_judged_holds_no_other_back(town: Town) -> None:
    ids = town.many(3)
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    change_id = next(c for c in town.work365.held[ids[1]].changes if c.startswith("22222222"))
    town.work365.held[ids[1]].jobs.append(job(JobStatus.WAITING, change_id=change_id, scheduled_for=never))
    await town.sweep()
    assert [await town.state(i) for i in (ids[0], ids[2])] == [State.VERIFYING] * 2
    assert await town.state(ids[1]) in (State.WAITING, State.NEEDS_PERSON)


@pytest.mark.parametrize(
    "status", [SubscriptionStatus.EXPIRED, SubscriptionStatus.CANCELLED, SubscriptionStatus.SUSPENDED]
)
async def test_an_add_on_does_not_wait_for_a_parent_that_nothing_will_provision(status: SubscriptionStatus) -> None:
    seen = look(subscription=subscription(parent_id=PARENT), parent=parent(status=status))
    assert diagnose(seen).disposition is Disposition.PERSON


async def test_an_acting_case_whose_steps_fail_for_ever_is_told(town: Town) -> None:
    town.stuck()
    town.crash_at_save(lambda c: c.intent is not None and c.intent.phase is Phase.NOT_APPLICABLE_SET, saved=True)
    with pytest.raises(Crash):
        await town.sweep()
    town.clock.advance(DAY)
    await park(town.ctx, [SUBSCRIPTION], "diagnose")
    await town.drain()
    assert town.notifier.told != []


async def test_a_subscription_that_vanished_is_told_and_not_noted_for_ever(town: Town) -> None:
    town.stuck()
    town.crash_at_save(lambda c: c.intent is not None and c.intent.phase is Phase.NOT_APPLICABLE_SET, saved=True)
    with pytest.raises(Crash):
        await town.sweep()
    del town.work365.held[SUBSCRIPTION]
    for _ in range(24):
        await town.pass_time(HOUR)
    assert (await town.history()).count("subscription_not_found") < 3
    assert town.notifier.told != []


async def test_in_observe_mode_a_ready_case_is_not_read_every_five_minutes(town: Town) -> None:
    town.mode = Mode.OBSERVE
    town.stuck()
    await town.sweep()
    case = await town.case()
    assert case.due_on is not None
    assert case.due_on - NOW >= town.policy.look_again


# --- a yes ------------------------------------------------------------------------------------------------------------


async def test_a_yes_despite_one_objection_is_no_yes_despite_another() -> None:
    not_asked = look(provider=ProviderReading(NOW, problem="403"))
    deletes_a_scheduled_change = look(provider=shown(has_next_term_instructions=True))
    plans = [plan_for(seen, diagnose(seen)) for seen in (not_asked, deletes_a_scheduled_change)]
    assert plans[0] is not None
    assert plans[1] is not None
    assert plans[0].digest != plans[1].digest


async def test_a_yes_that_became_void_does_not_come_back(town: Town) -> None:
    town.mode = Mode.APPROVE
    town.stuck()
    case = await ready(town)
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert case.plan is not None
    await remediate_case(town.ctx, stored, case.plan.digest, "Ann")
    town.queues.lose_all()
    town.work365.edit(STUCK, quantity=Decimal(50))
    await town.pass_time(HOUR)
    assert await town.state() is State.AWAITING_APPROVAL
    town.work365.edit(STUCK, quantity=Decimal(5))
    await town.pass_time(DAY)
    assert town.work365.writes == []


async def test_a_yes_survives_throttling_or_is_asked_for_again(town: Town) -> None:
    def put_off(write: StatusWrite) -> WriteResult:
        town.work365.before_write = lambda _: None
        return WriteResult(write.change_id, deferred=True, reason="429", retry_after=40)

    town.mode = Mode.APPROVE
    town.stuck()
    case = await ready(town)
    await town.drain()
    told = len(town.notifier.told)
    stored = await town.store.load(SUBSCRIPTION)
    assert stored is not None
    assert case.plan is not None
    town.work365.before_write = put_off
    await remediate_case(town.ctx, stored, case.plan.digest, "Ann")
    await town.drain()
    await town.pass_time(HOUR)
    assert AWAITING in town.written() or len(town.notifier.told) > told


# --- missing counts as fine -------------------------------------------------------------------------------------------


async def test_a_change_of_unknown_age_is_not_retriggered() -> None:
    assert diagnose(look(provisioned(), change(created_on=None))).disposition is not AUTO


async def test_our_last_attempt_counts_although_the_creation_is_not_known() -> None:
    attempt = Attempt(STUCK, NOW - timedelta(minutes=1), "unstuck")
    assert diagnose(look(provisioned(), change(created_on=None), attempts=(attempt,))).disposition is not AUTO


async def test_an_earlier_change_of_unknown_status_may_hold_the_head_back() -> None:
    earlier = change(LATER, status=None, effective_date=date(2026, 11, 1), created_on=NOW - 2 * DAY)
    assert diagnose(look(provisioned(), earlier, change())).disposition is not AUTO


PRIOR = "There are one or more prior License Change Logs for this Subscription that are Awaiting Provisioning."


async def test_a_cleared_chain_of_a_suspended_subscription_is_a_persons() -> None:
    held = change(status=FAILED, message=PRIOR)
    seen = look(provisioned(), held, subscription=subscription(status=SubscriptionStatus.SUSPENDED))
    assert diagnose(seen).disposition is not AUTO


# --- messages ---------------------------------------------------------------------------------------------------------

ENTRA = (
    '{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired due to inactivity. '
    'Trace ID: 0c9d31c5-0000-0000-0000-700082000000","error_codes":[700082],"timestamp":"2026-11-22 08:00:00Z",'
    '"error_uri":"https://login.microsoftonline.com/error?code=700082"}'
)


async def test_a_whole_answer_of_entra_is_understood() -> None:
    assert read_message(ENTRA).cause == "consent_expired"


async def test_a_number_in_brackets_is_not_a_code() -> None:
    assert read_message("Invoice (27009) is closed, so the change was refused.").cause is None


async def test_the_same_long_text_after_a_lost_reply_is_the_same_text(town: Town) -> None:
    message = f"{ENTRA.replace('700082', '700082', 1)}".replace('"error_codes":[700082],', "").replace(
        "?code=700082", ""
    )
    message += " " + "Contoso asked twice. " * 40
    opened = our_intent(
        phase=Phase.INTENDED, status_before=FAILED, etag_before='W/"100"', etag_after="", message_before=message
    )
    failed = change(status=FAILED, message=message)
    before = look(provisioned(), failed)
    case = Case(
        SUBSCRIPTION, 1, NOW - DAY, state=State.UNSETTLED, intent=opened, due_on=NOW, diagnosis=diagnose(before)
    )
    went_through = look(provisioned(), replace(failed, status=AWAITING, etag='W/"101"'), intent=opened)
    attempts = settle(case, went_through, NOW).case.attempts
    renewed = replace(
        subscription(),
        provider=replace(subscription().provider, last_verified_on=NOW - timedelta(minutes=5)),  # type: ignore[type-var]
    )
    again = look(
        provisioned(), replace(failed, etag='W/"102"'), subscription=renewed, attempts=attempts, now=NOW + HOUR
    )
    assert diagnose(again).disposition is Disposition.PERSON


async def test_a_parent_that_was_there_before_the_complaint_cures_nothing() -> None:
    """Rule 4: a message newer than the repair stands."""
    complaint = change(status=FAILED, message='{"code":27009}', modified_on=NOW - timedelta(minutes=1))
    long_since = parent(changes=(), status=SubscriptionStatus.ACTIVE)
    seen = look(provisioned(), complaint, subscription=subscription(parent_id=PARENT), parent=long_since)
    assert diagnose(seen).disposition is not AUTO


# --- evidence that has aged -------------------------------------------------------------------------------------------


async def test_a_single_write_rests_on_evidence_read_just_before_it(town: Town) -> None:
    """It goes out with the others' first writes, in the request right after the reading."""
    ids = town.many(2)
    failed = next(c for c in town.work365.held[ids[1]].changes if c.startswith("22222222"))
    town.work365.edit(failed, status=FAILED, message=PRIOR)
    await town.sweep()
    assert town.work365.batches == [2, 1]
    assert town.written(failed) == [AWAITING]


async def test_a_refused_first_write_is_not_called_a_retrigger(town: Town) -> None:
    town.work365.before_write = lambda w: WriteResult(w.change_id, refused=True, reason="prvWriteChange is missing")
    town.stuck()
    await town.sweep()
    assert not (await town.case()).summary.startswith("Retriggered")
