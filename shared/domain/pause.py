"""Pauses and mutes: somebody wants one part left alone, for a time and with a reason. Pure.

pause  nothing is written, not even what would finish something half done
mute   nothing is begun and nobody is told; it is diagnosed and listed as ever

Several parties may wish the same: it holds until the last of their wishes is over or taken back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.evidence import Subscription


class Scope(StrEnum):
    """What a wish is about."""

    EVERYTHING = "everything"
    ENVIRONMENT = "environment"
    """One Dataverse organisation, by its id."""
    PROVIDER = "provider"
    """One provider of Work 365, by the id of its row."""
    CUSTOMER = "customer"
    """One customer, by the account's id."""
    SUBSCRIPTION = "subscription"
    CAUSE = "cause"
    """Every case of one cause, by its name."""


WHOLE = frozenset({Scope.EVERYTHING, Scope.ENVIRONMENT})
"""What stops every write of this app: the first sweep after it acts on few."""

PAUSABLE = tuple(scope for scope in Scope if scope is not Scope.CAUSE)
MUTABLE = tuple(scope for scope in Scope if scope not in WHOLE)
"""To mute everything would be to be told of nothing at all."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One party's wish, in force from `since` until `until`."""

    scope: Scope
    target: str
    """The id of what it is about; empty for everything."""
    by: str
    reason: str
    since: datetime
    until: datetime


class Pause(Wish):
    """Nothing is to be written."""

    __slots__ = ()

    def sentence(self) -> str:
        """Who, why, and what to do about it."""
        what = "everything" if self.scope is Scope.EVERYTHING else f"this {self.scope}"
        return f"{self.by} has paused {what} ({self.reason}): end that pause, or wait until {self.until.isoformat()}"


class Mute(Wish):
    """Nothing is to be begun, and nobody told."""

    __slots__ = ()

    def sentence(self) -> str:
        """Who, why, and what to do about it."""
        wants = f"{self.by} wants this {self.scope} left alone ({self.reason})"
        return f"{wants}: end that mute, or wait until {self.until.isoformat()}"


def stopping(
    pauses: Iterable[Pause], organization_id: str | None, subscription: Subscription, now: datetime
) -> Pause | None:
    """The pause that stops a write to this subscription, the longest one; None when none does."""
    mine = [p for p in pauses if now < p.until and _meets(p, organization_id, subscription)]
    return max(mine, key=lambda p: p.until, default=None)


def muting(
    mutes: Iterable[Mute], subscription: Subscription, causes: Iterable[str], now: datetime, *, in_doubt: bool
) -> Mute | None:
    """The mute that is about this subscription with these causes, the longest one; None when none is.

    `in_doubt` is the answer where it cannot be told whether one is: yes before a write, no before news is kept back.
    """
    found = {cause.casefold() for cause in causes}

    def meets(mute: Mute) -> bool:
        if mute.scope is Scope.CAUSE:
            return mute.target.casefold() in found
        id_ = _id_of(mute.scope, subscription)
        return in_doubt if id_ is None else _same(mute.target, id_)

    return max((m for m in mutes if now < m.until and meets(m)), key=lambda m: m.until, default=None)


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
        case _:
            return _same(pause.target, _id_of(pause.scope, subscription))


def _id_of(scope: Scope, subscription: Subscription) -> str | None:
    match scope:
        case Scope.PROVIDER:
            return subscription.provider.id if subscription.provider else None
        case Scope.CUSTOMER:
            return subscription.customer_id
        case Scope.SUBSCRIPTION:
            return subscription.id
        case _:
            return None


def _same(wanted: str, found: str | None) -> bool:
    return found is None or wanted.casefold() == found.casefold()
