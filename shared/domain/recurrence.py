"""When the same fix is needed too often, or does not help: a person is asked instead. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.amendment import closed_by
from shared.domain.baseline import head_from_before
from shared.domain.breaker import Breaker, Position, position
from shared.domain.case import Case, Recorded, State
from shared.domain.diagnosis import Diagnosis
from shared.domain.finding import Confidence, Disposition, Finding
from shared.domain.look import Look
from shared.domain.policy import BreakerLimits, Policy

REMEMBERED = 20
"""Fixes, and closed changes, of former cases that a new case of the subscription knows of."""

FIX = "fix:"
"""How the names of breakers begin that count whether a fix helps."""

TRIED_AGAIN = timedelta(days=1)
"""How long a fix that does not help rests before one more is tried without asking."""


def fixed_before(former: Case | None) -> tuple[datetime, ...]:
    """When the subscription's former cases were last retriggered, one time for each case that was."""
    if former is None:
        return ()
    mine = [attempt.on for attempt in former.attempts if not attempt.refused]
    return (*former.fixed_before, *([max(mine)] if mine else []))[-REMEMBERED:]


def closed_before(former: Case) -> tuple[str, ...]:
    """The changes that the subscription's former cases closed because a person said so, newest last."""
    return (*former.closed_before, *closed_by(former.done))[-REMEMBERED:]


def too_often(fixes: Iterable[datetime], policy: Policy, now: datetime) -> bool:
    """Whether former cases of this subscription needed the fix as often as the policy allows."""
    return sum(now - on < policy.recurrence.within for on in fixes) >= policy.recurrence.times


def fix_of(look: Look, cause: str | None) -> str:
    """The name of the breaker that counts whether retriggers for this cause help at this provider."""
    provider = look.evidence.subscription.provider
    return f"{FIX}{provider.id if provider else 'none'}:{cause or 'none'}".casefold()


def limits_of(name: str, policy: Policy) -> BreakerLimits:
    """The limits of a breaker. A fix rests for a day after as many failures in a row: whether it helps shows late."""
    if not name.startswith(FIX):
        return policy.breaker
    return BreakerLimits(failures=policy.breaker.failures, share=2, window=TRIED_AGAIN, open_for=TRIED_AGAIN)


def helped(recorded: Recorded, before: Case | None) -> bool | None:
    """Whether this step of a case shows that its last retrigger has helped, or has not; None where it shows neither."""
    if before is None or before.state is not State.VERIFYING or not before.attempts or before.attempts[-1].refused:
        return None
    if before.done and max(d.undone_on or d.on for d in before.done) >= before.attempts[-1].on:
        return None  # whatever it shows, it shows of something else that a person wanted done
    if before.provisioned_since is None and any(event.kind == "provisioned" for event in recorded.events):
        return True
    stuck_still = recorded.case.state in (State.READY, State.AWAITING_APPROVAL, State.NEEDS_PERSON, State.ESCALATED)
    return False if stuck_still and recorded.case.change_id == before.attempts[-1].change_id else None


def cautious(diagnosis: Diagnosis, case: Case, look: Look, fix: Breaker) -> Diagnosis:
    """The diagnosis, with a person asked first where the same fix was needed too often, or keeps not helping.

    What is half done is finished. `fix` counts how retriggers for this cause went at this provider.
    """
    if diagnosis.disposition is not Disposition.AUTO or look.intent is not None:
        return diagnosis
    taken_on = look.standing.stock_taken_on if look.standing is not None else None
    found = head_from_before(case, look, taken_on) or _recurs(case, look) or _does_not_help(fix, look)
    if found is None:
        return diagnosis
    return _with(diagnosis, found)


def without_objection(diagnosis: Diagnosis) -> tuple[Diagnosis, ...]:
    """What this diagnosis was while one of the objections of this module stood beside it: a yes despite it holds on."""
    if diagnosis.disposition is not Disposition.AUTO:
        return ()
    return tuple(_with(diagnosis, each) for each in (_TOO_OFTEN, _NO_HELP))


def _with(diagnosis: Diagnosis, found: Finding) -> Diagnosis:
    return replace(diagnosis, findings=(*diagnosis.findings, found), disposition=Disposition.APPROVE)


def _recurs(case: Case, look: Look) -> Finding | None:
    if not too_often(case.fixed_before, look.policy, look.now):
        return None
    days = look.policy.recurrence.within.days
    sentence = f"Its changes were retriggered in {len(case.fixed_before)} former cases, too many within {days} days."
    return replace(_TOO_OFTEN, sentence=sentence)


def _does_not_help(fix: Breaker, look: Look) -> Finding | None:
    if position(fix, look.now) is not Position.OPEN:
        return None
    return _NO_HELP


def _finding(cause: str, sentence: str, next_step: str) -> Finding:
    return Finding(cause, Disposition.APPROVE, Confidence.CERTAIN, sentence, next_step, "billing administrator")


_TOO_OFTEN = _finding(
    "fixed_too_often",
    "Its changes were retriggered in too many former cases.",
    "Find out why it keeps getting stuck; say yes to this plan to retrigger it once more.",
)
_NO_HELP = _finding(
    "fix_does_not_help",
    "Retriggering has kept failing to help for this cause at this provider, so it has stopped by itself.",
    "Find out what really holds these changes; say yes to this plan to retrigger this one nevertheless.",
)
