"""Guards: asked right before every write. Each says no with a reason, or nothing.

A guard never passes because something is missing: unknown is no.
"""

from dataclasses import dataclass

from shared.domain.case import Case
from shared.domain.decision import attempts_allowed, yes_covers, yes_given
from shared.domain.diagnosis import Diagnosis
from shared.domain.finding import Disposition
from shared.domain.look import Look
from shared.domain.plan import Plan
from shared.domain.policy import Mode


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a write was not made: the guard's name and one sentence."""

    guard: str
    reason: str


@dataclass(frozen=True, slots=True)
class Organization:
    """Which Dataverse organisation answers, and which one may be written to."""

    answered: str | None
    pinned: str


def before_first_write(
    case: Case, look: Look, diagnosis: Diagnosis, plan: Plan | None, organization: Organization
) -> Refusal | None:
    """Whether this retrigger may begin. `diagnosis` and `plan` are from evidence read just now (rule 8)."""
    return (
        _mode(look)
        or _organization(organization)
        or _plan(case, plan)
        or _approval(case, look, diagnosis, plan)
        or _intent(case, diagnosis, plan)
        or _attempts(look)
    )


def before_second_write(look: Look, diagnosis: Diagnosis, organization: Organization) -> Refusal | None:
    """Whether a change that we set to Not Applicable may go back to Awaiting Provisioning."""
    return _mode(look) or _organization(organization) or _still_ours(look, diagnosis)


def _mode(look: Look) -> Refusal | None:
    if look.policy.mode in (Mode.APPROVE, Mode.AUTO):
        return None
    return Refusal("mode", "the mode is observe: nothing is written to Dataverse")


def _organization(organization: Organization) -> Refusal | None:
    answered, pinned = organization.answered, organization.pinned
    if answered is not None and answered.casefold() == pinned.casefold():
        return None
    return Refusal("organization", f"Dataverse is organisation {answered or 'unknown'}, not the configured {pinned}")


def _plan(case: Case, plan: Plan | None) -> Refusal | None:
    if case.plan is not None and plan is not None and plan.digest == case.plan.digest:
        return None
    return Refusal("plan", "the evidence has changed since the plan was made")


def _approval(case: Case, look: Look, diagnosis: Diagnosis, plan: Plan | None) -> Refusal | None:
    if yes_given(case, look, diagnosis, plan):
        return None
    if diagnosis.disposition is Disposition.AUTO and look.policy.mode is Mode.AUTO:
        return None
    return Refusal("approval", "a person must say yes to this plan first")


def _intent(case: Case, diagnosis: Diagnosis, plan: Plan | None) -> Refusal | None:
    if case.intent is None:
        return None
    if plan is None or plan.change_id != case.intent.change_id:
        return Refusal("intent", "a retrigger of another change is still open")
    if diagnosis.cause != "half_toggled":
        return Refusal("intent", "a retrigger of this change is still open, and it is not known what became of it")
    return None


def _attempts(look: Look) -> Refusal | None:
    if look.intent is not None or len(look.attempts_on_head()) < attempts_allowed(look):
        return None
    return Refusal("attempts", "this change has been retriggered as often as is allowed")


def _still_ours(look: Look, diagnosis: Diagnosis) -> Refusal | None:
    allowed = diagnosis.disposition is Disposition.AUTO or (
        diagnosis.disposition is Disposition.APPROVE and yes_covers(look)
    )
    if diagnosis.cause == "half_toggled" and allowed:
        return None
    first = diagnosis.first
    return Refusal("second_write", first.next_step if first else "the change is no longer unprovisioned")
