"""What was begun and may not have happened: our open intent, given up or still to be waited for."""

from datetime import datetime
from typing import Any

from shared.domain.case import SYSTEM, Case, Recorded, State, record
from shared.domain.intent import Intent
from shared.domain.look import Look


def drop(
    case: Case,
    now: datetime,
    text: str = "The retrigger had not begun: the change stands as before.",
    *,
    sent: bool,
    keeps_yes: bool = True,
) -> Recorded:
    """The intent given up because nothing of it shows. A half-done retrigger that it was to finish is open again.

    `sent`: its write may have gone out, and might still land. `keeps_yes`: nothing of ours has happened for sure, so
    a yes that it had used up is given back; else people are asked again.
    """
    intent = case.intent
    yes: dict[str, Any] = {"told": told_without(case, intent.plan_digest if intent is not None else "")}
    if keeps_yes:
        given = intent is not None and intent.approved
        yes = {
            "approved_digest": intent.plan_digest if intent is not None and given else "",
            "approved_by": intent.by if intent is not None and given else "",
        }
    late = {intent.change_id} if intent is not None and sent else set()
    return record(
        case,
        now,
        by=SYSTEM,
        kind="intent_dropped",
        text=text,
        state=State.WAITING,
        intent=intent.over if intent is not None else None,
        dropped=tuple(sorted({*case.dropped, *late})),
        **yes,
    )


def told_without(case: Case, digest: str) -> tuple[str, ...]:
    """What was told, without the question for a yes to this plan: asked again, it is news again."""
    return tuple(key for key in case.told if not digest or not key.endswith(f":{digest}"))


def may_still_land(case: Case, intent: Intent, look: Look, now: datetime) -> bool:
    """A write without an answer may be carried out after we have looked. Dataverse takes two minutes at most."""
    return case.state is State.UNSETTLED and now < look.after(intent.written_on, look.policy.action_time_limit)
