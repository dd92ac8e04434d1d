"""The whole environment: Work 365's user, its automation, and what is waited for when that has just come back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shared.domain.causes import automation_inactive, not_stuck_yet, service_user_not_ready
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import (
    Environment,
    JobStatus,
    ProviderType,
    ProvisioningStatus,
    ScheduledChange,
    ScheduledJob,
    ServiceUser,
    SystemJob,
    SystemJobStatus,
    Workflow,
)
from shared.domain.finding import Confidence
from shared.domain.intent import Attempt
from shared.domain.look import Look
from tests.builders import DAY, HOUR, LATER, MICROSOFT, NOW, STUCK, SUBSCRIPTION, change, job, look, provisioned
from tests.builders import subscription as a_subscription
from tests.unit.causes_a.kit import AUTO, MINUTE, PERSON, WAIT, failed, found, ruled_out

USER, AUTOMATION, YOUNG = service_user_not_ready.look_for, automation_inactive.look_for, not_stuck_yet.look_for
ROLES = frozenset({"Work 365 Service", "Work 365 Portal Service"})
READY = ServiceUser("u1", "Work 365", True, ROLES)
ON = Workflow("w1", "Work 365: run a job", True, NOW - 100 * DAY)
OFF = Workflow("w2", "Work 365: new change", False, NOW - DAY)
RUNS = ScheduledJob("s1", "Sync license changes", True, NOW - 10 * MINUTE, NOW + 5 * MINUTE)
PRIVILEGE = "Principal user (Id=x) is missing prvReadwork365_subscription privilege (0x80040220)"
MANUAL = a_subscription(provider=replace(MICROSOFT, type=ProviderType.MANUAL))


def env(*changes: Any, jobs: Any = (), system_jobs: Any = (), subscription: Any = None, **values: Any) -> Look:
    return look(
        *changes,
        jobs=jobs,
        system_jobs=system_jobs,
        subscription=subscription or a_subscription(),
        environment=Environment(**values),
    )


class TestServiceUser:
    @pytest.mark.parametrize(
        "user",
        [
            replace(READY, enabled=False),
            replace(READY, roles=frozenset()),
            replace(READY, roles=frozenset({"Work 365 Service"})),
            replace(READY, roles=frozenset({"Work 365 Portal Service", "Work 365 Service Desk"})),
            replace(READY, enabled=False, roles=None),
        ],
        ids=["disabled", "no role", "one role", "a role that sounds like it", "disabled, roles not read"],
    )
    def test_not_ready(self, user: ServiceUser) -> None:
        seen = env(service_users=(user,))
        assert found(USER, seen).confidence is Confidence.CERTAIN
        assert (diagnose(seen).cause, diagnose(seen).disposition) == ("service_user_not_ready", PERSON)

    def test_ready_however_it_is_written_and_whatever_other_user_there_is(self) -> None:
        shouted = replace(READY, roles=frozenset({" WORK 365 SERVICE", "work 365 portal service", "Basic User"}))
        assert ruled_out(USER, env(service_users=(shouted,)))
        assert ruled_out(USER, env(service_users=(replace(READY, id="u0", enabled=False), READY)))

    def test_what_was_not_read_proves_nothing_either_way(self) -> None:
        assert "could not be read" in ruled_out(USER, env())
        assert "not enough" in ruled_out(USER, env(service_users=(replace(READY, roles=None),)))
        assert "not enough" in ruled_out(USER, env(service_users=(replace(READY, enabled=None),)))
        some = env(service_users=(replace(READY, id="u0", enabled=False), replace(READY, roles=None)))
        assert found(USER, some).confidence is Confidence.LIKELY

    def test_none_at_all_is_said_with_caution(self) -> None:
        assert found(USER, env(service_users=())).confidence is Confidence.LOW

    def test_a_system_administrator_lacks_nothing_and_that_is_said(self) -> None:
        finding = found(USER, env(service_users=(replace(READY, roles=frozenset({"System Administrator"})),)))
        assert finding.confidence is Confidence.LIKELY
        assert finding.against

    def test_a_message_is_a_persons_whatever_the_user_looks_like_now(self) -> None:
        refused = found(USER, env(provisioned(), failed(PRIVILEGE)))
        assert (refused.disposition, refused.confidence) == (PERSON, Confidence.CERTAIN)
        doubted = found(USER, env(provisioned(), failed(PRIVILEGE), service_users=(READY,)))
        assert (doubted.disposition, doubted.confidence) == (PERSON, Confidence.LIKELY)
        assert doubted.against

    def test_the_same_words_of_the_provider_are_not_of_dataverse(self) -> None:
        seen = env(provisioned(), failed('{"code":900308,"description":"Insufficient privileges"}'))
        assert ruled_out(USER, seen)

    def test_the_text_of_a_system_job_or_of_a_scheduled_job_says_it_too(self) -> None:
        broken = SystemJob("j", STUCK, "new change", SystemJobStatus.FAILED, message=PRIVILEGE, created_on=NOW - HOUR)
        seen = env(system_jobs=(broken,))
        assert diagnose(seen).cause == "service_user_not_ready"
        assert ruled_out(AUTOMATION, seen)
        assert found(USER, env(scheduled_jobs=(replace(RUNS, last_result=PRIVILEGE),)))

    def test_a_manual_provider_does_not_need_it(self) -> None:
        assert ruled_out(USER, env(service_users=(replace(READY, enabled=False),), subscription=MANUAL))


class TestWorkflows:
    def test_off(self) -> None:
        seen = env(workflows=(ON, OFF))
        assert found(AUTOMATION, seen).confidence is Confidence.CERTAIN
        assert (diagnose(seen).cause, diagnose(seen).disposition) == ("automation_inactive", PERSON)
        assert "Work 365: new change" in found(AUTOMATION, seen).sentence

    @pytest.mark.parametrize("name", ["Copy of Work 365: run a job", "Work 365: new change (draft)", "New change (2)"])
    def test_a_draft_or_a_copy_is_not_it(self, name: str) -> None:
        assert ruled_out(AUTOMATION, env(workflows=(ON, replace(OFF, name=name))))

    def test_one_of_the_same_name_that_is_on_speaks_against_it(self) -> None:
        finding = found(AUTOMATION, env(workflows=(ON, replace(OFF, name=ON.name))))
        assert (finding.disposition, finding.confidence) == (PERSON, Confidence.LIKELY)

    def test_jobs_that_ended_long_after_it_went_off_speak_against_it(self) -> None:
        finding = found(AUTOMATION, env(workflows=(OFF,), last_job_on=NOW - MINUTE))
        assert (finding.confidence, finding.against != ()) == (Confidence.LIKELY, True)
        assert not found(AUTOMATION, env(workflows=(OFF,), last_job_on=NOW - 2 * DAY)).against

    def test_on_not_known_and_none_are_not_off(self) -> None:
        for workflows in ((ON,), (replace(OFF, active=None),), (), None):
            assert ruled_out(AUTOMATION, env(workflows=workflows))

    def test_a_manual_provider_waits_for_no_workflow(self) -> None:
        assert ruled_out(AUTOMATION, env(workflows=(OFF,), subscription=MANUAL))

    def test_an_overdue_scheduled_change_waits_for_it_too(self) -> None:
        day = (NOW - 3 * DAY).date()
        overdue = ScheduledChange("s", "Increase", "pending", day)
        seen = look(provisioned(), scheduled=(overdue,), environment=Environment(workflows=(OFF,)))
        assert found(AUTOMATION, seen).disposition is PERSON
        merged = replace(seen, evidence=replace(seen.evidence, scheduled=(replace(overdue, status="merge_failed"),)))
        assert ruled_out(AUTOMATION, merged)


class TestSystemJobs:
    failed = SystemJob("j", STUCK, "new change", SystemJobStatus.FAILED, message="Boom", created_on=NOW - HOUR)

    def test_failed_or_suspended(self) -> None:
        assert "Boom" in found(AUTOMATION, env(system_jobs=(self.failed,))).proof[0].value
        suspended = replace(self.failed, status=SystemJobStatus.WAITING, suspended=True)
        assert "suspended" in found(AUTOMATION, env(system_jobs=(suspended,))).sentence

    @pytest.mark.parametrize(
        "other",
        [
            {"regarding_id": LATER},
            {"status": SystemJobStatus.SUCCEEDED},
            {"status": SystemJobStatus.CANCELLED},
            {"status": SystemJobStatus.WAITING},
            {"status": None},
            {"regarding_id": SUBSCRIPTION, "created_on": NOW - DAY},
            {"regarding_id": SUBSCRIPTION, "created_on": None},
        ],
        ids=str,
    )
    def test_what_looks_like_it(self, other: dict[str, Any]) -> None:
        assert ruled_out(AUTOMATION, env(system_jobs=(replace(self.failed, **other),)))

    def test_of_the_subscription_since_the_change_was_made(self) -> None:
        mine = replace(self.failed, regarding_id=SUBSCRIPTION, created_on=NOW - 50 * MINUTE)
        assert found(AUTOMATION, env(system_jobs=(mine,)))

    def test_a_later_success_a_later_job_or_our_own_attempt_is_newer(self) -> None:
        worked = replace(self.failed, id="k", status=SystemJobStatus.SUCCEEDED, created_on=NOW - 30 * MINUTE)
        assert ruled_out(AUTOMATION, env(system_jobs=(self.failed, worked)))
        before = replace(worked, created_on=NOW - 2 * HOUR)
        assert found(AUTOMATION, env(system_jobs=(self.failed, before)))
        later = job(JobStatus.FAILED, created_on=NOW - 20 * MINUTE)
        assert ruled_out(AUTOMATION, env(system_jobs=(self.failed,), jobs=(later,)))
        attempt = Attempt(STUCK, NOW - 40 * MINUTE, "unstuck")
        assert ruled_out(AUTOMATION, look(system_jobs=(self.failed,), attempts=(attempt,)))


class TestScheduledJobs:
    late = replace(RUNS, last_run_on=NOW - 3 * HOUR, next_run_on=NOW - 2 * HOUR)

    def test_overdue_or_switched_off(self) -> None:
        assert "has been due" in found(AUTOMATION, env(scheduled_jobs=(self.late,))).sentence
        assert "switched off" in found(AUTOMATION, env(scheduled_jobs=(replace(RUNS, enabled=False),))).sentence

    @pytest.mark.parametrize(
        "other",
        [
            {"next_run_on": NOW - 20 * MINUTE},
            {"last_run_on": NOW - MINUTE},
            {"next_run_on": None},
            {"next_run_on": datetime.max.replace(tzinfo=UTC)},
        ],
        ids=["within a cycle", "has run since", "not known", "year 9999"],
    )
    def test_what_looks_like_it(self, other: dict[str, Any]) -> None:
        assert ruled_out(AUTOMATION, env(scheduled_jobs=(replace(self.late, **other),)))

    def test_one_that_has_nothing_to_do_with_changes_only_if_none_runs(self) -> None:
        usage = replace(self.late, id="s2", name="Sync Daily Usage Data")
        assert ruled_out(AUTOMATION, env(scheduled_jobs=(RUNS, usage)))
        assert ruled_out(AUTOMATION, env(scheduled_jobs=(RUNS, replace(usage, enabled=False))))
        assert found(AUTOMATION, env(scheduled_jobs=(usage,)))


class TestSilence:
    def seen(self, last: datetime | None, *changes: Any, **values: Any) -> Look:
        return env(*changes, last_job_on=last, **values)

    def test_no_job_for_more_than_a_cycle_while_a_change_waits(self) -> None:
        finding = found(AUTOMATION, self.seen(NOW - 3 * HOUR))
        assert (finding.disposition, finding.confidence) == (PERSON, Confidence.LIKELY)

    def test_not_known_is_not_never(self) -> None:
        assert "when a job last ended" in ruled_out(AUTOMATION, self.seen(None))
        assert diagnose(self.seen(None)).cause == "trigger_missed"

    def test_jobs_that_ran_when_the_change_was_due_show_that_only_it_was_missed(self) -> None:
        old = change(created_on=NOW - 5 * HOUR)
        assert ruled_out(AUTOMATION, self.seen(NOW - 10 * MINUTE))
        assert ruled_out(AUTOMATION, self.seen(NOW - 2 * HOUR, provisioned(), old))
        assert found(AUTOMATION, self.seen(NOW - 6 * HOUR, provisioned(), old))

    def test_young_failed_or_with_a_message_it_is_not_the_silence(self) -> None:
        young = change(created_on=NOW - 10 * MINUTE)
        for head in (young, failed(""), failed("Nobody knows", status=ProvisioningStatus.AWAITING)):
            assert ruled_out(AUTOMATION, self.seen(NOW - 3 * HOUR, provisioned(), head))

    def test_switched_on_since_then_is_a_new_beginning(self) -> None:
        back = replace(ON, modified_on=NOW - HOUR)
        assert ruled_out(AUTOMATION, self.seen(NOW - 3 * HOUR, workflows=(back,)))
        assert diagnose(self.seen(NOW - 3 * HOUR, workflows=(back,))).cause == "trigger_missed"
        assert found(AUTOMATION, self.seen(NOW - 3 * HOUR, workflows=(ON,)))


class TestNotStuckYet:
    def test_automation_came_back_less_than_a_cycle_ago(self) -> None:
        back = replace(ON, modified_on=NOW - 10 * MINUTE)
        seen = env(workflows=(back,), last_job_on=NOW - DAY)
        finding = found(YOUNG, seen)
        assert (finding.disposition, finding.until) == (WAIT, NOW + 20 * MINUTE)
        assert (diagnose(seen).cause, diagnose(seen).disposition) == ("not_stuck_yet", WAIT)

    @pytest.mark.parametrize(
        ("on", "more"),
        [
            (NOW - 31 * MINUTE, ()),
            (NOW + DAY, ()),
            (None, ()),
            (NOW - 10 * MINUTE, (OFF,)),
        ],
        ids=["a cycle ago", "in the future", "not known", "and another one is still off"],
    )
    def test_what_looks_like_it(self, on: datetime | None, more: tuple[Workflow, ...]) -> None:
        assert ruled_out(YOUNG, env(workflows=(replace(ON, modified_on=on), *more)))

    def test_a_failed_change_or_one_that_had_its_cycle_does_not_wait_for_it(self) -> None:
        back = (replace(ON, modified_on=NOW - 10 * MINUTE),)
        assert ruled_out(YOUNG, env(provisioned(), failed(""), workflows=back))
        ran = job(JobStatus.NOT_APPLICABLE, modified_on=NOW - 5 * MINUTE)
        assert ruled_out(YOUNG, env(workflows=back, jobs=(ran,)))
        assert ruled_out(YOUNG, env(workflows=back, subscription=MANUAL))

    def test_a_run_by_hand_counts_as_a_cycle(self) -> None:
        young = change(created_on=NOW - 20 * MINUTE, effective_date=date(2026, 11, 1))
        assert found(YOUNG, look(provisioned(), young)).until == NOW + 10 * MINUTE
        ran = job(JobStatus.NOT_APPLICABLE, modified_on=NOW - 12 * MINUTE)
        assert found(YOUNG, look(provisioned(), young, jobs=(ran,))).until == NOW + 3 * MINUTE
        ran = replace(ran, modified_on=NOW - 16 * MINUTE)
        assert ruled_out(YOUNG, look(provisioned(), young, jobs=(ran,)))

    @pytest.mark.parametrize("status", [JobStatus.CANCELLED, JobStatus.FAILED])
    def test_a_cancelled_run_or_one_from_before_is_no_cycle(self, status: JobStatus) -> None:
        young = change(created_on=NOW - 20 * MINUTE, effective_date=date(2026, 11, 1))
        when = NOW - (16 if status is JobStatus.CANCELLED else 25) * MINUTE
        assert found(YOUNG, look(provisioned(), young, jobs=(job(status, modified_on=when),))).disposition is WAIT

    def test_a_live_job_has_its_normal_time(self) -> None:
        assert found(YOUNG, look(jobs=(job(JobStatus.RETRY),))).until == NOW + HOUR
        assert ruled_out(YOUNG, look(jobs=(job(JobStatus.RETRY, modified_on=NOW - 2 * HOUR),)))
        assert ruled_out(YOUNG, look(jobs=(job(JobStatus.WAITING, modified_on=None, created_on=None),)))

    def test_age_does_not_come_from_modified_on(self) -> None:
        assert ruled_out(YOUNG, look(provisioned(), change(modified_on=NOW)))
        assert diagnose(look(provisioned(), change(modified_on=NOW))).disposition is AUTO


def test_a_cycle_longer_than_there_are_dates_is_no_crash() -> None:
    far = replace(ON, modified_on=datetime.min.replace(tzinfo=UTC))
    policy = replace(look().policy, job_cycle=timedelta.max // 2)
    assert found(YOUNG, look(environment=Environment(workflows=(far,)), policy=policy)).disposition is WAIT
