"""Grounds: all that a decision rested on, kept so that it can be made once more. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.breaker import Breaker
from shared.domain.look import Look


@dataclass(frozen=True, slots=True)
class Grounds:
    """One look at a subscription, and what was known besides it."""

    look: Look
    rule_version: str
    """The version of the rules that decided: others may decide differently."""
    plan_digest: str
    """What was decided: the plan that was shown."""
    fixed_before: tuple[datetime, ...] = ()
    """As the case knew it then."""
    fixes: Mapping[str, Breaker] = field(default_factory=dict)
    """How retriggers for this cause went at this provider; empty when nothing was counted."""
