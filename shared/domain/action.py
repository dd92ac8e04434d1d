"""An action: something that the app can do to Work 365's rows, declared in one place.

What it changes, how risky it is, how far a policy may let it go, how it is verified and undone, and the pure rule that
says what exactly would be saved, or why it must not be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.amendment import Amendment, Asked
from shared.domain.look import Look
from shared.domain.policy import Level


class Risk(StrEnum):
    """What a wrong one costs."""

    LOW = "low"
    """It is put back without a trace."""
    MEDIUM = "medium"
    """It moves a date or an owner: the next invoice may be wrong until it is put back."""
    HIGH = "high"
    """It can order or bill what nobody wanted."""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why an action must not be done now: one sentence that names what to do instead, where there is something."""

    reason: str


@dataclass(frozen=True, slots=True)
class Need:
    """Something that whoever asks for the action must say."""

    name: str
    description: str
    example: str


type Propose = Callable[[Look, Asked | None], Amendment | WhyNot | None]
"""What would be saved now; None where it may be done and saves no row. Pure.

`Asked` is None where the diagnosis itself offers the action.
"""


@dataclass(frozen=True, slots=True)
class Action:
    """One action, by the name that cases, policy and API use."""

    name: str
    title: str
    """What a person says yes to, in a few words."""
    changes: str
    """Table and columns, in Work 365's words."""
    risk: Risk
    freest: Level
    """How far a policy may let it go: `approve` always needs a person's yes, whatever the policy says."""
    verified: str
    undone: str
    """How it is taken back, or why it cannot be."""
    propose: Propose | None = None
    """None for a retrigger, whose two writes have rules of their own."""
    needs: tuple[Need, ...] = ()
    asked_only: bool = False
    """No diagnosis offers it: a person has to ask for it."""
