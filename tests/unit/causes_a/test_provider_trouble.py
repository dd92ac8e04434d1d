"""Throttled, down, busy, or nobody knows: what was executed, what passes when, and what the provider says (rule 3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.causes import attempt_outcome_unknown, provider_operation_pending, provider_unavailable
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    ChangeType,
    JobStatus,
    ProviderDetails,
    ProviderReading,
    ProviderSubscription,
    ProviderType,
    ProvisioningStatus,
)
from shared.domain.look import Look
from tests.builders import AT_PROVIDER, DAY, HOUR, MICROSOFT, NOW, change, job, look, provisioned, shown, subscription
from tests.unit.causes_a.kit import APPROVE, AUTO, MINUTE, PERSON, WAIT, failed, found, ruled_out

LOST = {
    "gateway": "<html><h1>504 Gateway Time-out</h1></html>",
    "unavailable": "HTTP/1.1 503 Service Unavailable",
    "inside": '{"code":800003,"description":"Unexpected service error"}',
    "timeout": "The operation has timed out.",
    "cut": "The underlying connection was closed: An unexpected error occurred on a send.",
}
NOT_SENT = {
    "throttled": '{"statusCode":429,"message":"Rate limit is exceeded. Try again in 57 seconds."}',
    "dataverse throttles": "0x80072322: Number of requests exceeded the limit",
    "unreachable": "Unable to connect to the remote server",
    "sign-in down": '{"error":"temporarily_unavailable","error_description":"AADSTS90033: not available"}',
    "etag": '{"code":2055,"description":"Etag is no longer valid"}',
}
BUSY = '{"code":800082,"description":"Subscription is not ready to be updated."}'
OPEN_FOR_A_DAY = '{"code":900278,"description":"pending operation on this subscription"}'

OUTCOME, DOWN, PENDING = (
    attempt_outcome_unknown.look_for,
    provider_unavailable.look_for,
    provider_operation_pending.look_for,
)
UNREADABLE = ProviderReading(NOW, problem="403")
THROTTLED = ProviderReading(NOW, problem="429", transient=True)


def at(message: str, minutes: float = 60, **values: Any) -> Look:
    return look(provisioned(), failed(message, minutes), **values)


class TestOutcome:
    @pytest.mark.parametrize("message", LOST.values(), ids=LOST)
    def test_for_a_quarter_of_an_hour_nobody_can_tell(self, message: str) -> None:
        finding = found(OUTCOME, at(message, 5))
        assert (finding.disposition, finding.until) == (WAIT, NOW + 10 * MINUTE)
        assert diagnose(at(message, 5)).cause == "attempt_outcome_unknown"
        assert diagnose(at(message, 5)).disposition is WAIT

    @pytest.mark.parametrize("message", LOST.values(), ids=LOST)
    def test_the_provider_read_since_with_the_seats_from_before_settles_it(self, message: str) -> None:
        assert "not carried out" in ruled_out(OUTCOME, at(message))
        assert (diagnose(at(message)).cause, diagnose(at(message)).disposition) == ("provider_unavailable", AUTO)

    @pytest.mark.parametrize("message", NOT_SENT.values(), ids=NOT_SENT)
    def test_what_was_never_sent_leaves_nothing_open(self, message: str) -> None:
        assert ruled_out(OUTCOME, at(message, 5))
        assert ruled_out(OUTCOME, at(message, 5, provider=UNREADABLE))
        assert found(DOWN, at(message, 0.5)).disposition is WAIT

    def test_a_refusal_is_an_outcome(self) -> None:
        assert ruled_out(OUTCOME, at('{"statusCode":500,"code":2091,"description":"no longer available"}', 5))

    def test_the_order_that_went_through_behind_it_is_already_applied(self) -> None:
        seen = at(LOST["gateway"], 5, provider=shown(25))
        assert ruled_out(OUTCOME, seen)
        assert diagnose(seen).cause == "already_applied"
        assert found(DOWN, seen).disposition is APPROVE

    @pytest.mark.parametrize("provider", [None, UNREADABLE, ProviderReading(NOW), shown(23), shown(None)])
    def test_what_stays_open_is_a_persons(self, provider: ProviderReading | None) -> None:
        seen = at(LOST["gateway"], provider=provider)
        assert found(OUTCOME, seen).disposition is PERSON
        assert (diagnose(seen).cause, diagnose(seen).disposition) == ("attempt_outcome_unknown", PERSON)

    def test_a_provider_that_throttles_us_is_asked_again_but_not_for_ever(self) -> None:
        waiting = found(OUTCOME, at(LOST["gateway"], provider=THROTTLED))
        assert (waiting.disposition, waiting.until) == (WAIT, NOW + 15 * MINUTE)
        assert found(OUTCOME, at(LOST["gateway"], 60 * 25, provider=THROTTLED)).disposition is PERSON

    def test_an_answer_from_before_the_lag_was_over_settles_nothing(self) -> None:
        early = replace(shown(20), read_on=NOW - 50 * MINUTE)
        assert found(OUTCOME, at(LOST["gateway"], provider=early)).disposition is PERSON

    def test_without_a_time_nothing_is_over(self) -> None:
        assert found(OUTCOME, look(provisioned(), failed(LOST["gateway"], modified_on=None))).disposition is PERSON
        late = datetime.max.replace(tzinfo=UTC)
        assert found(OUTCOME, look(provisioned(), failed(LOST["gateway"], modified_on=late))).disposition is PERSON

    def test_usage_is_not_settled_by_its_quantity(self) -> None:
        seen = at(LOST["gateway"], subscription=subscription(product_class="usage"))
        assert found(OUTCOME, seen).disposition is PERSON

    def test_an_activation_is_settled_by_its_status(self) -> None:
        def activate(status: str) -> Look:
            wanted = failed(LOST["gateway"], change_type=ChangeType.ACTIVATE)
            return look(provisioned(), wanted, provider=shown(3, status=status))

        assert ruled_out(OUTCOME, activate("suspended"))
        assert ruled_out(OUTCOME, activate("active"))
        assert found(OUTCOME, activate("deleted")).disposition is PERSON

    def test_a_first_order_is_settled_by_what_nothing_points_to(self) -> None:
        def first(*there: ProviderSubscription, linked: frozenset[str] | None = frozenset()) -> Look:
            return look(
                failed(LOST["gateway"], change_type=ChangeType.CREATE, quantity=Decimal(25)),
                subscription=subscription(provider_subscription_id=None),
                provider=ProviderReading(NOW, there),
                linked_at_provider=linked,
            )

        bought = ProviderSubscription("f" * 8, 25, "active", "CFQ7TTC0LH16:0001", NOW - HOUR)
        assert ruled_out(OUTCOME, first())
        assert ruled_out(OUTCOME, first(bought, linked=frozenset({"F" * 8})))
        assert found(OUTCOME, first(bought)).disposition is PERSON
        assert found(OUTCOME, first(linked=None)).disposition is PERSON

    def test_a_pending_order_there_is_waited_for_and_a_late_list_is_not_believed(self) -> None:
        pending = at(LOST["gateway"], provider_details=ProviderDetails(NOW, "pending", 20))
        assert found(OUTCOME, pending).disposition is WAIT
        late = at(LOST["gateway"], provider_details=ProviderDetails(NOW, "success", 25, "completed"))
        assert found(OUTCOME, late).disposition is PERSON
        closed = at(LOST["gateway"], provider_details=ProviderDetails(NOW, "success", 20, "completed"))
        assert ruled_out(OUTCOME, closed)

    def test_a_manual_provider_is_not_called(self) -> None:
        manual = subscription(provider=replace(MICROSOFT, type=ProviderType.MANUAL))
        assert ruled_out(OUTCOME, at(LOST["gateway"], 5, subscription=manual))


class TestSucceededWithoutEffect:
    def seen(self, minutes: float, status: JobStatus = JobStatus.SUCCEEDED, **values: Any) -> Look:
        when = NOW - minutes * MINUTE
        return look(jobs=(job(status, modified_on=when, created_on=NOW - HOUR),), **values)

    def test_it_is_open_until_the_provider_was_read(self) -> None:
        assert found(OUTCOME, self.seen(5)).disposition is WAIT
        assert found(OUTCOME, self.seen(50, provider=UNREADABLE)).disposition is PERSON
        assert ruled_out(OUTCOME, self.seen(50))

    @pytest.mark.parametrize("status", [JobStatus.NOT_APPLICABLE, JobStatus.CANCELLED, JobStatus.RETRY, None])
    def test_other_jobs_are_not_it(self, status: Any) -> None:
        assert ruled_out(OUTCOME, self.seen(50, status, provider=UNREADABLE))

    def test_an_older_success_before_another_job_is_not_it(self) -> None:
        older = job(JobStatus.SUCCEEDED, created_on=NOW - DAY, modified_on=NOW - DAY)
        newer = replace(job(JobStatus.NOT_APPLICABLE), id="89")
        assert ruled_out(OUTCOME, look(jobs=(older, newer), provider=UNREADABLE))


class TestUnavailable:
    def test_it_is_waited_for_by_the_time_that_the_message_names(self) -> None:
        assert found(DOWN, at(NOT_SENT["throttled"], 0.5)).until == NOW + timedelta(seconds=27)
        assert found(DOWN, at(NOT_SENT["throttled"], 2)).disposition is AUTO
        assert found(DOWN, at(LOST["unavailable"], 5)).until == NOW + 10 * MINUTE

    def test_where_work365_tries_again_itself_it_has_its_cycle(self) -> None:
        awaiting = failed(NOT_SENT["throttled"], 20, status=ProvisioningStatus.AWAITING)
        assert found(DOWN, look(provisioned(), awaiting)).until == NOW + 10 * MINUTE + timedelta(seconds=57)

    def test_a_sign_in_loop_never_passes(self) -> None:
        finding = found(DOWN, at('{"error":"invalid_grant","error_description":"AADSTS50196: loop"}'))
        assert finding.disposition is PERSON

    def test_afterwards_only_as_far_as_is_safe(self) -> None:
        assert found(DOWN, at(NOT_SENT["throttled"], provider=UNREADABLE)).disposition is APPROVE
        assert found(DOWN, at(NOT_SENT["throttled"], provider=shown(23))).disposition is PERSON

    def test_when_it_was_left_has_to_be_known(self) -> None:
        seen = look(provisioned(), failed(NOT_SENT["throttled"], modified_on=None))
        assert found(DOWN, seen).disposition is PERSON


class TestPending:
    def test_minutes_or_a_day_by_the_code(self) -> None:
        assert found(PENDING, at(BUSY, 5)).until == NOW + 10 * MINUTE
        assert found(PENDING, at(OPEN_FOR_A_DAY)).until == NOW - HOUR + DAY
        assert diagnose(at(OPEN_FOR_A_DAY)).disposition is WAIT
        assert found(PENDING, at(BUSY)).disposition is AUTO

    def test_the_provider_still_at_it_is_waited_for_but_not_for_ever(self) -> None:
        pending = ProviderDetails(NOW, "success", 20, "pending")
        assert found(PENDING, at(BUSY, provider_details=pending)).until == NOW + 15 * MINUTE
        old = failed(BUSY, 60 * 49, created_on=NOW - 3 * DAY, effective_date=None)
        assert found(PENDING, look(provisioned(), old, provider_details=pending)).disposition is PERSON
        assert ruled_out(PENDING, look(provider_details=ProviderDetails(NOW, "success", 20, "completed")))

    def test_nothing_says_so(self) -> None:
        assert ruled_out(PENDING, look())
        assert ruled_out(PENDING, at('{"code":2091}', provider_details=ProviderDetails(NOW, "pending")))


class TestRenewal:
    def seen(self, ends_in: timedelta, seats: int = -5, message: str = "", **values: Any) -> Look:
        reading = shown(20, commitment_end=NOW + ends_in)
        head = failed(message, quantity=Decimal(seats)) if message else change(quantity=Decimal(seats))
        return look(provisioned(), head, provider=reading, **values)

    @pytest.mark.parametrize("hours", [23, 1, -1, -23])
    def test_a_reduction_waits_until_the_renewal_is_done(self, hours: int) -> None:
        finding = found(PENDING, self.seen(hours * HOUR))
        assert (finding.disposition, finding.until) == (WAIT, NOW + hours * HOUR + DAY)

    def test_a_closed_window_is_about_to_open_again(self) -> None:
        window = '{"code":900257,"description":"You have passed your 7-day window"}'
        assert found(PENDING, self.seen(HOUR, message=window)).disposition is WAIT

    def test_an_increase_only_while_the_renewal_runs(self) -> None:
        assert ruled_out(PENDING, self.seen(HOUR, 5))
        assert found(PENDING, self.seen(-HOUR, 5)).disposition is WAIT

    @pytest.mark.parametrize("hours", [25, -25, 24 * 200])
    def test_farther_away_it_is_no_renewal(self, hours: int) -> None:
        assert ruled_out(PENDING, self.seen(hours * HOUR))

    def test_another_message_says_more(self) -> None:
        assert ruled_out(PENDING, self.seen(HOUR, message='{"code":13605}'))

    def test_a_term_that_ends_in_year_9999_or_is_not_known(self) -> None:
        assert ruled_out(PENDING, self.seen(datetime.max.replace(tzinfo=UTC) - NOW))
        assert ruled_out(PENDING, look(provider=ProviderReading(NOW, (ProviderSubscription(AT_PROVIDER, 20),))))
