"""Nothing to do, and waiting by design: closed changes, orders that went through, later days, others' work."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    Change,
    ChangeSource,
    ChangeType,
    JobStatus,
    ProviderReading,
    ProviderSubscription,
    ProvisioningStatus,
    Related,
    ScheduledChange,
    SubscriptionStatus,
)
from shared.domain.finding import Confidence
from shared.domain.look import Look
from shared.domain.plan import plan_for
from shared.domain.policy import Mode, Policy
from tests.builders import (
    DAY,
    HOUR,
    LATER,
    MICROSOFT,
    NOW,
    PARENT,
    POLICY,
    SUBSCRIPTION,
    change,
    job,
    look,
    provisioned,
    shown,
    subscription,
)
from tests.unit.causes_b.kit import (
    APPROVE,
    LINKED,
    MANUAL,
    PERSON,
    WAIT,
    create,
    holds,
    reduction,
    refundable,
    ruled_out,
)

FAILED = ProvisioningStatus.FAILED


def _action(seen: Look) -> str:
    plan = plan_for(seen, diagnose(seen))
    return plan.action if plan is not None else ""


class TestNothingToProvision:
    NAME = "nothing_to_provision"

    @pytest.mark.parametrize("status", [ProvisioningStatus.AWAITING, FAILED])
    def test_a_change_of_price(self, status: ProvisioningStatus) -> None:
        one = look(provisioned(), change(quantity=Decimal(0), status=status))
        assert holds(self.NAME, one).disposition is APPROVE
        assert diagnose(one).cause == self.NAME
        assert _action(one) == "close_not_applicable", "it is never retriggered"

    def test_of_a_usage_based_subscription_too(self) -> None:
        assert holds(self.NAME, look(change(quantity=Decimal(0)), subscription=subscription(product_class="usage")))

    def test_what_came_from_the_provider(self) -> None:
        synced = change(source=ChangeSource.PROVIDER)
        assert holds(self.NAME, look(provisioned(), synced)).disposition is PERSON
        there = look(provisioned(), synced, provider=shown(25))
        assert (holds(self.NAME, there).disposition, diagnose(there).cause) == (APPROVE, self.NAME)
        assert _action(there) == "close_not_applicable"

    def test_a_first_order_of_nothing(self) -> None:
        assert holds(self.NAME, look(create(0))).disposition is PERSON

    @pytest.mark.parametrize("kind", ["usage", "tiered", "service", None])
    def test_a_first_order_that_needs_no_quantity(self, kind: str | None) -> None:
        ruled_out(self.NAME, look(create(0), subscription=subscription(product_class=kind)))

    @pytest.mark.parametrize(
        "head",
        [
            change(),
            change(quantity=Decimal("0.5")),
            change(quantity=None),
            change(quantity=Decimal("NaN")),
            change(change_type=ChangeType.ACTIVATE, quantity=Decimal(0)),
            change(change_type=ChangeType.DEACTIVATE, quantity=Decimal(0)),
            change(change_type=None, quantity=Decimal(0)),
        ],
    )
    def test_what_asks_for_something_or_is_not_known(self, head: Change) -> None:
        ruled_out(self.NAME, look(head, provider=None))


class TestAlreadyApplied:
    NAME = "already_applied"

    def test_the_real_date_is_told_by_the_seats_own_window(self) -> None:
        mine = subscription(reduction_window_days=7)
        batches = refundable((5, NOW + 5 * DAY), (1, NOW + DAY), quantity=25)
        verdict = holds(self.NAME, look(subscription=mine, provider=batches))
        assert (NOW - 2 * DAY).isoformat() in verdict.next_step

    def test_or_by_its_last_job(self) -> None:
        ended = job(JobStatus.FAILED, modified_on=NOW - HOUR / 2)
        assert (NOW - HOUR / 2).isoformat() in holds(self.NAME, look(provider=shown(25), jobs=(ended,))).next_step

    def test_or_is_not_known(self) -> None:
        untouched = job(JobStatus.NOT_APPLICABLE)
        verdict = holds(self.NAME, look(provider=shown(25), jobs=(untouched,)))
        assert "the date on which it was applied" in verdict.next_step

    def test_a_status_is_compared_by_status(self) -> None:
        ending = change(change_type=ChangeType.DEACTIVATE, quantity=Decimal(-20))
        assert holds(self.NAME, look(provisioned(), ending, provider=shown(status="suspended")))
        ruled_out(self.NAME, look(provisioned(), ending, provider=shown(0)))

    def test_the_right_seats_of_a_suspended_subscription(self) -> None:
        verdict = holds(self.NAME, look(provider=shown(25, status="suspended")))
        assert (verdict.confidence, bool(verdict.against)) == (Confidence.LIKELY, True)

    def test_what_came_from_the_provider_was_never_ordered(self) -> None:
        ruled_out(self.NAME, look(provisioned(), change(source=ChangeSource.PROVIDER), provider=shown(25)))

    @pytest.mark.parametrize(
        "provider", [None, ProviderReading(NOW, problem="403"), ProviderReading(NOW), shown(None), shown(24)]
    )
    def test_not_seen(self, provider: ProviderReading | None) -> None:
        ruled_out(self.NAME, look(provider=provider))


class TestFirstOrderFoundUnlinked:
    NAME = "already_applied"
    bought = ProviderSubscription("f-1", 25, "active", "cfq7ttc0lh16:0001:XYZ", NOW - HOUR / 2)

    def seen(self, *found: ProviderSubscription, linked: frozenset[str] | None = frozenset(), **values: Any) -> Look:
        mine = subscription(provider_subscription_id=None)
        defaults = {"subscription": mine, "provider": ProviderReading(NOW, found), "linked_at_provider": linked}
        return look(create(), **{**defaults, **values})

    def test_it_is_named_with_the_date(self) -> None:
        verdict = holds(self.NAME, self.seen(self.bought))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.LIKELY)
        assert "f-1" in verdict.next_step
        assert (NOW - HOUR / 2).isoformat() in verdict.next_step
        assert diagnose(self.seen(self.bought)).cause == self.NAME

    @pytest.mark.parametrize(
        "other",
        [
            replace(bought, product=None),
            replace(bought, quantity=24),
            replace(bought, created_on=NOW - 90 * DAY),
            replace(bought, created_on=None),
        ],
    )
    def test_what_speaks_against_it_is_told(self, other: ProviderSubscription) -> None:
        verdict = holds(self.NAME, self.seen(other))
        assert (verdict.confidence, bool(verdict.against)) == (Confidence.LOW, True)

    def test_of_several_the_most_likely_is_named(self) -> None:
        verdict = holds(self.NAME, self.seen(replace(self.bought, id="a", quantity=1), self.bought))
        assert "f-1" in verdict.sentence
        assert verdict.confidence is Confidence.LOW

    @pytest.mark.parametrize(
        "other",
        [
            replace(bought, product="OTHER:0001"),
            replace(bought, product="CFQ7TTC0LH16:00012"),
            replace(bought, status="deleted"),
        ],
    )
    def test_another_product_or_one_that_ended_is_not_it(self, other: ProviderSubscription) -> None:
        ruled_out(self.NAME, self.seen(other))

    def test_one_that_a_row_links_is_not_it(self) -> None:
        ruled_out(self.NAME, self.seen(self.bought, linked=frozenset({"F-1"})))
        ruled_out(self.NAME, self.seen(self.bought, linked=None))

    def test_a_later_change_is_no_first_order(self) -> None:
        mine = subscription(provider_subscription_id=None)
        reading = ProviderReading(NOW, (self.bought,))
        ruled_out(self.NAME, look(subscription=mine, provider=reading, linked_at_provider=frozenset()))


class TestFutureDate:
    NAME = "future_effective_date"

    def test_days_begin_where_work_365_runs(self) -> None:
        tokyo = Policy(mode=Mode.AUTO, time_zone=ZoneInfo("Asia/Tokyo"))
        evening = datetime(2026, 11, 22, 16, tzinfo=UTC)  # the 23rd there
        tomorrow = change(effective_date=date(2026, 11, 23))
        ruled_out(self.NAME, look(provisioned(), tomorrow, policy=tokyo, now=evening))
        verdict = holds(self.NAME, look(provisioned(), tomorrow, policy=tokyo))
        assert verdict.until == datetime(2026, 11, 22, 15, tzinfo=UTC) + POLICY.waiting_time

    def test_on_a_day_with_a_clock_change(self) -> None:
        amsterdam = Policy(mode=Mode.AUTO, time_zone=ZoneInfo("Europe/Amsterdam"))
        before = datetime(2026, 3, 27, 12, tzinfo=UTC)
        one = look(provisioned(), change(effective_date=date(2026, 3, 30)), policy=amsterdam, now=before)
        assert holds(self.NAME, one).until == datetime(2026, 3, 29, 22, tzinfo=UTC) + POLICY.waiting_time

    @pytest.mark.parametrize("day", [date(2027, 1, 1), date(2026, 12, 31)])
    def test_on_renewal_is_no_typing_error(self, day: date) -> None:
        mine = subscription(end_date=date(2026, 12, 31))
        assert holds(self.NAME, look(provisioned(), change(effective_date=day), subscription=mine)).disposition is WAIT

    def test_behind_the_term_it_is(self) -> None:
        mine = subscription(end_date=date(2026, 12, 31))
        one = look(provisioned(), change(effective_date=date(2027, 1, 2)), subscription=mine)
        assert holds(self.NAME, one).disposition is PERSON

    def test_of_several_jobs_the_earliest_counts(self) -> None:
        jobs = tuple(
            replace(job(JobStatus.WAITING), id=str(hours), scheduled_for=NOW + hours * HOUR, created_on=NOW)
            for hours in (9, 3, 6)
        )
        assert holds(self.NAME, look(jobs=jobs)).until == NOW + 3 * HOUR + POLICY.waiting_time

    def test_what_failed_already_is_to_be_mended_by_then(self) -> None:
        one = look(provisioned(), change(effective_date=date(2026, 12, 1), status=FAILED))
        assert "Mend by then" in holds(self.NAME, one).next_step

    def test_only_an_increase_may_be_moved_to_an_earlier_day(self) -> None:
        later: dict[str, Any] = {"effective_date": date(2026, 12, 1)}
        assert "move the date" in holds(self.NAME, look(provisioned(), change(**later))).next_step
        assert "move the date" not in holds(self.NAME, look(provisioned(), reduction(**later))).next_step

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Midway"])
    @pytest.mark.parametrize("day", [date.max, date(9999, 12, 30)])
    def test_the_last_days_there_are(self, zone: str, day: date) -> None:
        policy = Policy(mode=Mode.AUTO, time_zone=ZoneInfo(zone))
        mine = subscription(end_date=date.max)
        far = job(JobStatus.WAITING, scheduled_for=datetime.max.replace(tzinfo=UTC))
        holds(self.NAME, look(change(effective_date=day), policy=policy, subscription=mine))
        holds(self.NAME, look(change(), policy=policy, subscription=mine, jobs=(far,)))

    def test_a_scheduled_activation_explains_a_subscription_without_change_logs(self) -> None:
        later = ScheduledChange("s", "Activate", "pending", date(2026, 12, 1), None, ChangeType.ACTIVATE)
        one = look(provisioned(), scheduled=(later,))
        assert holds(self.NAME, one).disposition is WAIT
        assert (diagnose(one).cause, diagnose(one).disposition) == (self.NAME, WAIT)

    @pytest.mark.parametrize(
        "other", [{"change_type": ChangeType.UPDATE}, {"effective_date": date(2026, 11, 1)}, {"status": "merge_failed"}]
    )
    def test_no_other_scheduled_change_does(self, other: dict[str, Any]) -> None:
        activation = ScheduledChange("s", "Activate", "pending", date(2026, 12, 1), None, ChangeType.ACTIVATE)
        ruled_out(self.NAME, look(provisioned(), scheduled=(replace(activation, **other),)))


class TestManualProvider:
    NAME = "manual_provider"
    mine = subscription(provider=replace(MICROSOFT, type=MANUAL, name="Phone lines", connector=None))

    def seen(self, head: Change) -> Look:
        return look(provisioned(), head, subscription=self.mine, provider=None)

    def test_it_is_late_only_after_its_own_time(self) -> None:
        on_time = holds(self.NAME, self.seen(change(created_on=NOW - 2 * DAY + HOUR, effective_date=None)))
        assert (on_time.disposition, "late" in on_time.sentence) == (PERSON, False)
        late = holds(self.NAME, self.seen(change(created_on=NOW - 3 * DAY, effective_date=None)))
        assert "it is late: 3 days already" in late.sentence

    def test_age_counts_from_the_effective_date(self) -> None:
        today = change(created_on=NOW - 90 * DAY, effective_date=NOW.date())
        assert "late" not in holds(self.NAME, self.seen(today)).sentence

    def test_an_age_that_is_not_known_is_told(self) -> None:
        assert "could not be read" in holds(self.NAME, self.seen(change(created_on=None))).sentence

    @pytest.mark.parametrize(
        ("head", "task"),
        [
            (change(), "Add 5 seats"),
            (reduction(-3), "Remove 3 seats"),
            (change(change_type=ChangeType.DEACTIVATE), "End the subscription"),
            (change(change_type=ChangeType.ACTIVATE), "Activate the subscription"),
            (change(quantity=None), "Make the change"),
        ],
    )
    def test_what_to_do_there(self, head: Change, task: str) -> None:
        assert holds(self.NAME, self.seen(head)).next_step.startswith(task)

    def test_other_providers(self) -> None:
        ruled_out(self.NAME, look())
        ruled_out(self.NAME, look(subscription=subscription(provider=None)))


class TestLinkedChange:
    NAME = "linked_change"
    through = replace(MICROSOFT, type=LINKED, connector=None)
    mine = subscription(provider=through, linked_id=PARENT)

    def other(self, *changes: Change, **values: Any) -> Related:
        full = {"name": "Contoso base", "status": SubscriptionStatus.ACTIVE, **values}
        return Related(subscription(id=PARENT, **full), changes)

    def seen(self, linked: Related | None, **values: Any) -> Look:
        return look(**{"subscription": self.mine, "linked": linked, "provider": None, **values})

    def test_it_waits_for_the_other_one(self) -> None:
        for linked in (self.other(change(LATER)), self.other(status=SubscriptionStatus.AWAITING)):
            verdict = holds(self.NAME, self.seen(linked))
            assert (verdict.disposition, verdict.waits_for) == (WAIT, PARENT)
            assert diagnose(self.seen(linked)).disposition is WAIT

    @pytest.mark.parametrize(
        ("linked", "sure"),
        [
            (Related(subscription(id=PARENT, status=SubscriptionStatus.ACTIVE)), Confidence.LIKELY),
            (Related(subscription(id=PARENT, status=SubscriptionStatus.CANCELLED)), Confidence.LIKELY),
            (Related(subscription(id=PARENT, status=None)), Confidence.LIKELY),
            (None, Confidence.LOW),
        ],
    )
    def test_nothing_to_wait_for_is_a_persons(self, linked: Related | None, sure: Confidence) -> None:
        verdict = holds(self.NAME, self.seen(linked))
        assert (verdict.disposition, verdict.confidence) == (PERSON, sure)
        assert plan_for(self.seen(linked), diagnose(self.seen(linked))) is None, "the child is never retriggered"

    def test_no_link(self) -> None:
        bare = replace(self.mine, linked_id=None)
        assert holds(self.NAME, self.seen(None, subscription=bare)).disposition is PERSON

    def test_circles(self) -> None:
        own = replace(self.mine, linked_id=SUBSCRIPTION)
        assert "each other" in holds(self.NAME, self.seen(None, subscription=own)).sentence
        back = self.other(change(LATER), provider=self.through, linked_id=SUBSCRIPTION)
        assert holds(self.NAME, self.seen(back)).disposition is PERSON
        pointer = self.other(change(LATER), linked_id=SUBSCRIPTION)  # driven by itself, whatever it points to
        assert holds(self.NAME, self.seen(pointer)).disposition is WAIT

    def test_a_link_under_another_provider_says_nothing(self) -> None:
        ruled_out(self.NAME, look(subscription=subscription(linked_id=PARENT), linked=self.other(change(LATER))))


def test_the_clock_does_not_run_backwards_for_a_late_provider() -> None:
    ahead = change(created_on=NOW + timedelta(hours=1), effective_date=None)
    assert "late" not in holds("manual_provider", TestManualProvider().seen(ahead)).sentence
