"""Chains: scheduled changes, earlier ones, none at all, invoiced ones, set-aside ones and twins."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    Change,
    ChangeSource,
    ChangeType,
    JobStatus,
    ProvisioningStatus,
    ScheduledChange,
    SubscriptionStatus,
)
from shared.domain.finding import Confidence
from shared.domain.intent import Attempt
from shared.domain.look import Look
from tests.builders import (
    DAY,
    HOUR,
    LATER,
    MICROSOFT,
    NOW,
    OURS,
    SOMEONE,
    STUCK,
    WORK365_USER,
    change,
    half_toggled,
    job,
    look,
    our_intent,
    provisioned,
    shown,
    subscription,
)
from tests.unit.causes_b.kit import AUTO, NOTHING, PERSON, WAIT, holds, ruled_out

AWAITING, FAILED = ProvisioningStatus.AWAITING, ProvisioningStatus.FAILED
PROVISIONED, NOT_APPLICABLE = ProvisioningStatus.PROVISIONED, ProvisioningStatus.NOT_APPLICABLE
MINUTE = timedelta(minutes=1)
PRIOR = (
    "There are one or more prior License Change Logs for this Subscription that are either Awaiting "
    "Provisioning or have Failed Provisioning."
)
AT_REST = subscription(status=SubscriptionStatus.ACTIVE)


def scheduled(status: str = "pending", day: date | None = date(2026, 11, 20), **values: Any) -> ScheduledChange:
    return ScheduledChange(values.pop("id", "s-1"), "Renewal -2", status, day, **{"quantity": Decimal(-2), **values})


def merge_job(status: JobStatus, results: str = "", **values: Any) -> Any:
    return job(status, change_id="", scheduled_change_id="s-1", results=results, **values)


class TestScheduledChange:
    NAME = "scheduled_change_not_applied"

    @pytest.mark.parametrize("late", [scheduled(), scheduled("merge_failed"), scheduled("merge_failed", None)])
    def test_without_a_change_log_a_person_mends_it(self, late: ScheduledChange) -> None:
        one = look(provisioned(), subscription=AT_REST, scheduled=(late,))
        assert holds(self.NAME, one).disposition is PERSON
        assert diagnose(one).cause in (self.NAME, None)  # None: nothing is stuck enough to look

    def test_the_jobs_own_text_is_proof(self) -> None:
        failed = merge_job(JobStatus.FAILED, "The price list is missing (0x80100010).")
        one = look(provisioned(), subscription=AT_REST, scheduled=(scheduled("merge_failed"),), jobs=(failed,))
        verdict = holds(self.NAME, one)
        assert any("0x80100010" in fact.value for fact in verdict.proof)
        assert "the price list is missing" in verdict.sentence

    def test_it_is_late_only_on_the_day_after(self) -> None:
        ruled_out(self.NAME, look(provisioned(), subscription=AT_REST, scheduled=(scheduled(day=NOW.date()),)))
        assert holds(
            self.NAME, look(provisioned(), subscription=AT_REST, scheduled=(scheduled(day=date(2026, 11, 21)),))
        )

    def test_it_waits_while_its_merge_runs(self) -> None:
        running = merge_job(JobStatus.IN_PROGRESS)
        one = look(provisioned(), subscription=AT_REST, scheduled=(scheduled(),), jobs=(running,))
        assert holds(self.NAME, one).disposition is WAIT
        hung = replace(running, modified_on=NOW - DAY)
        one = look(provisioned(), subscription=AT_REST, scheduled=(scheduled(),), jobs=(hung,))
        assert holds(self.NAME, one).disposition is PERSON

    def test_a_change_of_the_same_day_and_seats_speaks_against_it(self) -> None:
        merged = change(effective_date=date(2026, 11, 20), quantity=Decimal(-2), status=PROVISIONED)
        one = look(provisioned(), merged, subscription=AT_REST, scheduled=(scheduled(),))
        verdict = holds(self.NAME, one)
        assert (verdict.confidence, bool(verdict.against)) == (Confidence.LIKELY, True)
        one = look(provisioned(), merged, subscription=AT_REST, scheduled=(scheduled("merge_failed"),))
        assert holds(self.NAME, one).confidence is Confidence.CERTAIN

    def test_behind_the_change_at_hand_it_holds_nothing_back(self) -> None:
        later = change(effective_date=date(2026, 11, 1))
        one = look(provisioned(), later, scheduled=(scheduled("merge_failed"),))
        assert holds(self.NAME, one).advice
        ruled_out("prior_change_blocking", one)
        assert diagnose(one).disposition is AUTO

    def test_none_or_one_for_later(self) -> None:
        ruled_out(self.NAME, look(provisioned()))
        ruled_out(self.NAME, look(provisioned(), scheduled=(scheduled(day=date(2027, 1, 1)), scheduled(day=None))))


class TestPriorChange:
    NAME = "prior_change_blocking"

    @pytest.mark.parametrize(
        "late",
        [
            scheduled(),
            scheduled("merge_failed"),
            scheduled("merge_failed", None),
            scheduled("merge_failed", NOW.date()),
        ],
    )
    def test_a_scheduled_change_before_it(self, late: ScheduledChange) -> None:
        one = look(scheduled=(late,))
        assert holds(self.NAME, one).disposition is PERSON
        ruled_out("scheduled_change_not_applied", one)

    @pytest.mark.parametrize("later", [scheduled(day=date(2026, 12, 1)), scheduled("merge_failed", date(2026, 12, 1))])
    def test_a_scheduled_change_for_later(self, later: ScheduledChange) -> None:
        ruled_out(self.NAME, look(scheduled=(later,)))

    def test_the_change_at_hand_is_what_the_scheduled_one_became(self) -> None:
        merged = change(effective_date=date(2026, 11, 20), quantity=Decimal(-2))
        ruled_out(self.NAME, look(provisioned(), merged, scheduled=(scheduled(),)))
        assert holds(self.NAME, look(provisioned(), merged, scheduled=(scheduled(quantity=Decimal(2)),)))

    def test_cleared_it_says_what_was_provisioned_since(self) -> None:
        earlier = provisioned(actual_provisioned_on=NOW - 5 * MINUTE)
        verdict = holds(self.NAME, look(earlier, change(status=FAILED, message=PRIOR)))
        assert (verdict.disposition, verdict.cured) == (AUTO, True)
        assert any(fact.what == "an earlier change was provisioned" for fact in verdict.proof)

    def test_alone(self) -> None:
        ruled_out(self.NAME, look())
        ruled_out(self.NAME, look(provisioned(), change("x", archived=True), change(LATER)))


class TestNoChangeLog:
    NAME = "no_change_log"

    def test_none_at_all_and_none_that_is_open(self) -> None:
        bare = replace(look(), evidence=replace(look().evidence, changes=()))
        assert "has no License Change Log" in holds(self.NAME, bare).sentence
        assert "none of its" in holds(self.NAME, look(provisioned())).sentence

    def test_a_scheduled_change_for_later_speaks_against_it(self) -> None:
        one = look(provisioned(), scheduled=(scheduled(day=date(2027, 1, 1)),))
        assert (holds(self.NAME, one).confidence, len(holds(self.NAME, one).against)) == (Confidence.LIKELY, 1)

    @pytest.mark.parametrize(
        "seen",
        [
            look(),
            look(provisioned(), subscription=AT_REST),
            look(provisioned(), subscription=subscription(status=None)),
            look(provisioned(), unread=("changes (403)",)),
            look(provisioned(), change(status=None)),
            look(provisioned(), change(archived=True)),
            look(provisioned(), scheduled=(scheduled(),)),
            look(provisioned(), change(status=NOT_APPLICABLE, modified_by=SOMEONE)),
            look(provisioned(), intent=our_intent()),
        ],
    )
    def test_something_explains_it_better(self, seen: Look) -> None:
        ruled_out(self.NAME, seen)


class TestBilledNotProvisioned:
    NAME = "billed_not_provisioned"

    @pytest.mark.parametrize("status", [AWAITING, FAILED])
    def test_it_is_always_reported(self, status: ProvisioningStatus) -> None:
        billed = change(archived=True, status=status)
        for seen in (look(provisioned(), billed, subscription=AT_REST), look(provisioned(), billed, change(LATER))):
            assert holds(self.NAME, seen).disposition is PERSON
            assert diagnose(seen).disposition is PERSON
            assert self.NAME in [finding.cause for finding in diagnose(seen).findings]

    def test_a_reduction_costs_the_partner(self) -> None:
        billed = change(archived=True, quantity=Decimal(-5))
        assert "provider still charges" in holds(self.NAME, look(provisioned(), billed, subscription=AT_REST)).sentence

    @pytest.mark.parametrize("quantity", [25, 30])
    def test_seats_that_are_there_speak_against_it(self, quantity: int) -> None:
        seen = look(provisioned(), change(archived=True), change(LATER), provider=shown(quantity))
        assert holds(self.NAME, seen).confidence is Confidence.LIKELY

    def test_seats_that_are_not_there(self) -> None:
        assert holds(self.NAME, look(provisioned(), change(archived=True))).confidence is Confidence.CERTAIN

    @pytest.mark.parametrize(
        "fine",
        [
            change(archived=True, status=PROVISIONED),
            change(archived=True, status=NOT_APPLICABLE),
            change(archived=True, quantity=Decimal(0)),
            change(archived=True, source=ChangeSource.PROVIDER),
            change(),
        ],
    )
    def test_nothing_is_owed(self, fine: Change) -> None:
        ruled_out(self.NAME, look(provisioned(), fine))


class TestSetAsideByHand:
    NAME = "set_aside_by_hand"
    aside = change(status=NOT_APPLICABLE, modified_by=SOMEONE)

    def test_a_half_done_toggle(self) -> None:
        seen = look(provisioned(), self.aside)
        assert (holds(self.NAME, seen).disposition, holds(self.NAME, seen).confidence) == (PERSON, Confidence.CERTAIN)
        assert diagnose(seen).cause == self.NAME

    def test_a_later_change_does_not_go_on_by_itself(self) -> None:
        seen = look(provisioned(), self.aside, change(LATER, created_on=NOW - 50 * MINUTE))
        assert holds(self.NAME, seen)
        assert diagnose(seen).disposition is PERSON

    def test_after_our_own_retrigger(self) -> None:
        seen = look(provisioned(), self.aside, attempts=(Attempt(STUCK, NOW - HOUR, "unstuck"),))
        assert "after this app had retriggered it" in holds(self.NAME, seen).sentence

    @pytest.mark.parametrize("values", [{"modified_by": None}, {"source": None}])
    def test_who_or_what_is_not_known(self, values: dict[str, Any]) -> None:
        assert holds(self.NAME, look(provisioned(), replace(self.aside, **values))).confidence is Confidence.LOW

    def test_a_provider_that_was_not_read(self) -> None:
        assert holds(self.NAME, look(provisioned(), self.aside, provider=None)).confidence is Confidence.LIKELY

    @pytest.mark.parametrize(
        "values",
        [
            {"modified_by": WORK365_USER},
            {"modified_by": WORK365_USER.upper()},
            {"modified_by": OURS},
            {"source": ChangeSource.PROVIDER},
            {"quantity": Decimal(0)},
            {"archived": True},
            {"status": PROVISIONED},
        ],
    )
    def test_no_ones_hand_or_nothing_to_provision(self, values: dict[str, Any]) -> None:
        ruled_out(self.NAME, look(provisioned(), replace(self.aside, **values)))

    def test_our_own_half_done_toggle_is_another_cause(self) -> None:
        ruled_out(self.NAME, look(provisioned(), half_toggled(modified_by=SOMEONE), intent=our_intent()))

    def test_a_decision_after_which_the_subscription_went_on(self) -> None:
        since = change(LATER, created_on=NOW - 50 * MINUTE, status=PROVISIONED)
        ruled_out(self.NAME, look(provisioned(), self.aside, since))

    def test_the_provider_has_the_seats(self) -> None:
        ruled_out(self.NAME, look(provisioned(), self.aside, provider=shown(25)))

    def test_a_do_nothing_provider_sets_it_itself(self) -> None:
        nothing = subscription(provider=replace(MICROSOFT, type=NOTHING))
        ruled_out(self.NAME, look(provisioned(), self.aside, subscription=nothing))


class TestPossibleDuplicate:
    NAME = "possible_duplicate"
    twin = change(LATER, created_on=NOW - HOUR + 10 * MINUTE)

    @pytest.mark.parametrize("status", [AWAITING, FAILED, PROVISIONED])
    def test_two_equal_changes_within_minutes(self, status: ProvisioningStatus) -> None:
        seen = look(provisioned(), change(), replace(self.twin, status=status))
        assert holds(self.NAME, seen).disposition is PERSON
        assert diagnose(seen).disposition is PERSON

    def test_an_invoiced_twin_counts(self) -> None:
        assert holds(self.NAME, look(provisioned(), change(), replace(self.twin, archived=True, status=PROVISIONED)))

    @pytest.mark.parametrize(
        "other",
        [
            {"source": ChangeSource.PORTAL},
            {"quantity": Decimal(6)},
            {"quantity": Decimal(-5)},
            {"created_on": NOW - HOUR + 10 * MINUTE + timedelta(seconds=1)},
            {"created_on": None},
            {"change_type": ChangeType.CREATE},
            {"effective_date": date(2026, 12, 1)},
            {"status": NOT_APPLICABLE},
            {"unit_price": Decimal(2)},
        ],
    )
    def test_near_misses(self, other: dict[str, Any]) -> None:
        ruled_out(self.NAME, look(provisioned(), change(unit_price=Decimal(1)), replace(self.twin, **other)))

    @pytest.mark.parametrize(
        "values",
        [
            {"quantity": Decimal(0)},
            {"quantity": None},
            {"source": None},
            {"change_type": ChangeType.ACTIVATE},
            {"change_type": None},
        ],
    )
    def test_what_cannot_be_ordered_twice_or_is_not_known(self, values: dict[str, Any]) -> None:
        ruled_out(self.NAME, look(provisioned(), change(**values), replace(self.twin, **values)))
