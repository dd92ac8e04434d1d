"""Evidence that disagrees with itself: clocks that are off, old and new texts, repairs that did not last."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.evidence import (
    ChangeSource,
    ChangeType,
    JobStatus,
    ProviderReading,
    ProviderSubscription,
    SystemJob,
    SystemJobStatus,
)
from shared.domain.evidence import SubscriptionStatus as Status
from shared.domain.intent import Attempt
from tests.builders import DAY, HOUR, LATER, NOW, PARENT, SOMEONE, STUCK
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, case
from tests.corpus.outcomes import LOST
from tests.corpus.parts import (
    MANUAL,
    MICROSOFT,
    MINUTE,
    NOT_APPLICABLE,
    PART,
    PROVISIONED,
    THROUGH,
    failed,
    job,
    later,
    offered,
    old,
    parent,
    seats,
    see,
    stuck,
    sub,
    unreadable,
)
from tests.corpus.relations import CHILD
from tests.corpus.sign_in import CONSENT, SIGN_IN

_CONSENT, _LOST, _MFA = CONSENT["revoked"], LOST["504 page"], SIGN_IN["MFA"]
_SINCE = replace(MICROSOFT, last_verified_on=NOW - 10 * MINUTE, consent_on=NOW - 11 * MINUTE)
_FUTURE = replace(MICROSOFT, last_verified_on=NOW + DAY, consent_on=NOW + DAY)
_NEW = sub(provider_subscription_id=None)
_SMALLER = ProviderSubscription("f0f0", 20, "active", PART, NOW - HOUR)
_BROKEN = (SystemJob("sj", STUCK, "Work 365: new change", status=SystemJobStatus.FAILED, created_on=NOW - HOUR),)
_MENDED = parent(old(id="p1", actual_provisioned_on=NOW - 10 * MINUTE))

# fmt: off
CASES = [
    case(
        "verified in the future", "a clock that is off proves no repair",
        see(old(), failed(_CONSENT), subscription=sub(provider=_FUTURE)), "consent_expired", PERSON,
    ),
    case(
        "made in the future", "a clock that is off: it cannot be older than it is",
        see(old(), stuck(created_on=NOW + HOUR, modified_on=NOW + HOUR)), ("not_stuck_yet", "unknown"), WAIT, PERSON,
    ),
    case(
        "the parent was mended, the workflow for it failed", "one complaint is cured, another is live",
        see(old(), failed(CHILD), subscription=sub(parent_id=PARENT), parent=_MENDED, system_jobs=_BROKEN),
        "automation_inactive", PERSON, also=["parent_not_provisioned"],
    ),
    case(
        "the parent was mended, and consent ran out meanwhile", "the newest text counts, and it speaks of consent",
        see(old(), failed(_CONSENT, 5), subscription=sub(parent_id=PARENT), parent=_MENDED), "consent_expired",
        PERSON, never=["parent_not_provisioned"],
    ),
    case(
        "consent was renewed, then MFA was asked for", "the second is another cause and newer than the verification",
        see(old(), failed(_MFA, 5), subscription=sub(provider=_SINCE)), "credentials_invalid", PERSON,
        never=["consent_expired"],
    ),
    case(
        "cured, and a deactivation", "cured or not, taking licenses away is approved",
        see(old(), failed(_CONSENT, 60, -20, change_type=ChangeType.DEACTIVATE), subscription=sub(provider=_SINCE)),
        "consent_expired", APPROVE, PERSON,
    ),
    case(
        "cured, and the change came from the provider", "nothing may be sent for it, cured or not",
        see(old(), failed(_CONSENT, source=ChangeSource.PROVIDER), subscription=sub(provider=_SINCE)),
        "nothing_to_provision", APPROVE, PERSON,
    ),
    case(
        "cured, and a person has cancelled its job", "someone stopped it since",
        see(old(), failed(_CONSENT), subscription=sub(provider=_SINCE), jobs=(job(JobStatus.CANCELLED, 50),)),
        "consent_expired", PERSON, AUTO,
    ),
    case(
        "cured, and a job is live again", "rule 7: Work 365 is at it",
        see(old(), failed(_CONSENT), subscription=sub(provider=_SINCE), jobs=(job(JobStatus.IN_PROGRESS, 3),)),
        "not_stuck_yet", WAIT,
    ),
    case(
        "cured, and the same change set aside before", "one is set aside by a person, the cured one waits for them",
        see(
            old(), stuck(3, id="z", status=NOT_APPLICABLE, modified_by=SOMEONE, created_on=NOW - DAY),
            failed(_CONSENT), subscription=sub(provider=_SINCE),
        ),
        "consent_expired", PERSON, also=["set_aside_by_hand"],
    ),
    case(
        "a first order behind a 504, another number there", "twenty where 25 were asked for: perhaps this order",
        see(
            failed(_LOST, 120, 25, change_type=ChangeType.CREATE), subscription=_NEW, linked_at_provider=frozenset(),
            provider=ProviderReading(NOW, (_SMALLER,), relationship=True),
        ),
        ("already_applied", "attempt_outcome_unknown", "provider_unavailable"), PERSON, APPROVE,
    ),
    case(
        "a 504 on the first of two equal orders", "whether one of the two went through is what 25 seats would say",
        see(old(), failed(_LOST, 50), later(5, 57), provider=seats(25)), "already_applied", PERSON, APPROVE,
        also=["possible_duplicate", "prior_change_blocking"],
    ),
    case(
        "a 504, and someone bought five by hand", "the number fits, whoever ordered it: never order again",
        see(old(), failed(_LOST, 120), provider=seats(25, has_next_term_instructions=True)), "already_applied",
        APPROVE, PERSON,
    ),
    case(
        "a 504 with the total of everything", "20, 5 and 2 make 27: both went through",
        see(old(), failed(_LOST, 120), later(2), provider=seats(27)),
        ("attempt_outcome_unknown", "provider_unavailable", "prior_change_blocking", "already_applied"), PERSON,
        APPROVE,
    ),
    case(
        "a 504 on a reduction, and nothing is refundable now",
        "fifteen were meant, twenty are there, the window is shut",
        see(old(), failed(_LOST, 120, -5), provider=offered()), "provider_unavailable", APPROVE, PERSON,
        also=["reduction_window_closed"],
    ),
    case(
        "a 504 on a deactivation that worked", "suspended there: that is what it wanted",
        see(old(), failed(_LOST, 120, -20, change_type=ChangeType.DEACTIVATE), provider=seats(20, status="suspended")),
        "already_applied", APPROVE, PERSON, never=["subscription_state_blocked"],
    ),
    case(
        "a live job and a newer finished one", "the older one may still act",
        see(jobs=(job(JobStatus.IN_PROGRESS, 50), job(JobStatus.FAILED, 40, id="newer", results=_CONSENT))),
        "not_stuck_yet", WAIT,
    ),
    case(
        "a text of a change that awaits again", "somebody set it back to Awaiting, the complaint is still live",
        see(old(), stuck(message=_CONSENT)), "consent_expired", PERSON, never=["trigger_missed"],
    ),
    case(
        "consent on a manual provider", "nobody signs in there: a person makes the change",
        see(old(), failed(_CONSENT), subscription=sub(provider=MANUAL, account=None), provider=None),
        "manual_provider", PERSON,
    ),
    case(
        "throttled on a child that works through another", "never retriggered here",
        see(
            old(), failed("429 Too Many Requests", 180), subscription=sub(provider=THROUGH, linked_id=LATER),
            provider=None,
        ),
        "linked_change", WAIT, PERSON, never=["trigger_missed"],
    ),
    case(
        "pending at the provider", "neither active nor suspended: not the state in which seats are ordered",
        see(provider=seats(20, status="pending")),
        ("trigger_missed", "subscription_state_blocked", "provider_operation_pending", "unknown"), PERSON, WAIT,
        APPROVE,
    ),
    case(
        "a first order that takes away", "minus five to begin with",
        see(
            stuck(-5, change_type=ChangeType.CREATE), subscription=_NEW, linked_at_provider=frozenset(),
            provider=ProviderReading(NOW, (), relationship=True),
        ),
        ("trigger_missed", "reduction_window_closed", "unknown"), PERSON, APPROVE,
    ),
    case(
        "two first orders", "the second Create is no first order",
        see(old(), stuck(25, change_type=ChangeType.CREATE)), ("trigger_missed", "unknown"), PERSON, APPROVE,
    ),
    case(
        "a reduction inside its window, with a next-term instruction", "a mid-term change would delete it",
        see(
            old(), stuck(-5),
            provider=replace(
                offered((5, DAY)),
                subscriptions=(replace(offered((5, DAY)).subscriptions[0], has_next_term_instructions=True),),
            ),
        ),
        "trigger_missed", APPROVE, PERSON, never=["reduction_window_closed"],
    ),
    case(
        "more seats given back than there are", "refundable says thirty, the subscription has twenty",
        see(old(), stuck(-25), provider=offered((30, DAY))), ("trigger_missed", "unknown"), PERSON, APPROVE, AUTO,
    ),
    case(
        "the same text after our retrigger, ids and times differ", "what changes from try to try is no other text",
        see(
            old(), failed(f"{_CONSENT} Trace ID: 3f2a429b-0429-4290-8000-800082429429 Timestamp: 2026-11-22 11:00"),
            subscription=sub(provider=_SINCE),
            attempts=(
                Attempt(
                    STUCK, NOW - 2 * HOUR, "unstuck",
                    f"{_CONSENT} Trace ID: 00000000-0429-4290-8000-" "800082429429 Timestamp: 2026-11-20 09:00",
                ),
            ),
        ),
        "consent_expired", PERSON,
    ),
    case(
        "another change said it before our retrigger", "the other's text is not this one's",
        see(
            old(), failed(_CONSENT), subscription=sub(provider=_SINCE),
            attempts=(Attempt(LATER, NOW - 2 * HOUR, "unstuck", _CONSENT),),
        ),
        "consent_expired", AUTO,
    ),
    case(
        "invoiced, provisioned late, and equal to the one that waits", "an invoice does not make it another order",
        see(
            old(), stuck(id="z", status=PROVISIONED, archived=True, created_on=NOW - 63 * MINUTE), stuck(),
            provider=seats(25),
        ),
        "possible_duplicate", PERSON,
    ),
    case(
        "cancelled here, active there, an increase asked for", "one of both is wrong: a person",
        see(subscription=sub(status=Status.CANCELLED), provider=seats(20)), "subscription_state_blocked", PERSON,
    ),
    case(
        "a provisioned change without a quantity", "the running total is not known",
        see(old(), stuck(None, id="z", status=PROVISIONED, created_on=NOW - DAY), stuck(), provider=seats(20)),
        ("trigger_missed", "unknown"), PERSON,
    ),
    case(
        "quantities written as 5.00", "the same number in other digits",
        see(old(), replace(stuck(), quantity=Decimal("5.0000000000")), provider=seats(25)), "already_applied",
        APPROVE,
    ),
    case(
        "refused sign-in while the provider refuses us too", "one door, two keys: the complaint is live",
        see(old(), failed(_MFA), provider=unreadable("401 the credentials were refused")), "credentials_invalid",
        PERSON,
    ),
    case(
        "a minute before its waiting time is over, and a job has failed", "young, but Work 365 has tried",
        see(
            old(), stuck(created_on=NOW - 29 * MINUTE, modified_on=NOW - 29 * MINUTE),
            jobs=(job(JobStatus.FAILED, 20, results=_MFA),),
        ),
        ("not_stuck_yet", "credentials_invalid"), WAIT, PERSON, also=["credentials_invalid"],
    ),
    case(
        "an add-on whose parent was mended, seen through a 403", "cured, and rule 1 wants the provider read",
        see(old(), failed(CHILD), subscription=sub(parent_id=PARENT), parent=_MENDED, provider=unreadable("403")),
        "parent_not_provisioned", APPROVE, PERSON,
    ),
    case(
        "verified a second after the complaint", "later is later",
        see(
            old(), failed(_MFA, 60),
            subscription=sub(provider=replace(_SINCE, last_verified_on=NOW - HOUR + timedelta(seconds=1))),
        ),
        "credentials_invalid", AUTO,
    ),
]
