"""The steps of an action that saves one row (or runs a job) as pure moves of its case."""

from dataclasses import replace
from datetime import datetime

from shared.domain.actions import ACTIONS, undo
from shared.domain.amendment import Done, holds, shown, stands_before
from shared.domain.begun import drop, may_still_land
from shared.domain.case import Case, Recorded, State, record
from shared.domain.intent import Intent
from shared.domain.look import Look


def settle_amendment(case: Case, intent: Intent, look: Look, now: datetime) -> Recorded:
    """Turns an open intent into something done, or drops it, by what the row shows now; else it is still waited for."""
    if intent.amendment is None:
        known, done, untouched = _jobs_known(look), _ran(intent, look), True
    else:
        known = shown(look.evidence, intent.amendment) is not None and not look.evidence.unread
        done, untouched = holds(look.evidence, intent.amendment), stands_before(look.evidence, intent.amendment)
    if not known:
        return Recorded(case)
    if done:
        return finished(case, now, "It went through before we lost sight of it.")
    if not untouched:
        return drop(case, now, "Somebody has written the row since, so it is judged anew.", sent=True)
    return Recorded(case) if may_still_land(case, intent, look, now) else drop(case, now, _NOT_BEGUN, sent=True)


_NOT_BEGUN = "It had not begun: the row stands as before."


def finished(case: Case, now: datetime, text: str) -> Recorded:
    """The action was done. Accepted is not success: what it was done for is read and judged from here on."""
    intent = case.intent
    if intent is None:
        raise ValueError(f"{case.id} has no open intent")
    action = ACTIONS[intent.action]
    carried_on = bool(intent.then) and intent.approved
    return record(
        case,
        now,
        by=intent.by,
        kind="done",
        text=f"{action.title}: {text}",
        details={"action": intent.action, "change": intent.change_id, "number": len(case.done) + 1},
        state=State.VERIFYING,
        due_on=now,
        intent=None,
        plan=None,
        asked=None,
        done=_remembered(case, intent, now),
        setbacks=0,
        approved_digest=intent.then if carried_on else "",
        approved_by=intent.by if carried_on else "",
        summary=f"{action.title}: done; it is looked at again.",
        next_step="Nothing to do.",
    )


def _remembered(case: Case, intent: Intent, now: datetime) -> tuple[Done, ...]:
    """What was done, with this action; one that was undone is marked, and the undoing is no entry of its own."""
    asked = case.asked
    if intent.action == undo.NAME and asked is not None:
        number = int(asked.value(undo.WHICH))
        return tuple(replace(d, undone_on=now) if n == number else d for n, d in enumerate(case.done, start=1))
    reason = asked.reason if asked is not None else ""
    return (*case.done, Done(intent.action, intent.change_id, now, intent.by, reason, intent.amendment))


def _jobs_known(look: Look) -> bool:
    return not any("jobs" in what for what in look.evidence.unread)


def _ran(intent: Intent, look: Look) -> bool:
    """Whether a job of the change was made or touched since we were about to have it run."""
    mine = [job for job in look.evidence.jobs if job.change_id == intent.change_id]
    return any(job.modified_on is not None and job.modified_on >= intent.written_on for job in mine)
