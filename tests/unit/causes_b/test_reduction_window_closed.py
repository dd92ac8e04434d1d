"""Seats given back outside their window, and everything that only looks like it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    Change,
    ChangeSource,
    ChangeType,
    ProviderReading,
    ProvisioningStatus,
    ScheduledChange,
)
from shared.domain.finding import Confidence
from shared.domain.look import Look
from shared.domain.plan import plan_for
from tests.builders import DAY, HOUR, LATER, NOW, change, look, provisioned, shown, subscription
from tests.unit.causes_b.kit import (
    ALLOWED,
    APPROVE,
    DISALLOWED,
    PERSON,
    RENEWAL,
    WAIT,
    WITHIN,
    first_order,
    holds,
    reduction,
    refundable,
    ruled_out,
)

NAME = "reduction_window_closed"
CLOSED = '{"code": 900257, "description": "The 7-day window to reduce seats is over."}'
FAILED = ProvisioningStatus.FAILED


def seen(head: Change, provider: ProviderReading | None = None, *more: Change, **values: object) -> Look:
    mine = subscription(**{"end_date": date(2026, 12, 31), "reduction_window_days": 7, **values})
    return look(first_order(NOW - 300 * DAY), head, *more, subscription=mine, provider=provider)


class TestByTheProvider:
    def test_nothing_may_be_given_back_now(self) -> None:
        verdict = holds(NAME, seen(reduction(unit_price=Decimal(10)), refundable(total=0, commitment_end=RENEWAL)))
        assert (verdict.disposition, verdict.confidence) == (APPROVE, Confidence.CERTAIN)
        for told in ("On Renewal", "2027-01-01", "for 7 days", "50 EUR"):
            assert told in verdict.next_step

    def test_fewer_than_asked_for_and_a_change_is_never_split(self) -> None:
        verdict = holds(NAME, seen(reduction(-5), refundable((3, NOW + HOUR))))
        assert "only 3 of 5 seats" in verdict.sentence
        assert "never split" in verdict.next_step

    def test_enough_in_several_batches_is_open(self) -> None:
        assert "takes 5 seats back" in ruled_out(NAME, seen(reduction(-5), refundable((3, NOW + HOUR), (2, NOW + DAY))))

    def test_one_of_the_batches_ran_out_an_hour_ago(self) -> None:
        assert holds(NAME, seen(reduction(-5), refundable((3, NOW + HOUR), (2, NOW - HOUR), total=5)))

    def test_work_365s_allowed_does_not_open_it_and_speaks_against_it(self) -> None:
        verdict = holds(NAME, seen(reduction(), refundable(total=0), reduction_behavior=ALLOWED))
        assert [fact.value for fact in verdict.against] == ["allowed"]

    def test_it_names_the_case_and_is_never_auto(self) -> None:
        diagnosis = diagnose(seen(reduction(), refundable(total=0, commitment_end=RENEWAL)))
        assert (diagnosis.cause, diagnosis.disposition) == (NAME, APPROVE)


class TestByWork365:
    def test_never_allowed(self) -> None:
        verdict = holds(NAME, seen(reduction(), reduction_behavior=DISALLOWED))
        assert (verdict.disposition, verdict.confidence) == (APPROVE, Confidence.LIKELY)

    def test_never_allowed_though_the_provider_would(self) -> None:
        verdict = holds(NAME, seen(reduction(), refundable((9, NOW + HOUR)), reduction_behavior=DISALLOWED))
        assert verdict.against

    def test_window_over(self) -> None:
        verdict = holds(NAME, seen(reduction(), reduction_behavior=WITHIN))
        assert verdict.confidence is Confidence.LIKELY

    def test_window_open(self) -> None:
        mine = subscription(reduction_behavior=WITHIN, reduction_window_days=7)
        young = look(first_order(NOW - DAY), reduction(), subscription=mine, provider=shown())
        assert "2026-11-28" in ruled_out(NAME, young)

    def test_allowed(self) -> None:
        ruled_out(NAME, seen(reduction(), reduction_behavior=ALLOWED))

    @pytest.mark.parametrize("provider", [None, shown(), ProviderReading(NOW, problem="403")])
    def test_nothing_known_claims_nothing(self, provider: ProviderReading | None) -> None:
        reason = ruled_out(NAME, seen(reduction(), provider, reduction_window_days=None))
        assert reason == "nothing that was read says when seats may be given back"


class TestByItsMessage:
    failed = reduction(status=FAILED, message=CLOSED)

    def test_the_provider_said_so(self) -> None:
        verdict = holds(NAME, seen(self.failed))
        assert (verdict.disposition, verdict.confidence) == (APPROVE, Confidence.LIKELY)
        read = seen(self.failed, refundable(total=0))
        assert holds(NAME, read).confidence is Confidence.CERTAIN

    def test_a_window_that_is_open_now_asks_for_a_yes(self) -> None:
        again = seen(self.failed, refundable((9, NOW + DAY), has_next_term_instructions=False))
        verdict = holds(NAME, again)
        assert (verdict.disposition, verdict.cured) == (APPROVE, True)
        assert plan_for(again, diagnose(again)) is not None

    def test_an_increase_that_is_told_so_is_a_persons(self) -> None:
        verdict = holds(NAME, seen(change(status=FAILED, message='{"code": 800095}')))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.LIKELY)
        assert verdict.against

    def test_on_renewal_night_it_is_waited_for(self) -> None:
        verdict = holds(NAME, seen(self.failed, shown(commitment_end=NOW + HOUR)))
        assert verdict.disposition is WAIT
        assert verdict.until == NOW + 25 * HOUR


class TestSomethingFollows:
    def test_a_later_change(self) -> None:
        later = change(LATER, created_on=NOW - 30 * HOUR / 60)
        assert holds(NAME, seen(reduction(), refundable(total=0), later)).disposition is PERSON

    def test_a_scheduled_change(self) -> None:
        soon = ScheduledChange("s", "Increase", "pending", date(2026, 12, 24), Decimal(1))
        one = look(provisioned(), reduction(), provider=refundable(total=0), scheduled=(soon,))
        assert holds(NAME, one).disposition is PERSON


class TestNearMisses:
    def test_renewal_night_is_another_cause(self) -> None:
        ruled_out(NAME, seen(reduction(), refundable(total=0, commitment_end=NOW + HOUR)))
        ruled_out(NAME, seen(reduction(), refundable(total=0, commitment_end=NOW - HOUR)))

    @pytest.mark.parametrize(
        "head",
        [
            change(),
            change(quantity=Decimal(0)),
            change(quantity=None),
            change(change_type=ChangeType.ACTIVATE, quantity=Decimal(-5)),
            reduction(source=ChangeSource.PROVIDER),
            reduction(change_type=None),
        ],
    )
    def test_no_reduction_of_ours(self, head: Change) -> None:
        ruled_out(NAME, seen(head, refundable(total=0)))

    def test_usage_has_no_seats_to_give_back(self) -> None:
        ruled_out(NAME, seen(reduction(), refundable(total=0), product_class="usage"))

    def test_what_the_provider_has_already_needs_no_window(self) -> None:
        ruled_out(NAME, seen(reduction(-5), refundable(total=0, quantity=15)))


class TestCancellation:
    ending = change(change_type=ChangeType.DEACTIVATE, quantity=None)

    @pytest.mark.parametrize("head", [ending, reduction(-20)])
    def test_after_the_providers_date_a_person_turns_auto_renew_off(self, head: Change) -> None:
        verdict = holds(NAME, seen(head, shown(cancellation_until=NOW - DAY, commitment_end=RENEWAL)))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.CERTAIN)
        assert "Turn auto-renew off" in verdict.next_step
        assert "2027-01-01" in verdict.next_step

    def test_not_among_the_actions(self) -> None:
        assert holds(NAME, seen(self.ending, shown(actions=frozenset({"edit"}))))

    @pytest.mark.parametrize(
        "provider",
        [None, shown(), shown(cancellation_until=NOW + DAY), shown(actions=frozenset({"cancel"})), refundable(total=0)],
    )
    def test_a_deactivation_whose_date_is_open_or_not_known(self, provider: ProviderReading | None) -> None:
        ruled_out(NAME, seen(self.ending, provider, reduction_behavior=DISALLOWED))

    def test_seats_to_none(self) -> None:
        assert holds(NAME, seen(reduction(-20), refundable(total=0))).disposition is PERSON
        assert holds(NAME, seen(reduction(-20), reduction_behavior=DISALLOWED)).disposition is PERSON
        ruled_out(NAME, seen(reduction(-20), refundable(total=0, cancellation_until=NOW + DAY)))

    def test_its_message_is_believed_beside_an_open_date(self) -> None:
        failed = change(change_type=ChangeType.DEACTIVATE, status=FAILED, message='{"code": 900117}')
        verdict = holds(NAME, seen(failed, shown(cancellation_until=NOW + DAY)))
        assert (verdict.disposition, verdict.confidence) == (PERSON, Confidence.LIKELY)


def test_year_9999_is_no_crash() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    holds(NAME, seen(reduction(), refundable((1, last), commitment_end=last), end_date=date.max))
    ruled_out(NAME, seen(change(change_type=ChangeType.DEACTIVATE), shown(cancellation_until=last)))
