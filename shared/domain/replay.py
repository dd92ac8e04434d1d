"""Replay: an old decision made once more from its stored grounds, for whoever asks how it came about. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from shared.domain.breaker import Breaker
from shared.domain.case import Case, Recorded
from shared.domain.diagnosis import Diagnosis
from shared.domain.grounds import Grounds
from shared.domain.look import Look
from shared.domain.plan import Plan, plan_for
from shared.domain.recurrence import fix_of
from shared.domain.retrigger import judged_with_care


def grounded(decided: Recorded, look: Look, diagnosis: Diagnosis, breakers: Mapping[str, Breaker]) -> Recorded:
    """The decision with its grounds, where it shows a plan: only such a one may be followed by a write."""
    case = decided.case
    if case.plan is None:
        return decided
    fix = fix_of(look, diagnosis.cause)
    counted = {fix: breakers[fix]} if fix in breakers else {}
    grounds = Grounds(look, diagnosis.rule_version, case.plan.digest, case.fixed_before, counted)
    return replace(decided, grounds=grounds)


def replay(grounds: Grounds) -> tuple[Diagnosis, Plan | None]:
    """The diagnosis and the plan, by the rules as they are now: another version may decide differently."""
    look = grounds.look
    case = Case(look.evidence.subscription.id, 1, look.now, fixed_before=grounds.fixed_before)
    diagnosis = judged_with_care(case, look, grounds.fixes)
    return diagnosis, plan_for(look, diagnosis)
