"""The hourly budget: what may be retriggered within any hour, by all instances together (promise P9). Pure.

spent      what was granted within the last hour: never more than the caps
the line   who was told to wait, oldest first: nobody younger is granted what they wait for (promise P10)
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil

from shared.domain.evidence import Change, Subscription
from shared.domain.policy import Caps

HOUR = timedelta(hours=1)

MOST_CHANGES = 4_000
"""So many grants within an hour can be remembered; no policy may allow more."""

TICKET_KEPT = timedelta(minutes=10)
"""How long a place in the line is kept after its turn has come. A case that was solved otherwise does not come back."""

LONGEST_LINE = 400
"""Places that are remembered, the oldest. Whoever is behind them is asked again as well, without a place."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one retrigger takes of the hour."""

    key: str
    """The change."""
    since: datetime
    """From when it waits: the oldest goes first."""
    seats: int
    customer: str


@dataclass(frozen=True, slots=True)
class Spent:
    """One retrigger that was granted."""

    key: str
    on: datetime
    seats: int
    customer: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the line, kept until `until`."""

    claim: Claim
    until: datetime


@dataclass(frozen=True, slots=True)
class Budget:
    """What is known of the last hour."""

    spent: tuple[Spent, ...] = ()
    line: tuple[Ticket, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a claim was not granted, and when its turn comes; None when it never does under these caps."""

    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Grant:
    """The budget afterwards, the keys that may go ahead, and why the others may not."""

    budget: Budget
    granted: frozenset[str]
    waits: Mapping[str, Wait]


def claim_for(subscription: Subscription, change: Change, opened_on: datetime) -> Claim:
    """What retriggering `change` takes. Seats that nobody can tell count as the whole subscription's, one at least."""
    quantity = change.quantity or subscription.quantity or Decimal(1)
    seats = max(ceil(abs(quantity)), 1) if quantity.is_finite() else 1
    return Claim(change.id, change.created_on or opened_on, seats, subscription.customer_id or subscription.id)


def grant(budget: Budget, wanted: Sequence[Claim], caps: Caps, now: datetime) -> Grant:
    """Grants what fits, oldest first; behind the first that does not fit, nobody is granted anything.

    A claim that alone is above a cap is refused and holds nobody back: it would wait for ever.
    """
    asked = {claim.key: claim for claim in wanted}
    spent = tuple(s for s in budget.spent if now - s.on < HOUR)
    line = [t for t in budget.line if t.until > now and t.claim.key not in asked]
    hour, granted, waits, tickets = _Hour(spent, caps, now), [], dict[str, Wait](), list(line)
    for claim in sorted([*asked.values(), *(t.claim for t in line)], key=lambda c: (c.since, c.key)):
        if (too_large := _too_large(claim, caps)) is not None:
            waits |= {claim.key: Wait(too_large, None)} if claim.key in asked else {}
            continue
        when = hour.book(claim)
        if claim.key not in asked:
            continue
        if when <= now:
            granted.append(claim)
        else:
            waits[claim.key] = Wait(_full(caps), when)
            tickets.append(Ticket(claim, when + TICKET_KEPT))
    tickets.sort(key=lambda t: (t.claim.since, t.claim.key))
    after = Budget((*spent, *(Spent(c.key, now, c.seats, c.customer) for c in granted)), tuple(tickets[:LONGEST_LINE]))
    return Grant(after, frozenset(c.key for c in granted), waits)


def given_back(budget: Budget, keys: Iterable[str]) -> Budget:
    """The budget without the newest grant of each key: what for sure was not written takes nothing of the hour."""
    spent = list(budget.spent)
    for key in set(keys):
        newest = max((s for s in spent if s.key == key), key=lambda s: s.on, default=None)
        if newest is not None:
            spent.remove(newest)
    return replace(budget, spent=tuple(spent))


class _Hour:
    """Books claims one after the other, each at the first moment at which the hour before it has room."""

    def __init__(self, spent: Iterable[Spent], caps: Caps, now: datetime) -> None:
        self._caps = caps
        self._at = now
        self._seats = 0
        self._customers: Counter[str] = Counter()
        self._ends: list[tuple[datetime, int, str]] = []
        for each in spent:
            self._take(each.on, each.seats, each.customer)

    def book(self, claim: Claim) -> datetime:
        """When the claim fits, never before the one that was booked last. It must fit into an empty hour."""
        while not self._fits(claim):
            ends, seats, customer = heapq.heappop(self._ends)
            self._at = max(self._at, ends)
            self._seats -= seats
            self._customers[customer] -= 1
            self._customers += Counter()  # drops those that are at zero
        self._take(self._at, claim.seats, claim.customer)
        return self._at

    def _take(self, on: datetime, seats: int, customer: str) -> None:
        heapq.heappush(self._ends, (on + HOUR, seats, customer))
        self._seats += seats
        self._customers[customer] += 1

    def _fits(self, claim: Claim) -> bool:
        return (
            len(self._ends) < self._caps.changes
            and self._seats + claim.seats <= self._caps.seats
            and len(self._customers.keys() | {claim.customer}) <= self._caps.customers
        )


def _too_large(claim: Claim, caps: Caps) -> str | None:
    if caps.changes < 1 or caps.customers < 1:
        return "the policy's hourly caps allow no change at all: raise caps.changes and caps.customers"
    if claim.seats > caps.seats:
        return (
            f"the change alone has {claim.seats:,} seats, the policy's hourly cap is {caps.seats:,}: "
            "retrigger it by hand in Work 365, or raise caps.seats"
        )
    return None


def _full(caps: Caps) -> str:
    return (
        f"the hour's budget is used up ({caps.changes:,} changes, {caps.seats:,} seats, {caps.customers:,} customers): "
        "it waits its turn, oldest first; to go faster, raise the policy's caps"
    )
