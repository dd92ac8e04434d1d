"""Ask: a person wants an action done that no diagnosis offers. It is planned at once, and waits for a yes."""

from collections.abc import Mapping

from shared.domain.action import WhyNot
from shared.domain.actions import ACTIONS
from shared.domain.amendment import Asked
from shared.domain.asking import asked_for, withdrawn
from shared.domain.case import ACTING, Case, Recorded
from shared.domain.decision import decide, seen_from
from shared.domain.levels import HANDS_OFF, decided_by
from shared.domain.plan import plan_for, proposal
from shared.domain.retrigger import judged_with_care
from shared.errors import CaseConflict, NotPossible, SettingsError
from shared.ports import Stored
from shared.workflow.context import Context
from shared.workflow.diagnose import diagnose_subscriptions, wake_up
from shared.workflow.reading import read
from shared.workflow.watching import keep

LONGEST_TEXT = 500
"""Characters of a reason, and of a value."""

_CHANGED = "the case has just changed: read it again and decide on what it says now"


async def ask(ctx: Context, stored: Stored, action: str, values: Mapping[str, str], *, by: str, reason: str) -> Case:
    """Puts what is asked for on the case, with its plan; the case then waits for a yes to exactly that.

    Raises NotPossible with the reason when it must not be done now, SettingsError while the policy is invalid, and
    SourceError when Dataverse could not be read.
    """
    if ctx.policy.problems:
        raise SettingsError(ctx.policy.problems)
    _check(stored.case)
    _one_at_a_time(stored.case, by)
    if action not in ACTIONS:
        raise NotPossible(f"{action[:40]} is no action: it should be one of {', '.join(ACTIONS)}")
    asked = Asked(action, by, reason.strip()[:LONGEST_TEXT], ctx.clock.now(), _told(action, values))
    moved = await _planned(ctx, asked_for(stored.case, asked), asked)
    saved = await _saved(ctx, moved, stored)
    await wake_up(ctx, {saved.case.subscription_id: saved.case})
    return saved.case


async def withdraw(ctx: Context, stored: Stored, *, by: str) -> Case:
    """Takes back what was asked for; the case is diagnosed anew. Raises NotPossible when nothing was asked for."""
    if stored.case.asked is None:
        raise NotPossible("nothing was asked for on this case")
    _check(stored.case)
    saved = await _saved(ctx, withdrawn(stored.case, ctx.clock.now(), by), stored)
    subscription_id = saved.case.subscription_id
    return (await diagnose_subscriptions(ctx, [subscription_id])).get(subscription_id) or saved.case


def _check(case: Case) -> None:
    if not case.open:
        raise NotPossible("the case is closed: nothing is done about it any more")
    if case.state in ACTING:
        raise NotPossible("something is being done about this case right now: read it again in a few minutes")


def _one_at_a_time(case: Case, by: str) -> None:
    if case.asked is not None and case.asked.by.casefold() != by.casefold():
        title = ACTIONS[case.asked.action].title
        raise NotPossible(f"{case.asked.by} has asked for something else already ({title}): withdraw that first")


async def _planned(ctx: Context, recorded: Recorded, asked: Asked) -> Recorded:
    """The case with the plan of what is asked for, by fresh evidence."""
    subscription_id = recorded.case.subscription_id
    seen = await read(ctx, {subscription_id: recorded.case}, purpose="remediate")
    if subscription_id not in seen.looks:
        raise NotPossible("Dataverse does not show this subscription any more")
    look = seen_from(seen.looks[subscription_id], recorded.case)
    proposed = proposal(look, asked.action)
    if isinstance(proposed, WhyNot):
        raise NotPossible(proposed.reason)
    diagnosis = judged_with_care(recorded.case, look, (await ctx.breakers.read()).breakers)
    if decided_by(look, diagnosis, asked.action) in HANDS_OFF:
        raise NotPossible(f"the policy does not let the app do this: {ACTIONS[asked.action].title}")
    return decide(recorded, look, diagnosis, plan_for(look, diagnosis))


async def _saved(ctx: Context, recorded: Recorded, stored: Stored) -> Stored:
    try:
        return await keep(ctx, recorded, stored)
    except CaseConflict:
        raise NotPossible(_CHANGED) from None


def _told(action: str, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    known = {need.name for need in ACTIONS[action].needs}
    if unknown := sorted(values.keys() - known):
        takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
        raise NotPossible(f"values.{unknown[0]}: {action} does not know this; {takes}")
    return tuple(sorted((name, text[:LONGEST_TEXT]) for name, text in values.items() if text))
