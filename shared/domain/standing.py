"""What stands about a case besides its evidence: whether it is stock, and who wants it left alone. Pure values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.pause import Mute


class Stock(StrEnum):
    """Whether a case is part of the stock: of what was stuck already when the app first looked."""

    NONE = "none"
    HELD = "held"
    """Part of it, and nobody has decided: it is diagnosed and listed, and nothing is begun on it."""
    ADOPTED = "adopted"
    """A person wants it worked on like any other."""
    DISMISSED = "dismissed"
    """A person wants it left as it is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """As it was read before a diagnosis."""

    stock_taken_on: datetime | None
    mutes: tuple[Mute, ...] = ()
