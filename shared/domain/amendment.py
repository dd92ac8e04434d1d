"""One save of one row, and what is remembered of it: the columns that it sets, with what stood in them before.

Values are plain text, as the evidence shows them: a choice's name, an id, a day or a moment in ISO 8601.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from shared.domain.evidence import Change, Evidence, Subscription

CHANGE, SUBSCRIPTION = "license_change_log", "subscription"
"""The tables whose rows are amended, by their names in the schema map."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is set. None is empty."""

    name: str
    """Its name in the schema map."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Amendment:
    """All columns are saved in one request, or none is."""

    table: str
    row_id: str
    columns: tuple[Column, ...]

    def inverse(self) -> "Amendment":
        """What puts the values before back."""
        return replace(self, columns=tuple(Column(c.name, c.after, c.before) for c in self.columns))

    def sentence(self) -> str:
        """The save in words: "set Provisioning Status to provisioned (it is awaiting_provisioning)"."""
        each = [f"{_LABELS[c.name]} to {c.after or 'empty'} (it is {c.before or 'empty'})" for c in self.columns]
        return f"set {' and '.join(each)}"


@dataclass(frozen=True, slots=True)
class Asked:
    """An action that a person wants done with a case, beyond what its diagnosis offers."""

    action: str
    by: str
    reason: str
    on: datetime
    values: tuple[tuple[str, str], ...] = ()
    """What the action needs to be told, by name, in the order of the names."""

    def value(self, name: str) -> str:
        """What was told under this name; empty when nothing was."""
        return dict(self.values).get(name, "")


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was done: Dataverse has confirmed it. Kept for undoing it."""

    action: str
    change_id: str
    on: datetime
    by: str
    reason: str = ""
    amendment: Amendment | None = None
    """None for an action that saves no row."""
    undone_on: datetime | None = None


def closed_by(done: Iterable[Done]) -> tuple[str, ...]:
    """The changes that these actions have closed as Not Applicable or archived, in order."""
    return tuple(d.change_id for d in closing(done))


def closing(done: Iterable[Done]) -> list[Done]:
    """Those of them that have closed a change, and were not undone."""
    return [d for d in done if d.undone_on is None and d.amendment is not None and _closes(d.amendment)]


def _closes(amendment: Amendment) -> bool:
    closing = {("provisioning_status", "not_applicable"), ("status", "archived")}
    return any((c.name, c.after) in closing for c in amendment.columns)


_LABELS = {
    "provisioning_status": "Provisioning Status",
    "actual_provisioned_on": "Actual Provisioned On",
    "effective_date": "Effective Date",
    "status": "Status Reason",
    "provider_account": "Provider Account",
    "customer": "Customer",
    "provider_subscription_id": "Provider Specific Id",
}

_OF_CHANGE: Mapping[str, Callable[[Change], str | None]] = {
    "provisioning_status": lambda c: c.status,
    "actual_provisioned_on": lambda c: text_of(c.actual_provisioned_on),
    "effective_date": lambda c: text_of(c.effective_date),
    "status": lambda c: "archived" if c.archived else "active",
}
_OF_SUBSCRIPTION: Mapping[str, Callable[[Subscription], str | None]] = {
    "provider_account": lambda s: s.account.id if s.account is not None else None,
    "customer": lambda s: s.customer_id,
    "provider_subscription_id": lambda s: s.provider_subscription_id,
}


def text_of(value: date | datetime | None) -> str | None:
    """A day or a moment as an amendment writes it; moments in UTC, to the second as Dataverse keeps them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(microsecond=0).isoformat()
    return value.isoformat() if value is not None else None


def shown(evidence: Evidence, amendment: Amendment) -> dict[str, str | None] | None:
    """What the row's columns show now; None when the row was not read."""
    if amendment.table == SUBSCRIPTION:
        own = evidence.subscription
        return (
            {c.name: _OF_SUBSCRIPTION[c.name](own) for c in amendment.columns} if own.id == amendment.row_id else None
        )
    change = next((c for c in evidence.changes if c.id == amendment.row_id), None)
    return {c.name: _OF_CHANGE[c.name](change) for c in amendment.columns} if change is not None else None


def etag_of(evidence: Evidence, amendment: Amendment) -> str:
    """The row's version as it was read; empty when it was not."""
    if amendment.table == SUBSCRIPTION:
        return evidence.subscription.etag if evidence.subscription.id == amendment.row_id else ""
    return next((c.etag for c in evidence.changes if c.id == amendment.row_id), "")


def holds(evidence: Evidence, amendment: Amendment) -> bool:
    """Whether the row shows what the amendment sets."""
    now = shown(evidence, amendment)
    return now is not None and all(_same(now[c.name], c.after) for c in amendment.columns)


def stands_before(evidence: Evidence, amendment: Amendment) -> bool:
    """Whether the row shows what stood there before."""
    now = shown(evidence, amendment)
    return now is not None and all(_same(now[c.name], c.before) for c in amendment.columns)


def _same(one: str | None, other: str | None) -> bool:
    """Ids and names in any case. A moment's time of day may be lost where Work 365 keeps only its day."""
    if one is None or other is None:
        return not one and not other
    if one.casefold() == other.casefold():
        return True
    return "T" in one and "T" in other and one[:10] == other[:10]
