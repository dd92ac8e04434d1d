"""What a case says to a billing administrator: what is the matter, and what to do."""

from shared.domain.case import Case
from shared.domain.causes import unknown
from shared.domain.diagnosis import Diagnosis
from shared.domain.evidence import ProvisioningStatus
from shared.domain.finding import Disposition, Finding
from shared.domain.levels import HANDS_OFF, decided_by
from shared.domain.look import Look
from shared.domain.plan import action_for
from shared.domain.policy import Level, Mode


def summary_of(diagnosis: Diagnosis) -> str:
    """The first finding's sentence, that of the one that decides, and what is not understood, whatever decides.

    What is not understood may be a change that we left at Not Applicable, which nothing else would show.
    """
    said = (diagnosis.findings[0], _deciding(diagnosis), *(f for f in diagnosis.findings if f.cause == unknown.NAME))
    return " ".join(dict.fromkeys(finding.sentence for finding in said))


def next_step_of(look: Look, diagnosis: Diagnosis) -> str:
    """The first finding's, unless it is one that another finding decides for, or the policy has a say in it."""
    own, automatic = _deciding(diagnosis).next_step, diagnosis.disposition is Disposition.AUTO
    if not automatic and diagnosis.disposition is not Disposition.APPROVE:
        return own
    match decided_by(look, diagnosis, action_for(look, diagnosis)):
        case Level.OFF | Level.SUGGEST as level:
            says = "has this switched off" if level is Level.OFF else "only suggests this"
            todo = "Retrigger the change by hand if that is right." if automatic else own
            return f"{todo} The policy {says}, so the app does not do it."
        case Level.APPROVE if automatic:
            who = "this app runs in approve mode" if look.policy.mode is Mode.APPROVE else "the policy asks for a yes"
            return f"Confirm the retrigger: {who}."
        case _:
            return own


def unfinished(look: Look, diagnosis: Diagnosis) -> str:
    """What to do about a change that we left half done and may not finish; empty where the evidence forbids it."""
    by_hand = "set the change back to Awaiting Provisioning by hand."
    if look.policy.problems:
        return f"Mend the policy file, then this app finishes it; or {by_hand}"
    if look.policy.mode is Mode.OBSERVE:
        return f"This app only observes now: {by_hand}"
    acts = diagnosis.disposition in (Disposition.AUTO, Disposition.APPROVE)
    if acts and decided_by(look, diagnosis, action_for(look, diagnosis)) in HANDS_OFF:
        return f"The policy does not let this app finish it: {by_hand}"
    return ""


def what_became(case: Case, look: Look) -> str:
    """What a resolved case is resolved by; a change that someone set aside is not called provisioned."""
    changes = {case.change_id, *(attempt.change_id for attempt in case.attempts)}
    statuses = {c.status for c in look.evidence.changes if c.id in changes}
    if statuses <= {ProvisioningStatus.PROVISIONED}:
        return "Change and subscription are provisioned and stayed so."
    return "Nothing of the subscription awaits provisioning any more, and it stayed so."


def _deciding(diagnosis: Diagnosis) -> Finding:
    """The finding whose disposition the diagnosis has: the first, unless a later one is more cautious."""
    return next((f for f in diagnosis.findings if f.disposition is diagnosis.disposition), diagnosis.findings[0])
