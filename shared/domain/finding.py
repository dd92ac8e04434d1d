"""What a rule says: a finding with its proof, or why it was ruled out."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Disposition(StrEnum):
    """Who moves next."""

    WAIT = "wait"
    """No one acts; it passes at a time or with another case."""
    AUTO = "auto"
    """May be retriggered without asking, if the mode allows."""
    APPROVE = "approve"
    """The app can do it, a person must say yes."""
    PERSON = "person"
    """Only a person can do it."""


CAUTION = (Disposition.AUTO, Disposition.APPROVE, Disposition.WAIT, Disposition.PERSON)
"""From least to most cautious: `auto` yields to any other."""


class Confidence(StrEnum):
    """How sure a finding is."""

    CERTAIN = "certain"
    LIKELY = "likely"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence: what, its value, where it was read, and when."""

    what: str
    value: str
    where: str
    read_on: datetime


@dataclass(frozen=True, slots=True)
class Cost:
    """What waiting costs. None: not known, or it costs none of this."""

    deadline: datetime | None = None
    deadline_is: str = ""
    """What happens then, in words: "the window for giving these seats back closes"."""
    seats: Decimal | None = None
    amount: Decimal | None = None
    """Of one billing period, in `currency`."""
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that holds, in words an administrator understands."""

    cause: str
    disposition: Disposition
    confidence: Confidence
    sentence: str
    next_step: str
    who: str
    proof: tuple[Fact, ...] = ()
    against: tuple[Fact, ...] = ()
    until: datetime | None = None
    """When waiting ends by itself; None when that is not known."""
    waits_for: str | None = None
    """The subscription whose case goes first."""
    cured: bool = False
    """What was complained about has been mended since; only the change is still stuck."""
    advice: bool = False
    """Worth mending, but it holds nothing back: ranked last, and its disposition does not count."""
    cost: Cost | None = None
    """Filled in by the diagnosis, for every finding alike."""


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A cause that was looked for and does not hold, and why."""

    cause: str
    reason: str
