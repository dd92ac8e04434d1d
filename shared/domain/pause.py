"""Pauses: somebody wants nothing to be written, everywhere or to one part, for a time and with a reason. Pure.

Several parties may pause the same thing: it is paused until the last of them is over or taken back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.evidence import Subscription


class Scope(StrEnum):
    """What a pause stops."""

    EVERYTHING = "everything"
    ENVIRONMENT = "environment"
    """One Dataverse organisation, by its id."""
    PROVIDER = "provider"
    """One provider of Work 365, by the id of its row."""
    CUSTOMER = "customer"
    """One customer, by the account's id."""
    SUBSCRIPTION = "subscription"


WHOLE = frozenset({Scope.EVERYTHING, Scope.ENVIRONMENT})
"""What stops every write of this app: the first sweep after it acts on few."""


@dataclass(frozen=True, slots=True)
class Pause:
    """One party's wish, in force from `since` until `until`."""

    scope: Scope
    target: str
    """The id of what is paused; empty for everything."""
    by: str
    reason: str
    since: datetime
    until: datetime

    def sentence(self) -> str:
        """Who, why, and what to do about it."""
        what = "everything" if self.scope is Scope.EVERYTHING else f"this {self.scope}"
        return f"{self.by} has paused {what} ({self.reason}): end that pause, or wait until {self.until.isoformat()}"


def stopping(
    pauses: Iterable[Pause], organization_id: str | None, subscription: Subscription, now: datetime
) -> Pause | None:
    """The pause that stops a write to this subscription, the longest one; None when none does."""
    mine = [p for p in pauses if now < p.until and _meets(p, organization_id, subscription)]
    return max(mine, key=lambda p: p.until, default=None)


def whole(pauses: Iterable[Pause], organization_id: str, now: datetime) -> bool:
    """Whether nothing at all may be written in this environment."""
    return any(
        now < p.until and p.scope in WHOLE and (p.scope is Scope.EVERYTHING or _same(p.target, organization_id))
        for p in pauses
    )


def _meets(pause: Pause, organization_id: str | None, subscription: Subscription) -> bool:
    """What is not known might be what is paused."""
    match pause.scope:
        case Scope.EVERYTHING:
            return True
        case Scope.ENVIRONMENT:
            return _same(pause.target, organization_id)
        case Scope.PROVIDER:
            return _same(pause.target, subscription.provider.id if subscription.provider else None)
        case Scope.CUSTOMER:
            return _same(pause.target, subscription.customer_id)
        case Scope.SUBSCRIPTION:
            return _same(pause.target, subscription.id)


def _same(wanted: str, found: str | None) -> bool:
    return found is None or wanted.casefold() == found.casefold()
