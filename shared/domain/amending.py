"""The steps of an action that saves one row (or runs a job) as pure moves of its case."""

from dataclasses import replace
from datetime import datetime

from shared.domain.actions import ACTIONS, undo
from shared.domain.amendment import Done, closed_by, closing, etag_of, holds, shown, stands_before
from shared.domain.begun import drop, may_still_land, told_without
from shared.domain.case import SYSTEM, Case, Recorded, State, record
from shared.domain.chain import UNPROVISIONED
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
    if not untouched or _saved_since(intent, look):
        # Ours may have been among these saves, and been taken back by a person: their word is the newer one.
        return drop(case, now, _SAVED_SINCE, sent=True, keeps_yes=False)
    if may_still_land(case, intent, look, now):
        return Recorded(case)
    if intent.amendment is None:
        # No version refuses a second run, so that it did not run is only likely.
        return drop(case, now, _DID_NOT_RUN, sent=True, keeps_yes=False)
    return drop(case, now, _NOT_BEGUN, sent=True)


_NOT_BEGUN = "It had not begun: the row stands as before."
_SAVED_SINCE = "Somebody has saved the row since, so it is judged anew, and needs a yes of its own."
_DID_NOT_RUN = "No job of the change has run since, as far as can be seen: running it needs a yes of its own."


def _saved_since(intent: Intent, look: Look) -> bool:
    """Whether the row is not the version any more that our save would have had to find."""
    return intent.amendment is not None and etag_of(look.evidence, intent.amendment) != intent.etag_before


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
        details={"action": intent.action, "change": intent.change_id, "number": _number(case, intent)},
        state=State.VERIFYING,
        due_on=now,
        intent=None,
        plan=None,
        asked=None,
        done=_remembered(case, intent, now),
        setbacks=0,
        told=told_without(case, intent.plan_digest),
        approved_digest=intent.then if carried_on else "",
        approved_by=intent.by if carried_on else "",
        summary=f"{action.title}: done; it is looked at again.",
        next_step="Nothing to do.",
    )


def _remembered(case: Case, intent: Intent, now: datetime) -> tuple[Done, ...]:
    """What was done, with this action; one that was undone is marked, and the undoing is no entry of its own."""
    if intent.action == undo.NAME:
        number = _number(case, intent)
        return tuple(replace(d, undone_on=now) if n == number else d for n, d in enumerate(case.done, start=1))
    reason = case.asked.reason if case.asked is not None else ""
    return (*case.done, Done(intent.action, intent.change_id, now, intent.by, reason, intent.amendment))


def _number(case: Case, intent: Intent) -> int:
    """Which of the case's actions this is, or takes back; from 1."""
    if intent.action != undo.NAME:
        return len(case.done) + 1
    return int(case.asked.value(undo.WHICH)) if case.asked is not None else 0


def reopened(before: Recorded, look: Look) -> Recorded:
    """The case without the memory of having closed a change that stands open again: somebody has decided otherwise.

    Whoever sets it aside after that is asked why, as for any other change.
    """
    case = before.case
    closed = {*case.closed_before, *closed_by(case.done)}
    again = {c.id for c in look.evidence.changes if c.id in closed and c.status in UNPROVISIONED and not c.archived}
    if not again or case.intent is not None:
        return before
    mine = [d for d in closing(case.done) if d.change_id in again]
    return record(
        before,
        look.now,
        by=SYSTEM,
        kind="reopened",
        text="A change that this app had closed was opened again by somebody.",
        details={"changes": sorted(again)},
        done=tuple(replace(d, undone_on=look.now) if d in mine else d for d in case.done),
        closed_before=tuple(each for each in case.closed_before if each not in again),
    )


def _jobs_known(look: Look) -> bool:
    return not any("jobs" in what for what in look.evidence.unread)


def _ran(intent: Intent, look: Look) -> bool:
    """Whether a job of the change was made or touched since we were about to have it run."""
    mine = [job for job in look.evidence.jobs if job.change_id == intent.change_id]
    return any(job.modified_on is not None and job.modified_on >= intent.written_on for job in mine)
