"""What could not be read, what the map does not know, and providers that do not answer: never fine."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.evidence import ChangeType, JobStatus, ProviderReading, ProviderSubscription, SubscriptionStatus
from tests.builders import DAY, NOW
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case, healthy
from tests.corpus.parts import (
    FAILED,
    MICROSOFT,
    PAX8,
    PAX8_ACCOUNT,
    REST,
    REST_ACCOUNT,
    env,
    failed,
    job,
    later,
    old,
    parent,
    seats,
    see,
    stuck,
    sub,
    unreadable,
)
from tests.corpus.sign_in import CONSENT

_UNREAD = (
    "jobs (403)",
    "scheduled changes (403)",
    "parents (timed out)",
    "providers (403)",
    "provider accounts (403)",
    "license change logs (timed out)",
)
_UNMAPPED = {
    "a provisioning status": {"license_change_log:22222222.provisioning_status": "100000007"},
    "a status reason": {"subscription:11111111.statuscode": "7"},
    "a provider type": {"provider:55555555.type": "9"},
    "a job's state": {"work365_job:88888888.statuscode": "100000042"},
}
_PROBLEMS = ("not configured", "403 Forbidden", "the credentials were refused")
_SINCE = sub(provider=replace(MICROSOFT, last_verified_on=NOW - timedelta(minutes=10)))


def _not_read(what: str) -> Case:
    return case(
        f"unread: {what}",
        "evidence that could not be read is unknown, and a person's",
        see(unread=(what,)),
        "unknown",
        PERSON,
    )


def _not_mapped(what: str) -> Case:
    return case(
        f"unmapped: {what}", "an option that the map does not know", see(unmapped=_UNMAPPED[what]), "unknown", PERSON
    )


def _not_asked(problem: str) -> Case:
    return case(
        f"provider: {problem}",
        "rule 1: provider unreadable, approve at most",
        see(provider=unreadable(problem)),
        "trigger_missed",
        APPROVE,
        PERSON,
    )


# fmt: off
CASES = [
    *(_not_read(what) for what in _UNREAD),
    *(_not_mapped(what) for what in _UNMAPPED),
    *(_not_asked(problem) for problem in _PROBLEMS),
    case(
        "unread jobs beside a cured complaint", "the cure is known, a live job is not",
        see(old(), failed(CONSENT["revoked"]), subscription=_SINCE, unread=("jobs (403)",)), "consent_expired",
        PERSON, also=["unknown"],
    ),
    case(
        "unread accounts beside a live complaint", "the complaint goes first",
        see(old(), failed(CONSENT["revoked"]), unread=("provider accounts (403)",)), "consent_expired", PERSON,
        also=["unknown"],
    ),
    case(
        "unread jobs and an applied change", "the seats are there, the jobs are not known",
        see(provider=seats(25), unread=("jobs (403)",)), "already_applied", PERSON, APPROVE, also=["unknown"],
    ),
    case(
        "unread jobs of a change for next week", "not due, whatever its jobs are",
        see(old(), stuck(effective_date=(NOW + 7 * DAY).date()), unread=("jobs (403)",)), "future_effective_date",
        WAIT,
    ),
    case(
        "nothing waits, but something could not be read", "what was not seen may be stuck",
        see(old(), subscription=sub(status=SubscriptionStatus.PROVISIONED), unread=("license change logs (403)",)),
        ("unknown", "no_change_log"), PERSON,
    ),
    case(
        "two things unread and one unmapped", "all are named in one finding",
        see(unread=_UNREAD[:2], unmapped=_UNMAPPED["a status reason"]), "unknown", PERSON,
    ),
    case(
        "workflows could not be read",
        "the environment's evidence is not known: it lowers confidence and is never fine",
        see(environment=env(workflows=None, unread=("workflows (403)",))), ("unknown", "trigger_missed"), PERSON,
        APPROVE, never=["automation_inactive"],
    ),
    case(
        "service users could not be read", "not known is not disabled",
        see(environment=env(service_users=None, unread=("service users (403)",))), ("unknown", "trigger_missed"),
        PERSON, APPROVE, never=["service_user_not_ready"],
    ),
    case(
        "the provider throttles our question", "it passes: ask again before concluding",
        see(provider=unreadable("429", transient=True)), "trigger_missed", WAIT, APPROVE, PERSON,
    ),
    case("the provider was not asked", "not asked is not known", see(provider=None), "trigger_missed", APPROVE, PERSON),
    case(
        "the provider does not say how many", "read, and the number is missing", see(provider=seats(None)),
        "trigger_missed", APPROVE, PERSON,
    ),
    case(
        "the provider shows neither number", "someone changed it there: a person", see(provider=seats(23)),
        "trigger_missed", PERSON,
    ),
    case(
        "a next-term instruction", "a mid-term change would delete it",
        see(provider=seats(has_next_term_instructions=True)), "trigger_missed", APPROVE, PERSON,
    ),
    case(
        "a next-term instruction that was not told", "not known is not none",
        see(provider=seats(has_next_term_instructions=None)), "trigger_missed", APPROVE, PERSON,
    ),
    case(
        "no next-term instruction", "read, and there is none", see(provider=seats(has_next_term_instructions=False)),
        "trigger_missed", AUTO, never=["unknown"],
    ),
    case(
        "another automatic connector", "Pax8 cannot be asked: approve at most",
        see(subscription=sub(provider=PAX8, account=PAX8_ACCOUNT), provider=None), "trigger_missed", APPROVE, PERSON,
    ),
    case(
        "a REST provider", "nobody can ask it",
        see(subscription=sub(provider=REST, account=REST_ACCOUNT), provider=None), "trigger_missed", APPROVE, PERSON,
    ),
    case(
        "a connector that is not known", "not known is not Microsoft",
        see(subscription=sub(provider=replace(MICROSOFT, connector=None)), provider=None),
        ("trigger_missed", "unknown"), APPROVE, PERSON,
    ),
    case(
        "which ones are linked could not be read", "a first order, and no way to tell what is bought already",
        see(
            stuck(25, change_type=ChangeType.CREATE), subscription=sub(provider_subscription_id=None),
            linked_at_provider=None, provider=ProviderReading(NOW, (), relationship=True),
        ),
        ("trigger_missed", "unknown"), PERSON, APPROVE,
    ),
    case(
        "an unlinked one of a product that is not told", "it may be the very one",
        see(
            stuck(25, change_type=ChangeType.CREATE), subscription=sub(provider_subscription_id=None),
            linked_at_provider=frozenset(),
            provider=ProviderReading(NOW, (ProviderSubscription("f0", 25, "active", None, NOW - DAY),)),
        ),
        ("trigger_missed", "already_applied", "unknown"), PERSON, APPROVE,
    ),
    case(
        "something ordered for the customer just now", "an order within fifteen minutes may not show everywhere",
        see(
            stuck(25, change_type=ChangeType.CREATE), subscription=sub(provider_subscription_id=None),
            linked_at_provider=frozenset(),
            provider=ProviderReading(
                NOW, (ProviderSubscription("f0", 25, "active", "OTHER:0001", NOW - timedelta(minutes=3)),),
            ),
        ),
        "trigger_missed", WAIT, PERSON, APPROVE,
    ),
    case(
        "the change's creation is not known", "its age is not known", see(old(), stuck(created_on=None)),
        ("trigger_missed", "unknown"), PERSON, never=["not_stuck_yet"],
    ),
    case(
        "the change's type is not known", "not known is no update", see(old(), stuck(change_type=None)),
        ("trigger_missed", "unknown"), PERSON,
    ),
    case(
        "an earlier quantity is not known", "the running total is not known",
        see(replace(old(), quantity=None), stuck()), ("trigger_missed", "unknown"), PERSON,
    ),
    case(
        "failed without any text", "nothing says why", see(old(), stuck(status=FAILED)),
        ("unknown", "credentials_invalid"), PERSON, never=["trigger_missed"],
    ),
    case(
        "failed job without any result", "the job ended and said nothing",
        see(old(), stuck(status=FAILED), jobs=(job(JobStatus.FAILED),)), ("unknown", "credentials_invalid"), PERSON,
    ),
    case(
        "an unread part in a chain", "the chain is named, nobody acts by itself",
        see(old(), stuck(), later(), unread=("jobs (403)",)), "prior_change_blocking", PERSON, also=["unknown"],
    ),
    case(
        "an unread part of an add-on that waits", "it waits for its parent whatever else is unread",
        see(
            subscription=sub(parent_id=parent().subscription.id), unread=("jobs (403)",),
            parent=parent(status=SubscriptionStatus.AWAITING),
        ),
        "parent_not_provisioned", WAIT, PERSON,
    ),
    healthy(
        "nothing waits and everything was read", "no gap, no case",
        see(old(), subscription=sub(status=SubscriptionStatus.PROVISIONED)), near="unknown",
    ),
]
