"""An action that a person asks for, beyond what the diagnosis offers: asked, kept while it may be done, or dropped."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.domain.action import WhyNot
from shared.domain.actions import ACTIONS
from shared.domain.amendment import Asked
from shared.domain.approval import lapsed
from shared.domain.begun import told_without
from shared.domain.case import NOT_DONE, SYSTEM, Case, Notification, Recorded, State, record
from shared.domain.diagnosis import Diagnosis
from shared.domain.levels import HANDS_OFF, decided_by
from shared.domain.look import Look
from shared.domain.plan import Plan, proposal

SETBACKS_ALLOWED = 5
"""How often a write may fail to get through, for whatever reason, before a person is asked."""


def asked_for(case: Case, asked: Asked) -> Recorded:
    """The case with what a person wants; a yes to anything else is void with it, and earlier setbacks are past."""
    names = case.requested_by if asked.by in case.requested_by else (*case.requested_by, asked.by)
    void = f" The yes of {case.approved_by} to the plan before is void with it." if case.approved_digest else ""
    return record(
        case,
        asked.on,
        by=asked.by,
        kind="asked_for",
        text=f"{asked.by} asks for this: {ACTIONS[asked.action].title}. {asked.reason}".strip() + void,
        details={"action": asked.action, "values": dict(asked.values)},
        asked=asked,
        requested_by=names,
        setbacks=0,
        approved_digest="",
        approved_by="",
        approved_on=None,
    )


def withdrawn(case: Case, now: datetime, by: str) -> Recorded:
    """The case without what was asked for, and without its plan: nobody can say yes to it any more."""
    title = ACTIONS[case.asked.action].title if case.asked is not None else ""
    text = f"{by} withdrew what was asked for: {title}."
    without = _without(Recorded(case), now, by, "request_withdrawn", text)
    after = replace(without.case, state=State.WAITING, due_on=now, plan=None, outgoing=case.lasting_news)
    return Recorded(after, without.events)


def no_longer(case: Case, look: Look, diagnosis: Diagnosis, plan: Plan | None) -> str | None:
    """Why what was asked for is not done any more; None while it may be."""
    asked = look.asked
    if asked is None or look.policy.problems:
        return None  # what the policy says cannot be told now: it rests, as a yes does
    if case.setbacks >= SETBACKS_ALLOWED:
        return f"our write did not get through ({case.setbacks} tries)"
    if case.approved_digest:
        late = lapsed(case, look.policy, look.now)
    else:
        late = "nobody said yes to it in time" if _too_old(look, asked) else ""
    proposed = proposal(look, asked.action)
    if late or isinstance(proposed, WhyNot):
        return late or (proposed.reason if isinstance(proposed, WhyNot) else None)
    return "the policy does not let the app do it" if _forbidden(look, diagnosis, asked, plan) else None


def _too_old(look: Look, asked: Asked) -> bool:
    return look.now >= look.after(asked.on, look.policy.approval_expires)


def _forbidden(look: Look, diagnosis: Diagnosis, asked: Asked, plan: Plan | None) -> bool:
    return plan is None or decided_by(look, diagnosis, asked.action) in HANDS_OFF


def not_wanted(recorded: Recorded, look: Look, why: str) -> tuple[Recorded, Look]:
    """The case and the look without what was asked for, an event that says why, and news to who wanted it."""
    asked = look.asked
    title = ACTIONS[asked.action].title if asked is not None else ""
    text = f"Not done: {title}, because {why}."
    without = _without(recorded, look.now, SYSTEM, "request_dropped", text)
    key = f"{NOT_DONE}:dropped:{asked.action}:{asked.on.isoformat()}" if asked is not None else NOT_DONE
    news = Notification(key, NOT_DONE, text, look.now)
    told = replace(without.case, outgoing=(*without.case.outgoing, news))
    return Recorded(told, without.events), replace(look, asked=None)


def requested(asked: Asked, plan: Plan | None) -> str:
    """The next step of a case with something asked for."""
    what = f"{ACTIONS[asked.action].title} ({plan.sentence()})" if plan is not None else ACTIONS[asked.action].title
    return f"{asked.by} asks for this: {what}. Say yes to the plan, or withdraw the request."


def _without(recorded: Recorded, now: datetime, by: str, kind: str, text: str) -> Recorded:
    case = recorded.case
    none: dict[str, Any] = {"asked": None, "approved_digest": "", "approved_by": "", "approved_on": None}
    told = told_without(case, case.plan.digest if case.plan is not None else "")
    return record(recorded, now, by=by, kind=kind, text=text, told=told, **none)
