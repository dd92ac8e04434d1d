"""What a write depends on besides its own evidence, read right before it. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.breaker import Breaker
from shared.domain.budget import Wait
from shared.domain.look import Look
from shared.domain.pause import Mute, Pause
from shared.domain.surge import Watch

DATAVERSE = "dataverse"
"""The breaker of writes to Dataverse. Other breakers bear the name of a provider's connector, or of a fix."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Which Dataverse organisation answers, and which one may be written to."""

    answered: str | None
    pinned: str


@dataclass(frozen=True, slots=True)
class Situation:
    """The circumstances of one group's write."""

    organization: Organization
    now: datetime
    pauses: tuple[Pause, ...]
    breakers: Mapping[str, Breaker]
    """By name; one that is not here has never failed."""
    watch: Watch
    unreadable: tuple[str, ...] = ()
    """What of all this could not be read: then nothing is written."""
    mutes: tuple[Mute, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    """Breakers whose row makes no sense, with what is wrong: nothing is written where they are asked."""


@dataclass(frozen=True, slots=True)
class Share:
    """What of the common limits one case was given."""

    probes: frozenset[str] = frozenset()
    """Half-open breakers whose one probe is this case's."""
    taken: frozenset[str] = frozenset()
    """Half-open breakers whose probe somebody else has."""
    wait: Wait | None = None
    """Why the hour's budget did not grant it; None when it did, or was not asked."""


ALL_FREE = Share()
"""Nothing of the common limits was asked for, or all of it was granted."""


def connector_of(look: Look) -> str | None:
    """The breaker of the provider that this subscription is ordered at."""
    provider = look.evidence.subscription.provider
    return provider.connector if provider is not None else None
