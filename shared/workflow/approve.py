"""Approve: a person says yes to exactly the plan they were shown."""

from shared.domain.approval import lapsed
from shared.domain.baseline import held_back
from shared.domain.case import Case, Recorded, State, record
from shared.domain.person import may_be_same
from shared.domain.policy import Mode
from shared.errors import CaseConflict, NotPossible, SettingsError
from shared.ports import Stored
from shared.workflow.context import Context
from shared.workflow.watching import keep

TRIES = 3
"""How often a yes is saved anew when the case was saved in between: only its plan decides, not a note on it."""


async def remediate_case(ctx: Context, stored: Stored, plan_digest: str, by: str) -> Case:
    """Binds a person's yes to the case's present plan and has it carried out.

    A plan that has a yes already needs no second one: it is sent on its way again, and the first stays on record.
    Raises NotPossible with the reason when there is nothing to say yes to, when the plan has moved since it
    was shown, when somebody else must say it, or when the app only observes; SettingsError while the policy is
    invalid.
    """
    if ctx.policy.problems:
        raise SettingsError(ctx.policy.problems)
    for _ in range(TRIES):
        reason = why_not(ctx, stored.case, plan_digest, by)
        if reason is not None:
            raise NotPossible(reason)
        if _has_yes(ctx, stored.case, plan_digest):
            await ctx.queues.remediate([stored.case.id])
            return stored.case
        try:
            saved = await keep(ctx, _approved(ctx, stored.case, plan_digest, by), stored)
        except CaseConflict:
            newest = await ctx.store.load(stored.case.subscription_id)
            if newest is None or newest.case.id != stored.case.id:
                break
            stored = newest
            continue
        await ctx.queues.remediate([saved.case.id])
        return saved.case
    raise NotPossible("the case has just changed: read it again and decide on what it says now")


def _has_yes(ctx: Context, case: Case, plan_digest: str) -> bool:
    return case.approved_digest == plan_digest and not lapsed(case, ctx.policy, ctx.clock.now())


def _approved(ctx: Context, case: Case, plan_digest: str, by: str) -> Recorded:
    now = ctx.clock.now()
    return record(
        case,
        now,
        by=by,
        kind="approved",
        text=f"{by} said yes to the plan: {case.plan.sentence() if case.plan else ''} ({case.change_id}).",
        details={"plan": plan_digest},
        state=State.READY,
        approved_digest=plan_digest,
        approved_by=by,
        approved_on=now,
        due_on=now + ctx.policy.action_time_limit,
        outgoing=case.lasting_news,
    )


def why_not(ctx: Context, case: Case, plan_digest: str, by: str) -> str | None:
    """Why this person cannot say yes to this plan now; None when they can."""
    if ctx.policy.mode is Mode.OBSERVE:
        return "this app runs in observe mode and writes nothing to Dataverse"
    if case.state not in (State.AWAITING_APPROVAL, State.READY):
        return f"the case is {case.state}: {case.next_step or 'there is nothing to say yes to'}"
    if held_back(case):
        return held_back(case)
    if case.plan is None:
        return f"nothing that this app can do would help here: {case.next_step}"
    if case.plan.digest != plan_digest:
        return "the plan has moved since it was shown: read the case again and decide on its present plan"
    if ctx.policy.approver_is_not_requester and any(may_be_same(by, each) for each in case.requested_by):
        return f"{by} asked for this diagnosis, and the policy wants somebody else's yes"
    return None
