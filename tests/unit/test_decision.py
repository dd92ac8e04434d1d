"""Where a case goes after a diagnosis, and what becomes of an intent that was left open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.case import Case, State
from shared.domain.decision import decide, settle
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import ChangeType, ProviderReading, ProvisioningStatus, SubscriptionStatus
from shared.domain.intent import Attempt, Phase
from shared.domain.look import Look
from shared.domain.plan import plan_for
from shared.domain.policy import Mode
from tests.builders import (
    DAY,
    HOUR,
    NOW,
    POLICY,
    STUCK,
    SUBSCRIPTION,
    change,
    half_toggled,
    look,
    our_intent,
    provisioned,
    shown,
    subscription,
)

LONG_AGO = NOW - DAY
AWAITING, FAILED = ProvisioningStatus.AWAITING, ProvisioningStatus.FAILED


def decided(seen: Look, **case: object) -> Case:
    before = Case(SUBSCRIPTION, 1, LONG_AGO, **case)  # type: ignore[arg-type]
    diagnosis = diagnose(seen)
    return decide(before, seen, diagnosis, plan_for(seen, diagnosis)).case


def tries(count: int) -> tuple[Attempt, ...]:
    return tuple(Attempt(STUCK, NOW - (count - n) * HOUR, "unstuck") for n in range(count))


def test_in_auto_a_missed_trigger_is_ready() -> None:
    case = decided(look())
    assert (case.state, case.cause, case.first_cause) == (State.READY, "trigger_missed", "trigger_missed")
    assert case.plan is not None


def test_in_approve_a_person_says_yes_first() -> None:
    seen = look(policy=replace(POLICY, mode=Mode.APPROVE))
    case = decided(seen)
    assert case.state is State.AWAITING_APPROVAL
    assert case.plan is not None
    said = {"approved_digest": case.plan.digest, "approved_by": "Ann", "approved_on": NOW}
    assert decided(seen, **said).state is State.READY


def test_a_yes_to_another_plan_is_no_yes() -> None:
    case = decided(look(policy=replace(POLICY, mode=Mode.APPROVE)), approved_digest="b" * 32, approved_by="Ann")
    assert case.state is State.AWAITING_APPROVAL


def test_observe_decides_the_same_as_auto() -> None:
    observed = decided(look(policy=replace(POLICY, mode=Mode.OBSERVE)))
    acted = decided(look())
    assert (observed.state, observed.plan, observed.cause) == (acted.state, acted.plan, acted.cause)


@pytest.mark.parametrize(("count", "state"), [(1, State.READY), (2, State.ESCALATED), (3, State.ESCALATED)])
def test_an_update_is_retriggered_twice_at_most(count: int, state: State) -> None:
    assert decided(look(attempts=tries(count)), attempts=tries(count)).state is state


def test_a_first_order_is_retriggered_once() -> None:
    create = change(change_type=ChangeType.CREATE)
    unlinked = subscription(provider_subscription_id=None)
    seen = look(create, subscription=unlinked, provider=ProviderReading(NOW), linked_at_provider=frozenset())
    assert decided(seen).state is State.READY
    again = replace(seen, attempts=(Attempt(STUCK, NOW - DAY, "unstuck"),))
    assert decided(again).state is State.ESCALATED


def test_a_person_is_needed_after_our_try_means_escalated() -> None:
    seen = look(provisioned(), change(status=FAILED, message="odd"), attempts=tries(1))
    assert decided(seen, attempts=tries(1)).state is State.ESCALATED
    assert decided(replace(seen, attempts=())).state is State.NEEDS_PERSON


def test_while_work_365_has_its_time_after_our_try_the_case_is_verifying() -> None:
    recent = (Attempt(STUCK, NOW - timedelta(minutes=1), "unstuck"),)
    case = decided(look(attempts=recent), attempts=recent, cause="trigger_missed", first_cause="trigger_missed")
    assert case.state is State.VERIFYING
    assert case.cause == "trigger_missed"


def test_resolved_only_after_it_stayed_provisioned_for_a_while() -> None:
    rest = look(provisioned(), subscription=subscription(status=SubscriptionStatus.PROVISIONED))
    seen = decided(rest)
    assert (seen.state, seen.provisioned_since) == (State.VERIFYING, NOW)
    early = replace(rest, now=NOW + POLICY.stable_for - timedelta(seconds=1))
    assert decide(seen, early, diagnose(early), None).case.state is State.VERIFYING
    late = replace(rest, now=NOW + POLICY.stable_for)
    assert decide(seen, late, diagnose(late), None).case.state is State.RESOLVED


def test_a_regression_begins_the_wait_anew() -> None:
    seen = decided(look(), state=State.VERIFYING, provisioned_since=NOW - HOUR)
    assert seen.provisioned_since is None
    assert seen.state is State.READY


def test_people_are_told_once_of_the_same_news() -> None:
    odd = look(provisioned(), change(message="odd"))
    first = decided(odd)
    (news,) = first.outgoing
    assert decide(first, odd, diagnose(odd), None).case.outgoing == (news,)
    told = replace(first, outgoing=(), told=(news.key,))
    assert decide(told, odd, diagnose(odd), None).case.outgoing == ()


def test_a_change_that_we_may_have_left_is_told_though_another_finding_decides_and_was_told_before() -> None:
    odd = change(message="odd")
    first = decided(look(provisioned(), odd))
    told = replace(first, outgoing=(), told=tuple(news.key for news in first.outgoing))
    left = half_toggled(id="22222222-0000-0000-0000-000000000008", created_on=NOW + HOUR)
    seen = look(provisioned(), odd, left)
    after = decide(told, seen, diagnose(seen), None).case
    assert after.change_id == first.change_id
    assert "we set a change to Not Applicable" in after.summary
    assert ["we set a change to Not Applicable" in news.text for news in after.outgoing] == [True]


def test_a_look_that_teaches_nothing_writes_no_history() -> None:
    odd = look(provisioned(), change(message="odd"))
    first = decided(odd)
    again = decide(first, replace(odd, now=NOW + HOUR), diagnose(odd), None)
    assert again.events == ()
    assert again.case.due_on == NOW + HOUR + POLICY.look_again


class TestSettle:
    """The change as it is found, by how far our retrigger had come."""

    def settled(self, found: object, phase: Phase, **intent: object) -> Case:
        opened = our_intent(phase=phase, **intent)
        case = Case(SUBSCRIPTION, 1, LONG_AGO, state=State.REMEDIATING, intent=opened, due_on=NOW)
        return settle(case, look(provisioned(), found, intent=opened), NOW).case  # type: ignore[arg-type]

    def test_never_begun_is_dropped(self) -> None:
        case = self.settled(change(), Phase.INTENDED)
        assert (case.intent, case.attempts) == (None, ())

    @pytest.mark.parametrize("phase", list(Phase))
    def test_still_at_our_not_applicable_keeps_the_intent(self, phase: Phase) -> None:
        assert self.settled(half_toggled(), phase).intent is not None

    @pytest.mark.parametrize("status", [AWAITING, FAILED, ProvisioningStatus.PROVISIONED])
    def test_moved_on_after_the_first_write_counts_as_tried(self, status: ProvisioningStatus) -> None:
        case = self.settled(change(status=status, etag='W/"109"'), Phase.NOT_APPLICABLE_SET)
        assert case.intent is None
        assert [a.change_id for a in case.attempts] == [STUCK]
        assert case.state is State.VERIFYING

    def test_a_failed_change_that_still_is_the_version_we_read_was_not_written(self) -> None:
        case = self.settled(change(status=FAILED), Phase.INTENDED, status_before=FAILED)
        assert (case.intent, case.attempts) == (None, ())

    @pytest.mark.parametrize("found", [change(), change(status=FAILED, etag='W/"109"')])
    def test_a_failed_change_that_moved_counts_as_tried(self, found: object) -> None:
        case = self.settled(found, Phase.INTENDED, status_before=FAILED)
        assert len(case.attempts) == 1


def test_a_refused_second_write_ends_with_a_person() -> None:
    intent = our_intent(refusals=3)
    seen = look(provisioned(), half_toggled(), intent=intent, provider=shown())
    case = decided(seen, intent=intent, state=State.UNSETTLED)
    assert case.state is State.ESCALATED
