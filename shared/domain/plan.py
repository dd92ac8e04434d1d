"""The exact writes that a retrigger would make, and the digest by which a person's yes is bound to them."""

import hashlib
import json
from dataclasses import dataclass

from shared.domain.diagnosis import Diagnosis, gist
from shared.domain.evidence import Change, ProvisioningStatus
from shared.domain.finding import Disposition
from shared.domain.levels import granted
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.safety import order_safety

RETRIGGER = "retrigger"

ACTIONS = (RETRIGGER,)
"""Everything that the app can do to Work 365's rows, by the names that a policy uses."""


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
    """The retrigger that would free the head. None where a retrigger is not what helps, or the policy has it off.

    Awaiting is retriggered by two writes, as Work 365's article says; Failed goes back in one; a change that
    we left at Not Applicable gets its second write.
    """
    head, cause, action = look.head, diagnosis.cause, action_for(diagnosis)
    if head is None or cause is None or not action or head.status is None:
        return None
    if granted(look, diagnosis, action) is Level.OFF:
        return None
    awaiting, not_applicable = ProvisioningStatus.AWAITING, ProvisioningStatus.NOT_APPLICABLE
    steps = (not_applicable, awaiting) if head.status is awaiting else (awaiting,)
    digest = _digest(
        rules=diagnosis.rule_version,
        policy=look.policy.version,
        action=action,
        # The next step holds the objections: a yes despite one is no yes despite another.
        causes=[[f.cause, f.disposition, f.cured, gist(f.next_step)] for f in diagnosis.findings],
        writes=[[head.id, "provisioning_status", head.status, *steps]],
        **_deciding_values(look, head),
    )
    return Plan(action, head.id, cause, head.status, steps, digest)


def action_for(diagnosis: Diagnosis) -> str:
    """What would free the head: a retrigger where the trigger was missed or what held it is gone, else nothing."""
    found = diagnosis.findings
    helps = any(f.cause in ("trigger_missed", "half_toggled") or f.cured for f in found)
    if diagnosis.disposition not in (Disposition.AUTO, Disposition.APPROVE) or not helps:
        return ""
    return "" if any(f.cause == "already_applied" for f in found) else RETRIGGER


def _deciding_values(look: Look, head: Change) -> dict[str, object]:
    """What a person weighs: the change, the seats before and after it, the provider's, and which try it is."""
    shown = look.at_provider()
    return {
        "change": [head.change_type, _text(head.quantity), _text(head.effective_date), head.source],
        "seats": [_text(look.chain.before), _text(look.chain.after)],
        "provider": [_text(shown.quantity), shown.status] if shown is not None else None,
        "objections": sorted(gist(text) for text in order_safety(look).objections),
        "tries": len(look.attempts_on_head()),  # a yes to the first try is none to the second
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _digest(**deciding: object) -> str:
    """Over what decides and what is written. No ETags, read times or messages: those change at every try."""
    text = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
