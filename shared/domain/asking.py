"""An action that a person asks for, beyond what the diagnosis offers: asked, kept while it may be done, or dropped."""

from dataclasses import replace
from datetime import datetime

from shared.domain.action import WhyNot
from shared.domain.actions import ACTIONS
from shared.domain.amendment import Asked
from shared.domain.case import SYSTEM, Case, Recorded, record
from shared.domain.look import Look
from shared.domain.plan import Plan, proposal


def asked_for(case: Case, asked: Asked) -> Recorded:
    """The case with what a person wants; a yes to anything else is void with it."""
    names = case.requested_by if asked.by in case.requested_by else (*case.requested_by, asked.by)
    return record(
        case,
        asked.on,
        by=asked.by,
        kind="asked_for",
        text=f"{asked.by} asks for this: {ACTIONS[asked.action].title}. {asked.reason}".strip(),
        details={"action": asked.action, "values": dict(asked.values)},
        asked=asked,
        requested_by=names,
        approved_digest="",
        approved_by="",
        approved_on=None,
    )


def withdrawn(case: Case, now: datetime, by: str) -> Recorded:
    """The case without what was asked for. It is diagnosed anew."""
    title = ACTIONS[case.asked.action].title if case.asked is not None else ""
    text = f"{by} withdrew what was asked for: {title}."
    return _without(Recorded(case), now, by, "request_withdrawn", text)


def no_longer(look: Look, plan: Plan | None) -> str | None:
    """Why what was asked for is not done any more; None while it may be."""
    asked = look.asked
    if asked is None:
        return None
    if look.now >= look.after(asked.on, look.policy.approval_expires):
        return "nobody said yes to it in time"
    if plan is not None:
        return None
    proposed = proposal(look, asked.action)
    return proposed.reason if isinstance(proposed, WhyNot) else "the policy has it switched off"


def not_wanted(recorded: Recorded, look: Look, why: str) -> tuple[Recorded, Look]:
    """The case and the look without what was asked for, and an event that says why."""
    asked = look.asked
    title = ACTIONS[asked.action].title if asked is not None else ""
    text = f"Not done: {title}, because {why}."
    return _without(recorded, look.now, SYSTEM, "request_dropped", text), replace(look, asked=None)


def requested(asked: Asked) -> str:
    """The next step of a case with something asked for."""
    return f"{asked.by} asks for this: {ACTIONS[asked.action].title}. Say yes to the plan, or withdraw the request."


def _without(recorded: Recorded, now: datetime, by: str, kind: str, text: str) -> Recorded:
    return record(
        recorded, now, by=by, kind=kind, text=text, asked=None, approved_digest="", approved_by="", approved_on=None
    )
