"""Approve: a person says yes to exactly the plan they were shown."""

from shared.domain.case import Case, State, record
from shared.domain.policy import Mode
from shared.errors import CaseConflict, NotPossible
from shared.ports import Stored
from shared.workflow.context import Context


async def remediate_case(ctx: Context, stored: Stored, plan_digest: str, by: str) -> Case:
    """Binds a person's yes to the case's present plan and has it carried out.

    Raises NotPossible with the reason when there is nothing to say yes to, when the plan has moved since it
    was shown, or when the app only observes.
    """
    case = stored.case
    reason = _why_not(ctx, case, plan_digest)
    if reason is not None:
        raise NotPossible(reason)
    assert case.plan is not None  # noqa: S101  (narrowing: _why_not has refused a case without a plan)
    recorded = record(
        case,
        ctx.clock.now(),
        by=by,
        kind="approved",
        text=f"{by} said yes to the plan: retrigger {case.plan.change_id}.",
        details={"plan": case.plan.digest},
        state=State.READY,
        approved_digest=case.plan.digest,
        approved_by=by,
        due_on=ctx.clock.now() + ctx.policy.action_time_limit,
        outgoing=(),
    )
    try:
        saved = await ctx.store.save(recorded, stored.version)
    except CaseConflict:
        raise NotPossible("the case has just changed: read it again and decide on what it says now") from None
    await ctx.queues.remediate([case.id])
    return saved.case


def _why_not(ctx: Context, case: Case, plan_digest: str) -> str | None:
    if ctx.policy.mode is Mode.OBSERVE:
        return "this app runs in observe mode and writes nothing to Dataverse"
    if case.state not in (State.AWAITING_APPROVAL, State.READY):
        return f"the case is {case.state}: {case.next_step or 'there is nothing to retrigger'}"
    if case.plan is None:
        return f"no retrigger would help here: {case.next_step}"
    if case.plan.digest != plan_digest:
        return "the plan has moved since it was shown: read the case again and decide on its present plan"
    return None
