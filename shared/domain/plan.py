"""The exact writes that an action would make, and the digest by which a person's yes is bound to them."""

import hashlib
import json
from dataclasses import dataclass, replace

from shared.domain.action import WhyNot
from shared.domain.actions import ACTIONS, OFFERED, mark_provisioned, undo
from shared.domain.amended import with_amendment
from shared.domain.amendment import CHANGE, Amendment
from shared.domain.diagnosis import Diagnosis, diagnose, gist
from shared.domain.evidence import ProvisioningStatus, Subscription
from shared.domain.finding import Disposition
from shared.domain.intent import RESET_FAILED, RETRIGGER, RETRIGGERS
from shared.domain.levels import granted
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.safety import order_safety

MOST_DONE = 20
"""Actions that one case may see, retriggers aside. It remembers each of them, and who needs more looks for himself."""

THEN_RETRIGGERS = frozenset({"fill_provider_account", "fill_customer"})
"""Actions whose yes covers the retrigger that follows, when it is exactly the one that was to be expected."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One action. A retrigger's Provisioning Status takes `steps` in turn, each saved; others save `amendment`."""

    action: str
    change_id: str
    """The change that it is about; empty where an action of the subscription is undone and nothing is unprovisioned."""
    cause: str
    status_before: ProvisioningStatus | None
    steps: tuple[ProvisioningStatus, ...]
    digest: str
    amendment: Amendment | None = None
    then: str = ""
    """The digest of the plan that the same yes covers once this one is done; empty when there is none."""
    reason: str = ""
    """Why whoever asked for it wants it."""

    @property
    def retriggers(self) -> bool:
        """Whether it has Work 365 take the change up anew."""
        return self.action in RETRIGGERS

    def sentence(self) -> str:
        """What is done, in words."""
        if self.retriggers:
            return f"set Provisioning Status to {' and then to '.join(self.steps)}"
        return self.amendment.sentence() if self.amendment is not None else ACTIONS[self.action].title.casefold()


def plan_for(look: Look, diagnosis: Diagnosis) -> Plan | None:
    """What would free the head, or what a person has asked for. None where nothing would, or the policy has it off.

    Awaiting is retriggered by two writes, as Work 365's article says; Failed goes back in one; a change that
    we left at Not Applicable gets its second write.
    """
    action = action_for(look, diagnosis)
    if not action or granted(look, diagnosis, action) is Level.OFF:
        return None
    if action not in RETRIGGERS:
        return _amending(look, diagnosis, action)
    head, cause = look.head, diagnosis.cause
    if head is None or cause is None or head.status is None:
        return None
    steps = _steps(head.status)
    digest = _digest(look, diagnosis, action=action, writes=[[head.id, "provisioning_status", head.status, *steps]])
    return Plan(action, head.id, cause, head.status, steps, digest)


def _steps(status: ProvisioningStatus) -> tuple[ProvisioningStatus, ...]:
    awaiting, not_applicable = ProvisioningStatus.AWAITING, ProvisioningStatus.NOT_APPLICABLE
    return (not_applicable, awaiting) if status is awaiting else (awaiting,)


def _amending(look: Look, diagnosis: Diagnosis, action: str) -> Plan | None:
    proposed = proposal(look, action)
    if isinstance(proposed, WhyNot):
        return None
    head, asked = look.head, look.asked
    then = _then(look, proposed) if proposed is not None and action in THEN_RETRIGGERS else None
    digest = _digest(
        look,
        diagnosis,
        action=action,
        writes=_writes(proposed),
        asked=[asked.reason, list(asked.values), asked.by] if asked is not None else None,
        then=then.digest if then is not None else None,
    )
    saved = proposed.row_id if proposed is not None and proposed.table == CHANGE else ""
    return Plan(
        action,
        saved or (head.id if head is not None else ""),
        diagnosis.cause or "",
        head.status if head is not None else None,
        then.steps if then is not None else (),
        digest,
        proposed,
        then.digest if then is not None else "",
        asked.reason if asked is not None else "",
    )


def _writes(amendment: Amendment | None) -> list[object]:
    if amendment is None:
        return []
    return [amendment.table, amendment.row_id, *([c.name, c.before, c.after] for c in amendment.columns)]


def proposal(look: Look, action: str) -> Amendment | WhyNot | None:
    """What this action would save now, or why it must not be done."""
    propose = ACTIONS[action].propose
    if len(look.done) >= MOST_DONE and action != undo.NAME:
        return WhyNot(f"this case has seen {MOST_DONE} actions: what is left is done by hand, in Work 365")
    return propose(look, look.asked) if propose is not None else WhyNot("a retrigger is planned by the diagnosis alone")


def _then(look: Look, amendment: Amendment) -> Plan | None:
    """The retrigger that is to be expected once the row shows the amendment; None when a person had better look."""
    after = replace(look, evidence=with_amendment(look.evidence, amendment), asked=None)
    plan = plan_for(after, diagnose(after))
    return plan if plan is not None and plan.retriggers else None


def action_for(look: Look, diagnosis: Diagnosis) -> str:
    """The name of the action that a person has asked for, else of what would help; empty where nothing does."""
    if look.asked is not None:
        return look.asked.action
    if diagnosis.disposition not in (Disposition.AUTO, Disposition.APPROVE):
        return ""
    if any(f.cause == mark_provisioned.OFFERED_BY for f in diagnosis.findings):
        return mark_provisioned.NAME
    if any(f.cause == "half_toggled" for f in diagnosis.findings):
        return RETRIGGER  # what stands at our Not Applicable is finished before anything else is begun
    offered = [
        f for f in diagnosis.findings if f.disposition is Disposition.APPROVE and not f.cured and f.cause in OFFERED
    ]
    if offered:
        return OFFERED[offered[0].cause]
    if not any(f.cause == "trigger_missed" or f.cured for f in diagnosis.findings):
        return ""
    failed = look.head is not None and look.head.status is ProvisioningStatus.FAILED
    return RESET_FAILED if failed else RETRIGGER


def _digest(look: Look, diagnosis: Diagnosis, **deciding: object) -> str:
    """Over what decides and what is written. No ETags, read times or messages: those change at every try."""
    values = {
        "rules": diagnosis.rule_version,
        "policy": look.policy.version,
        # The next step holds the objections: a yes despite one is no yes despite another.
        "causes": [[f.cause, f.disposition, f.cured, gist(f.next_step)] for f in diagnosis.findings],
        **_deciding_values(look),
        **deciding,
    }
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _deciding_values(look: Look) -> dict[str, object]:
    """What a person weighs: the change, the seats before and after it, the provider's, and which try it is."""
    shown, head = look.at_provider(), look.head
    change = [head.change_type, _text(head.quantity), _text(head.effective_date), head.source] if head else None
    return {
        "change": change,
        "where": _where(look.evidence.subscription),
        "seats": [_text(look.chain.before), _text(look.chain.after)],
        "provider": [_text(shown.quantity), shown.status] if shown is not None else None,
        "objections": sorted(gist(text) for text in order_safety(look).objections),
        "tries": len(look.attempts_on_head()),  # a yes to the first try is none to the second
    }


def _where(own: Subscription) -> list[str | None]:
    """Whose subscription it is and where it is ordered: a yes for one tenant is none for another."""
    provider, tenant = own.provider, own.account.tenant_id if own.account is not None else None
    return [provider.id if provider else None, tenant, own.customer_id, own.part_number, own.provider_subscription_id]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
