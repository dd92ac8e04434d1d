"""The exact writes that a retrigger would make, and the digest by which a person's yes is bound to them."""

import hashlib
import json
from dataclasses import dataclass

from shared.domain.diagnosis import Diagnosis, gist
from shared.domain.evidence import ProvisioningStatus
from shared.domain.finding import Disposition
from shared.domain.look import Look

RETRIGGER = "retrigger"


@dataclass(frozen=True, slots=True)
class Plan:
    """A retrigger of one change: its Provisioning Status takes `steps` in turn, each saved."""

    action: str
    change_id: str
    cause: str
    status_before: ProvisioningStatus
    steps: tuple[ProvisioningStatus, ...]
    digest: str


def plan_for(look: Look, diagnosis: Diagnosis) -> Plan | None:
    """The retrigger that would free the head, or None where a retrigger is not what helps.

    Awaiting is retriggered by two writes, as Work 365's article says; Failed goes back in one; a change that
    we left at Not Applicable gets its second write.
    """
    head, cause = look.head, diagnosis.cause
    retriggers = diagnosis.disposition in (Disposition.AUTO, Disposition.APPROVE)
    if head is None or cause is None or not retriggers or not _helps(diagnosis) or head.status is None:
        return None
    awaiting, not_applicable = ProvisioningStatus.AWAITING, ProvisioningStatus.NOT_APPLICABLE
    steps = (not_applicable, awaiting) if head.status is awaiting else (awaiting,)
    digest = _digest(
        rule_version=diagnosis.rule_version,
        action=RETRIGGER,
        change=head.id,
        # The next step holds the objections: a yes despite one is no yes despite another.
        causes=[[f.cause, f.disposition, f.cured, gist(f.next_step)] for f in diagnosis.findings],
        before=head.status,
        steps=steps,
        seats=[str(look.chain.before), str(look.chain.after)],
    )
    return Plan(RETRIGGER, head.id, cause, head.status, steps, digest)


def _helps(diagnosis: Diagnosis) -> bool:
    """Whether a retrigger is what would free this head: the trigger was missed, or what held it is gone."""
    return not any(f.cause == "already_applied" for f in diagnosis.findings) and any(
        f.cause in ("trigger_missed", "half_toggled") or f.cured for f in diagnosis.findings
    )


def _digest(**deciding: object) -> str:
    """Over what decides and what is written. No ETags, read times or messages: those change at every try."""
    text = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
