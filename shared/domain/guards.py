"""Guards: asked right before every write. Each says no with a reason that names what to do, or nothing.

A guard never passes because something is missing: unknown is no. They are asked twice for each write: before its
intent is saved, so that nothing is begun in vain, and again when the request is about to be sent.

    FIRST    before a retrigger begins
    SECOND   before what we set to Not Applicable goes back to Awaiting Provisioning
    STILL    when the request is about to be sent: what may have changed since the evidence was read
    JOBS     before the job of a change is run that was just set back to Awaiting Provisioning

What is half done is finished whatever the hour's budget, a surge, a mute, the stock or quiet hours say: left alone, it
looks provisioned.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.approval import yes_covers, yes_given
from shared.domain.baseline import head_from_before, not_to_begin
from shared.domain.breaker import Breaker, Position, opens_at, position
from shared.domain.case import Case
from shared.domain.decision import attempts_allowed
from shared.domain.diagnosis import Diagnosis
from shared.domain.finding import Disposition
from shared.domain.levels import HANDS_OFF, decided_by, goes_unasked
from shared.domain.look import Look
from shared.domain.pause import muting, stopping
from shared.domain.plan import Plan, action_for
from shared.domain.policy import Mode
from shared.domain.recurrence import fix_of, too_often
from shared.domain.situation import ALL_FREE, DATAVERSE, Organization, Share, Situation, connector_of
from shared.domain.surge import too_late


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a write was not made: the guard's name, and one sentence that names what to do."""

    guard: str
    reason: str
    until: datetime | None = None
    """When asking again makes sense; None when that is not known."""


@dataclass(frozen=True, slots=True)
class Question:
    """May this write be made, now?"""

    case: Case
    look: Look
    diagnosis: Diagnosis
    plan: Plan | None
    situation: Situation
    share: Share = ALL_FREE

    @property
    def half_done(self) -> bool:
        """Whether it finishes what we have begun."""
        begun = self.look.intent is not None and self.diagnosis.cause == "half_toggled"
        return begun and (self.plan is None or self.plan.retriggers)

    @property
    def yes(self) -> bool:
        """Whether a person said yes to exactly this."""
        return yes_given(self.case, self.look, self.diagnosis, self.plan)


type Guard = Callable[[Question], Refusal | None]


def first_no(guards: tuple[Guard, ...], question: Question) -> Refusal | None:
    """The first refusal, None when all guards let it pass."""
    return next((no for guard in guards if (no := guard(question)) is not None), None)


def mode(q: Question) -> Refusal | None:
    if q.look.policy.mode in (Mode.APPROVE, Mode.AUTO):
        return None
    observes = "the mode is observe: nothing is written to Dataverse until UNSTUCK_MODE says otherwise"
    return Refusal("mode", q.look.policy.broken or observes)


def organization(q: Question) -> Refusal | None:
    answered, pinned = q.situation.organization.answered, q.situation.organization.pinned
    if answered is not None and answered.casefold() == pinned.casefold():
        return None
    return Refusal(
        "organization",
        f"Dataverse is organisation {answered or 'unknown'}, not the configured {pinned}: "
        "see whether this is a copy, then set DATAVERSE_ORGANIZATION_ID",
    )


def plan(q: Question) -> Refusal | None:
    if q.case.plan is not None and q.plan is not None and q.plan.digest == q.case.plan.digest:
        return None
    return Refusal("plan", "the evidence has changed since the plan was made: it is planned again")


def intent(q: Question) -> Refusal | None:
    if q.case.intent is None:
        return None
    if q.plan is None or q.plan.change_id != q.case.intent.change_id:
        return Refusal("intent", "a retrigger of another change is still open: it is settled first")
    if q.diagnosis.cause != "half_toggled":
        return Refusal("intent", "a retrigger of this change is still open, and it is not known what became of it")
    return None


def attempts(q: Question) -> Refusal | None:
    if q.plan is not None and not q.plan.retriggers:
        return None  # each needs a yes of its own
    if q.look.intent is not None or len(q.look.attempts_on_head()) < attempts_allowed(q.look):
        return None
    return Refusal("attempts", "this change has been retriggered as often as is allowed: a person must look at it")


def recurrence(q: Question) -> Refusal | None:
    """The same fix for the same subscription too often: something else is wrong with it."""
    if q.half_done or q.yes or not too_often(q.case.fixed_before, q.look.policy, q.situation.now):
        return None
    return Refusal("recurrence", "this subscription has needed the same fix too often: a person must say yes first")


def ineffective(q: Question) -> Refusal | None:
    """Retriggers for this cause keep not helping at this provider."""
    name = fix_of(q.look, q.diagnosis.cause)
    if q.half_done or q.yes:
        return None
    if (reason := _closed_to(q, name)) is None:
        return None
    return Refusal(
        "ineffective", f"retriggering has kept failing to help for this cause here: a person must say yes ({reason})"
    )


def approval(q: Question) -> Refusal | None:
    if q.yes or goes_unasked(q.look, q.diagnosis, action_for(q.look, q.diagnosis)):
        return None
    return Refusal("approval", "a person must say yes to this plan first")


def still_ours(q: Question) -> Refusal | None:
    """Whether what we set to Not Applicable is still ours to set back."""
    disposition = q.diagnosis.disposition
    allowed = disposition is Disposition.AUTO or (disposition is Disposition.APPROVE and yes_covers(q.look))
    ours = decided_by(q.look, q.diagnosis, action_for(q.look, q.diagnosis)) not in HANDS_OFF
    if q.diagnosis.cause == "half_toggled" and allowed and ours:
        return None
    first = q.diagnosis.first
    return Refusal("second_write", first.next_step if first else "the change is no longer unprovisioned")


def controls(q: Question) -> Refusal | None:
    """Pauses and holds that cannot be read might be in force."""
    if not q.situation.unreadable:
        return None
    return Refusal("controls", " ".join(q.situation.unreadable))


def pause(q: Question) -> Refusal | None:
    s = q.situation
    found = stopping(s.pauses, s.organization.answered, q.look.evidence.subscription, s.now)
    return None if found is None else Refusal("pause", found.sentence(), found.until)


def evidence_age(q: Question) -> Refusal | None:
    """Read too long ago, or, after a jump of the clock, in the future."""
    provider = q.look.evidence.provider
    read = [q.look.evidence.read_on, *([provider.read_on] if provider is not None else [])]
    if all(abs(q.situation.now - on) <= q.look.policy.evidence_age for on in read):
        return None
    return Refusal("evidence_age", "the evidence is too old to write on: it is read again", q.situation.now)


def dataverse_breaker(q: Question) -> Refusal | None:
    return _breaker(q, DATAVERSE, "Dataverse")


def provider_breaker(q: Question) -> Refusal | None:
    """The provider is failing: Work 365 could not order there either. Finishing what is half done calls nobody."""
    name = connector_of(q.look)
    return None if name is None or q.half_done else _breaker(q, name, f"the provider ({name})")


def quiet(q: Question) -> Refusal | None:
    if q.half_done:
        return None
    for each in q.look.policy.quiet:
        window = each.windows(q.situation.now)
        if window is not None:
            begins, ends = window
            when = f"from {begins.isoformat()} to {ends.isoformat()}"
            reason = f"{each.name}, {when} ({each.reason}): wait for its end, or change the policy"
            return Refusal("quiet", reason, ends)
    return None


def surge(q: Question) -> Refusal | None:
    hold = q.situation.watch.hold
    return None if hold is None or q.half_done else Refusal("surge", hold.sentence())


def silence(q: Question) -> Refusal | None:
    """After a pause or an outage, nothing is begun before a sweep has seen how much there is."""
    if q.half_done:
        return None
    if q.situation.watch.silent:
        return Refusal("silence", "everything was paused: the next complete sweep says whether it goes on")
    if too_late(q.situation.watch, q.situation.now):
        return Refusal("silence", "no sweep has been complete for a day: see why in health; the next one frees this")
    return None


def baseline(q: Question) -> Refusal | None:
    """What was stuck before the app first looked is begun only when a person has decided on it."""
    if q.half_done:
        return None
    taken_on = q.situation.watch.stock_taken_on
    if reason := not_to_begin(q.case, q.look, taken_on):
        return Refusal("baseline", reason)
    said = q.yes or (q.case.intent is not None and q.case.intent.approved)  # used up once its intent is saved
    if not said and head_from_before(q.case, q.look, taken_on) is not None:
        return Refusal("baseline", "the change is from before the app first looked: a person must say yes to this plan")
    return None


def mute(q: Question) -> Refusal | None:
    s, causes = q.situation, [f.cause for f in q.diagnosis.findings]
    found = muting(s.mutes, q.look.evidence.subscription, causes, s.now, in_doubt=True)
    return None if found is None or q.half_done else Refusal("mute", found.sentence(), found.until)


def caps(q: Question) -> Refusal | None:
    wait = q.share.wait
    return None if wait is None or q.half_done else Refusal("caps", wait.reason, wait.until)


def _breaker(q: Question, name: str, who: str) -> Refusal | None:
    if (reason := _closed_to(q, name)) is None:
        return None
    until = opens_at(q.situation.breakers.get(name, Breaker()))
    text = f"{who} keeps failing, so it rests: see why; it is tried again by itself ({reason})"
    return Refusal("breaker", text, until)


def _closed_to(q: Question, name: str) -> str | None:
    """Why nothing goes through this breaker, None when it does. A half-open one lets one probe through."""
    if name in q.situation.broken:
        return q.situation.broken[name]
    if name in q.share.probes:
        return None
    breaker = q.situation.breakers.get(name, Breaker())
    if name in q.share.taken or position(breaker, q.situation.now) is Position.OPEN:
        return breaker.reason or "one is being tried"
    return None


WHOSE: tuple[Guard, ...] = (mode, organization)
CONTROLS: tuple[Guard, ...] = (controls, pause, evidence_age, dataverse_breaker)
"""What stops any write, one that finishes what is half done, too."""
BEGINNING: tuple[Guard, ...] = (provider_breaker, quiet, surge, silence, baseline, mute, caps)
"""What stops only what is to be begun."""

FIRST: tuple[Guard, ...] = (
    *WHOSE,
    *(plan, recurrence, ineffective, approval, intent, attempts),
    *CONTROLS,
    *BEGINNING,
)
SECOND: tuple[Guard, ...] = (*WHOSE, *CONTROLS, still_ours)
STILL: tuple[Guard, ...] = (mode, *CONTROLS, *BEGINNING)
JOBS: tuple[Guard, ...] = (*WHOSE, controls, pause)

RESTING = timedelta(seconds=30)
"""The soonest at which a case that was held back asks again."""

__all__ = ["FIRST", "JOBS", "RESTING", "SECOND", "STILL", "Guard", "Organization", "Question", "Refusal", "first_no"]
