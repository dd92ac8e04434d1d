"""A case: one subscription with its chain of unprovisioned changes, from found to resolved.

The state machine is the table `MOVES`; a move that is not in it is refused. Every change of a case is an
event, and events are chained by hash so that a missing or altered one shows.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain.amendment import Asked, Done
from shared.domain.diagnosis import Diagnosis
from shared.domain.finding import Disposition
from shared.domain.grounds import Grounds
from shared.domain.intent import Attempt, Intent
from shared.domain.plan import Plan
from shared.domain.standing import Stock

SYSTEM = "unstuck"
"""Who the events name where no person asked for anything."""


class State(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    """Found, not diagnosed yet."""
    WAITING = "waiting"
    """Nobody's fault: it passes at a time, or with another case."""
    READY = "ready"
    """May be acted on, by itself or with a person's yes; the remediate step takes it next."""
    AWAITING_APPROVAL = "awaiting_approval"
    """A person must say yes to exactly this plan."""
    NEEDS_PERSON = "needs_person"
    """We never act; a person does, with the evidence."""
    REMEDIATING = "remediating"
    """An intent is written; effects are under way."""
    UNSETTLED = "unsettled"
    """We do not know whether our own write took effect; it is read before anything is tried again."""
    VERIFYING = "verifying"
    """Acted on, or seen provisioned: watched until it is provisioned and stays so."""
    ESCALATED = "escalated"
    """We acted and gave up."""
    RESOLVED = "resolved"
    """Provisioned, verified and stable. Final."""
    DISMISSED = "dismissed"
    """A person has dismissed it from the stock: it is left as it is. Final."""


FINAL = frozenset({State.RESOLVED, State.DISMISSED})


_LOOKS = frozenset(
    {State.WAITING, State.READY, State.AWAITING_APPROVAL, State.NEEDS_PERSON, State.VERIFYING, State.ESCALATED}
)
"""Where a diagnosis may lead, from any state without an open effect."""

MOVES: Mapping[State, frozenset[State]] = {
    State.OPEN: _LOOKS | FINAL,
    State.WAITING: _LOOKS | FINAL,
    State.READY: _LOOKS | FINAL | {State.REMEDIATING},
    State.AWAITING_APPROVAL: _LOOKS | FINAL | {State.REMEDIATING},
    State.NEEDS_PERSON: _LOOKS | FINAL,
    State.REMEDIATING: _LOOKS | {State.REMEDIATING, State.UNSETTLED},
    State.UNSETTLED: _LOOKS | {State.REMEDIATING, State.UNSETTLED},
    State.VERIFYING: _LOOKS | FINAL,
    State.ESCALATED: _LOOKS | FINAL,
    State.RESOLVED: frozenset(),
    State.DISMISSED: frozenset(),
}

ACTING = frozenset({State.REMEDIATING, State.UNSETTLED})
"""An effect of ours is open: only the remediate step moves these."""


NOT_DONE = "not_done"
"""The kind of the news that what a person wanted was not done. It is told whatever becomes of the case meanwhile."""
LONGEST_TEXT = 4_000
"""Characters of an event's text. Events are never shortened later: their hash covers all of it."""


_CASE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[1-9][0-9]{0,8}")


class IllegalMove(Exception):
    """A case was asked to go where its state machine does not lead."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a case. `hash` covers everything else, the previous hash included."""

    sequence: int
    on: datetime
    by: str
    kind: str
    text: str
    details: Mapping[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A message for people that is owed but not yet sent."""

    key: str
    """The same news has the same key, so that nobody hears it twice."""
    kind: str
    text: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is kept about a case. Immutable: `record` makes the next version."""

    subscription_id: str
    number: int
    opened_on: datetime
    state: State = State.OPEN
    due_on: datetime | None = None
    """When it is looked at again, whatever else happens; None only in a final state."""
    subscription_name: str = ""
    customer_name: str = ""
    provider_name: str = ""
    cause: str | None = None
    first_cause: str | None = None
    disposition: Disposition | None = None
    change_id: str | None = None
    summary: str = ""
    """One sentence for a billing administrator."""
    next_step: str = ""
    held_back: str = ""
    """Why a case that is ready was not acted on: what a guard said. Empty otherwise."""
    diagnosis: Diagnosis | None = None
    plan: Plan | None = None
    approved_digest: str = ""
    """The plan a person said yes to; used once."""
    approved_by: str = ""
    approved_on: datetime | None = None
    """When that yes was given. Outlives its use: a yes that is given back is no younger for it."""
    requested_by: tuple[str, ...] = ()
    """People who had the subscription diagnosed by hand. The policy may want somebody else's yes."""
    intent: Intent | None = None
    setbacks: int = 0
    """Writes to the present change that did not get through, one after the other, whatever the reason."""
    attempts: tuple[Attempt, ...] = ()
    dropped: tuple[str, ...] = ()
    """Changes whose retrigger was given up as not begun. A write without an answer may still land on them."""
    asked: Asked | None = None
    """An action that a person wants, beyond what the diagnosis offers."""
    done: tuple[Done, ...] = ()
    """What was done beyond retriggers, oldest first."""
    closed_before: tuple[str, ...] = ()
    """Changes that former cases of this subscription closed as Not Applicable because a person said so, newest last."""
    fixed_before: tuple[datetime, ...] = ()
    """When former cases of this subscription were retriggered, each one's last time, newest last."""
    provisioned_since: datetime | None = None
    """Since when the case has been seen provisioned without a break."""
    resolved_on: datetime | None = None
    stock: Stock = Stock.NONE
    """Whether it was stuck already when the app first looked, and what a person decided on it."""
    change_created_on: datetime | None = None
    """When the present change was created."""
    dismissed: tuple[str, ...] = ()
    """Changes of the subscription that a person dismissed, with this case or a former one."""
    muted: str = ""
    """Who wants it left alone, and until when; empty when nobody does."""
    muted_until: datetime | None = None
    outgoing: tuple[Notification, ...] = ()
    told: tuple[str, ...] = ()
    """Keys of the notifications that were sent, newest last."""
    assignee: str = ""
    """Who has claimed the case, or was asked to look after it. It changes nothing that the app does."""
    ticket: str = ""
    """The support ticket it is handled in, as people call it."""
    ticket_url: str = ""
    last_sequence: int = 0
    last_hash: str = ""

    @property
    def id(self) -> str:
        return f"{self.subscription_id}-{self.number}"

    @property
    def open(self) -> bool:
        return self.state not in FINAL

    @property
    def lasting_news(self) -> tuple[Notification, ...]:
        """Owed news to people whose wish was not fulfilled: nothing that comes later makes it untrue."""
        return tuple(n for n in self.outgoing if n.kind == NOT_DONE)


def subscription_of(case_id: str) -> str:
    """The subscription id in a case id; raises ValueError when it is not a case id."""
    if not _CASE_ID.fullmatch(case_id):
        raise ValueError(f"{case_id[:80]!r} is not a case id: it should be <subscription id>-<number>")
    return case_id.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A case with the events that led from its stored version to this one; saved in one transaction."""

    case: Case
    events: tuple[Event, ...] = field(default=())
    grounds: Grounds | None = None
    """What the decision rests on, where it may be followed by a write; kept in place of those before."""


def record(
    before: Case | Recorded,
    now: datetime,
    *,
    by: str,
    kind: str,
    text: str,
    details: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Recorded:
    """The case with `changes` and one more event. Raises IllegalMove for a move the table does not hold."""
    recorded = before if isinstance(before, Recorded) else Recorded(before)
    case = recorded.case
    to = changes.get("state", case.state)
    if to is not case.state and to not in MOVES[case.state]:
        raise IllegalMove(f"{case.id} is {case.state} and cannot become {to}")
    event = _event(case, now, by, kind, text[:LONGEST_TEXT], details or {})
    after = replace(case, **changes, last_sequence=event.sequence, last_hash=event.hash)
    return Recorded(after, (*recorded.events, event))


def _event(case: Case, now: datetime, by: str, kind: str, text: str, details: Mapping[str, Any]) -> Event:
    sequence = case.last_sequence + 1
    digest = event_hash(sequence, now, by, kind, text, details, case.last_hash)
    return Event(sequence, now, by, kind, text, details, case.last_hash, digest)


def event_hash(
    sequence: int, on: datetime, by: str, kind: str, text: str, details: Mapping[str, Any], previous_hash: str
) -> str:
    """SHA-256 over an event's content and the hash before it."""
    content = [sequence, on.isoformat(), by, kind, text, details, previous_hash]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def first_broken(events: Sequence[Event], case: Case | None = None) -> int | None:
    """The sequence number of the first event that is missing, altered or one too many; None when the chain is whole.

    Without the case, an end that is missing cannot show: nothing follows it.
    """
    previous = ""
    for expected, event in enumerate(events, start=1):
        content = (event.sequence, event.on, event.by, event.kind, event.text, event.details, previous)
        if event.sequence != expected or event.previous_hash != previous or event.hash != event_hash(*content):
            return expected
        previous = event.hash
    if case is None or (case.last_sequence == len(events) and case.last_hash == previous):
        return None
    return max(1, min(len(events), case.last_sequence) + (case.last_sequence != len(events)))
