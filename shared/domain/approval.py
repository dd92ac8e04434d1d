"""A person's yes: for exactly one plan, for a while, used once."""

from datetime import datetime

from shared.domain.case import SYSTEM, Case, Recorded, record
from shared.domain.diagnosis import Diagnosis, gist
from shared.domain.finding import Disposition
from shared.domain.levels import HANDS_OFF, decided_by
from shared.domain.look import Look
from shared.domain.plan import Plan, action_for, plan_for
from shared.domain.policy import Policy
from shared.domain.recurrence import without_objection
from shared.domain.safety import order_safety


def yes_given(case: Case, look: Look, diagnosis: Diagnosis, plan: Plan | None) -> bool:
    """Whether a person said yes to this. A yes to a retrigger covers its second write, whatever got in between."""
    if decided_by(look, diagnosis, action_for(look, diagnosis)) in HANDS_OFF:
        return False
    if plan is not None and case.approved_digest == plan.digest and not lapsed(case, look.policy, look.now):
        return True
    half_done = plan is not None and plan.retriggers and diagnosis.cause == "half_toggled"
    return half_done and yes_covers(look)


def yes_covers(look: Look) -> bool:
    """Whether the open retrigger was said yes to, and nothing speaks against it that did not when it was."""
    intent = look.intent
    return intent is not None and intent.approved and set(objections(look)) <= set(intent.objections)


def objections(look: Look) -> tuple[str, ...]:
    """What speaks against a retrigger of the head, without what changes from reading to reading."""
    return tuple(sorted({gist(text) for text in order_safety(look).objections}))


def lapsed(case: Case, policy: Policy, now: datetime) -> str:
    """Why the case's yes does not count any more, whatever its plan; empty while it does."""
    if not case.approved_by or case.approved_on is None:
        return "Who said yes, or when, is not on the record"
    if now < case.approved_on + policy.approval_expires:
        return ""
    hours = policy.approval_expires.total_seconds() / 3600
    return f"The yes of {case.approved_by} from {case.approved_on.isoformat()} has expired (it is good for {hours:g} h)"


def revalidated(recorded: Recorded, look: Look, diagnosis: Diagnosis, plan: Plan | None) -> Recorded:
    """The case with its yes kept, or without it and with an event that says why: void, or replaced by another plan.

    While it is only waited, and while the policy cannot be read, a yes rests: what it was for may come back.
    """
    case = recorded.case
    if not case.approved_digest:
        return recorded
    if plan is not None and plan.digest != case.approved_digest and _less_against(case, look, diagnosis):
        return _carried_over(recorded, look, plan)
    rests = diagnosis.disposition is Disposition.WAIT or bool(look.policy.problems)
    kind, why = _why_void(case, look, plan, rests=rests)
    if not why:
        return recorded
    return record(
        recorded,
        look.now,
        by=SYSTEM,
        kind=kind,
        text=why,
        details={"plan": case.approved_digest, "by": case.approved_by, "now": plan.digest if plan else ""},
        approved_digest="",
        approved_by="",
        approved_on=None,
        # Asked for again, it is news again.
        told=tuple(key for key in case.told if not key.endswith(f":{case.approved_digest}")),
    )


def _less_against(case: Case, look: Look, diagnosis: Diagnosis) -> bool:
    """Whether the yes was for this very plan, with an objection against it that has fallen away."""
    plans = [plan_for(look, each) for each in without_objection(diagnosis)]
    fits = any(plan is not None and plan.digest == case.approved_digest for plan in plans)
    return fits and not lapsed(case, look.policy, look.now)


def _carried_over(recorded: Recorded, look: Look, plan: Plan) -> Recorded:
    case = recorded.case
    text = f"What spoke against the plan when {case.approved_by} said yes to it has fallen away: the yes holds."
    details = {"plan": case.approved_digest, "by": case.approved_by, "now": plan.digest}
    return record(
        recorded,
        look.now,
        by=SYSTEM,
        kind="approval_carried_over",
        text=text,
        details=details,
        approved_digest=plan.digest,
    )


def _why_void(case: Case, look: Look, plan: Plan | None, *, rests: bool) -> tuple[str, str]:
    if reason := lapsed(case, look.policy, look.now):
        return "approval_void", f"{reason}: nothing is written on it."
    if rests:
        return "", ""
    if plan is None:
        return "approval_void", f"There is no plan any more, so the yes of {case.approved_by} is void."
    if plan.digest != case.approved_digest:
        text = f"The plan has moved since {case.approved_by} said yes to it: the present plan needs a yes of its own."
        return "approval_replaced", text
    return "", ""
