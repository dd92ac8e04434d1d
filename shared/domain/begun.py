"""What was begun and may not have happened: our open intent, given up or still to be waited for."""

from datetime import datetime

from shared.domain.case import SYSTEM, Case, Recorded, State, record
from shared.domain.intent import Intent
from shared.domain.look import Look


def drop(
    case: Case, now: datetime, text: str = "The retrigger had not begun: the change stands as before.", *, sent: bool
) -> Recorded:
    """The intent given up because nothing of it shows. A yes that it had used up is given back.

    `sent`: its write may have gone out, and might still land.
    """
    intent = case.intent
    yes = intent is not None and intent.approved
    late = {intent.change_id} if intent is not None and sent else set()
    return record(
        case,
        now,
        by=SYSTEM,
        kind="intent_dropped",
        text=text,
        state=State.WAITING,
        intent=None,
        approved_digest=intent.plan_digest if intent is not None and yes else "",
        approved_by=intent.by if intent is not None and yes else "",
        dropped=tuple(sorted({*case.dropped, *late})),
    )


def may_still_land(case: Case, intent: Intent, look: Look, now: datetime) -> bool:
    """A write without an answer may be carried out after we have looked. Dataverse takes two minutes at most."""
    return case.state is State.UNSETTLED and now < look.after(intent.written_on, look.policy.action_time_limit)
