"""One labelled piece of evidence: what it is, why it is so, and what a diagnosis of it must say."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.finding import Disposition
from shared.domain.look import Look

AUTO, WAIT, APPROVE, PERSON = Disposition.AUTO, Disposition.WAIT, Disposition.APPROVE, Disposition.PERSON


@dataclass(frozen=True)
class Case:
    """A label. `causes` is more than one name only where the description of the causes allows either."""

    id: str
    why: str
    seen: Look
    causes: tuple[str, ...]
    """What may come first; empty when nothing is stuck."""
    allowed: frozenset[Disposition]
    also: frozenset[str] = frozenset()
    """What must be among the findings as well."""
    never: frozenset[str] = frozenset()
    """What must not be among the findings: the cause that this one looks like."""
    until: datetime | None = None
    """When waiting must end, where the description says so to the minute."""
    waits_for: str | None = None

    @property
    def expected(self) -> str:
        return self.causes[0] if self.causes else "healthy"


def case(
    id: str,
    why: str,
    seen: Look,
    causes: str | tuple[str, ...],
    *allowed: Disposition,
    also: Iterable[str] = (),
    never: Iterable[str] = (),
    until: datetime | None = None,
    waits_for: str | None = None,
) -> Case:
    """A case in one line. The look is a fresh one, so that no two cases share what was worked out for another."""
    names = (causes,) if isinstance(causes, str) else causes
    return Case(id, why, replace(seen), names, frozenset(allowed), frozenset(also), frozenset(never), until, waits_for)


def healthy(id: str, why: str, seen: Look, *, near: str = "") -> Case:
    """A case in which nothing is stuck; `near` is the cause that it looks like."""
    return Case(id, why, replace(seen), (), frozenset(), never=frozenset({near} - {""}))
