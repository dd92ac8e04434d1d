"""Where a case goes after a diagnosis: one pure step of its state machine.

`settle` first turns our own open intent into what it became; `decide` then moves the case. Both only say
what is so: the effects are the workflow's.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.action import WhyNot
from shared.domain.amending import settle_amendment
from shared.domain.approval import revalidated, yes_given
from shared.domain.asking import SETBACKS_ALLOWED, no_longer, not_wanted, requested
from shared.domain.baseline import held_back, summary_with, told_of, with_standing
from shared.domain.begun import drop, may_still_land
from shared.domain.case import ACTING, SYSTEM, Case, Notification, Recorded, State, record
from shared.domain.causes.unknown import of_ours
from shared.domain.diagnosis import Diagnosis
from shared.domain.evidence import Change, ChangeType, ProvisioningStatus
from shared.domain.finding import Disposition
from shared.domain.intent import RETRIGGERS, Attempt, Intent, Phase
from shared.domain.levels import HANDS_OFF, decided_by
from shared.domain.look import Look
from shared.domain.plan import Plan, action_for, plan_for, proposal
from shared.domain.policy import Level, Mode
from shared.domain.wording import next_step_of, summary_of, unfinished, what_became

REFUSALS_ALLOWED = 3
"""How often Dataverse may refuse the second write of a retrigger before a person is asked."""

RECHECK = timedelta(seconds=30)
"""When a change is read again that could not be read, or whose write may still show."""

TELLS = frozenset({State.NEEDS_PERSON, State.AWAITING_APPROVAL, State.ESCALATED})
"""A person is told when a case comes here."""


def settle(case: Case, look: Look, now: datetime) -> Recorded:
    """Turns an open intent into an attempt, or drops it, by what the change shows now.

    A change still at our Not Applicable keeps the intent: that is `half_toggled`, and its second write is due.
    """
    intent = case.intent
    if intent is None:
        return Recorded(case)
    if not intent.retriggers:
        return settle_amendment(case, intent, look, now)
    change = next((c for c in look.evidence.changes if c.id == intent.change_id), None)
    if _not_known(look, change) or (change and change.status is ProvisioningStatus.NOT_APPLICABLE):
        return Recorded(case)
    if change is None:
        text = "The change we were retriggering is gone from Work 365."
        return record(case, now, by=SYSTEM, kind="intent_dropped", text=text, state=State.WAITING, intent=None)
    if _untouched(intent, change):
        return Recorded(case) if may_still_land(case, intent, look, now) else drop(case, now, sent=True)
    attempt = Attempt(intent.change_id, now, intent.by, intent.message_before)
    return record(
        case,
        now,
        by=SYSTEM,
        kind="retriggered",
        text=f"The retrigger went through before we lost sight of it; the change is {change.status} now.",
        state=State.VERIFYING,
        intent=None,
        attempts=(*case.attempts, attempt),
    )


def seen_from(look: Look, case: Case) -> Look:
    """The same evidence, seen with what the case knows of our own doings."""
    return replace(
        look,
        intent=case.intent,
        attempts=case.attempts,
        dropped=case.dropped,
        asked=case.asked,
        done=case.done,
        closed_before=case.closed_before,
    )


def _not_known(look: Look, change: Change | None) -> bool:
    """Whether it cannot be told what the change shows: then an intent is kept, whatever it takes."""
    if change is None:
        return any("changes" in what for what in look.evidence.unread)
    return change.status is None


def unsettled_still(settled: Recorded, look: Look) -> Recorded | None:
    """The case as it waits for its write to show, when that is all that can be said; None otherwise."""
    case, intent = settled.case, settled.case.intent
    if intent is None or (intent.retriggers and _shows_what_became(intent, look)):
        return None
    limit = look.after(intent.written_on, look.policy.action_time_limit)
    if look.now < look.after(limit, look.policy.action_time_limit):
        due = limit if limit > look.now else look.after(look.now, RECHECK)
        return Recorded(replace(case, due_on=due), settled.events)
    text = "We were writing to this change, and what became of it cannot be read."
    next_step = "See why the change cannot be read; if it stands at Not Applicable, set it to Awaiting Provisioning."
    if not intent.retriggers:
        next_step = "See why the row cannot be read, and compare it with what this case says was to be saved."
    note = Note("unsettled", f"unsettled:{intent.change_id}:{intent.written_on.isoformat()}", text, next_step)
    return noted(settled, look.now, look.now + look.policy.look_again, note)


def _shows_what_became(intent: Intent, look: Look) -> bool:
    """Whether the change stands at Not Applicable, or is archived: a cause of its own says what that means."""
    change = next((c for c in look.evidence.changes if c.id == intent.change_id), None)
    return change is not None and (change.archived or change in look.at_not_applicable())


@dataclass(frozen=True, slots=True)
class Note:
    """What a person is told about a case whose evidence decides nothing. The same `key` is told once."""

    kind: str
    key: str
    text: str
    next_step: str


def noted(before: Case | Recorded, now: datetime, due_on: datetime, note: Note) -> Recorded:
    """A case that a person must look at, whatever its evidence; said once. One with an open effect keeps its state."""
    recorded = before if isinstance(before, Recorded) else Recorded(before)
    case = recorded.case
    if case.summary == note.text:
        return Recorded(replace(case, due_on=due_on), recorded.events)
    return record(
        recorded,
        now,
        by=SYSTEM,
        kind=note.kind,
        text=note.text,
        state=case.state if acting(case) else State.NEEDS_PERSON,
        summary=note.text,
        next_step=note.next_step,
        due_on=due_on,
        plan=None,
        outgoing=(*case.lasting_news, *_unless_told(case, Notification(note.key, note.kind, note.text, now))),
    )


def _unless_told(case: Case, news: Notification) -> tuple[Notification, ...]:
    return () if news.key in case.told else (news,)


def _untouched(intent: Intent, change: Change) -> bool:
    """Whether no write of ours took effect. After the first write was confirmed, something always did."""
    if intent.phase is not Phase.INTENDED:
        return False
    if intent.status_before is ProvisioningStatus.AWAITING:
        # Its first write would show as Not Applicable, and the second is never begun before that is saved.
        return True
    return change.status is intent.status_before and change.etag == intent.etag_before


def decide(settled: Case | Recorded, look: Look, diagnosis: Diagnosis, plan: Plan | None) -> Recorded:
    """The case after this diagnosis, with its next state, when it is looked at again, and who is told."""
    recorded = settled if isinstance(settled, Recorded) else Recorded(settled)
    if look.asked is not None and (why := no_longer(recorded.case, look, diagnosis, plan)) is not None:
        recorded, look = not_wanted(recorded, look, why)
        plan = plan_for(look, diagnosis)
    recorded = with_standing(revalidated(recorded, look, diagnosis, plan), look, diagnosis)
    case = recorded.case
    if diagnosis.healthy and look.asked is None:
        return _provisioned(recorded, look)
    state = _next_state(case, look, diagnosis, plan)
    first = diagnosis.first
    summary = summary_with(case, look, summary_of(diagnosis)) if first is not None else case.summary
    next_step = requested(look.asked, plan) if look.asked is not None else next_step_of(look, diagnosis)
    if state is State.NEEDS_PERSON and look.intent is not None:
        next_step = unfinished(look, diagnosis) or next_step
    if state is State.NEEDS_PERSON and plan is None:
        next_step += _not_offered(look, diagnosis)
    if state is State.ESCALATED:
        summary = f"{_why_given_up(case, look)} {summary}"
    if state is State.VERIFYING:
        summary, next_step = "Retriggered; Work 365 is given its time to provision it.", "Nothing to do."
    watching = state is State.VERIFYING and case.cause is not None
    changes: dict[str, Any] = {
        "state": state,
        "due_on": _due(state, look, diagnosis, held=bool(held_back(case))),
        "subscription_name": look.evidence.subscription.name,
        "customer_name": look.evidence.subscription.customer_name,
        "provider_name": look.evidence.subscription.provider.name if look.evidence.subscription.provider else "",
        "cause": case.cause if watching or first is None else first.cause,
        "first_cause": case.first_cause or (first.cause if first is not None else None),
        "disposition": diagnosis.disposition,
        "change_id": diagnosis.change_id,
        "summary": summary,
        "next_step": next_step,
        "diagnosis": diagnosis,
        "plan": plan if _shows_plan(state, look, diagnosis) else None,
        "provisioned_since": None,
        "held_back": _held_back(case, state, look, plan),
    }
    changes["outgoing"] = _owed(case, state, changes, look)
    if diagnosis.change_id != case.change_id:
        changes["setbacks"] = 0
    if _same(case, changes):
        # Nothing new was learnt: the case is only looked at later, and its history stays readable.
        return Recorded(replace(case, **changes), recorded.events)
    details: dict[str, Any] = {"cause": changes["cause"], "findings": [f.cause for f in diagnosis.findings]}
    details |= {"rules": diagnosis.rule_version, "policy": look.policy.version}
    details |= {"approval": "kept"} if case.approved_digest else {}
    return record(recorded, look.now, by=SYSTEM, kind=f"diagnosed_{state}", text=summary, details=details, **changes)


def _next_state(case: Case, look: Look, diagnosis: Diagnosis, plan: Plan | None) -> State:
    tried = look.attempts_on_head()
    if look.asked is not None:
        return State.READY if yes_given(case, look, diagnosis, plan) else State.AWAITING_APPROVAL
    if diagnosis.disposition is Disposition.WAIT:
        young = diagnosis.cause == "not_stuck_yet" and bool(tried) and not tried[-1].refused
        return State.VERIFYING if young else State.WAITING
    if diagnosis.disposition is Disposition.PERSON:
        return State.ESCALATED if tried else State.NEEDS_PERSON
    level = decided_by(look, diagnosis, action_for(look, diagnosis))
    if level in HANDS_OFF:
        return State.ESCALATED if _given_up(case, look) else State.NEEDS_PERSON
    yes = yes_given(case, look, diagnosis, plan)
    if plan is None:
        return State.NEEDS_PERSON
    if diagnosis.disposition is Disposition.APPROVE and not yes:
        return State.AWAITING_APPROVAL
    if _given_up(case, look):
        return State.ESCALATED
    if look.policy.mode is Mode.OBSERVE and look.intent is not None:
        return State.NEEDS_PERSON  # half done, and this app may not finish it any more
    return State.AWAITING_APPROVAL if level is Level.APPROVE and not yes else State.READY


def _not_offered(look: Look, diagnosis: Diagnosis) -> str:
    """Why the action that would help is not offered, where there is one; begins with a blank."""
    action = action_for(look, diagnosis)
    proposed = proposal(look, action) if action and action not in RETRIGGERS else None
    return f" This app does not offer it: {proposed.reason}." if isinstance(proposed, WhyNot) else ""


def _shows_plan(state: State, look: Look, diagnosis: Diagnosis) -> bool:
    """Where there is something to carry out or to say yes to, or where the policy only suggests."""
    suggested = decided_by(look, diagnosis, action_for(look, diagnosis)) is Level.SUGGEST
    return state in (State.READY, State.AWAITING_APPROVAL) or (state is State.NEEDS_PERSON and suggested)


def _held_back(case: Case, state: State, look: Look, plan: Plan | None) -> str:
    """Why what could be done is not: the policy file, else what a guard said of this very plan."""
    if state in (State.READY, State.AWAITING_APPROVAL) and look.policy.problems:
        return look.policy.broken
    if state in (State.READY, State.AWAITING_APPROVAL) and case.intent is None and held_back(case):
        return held_back(case)
    return case.held_back if state is State.READY and case.plan == plan else ""


def _given_up(case: Case, look: Look) -> bool:
    if case.setbacks >= SETBACKS_ALLOWED and case.change_id in (None, look.head.id if look.head else None):
        return True
    if look.intent is not None:
        return look.intent.refusals >= REFUSALS_ALLOWED
    return len(look.attempts_on_head()) >= attempts_allowed(look)


def _why_given_up(case: Case, look: Look) -> str:
    tried = look.attempts_on_head()
    if look.intent is not None and look.intent.refusals:
        return "Dataverse refuses to set the change back to Awaiting Provisioning."
    if tried and tried[-1].refused:
        return f"Dataverse refuses our write: {tried[-1].refused}"
    if case.setbacks >= SETBACKS_ALLOWED:
        return f"Our write did not get through ({case.setbacks} tries)."
    return f"Retriggering did not help ({len(tried)} {'try' if len(tried) == 1 else 'tries'})."


def attempts_allowed(look: Look) -> int:
    """A first order is retriggered once: a second one could buy twice. Others as the policy says."""
    head = look.head
    return 1 if head is not None and head.change_type is ChangeType.CREATE else look.policy.attempts


def _due(state: State, look: Look, diagnosis: Diagnosis, *, held: bool) -> datetime:
    policy, now = look.policy, look.now
    if state is State.VERIFYING:
        return now + policy.job_cycle
    if state is State.READY and policy.mode is not Mode.OBSERVE and not held:
        return now + policy.action_time_limit
    untils = [f.until for f in diagnosis.findings if f.until is not None]
    if state is State.WAITING and untils:
        return min(max(max(untils), now), now + policy.longest_wait)
    return now + policy.look_again


def _owed(case: Case, state: State, changes: dict[str, Any], look: Look) -> tuple[Notification, ...]:
    """What people are still to be told. News that was overtaken before it was sent is not sent."""
    asks, lasting = state is State.AWAITING_APPROVAL, case.lasting_news
    if state not in TELLS or (asks and look.policy.problems):  # nobody is asked for a yes that cannot be given
        return lasting
    if not told_of(case) and not of_ours(look):
        return lasting
    plan = changes["plan"] if asks else None
    key = ":".join([state, str(changes["cause"]), str(changes["change_id"]), plan.digest if plan else ""])
    key += ":left" if of_ours(look) else ""  # a change that we may have left is news, though the cause is an old one
    if key in case.told:
        return lasting
    if any(n.key == key for n in case.outgoing):
        return case.outgoing
    return (*lasting, Notification(key, state, str(changes["summary"]), look.now))


_VISIBLE = ("state", "cause", "disposition", "change_id", "summary", "next_step", "plan", "held_back")


def _same(case: Case, changes: dict[str, Any]) -> bool:
    return all(getattr(case, name) == changes[name] for name in _VISIBLE)


def _provisioned(recorded: Recorded, look: Look) -> Recorded:
    """Nothing is stuck: watched until it stayed so for a while, then resolved."""
    case, now = recorded.case, look.now
    since = case.provisioned_since
    if since is not None and now - since >= look.policy.stable_for:
        text = what_became(case, look)
        acted = case.attempts or any(d.undone_on is None for d in case.done)
        how = "freed by this app" if acted else "provisioned without this app"
        return record(
            recorded,
            now,
            by=SYSTEM,
            kind="resolved",
            text=text,
            details={"how": how, "since": since.isoformat()},
            state=State.RESOLVED,
            summary=text,
            next_step="",
            due_on=None,
            resolved_on=now,
            plan=None,
            outgoing=case.lasting_news,
        )
    changes: dict[str, Any] = {
        "state": State.VERIFYING,
        "due_on": (since or now) + look.policy.stable_for,
        "provisioned_since": since or now,
        "plan": None,
        "outgoing": case.lasting_news,
        "summary": "Provisioned; watched until it has stayed so for a while.",
        "next_step": "Nothing to do.",
    }
    if since is not None:
        return Recorded(replace(case, **changes), recorded.events)
    return record(recorded, now, by=SYSTEM, kind="provisioned", text=str(changes["summary"]), **changes)


def busy(case: Case, now: datetime) -> bool:
    """Whether a worker is at it and has the time to finish: nobody else touches the case until then."""
    return case.state is State.REMEDIATING and case.due_on is not None and now < case.due_on


def acting(case: Case) -> bool:
    """Whether an effect of ours is open on this case."""
    return case.state in ACTING or case.intent is not None
