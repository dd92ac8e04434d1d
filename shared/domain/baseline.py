"""The stock: what was stuck already when the app first looked. A person adopts or dismisses it; nobody else. Pure.

The first complete sweep takes stock. A change that was stuck before is history: nothing is begun on it until a person
has adopted its case. One that was dismissed stays so, and never hides a change that turns up later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.domain.case import ACTING, SYSTEM, Case, Recorded, State, record
from shared.domain.diagnosis import Diagnosis, nothing_stuck
from shared.domain.evidence import Change
from shared.domain.finding import Confidence, Disposition, Finding
from shared.domain.look import Look
from shared.domain.pause import muting
from shared.domain.scheduled import overdue
from shared.domain.seats import billed_without
from shared.domain.standing import Stock

STOCKTAKING = timedelta(days=1)
"""A case without an unprovisioned change has no date of its own: opened within this time, it counts as stock."""

REMEMBERED = 100
"""So many changes of one subscription can be dismissed."""

FROM_BEFORE = "from_before"
"""The finding that asks for a yes to a change from before, where a newer one waits behind it."""

NOT_TAKEN = "no sweep has been complete yet: the first one takes stock, and nothing is begun before"
IN_STOCK = "it was stuck before this app first looked: adopt or dismiss it (POST baseline/decisions)"


def is_from_before(look: Look, change: Change, taken_on: datetime) -> bool:
    """Whether a change was stuck already when the stock was taken. One whose age nobody knows counts as such."""
    if change.created_on is None:
        return True
    begins = look.day_begins(change.effective_date) if change.effective_date is not None else change.created_on
    return max(change.created_on, begins) < taken_on - look.policy.waiting_time


def stock_of(case: Case, look: Look, taken_on: datetime | None) -> Stock:
    """What the case is of the stock. What a person decided stays; what we have begun is not held any more."""
    if case.stock in (Stock.ADOPTED, Stock.DISMISSED) or taken_on is None or case.state in ACTING:
        return case.stock
    if look.intent is not None or look.attempts_on_head():
        return Stock.NONE
    changes = _unprovisioned(look)
    if changes:
        return Stock.HELD if all(is_from_before(look, c, taken_on) for c in changes) else Stock.NONE
    if nothing_stuck(look):
        return case.stock
    return Stock.HELD if case.opened_on < taken_on + STOCKTAKING else Stock.NONE


def not_to_begin(case: Case, look: Look, taken_on: datetime | None) -> str:
    """Why nothing may be begun on the head, whatever a yes says; empty when it may."""
    if taken_on is None:
        return NOT_TAKEN
    return IN_STOCK if stock_of(case, look, taken_on) is Stock.HELD else ""


def head_from_before(case: Case, look: Look, taken_on: datetime | None) -> Finding | None:
    """What asks for a yes, at each try: a head from before that nobody has adopted, where the case is not held."""
    head = look.head
    if head is None or case.stock is Stock.ADOPTED or look.intent is not None:
        return None
    if stock_of(case, look, taken_on) is Stock.HELD:
        return None  # nobody can say yes before it is decided on as a whole
    if head.id in case.dismissed:
        said = "A person has dismissed this change; a newer one has become stuck since."
    elif taken_on is not None and is_from_before(look, head, taken_on):
        said = "This change was stuck before the app first looked, and nobody has adopted it."
    else:
        return None
    next_step = "Decide what becomes of the older change; say yes to this plan to retrigger it."
    return Finding(FROM_BEFORE, Disposition.APPROVE, Confidence.CERTAIN, said, next_step, "billing administrator")


def with_standing(recorded: Recorded, look: Look, diagnosis: Diagnosis) -> Recorded:
    """The case with what it is of the stock and who wants it left alone, as far as that could be read."""
    case, standing = recorded.case, look.standing
    if standing is None:
        return recorded
    created_on = look.head.created_on if look.head is not None else case.change_created_on
    recorded = Recorded(replace(case, change_created_on=created_on), recorded.events)
    stock = stock_of(case, look, standing.stock_taken_on)
    if stock is not case.stock:
        kind, text = _STOCK_EVENTS[stock is Stock.HELD]
        recorded = record(recorded, look.now, by=SYSTEM, kind=kind, text=text, stock=stock, held_back="")
    subject, causes = look.evidence.subscription, [f.cause for f in diagnosis.findings]
    mute = muting(standing.mutes, subject, causes, look.now, in_doubt=False)
    said, until = (mute.sentence(), mute.until) if mute is not None else ("", None)
    if (said, until) == (case.muted, case.muted_until):
        return recorded
    kind, text = ("muted", f"{said}.") if said else ("unmuted", "Nobody wants it left alone any more.")
    changes: dict[str, Any] = {"muted": said, "muted_until": until, "held_back": ""}
    return record(recorded, look.now, by=SYSTEM, kind=kind, text=text, **changes)


_STOCK_EVENTS = {
    True: ("in_stock", "It was stuck before the app first looked: nothing is begun on it until a person adopts it."),
    False: ("not_in_stock", "Not all of it was stuck before the app first looked: it is worked on like any other."),
}


def told_of(case: Case) -> bool:
    """Whether people hear of this case by itself. What we have half done is always told."""
    return case.intent is not None or (case.stock is not Stock.HELD and not case.muted)


def held_back(case: Case) -> str:
    """Why what could be done with the case is not; empty where nothing of the stock and no mute stands against it."""
    return IN_STOCK if case.stock is Stock.HELD else case.muted


def stuck_ids(look: Look) -> frozenset[str]:
    """Everything of the subscription that is stuck: changes, scheduled changes, and what was billed without."""
    changes = [*_unprovisioned(look), *billed_without(look)]
    return frozenset([*(change.id for change in changes), *(scheduled.id for scheduled in overdue(look))])


def dismissed_in(case: Case | None) -> tuple[str, ...] | None:
    """What stays dismissed in the subscription of this newest case; None where nobody has dismissed anything."""
    if case is None or (case.open and not case.dismissed):
        return None
    return case.dismissed if case.open or case.state is State.DISMISSED else None


def nothing_new(look: Look) -> bool:
    """Whether a person has dismissed the subscription, and nothing has become stuck in it since."""
    ours = look.intent is not None or look.attempts or look.dropped
    return look.dismissed is not None and not ours and stuck_ids(look) <= frozenset(look.dismissed)


def still_dismissed(look: Look) -> tuple[str, ...]:
    """What a new case must remember of what was dismissed: what is stuck still."""
    return tuple(sorted(stuck_ids(look) & frozenset(look.dismissed or ())))


def summary_with(case: Case, look: Look, summary: str) -> str:
    """The summary of a case that was opened although something of its subscription was dismissed."""
    older = sum(change.id in case.dismissed for change in _unprovisioned(look))
    if not older:
        return summary
    which = "An older change" if older == 1 else f"{older} older changes"
    return f"{summary} {which} of this subscription {'was' if older == 1 else 'were'} dismissed before."


def undecidable(case: Case, look: Look | None, taken_on: datetime | None) -> str:
    """Why a person cannot decide on this case as a part of the stock, now; empty when they can."""
    if not case.open or case.stock is not Stock.HELD or case.state in ACTING or case.intent is not None:
        return "it is not held as a part of the stock"
    if look is None or case.attempts or case.dropped:
        return "something was begun on it, or Dataverse does not show it any more"
    if look.evidence.unread:
        return "its evidence could not be read whole"
    if stock_of(case, look, taken_on) is not Stock.HELD:
        return "a newer change has become stuck in it"
    return "" if len(stuck_ids(look)) <= REMEMBERED else f"more than {REMEMBERED} of its changes are stuck"


def adopted(case: Case, now: datetime, due_on: datetime, by: str, reason: str) -> Recorded:
    """The case as an ordinary one from now on; `due_on` is for the case that nobody looks at it before."""
    text = f"{by} adopted it from the stock: {reason}"
    changes: dict[str, Any] = {"stock": Stock.ADOPTED, "held_back": "", "due_on": due_on}
    return record(case, now, by=by, kind="adopted", text=text, **changes)


def dismissed(case: Case, stuck: Iterable[str], now: datetime, by: str, reason: str) -> Recorded:
    """The case closed for good, with what was dismissed in it. Raises IllegalMove while an effect of ours is open."""
    ids = tuple(sorted(stuck))[:REMEMBERED]
    text, details = f"{by} dismissed it: {reason}", {"changes": list(ids)}
    changes: dict[str, Any] = {"state": State.DISMISSED, "stock": Stock.DISMISSED, "summary": text, **_CLOSED}
    return record(case, now, by=by, kind="dismissed", text=text, details=details, dismissed=ids, **changes)


def dismissed_again(recorded: Recorded, look: Look) -> Recorded | None:
    """The case closed again where what had turned up is gone and only what was dismissed is stuck; None elsewhere."""
    case = recorded.case
    if not case.dismissed or case.state in ACTING or look.evidence.unread or not nothing_new(look):
        return None
    if nothing_stuck(look):
        return None
    text = "What had turned up is gone: only what a person has dismissed is stuck still."
    changes: dict[str, Any] = {"state": State.DISMISSED, "stock": Stock.DISMISSED, "summary": text, **_CLOSED}
    return record(recorded, look.now, by=SYSTEM, kind="dismissed_again", text=text, **changes)


_CLOSED: Mapping[str, Any] = {
    "due_on": None,
    "plan": None,
    "approved_digest": "",
    "approved_by": "",
    "held_back": "",
    "outgoing": (),
    "next_step": "",
}


def _unprovisioned(look: Look) -> list[Change]:
    head = look.head
    return [head, *look.chain.behind] if head is not None else []
