"""The steps of a retrigger as pure moves of its case: each is saved before the next effect is begun."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.actions import ACTIONS
from shared.domain.amendment import etag_of
from shared.domain.approval import objections
from shared.domain.begun import drop, told_without
from shared.domain.breaker import LONGEST_REST, Breaker
from shared.domain.case import LONGEST_TEXT, NOT_DONE, SYSTEM, Case, Notification, Recorded, State, record
from shared.domain.decision import decide, seen_from, settle, unsettled_still
from shared.domain.diagnosis import Diagnosis, diagnose
from shared.domain.evidence import ProvisioningStatus
from shared.domain.guards import FIRST, RESTING, Question, Refusal, first_no
from shared.domain.intent import Attempt, Intent, Phase
from shared.domain.look import Look
from shared.domain.plan import Plan, plan_for
from shared.domain.recurrence import cautious, fix_of
from shared.domain.situation import ALL_FREE, Share, Situation

HELD_BACK = "held_back"
"""The kind of the news about a write that will not be made without a person."""


def begin(case: Case, look: Look, situation: Situation, share: Share = ALL_FREE) -> Recorded:
    """The case with its intent written, or where it goes instead because a guard said no.

    `look` and `situation` must be fresh: this is the diagnosis before the first write (rule 8).
    """
    if case.intent is not None:
        settled = settle(case, look, look.now)
        if settled.case.intent is None:
            return _judged(settled, seen_from(look, settled.case), situation)
        if (waiting := unsettled_still(settled, look)) is not None:
            return waiting
    diagnosis = judged_with_care(case, look, situation.breakers)
    plan = plan_for(look, diagnosis)
    refusal = first_no(FIRST, Question(case, look, diagnosis, plan, situation, share))
    if refusal is not None or plan is None:
        return _refused(case, look, situation, refusal)
    intent = _resumed(case.intent, look) if case.intent is not None and plan.retriggers else _intent(case, look, plan)
    return record(
        case,
        look.now,
        by=intent.by,
        kind="intent",
        text=f"About to {plan.sentence()}.",
        details={
            "action": plan.action,
            "change": plan.change_id,
            "plan": plan.digest,
            "rules": diagnosis.rule_version,
            "before": intent.status_before,
        },
        state=State.REMEDIATING,
        due_on=situation.now + look.policy.action_time_limit,
        intent=intent,
        approved_digest="",
        approved_by="",
        held_back="",
    )


def _resumed(intent: Intent, look: Look) -> Intent:
    """The open intent before its second write. That the first one took effect has just been read."""
    head = look.head
    return replace(intent, phase=Phase.SECOND_WRITE, etag_after=head.etag if head is not None else "")


def _intent(case: Case, look: Look, plan: Plan) -> Intent:
    return Intent(
        change_id=plan.change_id,
        plan_digest=plan.digest,
        by=case.approved_by or SYSTEM,
        written_on=look.now,
        phase=Phase.INTENDED,
        status_before=plan.status_before,
        etag_before=_etag_of(look, plan),
        approved=bool(case.approved_by),
        message_before=look.message[:LONGEST_TEXT],
        objections=objections(look),
        action=plan.action,
        amendment=plan.amendment,
        then=plan.then,
        over=case.intent,
    )


def _etag_of(look: Look, plan: Plan) -> str:
    """The version of the row that is written first."""
    if plan.amendment is not None:
        return etag_of(look.evidence, plan.amendment)
    return look.head.etag if look.head is not None else ""


def _refused(case: Case, look: Look, situation: Situation, refusal: Refusal | None) -> Recorded:
    """The case where a fresh diagnosis puts it. What holds it back is said on it, and asked again when that may end."""
    moved = _judged(case, look, situation)
    if refusal is None or refusal.guard == "plan" or moved.case.state is not State.READY:
        return moved
    due_on, outgoing = _asked_again(look, situation, refusal), _told(moved.case, refusal, situation.now)
    if moved.case.held_back == refusal.reason:
        return Recorded(replace(moved.case, due_on=due_on, outgoing=outgoing), moved.events)
    return record(
        moved,
        look.now,
        by=SYSTEM,
        kind=f"held_back_by_{refusal.guard}",
        text=f"Not written: {refusal.reason}.",
        held_back=refusal.reason,
        due_on=due_on,
        outgoing=outgoing,
    )


def _asked_again(look: Look, situation: Situation, refusal: Refusal) -> datetime:
    now, policy = situation.now, look.policy
    until = refusal.until if refusal.until is not None else now + policy.look_again
    return min(max(until, now + RESTING), now + policy.longest_wait)


_LASTING = frozenset({"controls", "organization", "pause"})
"""Guards that say no until a person does something, whatever time they name."""


def _told(case: Case, refusal: Refusal, now: datetime) -> tuple[Notification, ...]:
    """A person is told, once, of what does not pass by itself: a change that we leave at Not Applicable above all."""
    if case.intent is not None and (refusal.guard in _LASTING or refusal.until is None):
        text = "The change stands at Not Applicable, set by this app, and setting it back is held back."
        key = f"{HELD_BACK}:{refusal.guard}:{case.intent.change_id}:{case.intent.written_on.isoformat()}"
    elif refusal.guard == "caps" and refusal.until is None:
        text = "The hour's budget cannot grant the retrigger of this change."
        key = f"{HELD_BACK}:caps:{case.change_id}"
    else:
        return case.outgoing
    news = () if key in case.told else (Notification(key, HELD_BACK, text, now),)
    return (*case.lasting_news, *news)


def _judged(before: Case | Recorded, look: Look, situation: Situation) -> Recorded:
    case = before.case if isinstance(before, Recorded) else before
    diagnosis = judged_with_care(case, look, situation.breakers)
    return decide(before, look, diagnosis, plan_for(look, diagnosis))


def judged_with_care(case: Case, look: Look, breakers: Mapping[str, Breaker]) -> Diagnosis:
    """The diagnosis, with a person asked first where the fix is needed too often or keeps not helping."""
    diagnosis = diagnose(look)
    return cautious(diagnosis, case, look, breakers.get(fix_of(look, diagnosis.cause), Breaker()))


def not_applicable_set(case: Case, now: datetime, etag: str) -> Recorded:
    """Dataverse has confirmed the first write."""
    intent = _open_intent(case)
    return record(
        case,
        now,
        by=intent.by,
        kind="not_applicable_set",
        text="Set to Not Applicable and saved.",
        details={"change": intent.change_id},
        intent=replace(intent, phase=Phase.NOT_APPLICABLE_SET, etag_after=etag),
    )


def second_write(case: Case, look: Look, now: datetime) -> Recorded:
    """Before the second write: whoever took the case over meanwhile makes this save fail, and so the write."""
    intent, head = _open_intent(case), look.head
    return record(
        case,
        now,
        by=intent.by,
        kind="second_write",
        text="Read again; about to set Provisioning Status back to awaiting_provisioning.",
        details={"change": intent.change_id},
        due_on=now + look.policy.action_time_limit,
        intent=replace(intent, phase=Phase.SECOND_WRITE, etag_after=head.etag if head is not None else ""),
    )


def retriggered(case: Case, look: Look, now: datetime, how: str) -> Recorded:
    """Dataverse has confirmed Awaiting Provisioning. Accepted is not success: the case is verified from here on."""
    intent = _open_intent(case)
    attempt = Attempt(intent.change_id, now, intent.by, intent.message_before or look.message[:LONGEST_TEXT])
    return record(
        case,
        now,
        by=intent.by,
        kind="retriggered",
        text=f"Set to Awaiting Provisioning and saved; {how}.",
        details={"change": intent.change_id},
        state=State.VERIFYING,
        due_on=now + look.policy.job_cycle,
        intent=None,
        plan=None,
        attempts=(*case.attempts, attempt),
        setbacks=0,
        summary="Retriggered; Work 365 is given its time to provision it.",
        next_step="Nothing to do.",
    )


def version_changed(case: Case, now: datetime) -> Recorded:
    """Someone wrote the change since it was read (412). It is read again and decided afresh."""
    text = "Someone wrote the change in between, so nothing was written (412)."
    intent = _open_intent(case)
    if intent.phase is Phase.INTENDED:
        # Nothing of ours is on the row: whatever it shows now, someone else has decided on.
        dropped = drop(case, now, text, sent=False)
        return Recorded(replace(dropped.case, **_setback(case, now)), dropped.events)
    return _unsettled(case, now, "version_changed", text, _not_begun(intent), **_setback(case, now))


def held_before_second(case: Case, now: datetime, refusal: Refusal) -> Recorded:
    """A guard said no between the two writes; what to do about it is decided at once, by a fresh diagnosis."""
    text = f"Not set back to Awaiting Provisioning: {refusal.reason}."
    return _unsettled(case, now, f"held_back_by_{refusal.guard}", text, _not_begun(_open_intent(case)))


def not_sent(case: Case, now: datetime, refusal: Refusal) -> Recorded:
    """A guard said no when the request was about to be sent. Nothing was written, and a yes is not used up."""
    if _open_intent(case).phase is not Phase.INTENDED:
        return held_before_second(case, now, refusal)
    dropped = drop(case, now, f"Not written: {refusal.reason}.", sent=False)
    return Recorded(replace(dropped.case, due_on=now + RESTING), dropped.events)


def refused(case: Case, now: datetime, reason: str) -> Recorded:
    """Dataverse, or a plug-in, refused the write: nothing was written. It counts as an attempt."""
    intent = _open_intent(case)
    text = f"Dataverse refused the write: {reason}"
    if intent.phase is not Phase.INTENDED:
        return _unsettled(case, now, "write_refused", text, _not_begun(intent, refusals=intent.refusals + 1))
    if not intent.retriggers:
        return _action_refused(case, intent, now, text)
    attempt = Attempt(intent.change_id, now, intent.by, intent.message_before, refused=reason[:500])
    return record(
        case,
        now,
        by=SYSTEM,
        kind="write_refused",
        text=text,
        state=State.WAITING,
        due_on=now,
        intent=None,
        attempts=(*case.attempts, attempt),
    )


def _action_refused(case: Case, intent: Intent, now: datetime, text: str) -> Recorded:
    """Whoever said yes is told; the case is judged anew, and a second try needs a second yes."""
    key = f"{NOT_DONE}:refused:{intent.plan_digest}:{intent.written_on.isoformat()}"
    news = Notification(key, NOT_DONE, f"{ACTIONS[intent.action].title}: {text}", now)
    values: dict[str, Any] = {"state": State.WAITING, "due_on": now, "intent": intent.over, "asked": None}
    values |= {"outgoing": (*case.outgoing, news), "told": told_without(case, intent.plan_digest)}
    return record(case, now, by=SYSTEM, kind="write_refused", text=text, **values)


def deferred(case: Case, now: datetime, reason: str, seconds: float) -> Recorded:
    """The write was not executed, for now. It is decided afresh when the time that was asked for is over."""
    text = f"The write was not executed: {reason}"
    intent, due_on = _open_intent(case), now + min(timedelta(seconds=min(seconds, 1e9)), LONGEST_REST)
    if intent.phase is Phase.INTENDED:
        dropped = drop(case, now, text, sent=False)
        return Recorded(replace(dropped.case, due_on=due_on), dropped.events)
    return _unsettled(case, now, "write_deferred", text, _not_begun(intent), due_on=due_on)


def outcome_unknown(case: Case, now: datetime, reason: str) -> Recorded:
    """The write went out and no answer came. It is read before anything is tried again."""
    text = f"No answer to our write, so it is not known whether it took effect: {reason}"
    return _unsettled(case, now, "outcome_unknown", text, _open_intent(case), **_setback(case, now))


def _not_begun(intent: Intent, **values: Any) -> Intent:
    """The intent after a second write of which Dataverse has said that it was not made."""
    return replace(intent, phase=Phase.NOT_APPLICABLE_SET, **values)


def _setback(case: Case, now: datetime) -> dict[str, Any]:
    """One more write that did not get through: read again at once after the first, later and later after others."""
    return {"setbacks": case.setbacks + 1, "due_on": now + timedelta(seconds=15 * (4**case.setbacks - 1))}


def _unsettled(case: Case, now: datetime, kind: str, text: str, intent: Intent, **changes: Any) -> Recorded:
    values = {"due_on": now, **changes}
    return record(case, now, by=SYSTEM, kind=kind, text=text, state=State.UNSETTLED, intent=intent, **values)


def _open_intent(case: Case) -> Intent:
    if case.intent is None:
        raise ValueError(f"{case.id} has no open intent")
    return case.intent


def needs_first_write(look: Look) -> bool:
    """Awaiting is retriggered by two writes; Failed, and what we left at Not Applicable, by one."""
    return look.head is not None and look.head.status is ProvisioningStatus.AWAITING
