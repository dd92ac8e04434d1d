"""What we were about to write, and what we have tried: kept before and after every effect."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.amendment import Amendment
from shared.domain.evidence import ProvisioningStatus

RETRIGGER, RESET_FAILED = "retrigger", "reset_failed"
RETRIGGERS = frozenset({RETRIGGER, RESET_FAILED})
"""Actions that have Work 365 take a change up anew: they are bound by the rules about ordering twice."""


class Phase(StrEnum):
    """How far a retrigger has come. Each phase is saved before the next effect is begun."""

    INTENDED = "intended"
    """Written down; the first write may or may not have reached Dataverse."""
    NOT_APPLICABLE_SET = "not_applicable_set"
    """Dataverse has confirmed Not Applicable; the second write has not been begun."""
    SECOND_WRITE = "second_write"
    """The second write may or may not have reached Dataverse."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An open action. While a retrigger is open, the change at Not Applicable is ours."""

    change_id: str
    plan_digest: str
    by: str
    written_on: datetime
    phase: Phase
    status_before: ProvisioningStatus | None
    etag_before: str
    etag_after: str = ""
    """The row's version when it was last known to stand at our Not Applicable; empty while that is not confirmed."""
    message_before: str = ""
    """What the change said before, for comparing with what it says afterwards (rule 5)."""
    refusals: int = 0
    """How often Dataverse has refused the second write: after a few, a person is asked."""
    approved: bool = False
    """A person said yes to the plan, so its second write may go on where the rules would ask for a yes."""
    objections: tuple[str, ...] = ()
    """What spoke against the retrigger when it was begun, without ids and times: a yes covers these and no others."""
    action: str = RETRIGGER
    amendment: Amendment | None = None
    """What is saved, for an action other than a retrigger."""
    then: str = ""
    """The plan that the same yes covers once this is done."""
    over: "Intent | None" = None
    """The half-done retrigger that this finishes another way. Where this is not done, it is open again."""

    @property
    def retriggers(self) -> bool:
        """Whether it has Work 365 take the change up anew, by one write or two."""
        return self.action in RETRIGGERS


@dataclass(frozen=True, slots=True)
class Attempt:
    """One finished retrigger of a change: accepted by Dataverse, which is not yet success."""

    change_id: str
    on: datetime
    by: str
    message_before: str = ""
    """What the change said before; the same text again means that retriggering does not help (rule 5)."""
    refused: str = ""
    """Why Dataverse refused the first write, if it did: nothing was retriggered then."""
