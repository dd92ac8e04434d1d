"""Every cause: alone, and beside what looks like it and is not."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.domain.causes import CAUSES
from shared.domain.diagnosis import Diagnosis, diagnose
from shared.domain.evidence import (
    ChangeSource,
    ChangeType,
    JobStatus,
    ProviderReading,
    ProviderSubscription,
    ProviderType,
    ProvisioningStatus,
    ScheduledChange,
    SubscriptionStatus,
)
from shared.domain.finding import Disposition
from shared.domain.intent import Attempt, Phase
from shared.domain.look import Look
from shared.domain.plan import plan_for
from tests.builders import (
    DAY,
    HOUR,
    LATER,
    MICROSOFT,
    NOW,
    PARENT,
    POLICY,
    SOMEONE,
    STUCK,
    WORK365_USER,
    change,
    evidence,
    half_toggled,
    job,
    look,
    our_intent,
    parent,
    provisioned,
    shown,
    subscription,
)

AUTO, WAIT, APPROVE, PERSON = Disposition.AUTO, Disposition.WAIT, Disposition.APPROVE, Disposition.PERSON
FAILED, NOT_APPLICABLE = ProvisioningStatus.FAILED, ProvisioningStatus.NOT_APPLICABLE

CONSENT = """{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired due to \
inactivity. The token was issued on 2026-08-01 and was inactive for 90.00:00:00."}"""
PRIOR = (
    "There are one or more prior License Change Logs for this Subscription that are either Awaiting "
    "Provisioning or have Failed Provisioning."
)
PARENT_NOT_ACTIVE = '{"code":27009,"description":"can\u2019t enable a child subscription"}'


def verdict(seen: Look) -> tuple[str | None, Disposition | None]:
    diagnosis = diagnose(seen)
    return diagnosis.cause, diagnosis.disposition


def steps(seen: Look) -> list[str]:
    plan = plan_for(seen, diagnose(seen))
    return [*plan.steps] if plan else []


def test_a_missed_trigger_is_retriggered_by_two_writes() -> None:
    assert verdict(look()) == ("trigger_missed", AUTO)
    assert steps(look()) == ["not_applicable", "awaiting_provisioning"]


def test_nothing_unprovisioned_is_healthy() -> None:
    at_rest = subscription(status=SubscriptionStatus.PROVISIONED)
    assert diagnose(look(provisioned(), subscription=at_rest)).healthy


@pytest.mark.parametrize(
    ("seen", "disposition"),
    [
        pytest.param(look(provider=shown(23)), PERSON, id="provider shows neither before nor after"),
        pytest.param(look(provider=shown(None)), APPROVE, id="provider does not say"),
        pytest.param(look(provider=None), APPROVE, id="provider not asked"),
        pytest.param(look(provider=ProviderReading(NOW, problem="403")), APPROVE, id="provider refuses"),
        pytest.param(look(provider=ProviderReading(NOW, problem="429", transient=True)), WAIT, id="provider throttles"),
        pytest.param(look(provider=ProviderReading(NOW)), PERSON, id="provider does not have the subscription"),
        pytest.param(look(provider=shown(has_next_term_instructions=True)), APPROVE, id="next-term instruction"),
        pytest.param(look(provider=shown(has_next_term_instructions=None)), APPROVE, id="next term not known"),
        pytest.param(
            look(provisioned(), change(source=ChangeSource.PROVIDER)), PERSON, id="the change came from the provider"
        ),
        pytest.param(look(provisioned(), change(source=None)), PERSON, id="source not known"),
        pytest.param(look(provisioned(), change(quantity=Decimal(0))), APPROVE, id="price-only change"),
        pytest.param(look(provisioned(), change(quantity=None)), PERSON, id="quantity not known"),
        pytest.param(
            look(provisioned(), change(change_type=ChangeType.DEACTIVATE, quantity=Decimal(-20))),
            APPROVE,
            id="deactivation",
        ),
        pytest.param(look(unread=("jobs (403)",)), PERSON, id="jobs unreadable"),
        pytest.param(look(unmapped={"x.statuscode": "7"}), PERSON, id="an option that the map does not know"),
    ],
)
def test_never_order_twice_whatever_speaks_against_it_stops_auto(seen: Look, disposition: Disposition) -> None:
    assert diagnose(seen).disposition is disposition
    assert diagnose(seen).disposition is not AUTO


@pytest.mark.parametrize(
    "seen",
    [
        look(subscription=subscription(provider=replace(MICROSOFT, type=None))),
        look(subscription=subscription(status=None)),
        look(provisioned(), change(message="Something nobody has seen before (987654)")),
        look(jobs=(job(JobStatus.CANCELLED),)),
        look(jobs=(job(JobStatus.SUCCEEDED),)),
        look(provisioned(), change(status=FAILED)),
    ],
)
def test_a_subscription_that_is_not_as_it_should_be_is_unknown_and_a_persons(seen: Look) -> None:
    assert verdict(seen) == ("unknown", PERSON)
    assert steps(seen) == []


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (look(subscription=subscription(customer_id=None)), "customer_missing"),
        (look(subscription=subscription(account=None)), "provider_account_mismatch"),
        (look(subscription=subscription(provider=None)), "provider_account_mismatch"),
        (look(subscription=subscription(part_number=None)), "product_or_price_invalid"),
        (look(subscription=subscription(status=SubscriptionStatus.SUSPENDED)), "subscription_state_blocked"),
    ],
)
def test_what_is_missing_on_the_subscription_is_named_and_a_persons(seen: Look, cause: str) -> None:
    assert verdict(seen) == (cause, PERSON)
    assert steps(seen) == []


def test_an_unknown_message_is_kept_whole() -> None:
    text = "<b>Odd</b> \x07 failure " + "x" * 3_000
    (proof,) = diagnose(look(provisioned(), change(message=text))).findings[0].proof
    assert proof.value == text.strip()


class TestFirstOrder:
    create = change(change_type=ChangeType.CREATE, quantity=Decimal(25))
    unlinked = subscription(provider_subscription_id=None)

    def seen(self, *found: ProviderSubscription, linked: frozenset[str] | None = frozenset()) -> Look:
        return look(
            self.create,
            subscription=self.unlinked,
            provider=ProviderReading(NOW, found),
            linked_at_provider=linked,
        )

    def test_nothing_bought_there_is_auto(self) -> None:
        assert verdict(self.seen()) == ("trigger_missed", AUTO)

    def test_an_unlinked_subscription_of_the_product_is_a_persons(self) -> None:
        bought = ProviderSubscription("f" * 8, 25, "active", "cfq7ttc0lh16:0001:XYZ", NOW - DAY)
        assert diagnose(self.seen(bought)).disposition is PERSON

    def test_one_that_another_row_links_is_not_it(self) -> None:
        bought = ProviderSubscription("f" * 8, 25, "active", "CFQ7TTC0LH16:0001", NOW - DAY)
        assert diagnose(self.seen(bought, linked=frozenset({"f" * 8}))).disposition is AUTO

    def test_an_order_a_moment_ago_is_waited_for(self) -> None:
        other = ProviderSubscription("f" * 8, 25, "active", "OTHER:0001", NOW - timedelta(minutes=3))
        assert diagnose(self.seen(other)).disposition is WAIT

    def test_links_that_could_not_be_read_are_a_persons(self) -> None:
        assert diagnose(self.seen(linked=None)).disposition is PERSON


class TestHalfToggled:
    def test_our_half_done_toggle_is_finished(self) -> None:
        seen = look(provisioned(), half_toggled(), intent=our_intent())
        assert verdict(seen) == ("half_toggled", AUTO)
        assert steps(seen) == ["awaiting_provisioning"]

    def test_a_plug_in_that_touched_the_row_decides_nothing(self) -> None:
        touched = half_toggled(etag='W/"109"', modified_by=WORK365_USER)
        assert verdict(look(provisioned(), touched, intent=our_intent())) == ("half_toggled", AUTO)

    def test_a_person_who_edited_it_since_decides(self) -> None:
        edited = half_toggled(etag='W/"109"', modified_by=SOMEONE)
        assert verdict(look(provisioned(), edited, intent=our_intent())) == ("half_toggled", PERSON)

    def test_when_the_provider_got_there_meanwhile_a_person_confirms(self) -> None:
        seen = look(provisioned(), half_toggled(), intent=our_intent(), provider=shown(25))
        assert verdict(seen) == ("half_toggled", APPROVE)
        assert steps(seen) == []

    def test_not_applicable_without_an_intent_of_ours_is_never_touched(self) -> None:
        assert steps(look(provisioned(), half_toggled())) == []

    def test_a_lost_first_write_is_ours_too(self) -> None:
        intent = our_intent(phase=Phase.INTENDED, etag_after="")
        assert verdict(look(provisioned(), half_toggled(), intent=intent)) == ("half_toggled", AUTO)


class TestAlreadyApplied:
    def test_the_provider_shows_the_running_total(self) -> None:
        assert verdict(look(provider=shown(25))) == ("already_applied", APPROVE)
        assert steps(look(provider=shown(25))) == []

    def test_it_is_compared_with_the_sum_up_to_this_change_not_with_the_total(self) -> None:
        later = change(LATER, quantity=Decimal(10), created_on=NOW - timedelta(minutes=45))
        total = subscription(quantity=Decimal(35))
        assert (
            verdict(look(provisioned(), change(), later, provider=shown(25), subscription=total))[0]
            == "already_applied"
        )
        assert verdict(look(provisioned(), change(), later, provider=shown(35), subscription=total))[1] is PERSON

    def test_seats_that_came_from_the_provider_are_there_already(self) -> None:
        synced = change(LATER, status=NOT_APPLICABLE, source=ChangeSource.PROVIDER, quantity=Decimal(3))
        assert verdict(look(provisioned(), change(), synced, provider=shown(23))) == ("trigger_missed", AUTO)
        assert verdict(look(provisioned(), change(), synced, provider=shown(28)))[0] == "already_applied"

    def test_usage_is_not_compared_by_quantity(self) -> None:
        usage = subscription(product_class="usage")
        assert verdict(look(provider=shown(25), subscription=usage))[0] != "already_applied"

    def test_it_wins_over_a_message(self) -> None:
        assert (
            verdict(look(provisioned(), change(status=FAILED, message="504"), provider=shown(25)))[0]
            == "already_applied"
        )


class TestFutureDate:
    def test_effective_tomorrow_waits_until_then_and_a_cycle(self) -> None:
        seen = look(provisioned(), change(effective_date=date(2026, 11, 23)))
        assert verdict(seen) == ("future_effective_date", WAIT)
        until = diagnose(seen).findings[0].until
        assert until == NOW.replace(hour=0) + DAY + POLICY.waiting_time

    def test_start_date_and_the_jobs_schedule_count(self) -> None:
        assert verdict(look(subscription=subscription(start_date=date(2026, 12, 1))))[0] == "future_effective_date"
        later = job(JobStatus.WAITING, scheduled_for=NOW + 3 * HOUR)
        assert verdict(look(jobs=(later,)))[0] == "future_effective_date"

    def test_today_is_not_the_future(self) -> None:
        seen = look(provisioned(), change(effective_date=NOW.date(), created_on=NOW - 2 * DAY))
        assert verdict(seen)[0] == "trigger_missed"

    def test_a_date_beyond_the_term_is_a_typing_error(self) -> None:
        seen = look(
            provisioned(),
            change(effective_date=date(2062, 11, 23)),
            subscription=subscription(end_date=date(2027, 1, 1)),
        )
        assert verdict(seen) == ("future_effective_date", PERSON)

    def test_year_9999_is_no_crash(self) -> None:
        assert verdict(look(provisioned(), change(effective_date=date(9999, 12, 31))))[0] == "future_effective_date"


class TestNotStuckYet:
    def test_a_young_change(self) -> None:
        seen = look(provisioned(), change(created_on=NOW - timedelta(minutes=10), effective_date=date(2026, 11, 1)))
        assert verdict(seen) == ("not_stuck_yet", WAIT)
        assert diagnose(seen).findings[0].until == NOW + timedelta(minutes=20)

    def test_modified_on_does_not_make_it_young(self) -> None:
        assert verdict(look(provisioned(), change(modified_on=NOW)))[0] == "trigger_missed"

    @pytest.mark.parametrize(
        "status", [JobStatus.WAITING, JobStatus.DISPATCHED, JobStatus.IN_PROGRESS, JobStatus.RETRY]
    )
    def test_a_live_job_has_its_normal_time_and_is_never_raced(self, status: JobStatus) -> None:
        assert verdict(look(jobs=(job(status),))) == ("not_stuck_yet", WAIT)
        assert verdict(look(jobs=(job(status, modified_on=NOW - DAY, created_on=NOW - DAY),))) == ("unknown", PERSON)

    def test_our_own_attempt_is_given_a_cycle(self) -> None:
        attempt = Attempt(STUCK, NOW - timedelta(minutes=5), "unstuck")
        assert verdict(look(attempts=(attempt,))) == ("not_stuck_yet", WAIT)


class TestManualProvider:
    def test_a_person_does_it(self) -> None:
        manual = subscription(provider=replace(MICROSOFT, type=ProviderType.MANUAL, connector=None))
        assert verdict(look(subscription=manual, provider=None)) == ("manual_provider", PERSON)


class TestConsent:
    failed = change(status=FAILED, message=CONSENT, modified_on=NOW - HOUR)

    def test_expired(self) -> None:
        assert verdict(look(provisioned(), self.failed)) == ("consent_expired", PERSON)

    def test_renewed_since_the_message_goes_back_in_one_write(self) -> None:
        renewed = subscription(provider=replace(MICROSOFT, last_verified_on=NOW - timedelta(minutes=10)))
        seen = look(provisioned(), self.failed, subscription=renewed)
        assert verdict(seen) == ("consent_expired", AUTO)
        assert steps(seen) == ["awaiting_provisioning"]

    def test_verified_before_the_message_cures_nothing(self) -> None:
        older = subscription(provider=replace(MICROSOFT, last_verified_on=NOW - 2 * HOUR))
        assert verdict(look(provisioned(), self.failed, subscription=older))[1] is PERSON

    def test_a_failed_verification_cures_nothing(self) -> None:
        failed = replace(MICROSOFT, last_verified_on=NOW, connectivity="failed")
        assert verdict(look(provisioned(), self.failed, subscription=subscription(provider=failed)))[1] is PERSON

    def test_the_same_text_after_our_retrigger_is_a_persons(self) -> None:
        renewed = subscription(provider=replace(MICROSOFT, last_verified_on=NOW - timedelta(minutes=10)))
        again = CONSENT.replace("2026-08-01", "2026-08-02")
        attempt = Attempt(STUCK, NOW - 2 * HOUR, "unstuck", message_before=CONSENT)
        seen = look(provisioned(), change(status=FAILED, message=again), subscription=renewed, attempts=(attempt,))
        assert verdict(seen)[1] is PERSON


class TestParent:
    addon = subscription(parent_id=PARENT)
    failed = change(status=FAILED, message=PARENT_NOT_ACTIVE)

    def test_it_waits_on_the_parents_case(self) -> None:
        waiting = parent(status=SubscriptionStatus.AWAITING, changes=(change(LATER, change_type=ChangeType.CREATE),))
        seen = look(provisioned(), self.failed, subscription=self.addon, parent=waiting)
        assert verdict(seen) == ("parent_not_provisioned", WAIT)
        assert diagnose(seen).findings[0].waits_for == PARENT

    def test_parent_provisioned_since_is_auto(self) -> None:
        since = provisioned(LATER, actual_provisioned_on=NOW - timedelta(minutes=10))
        seen = look(provisioned(), self.failed, subscription=self.addon, parent=parent(changes=(since,)))
        assert verdict(seen) == ("parent_not_provisioned", AUTO)
        assert steps(seen) == ["awaiting_provisioning"]

    @pytest.mark.parametrize(
        "harmless",
        [
            change(LATER, effective_date=date(2027, 1, 1)),
            change(LATER, quantity=Decimal(0)),
            change(LATER, quantity=Decimal(-2)),
        ],
    )
    def test_the_parents_future_and_price_changes_hold_nothing(self, harmless: object) -> None:
        seen = look(subscription=self.addon, parent=parent(changes=(harmless,)))
        assert verdict(seen) == ("trigger_missed", AUTO)

    def test_a_bundles_child_is_no_add_on(self) -> None:
        bundle = parent(
            status=SubscriptionStatus.AWAITING,
            provider=replace(MICROSOFT, type=ProviderType.DO_NOTHING, connector=None),
        )
        assert verdict(look(subscription=self.addon, parent=bundle)) == ("trigger_missed", AUTO)
        assert verdict(look(provisioned(), self.failed, subscription=self.addon, parent=bundle))[1] is PERSON

    def test_a_parent_that_could_not_be_read_is_not_fine(self) -> None:
        assert diagnose(look(subscription=self.addon, unread=("parents (403)",))).disposition is PERSON

    def test_its_own_parent_ends_in_a_finding(self) -> None:
        mine = subscription(parent_id=subscription().id)
        looped = replace(parent(changes=(change(),)), subscription=mine)
        assert verdict(look(subscription=mine, parent=looped)) == ("parent_not_provisioned", PERSON)


class TestPriorChange:
    later = change(LATER, quantity=Decimal(2), created_on=NOW - timedelta(minutes=50), status=FAILED, message=PRIOR)

    def test_the_head_is_solved_first(self) -> None:
        seen = look(provisioned(), change(), self.later)
        assert verdict(seen) == ("prior_change_blocking", AUTO)
        assert diagnose(seen).change_id == STUCK

    def test_a_head_that_needs_a_person_keeps_the_chain(self) -> None:
        seen = look(provisioned(), change(status=FAILED, message="Nobody knows this"), self.later)
        assert verdict(seen) == ("prior_change_blocking", PERSON)

    def test_a_head_that_nothing_explains_keeps_the_chain(self) -> None:
        seen = look(provisioned(), change(status=FAILED), self.later)
        assert verdict(seen) == ("prior_change_blocking", PERSON)

    def test_cleared_it_goes_on(self) -> None:
        seen = look(provisioned(), self.later)
        assert verdict(seen) == ("prior_change_blocking", AUTO)
        assert steps(seen) == ["awaiting_provisioning"]

    def test_archived_changes_do_not_block_and_are_never_the_head(self) -> None:
        archived = change(STUCK, archived=True)
        assert diagnose(look(provisioned(), archived, change(LATER))).change_id == LATER

    def test_a_scheduled_change_that_failed_to_merge_is_a_persons(self) -> None:
        merge = ScheduledChange("s", "Increase", "merge_failed", date(2026, 11, 1))
        assert verdict(look(scheduled=(merge,))) == ("prior_change_blocking", PERSON)


def test_the_order_of_rows_never_matters() -> None:
    seen = look(provisioned(), change(), TestPriorChange.later, jobs=(job(JobStatus.FAILED, results="x"),))
    turned = replace(seen, evidence=replace(seen.evidence, changes=seen.evidence.changes[::-1]))
    assert diagnose(seen) == diagnose(turned)


def test_every_cause_is_either_found_or_ruled_out_with_a_reason() -> None:
    diagnosis: Diagnosis = diagnose(look())
    told = [f.cause for f in diagnosis.findings] + [out.cause for out in diagnosis.ruled_out]
    assert sorted(told) == sorted(CAUSES)
    assert all(out.reason for out in diagnosis.ruled_out)


def test_no_change_log_at_all_is_a_persons() -> None:
    assert verdict(look(provisioned())) == ("no_change_log", PERSON)


def test_an_archived_change_that_was_never_provisioned_is_reported_and_never_written() -> None:
    seen = Look(
        evidence(provisioned(), change(archived=True), subscription=subscription(status=SubscriptionStatus.ACTIVE)),
        NOW,
        POLICY,
    )
    assert verdict(seen) == ("billed_not_provisioned", PERSON)
    assert steps(seen) == []
