"""Refusals: the guards asked once more, for a whole group, when something is about to be sent."""

import logging

from shared.domain.diagnosis import diagnose
from shared.domain.guards import Guard, Question, Refusal, first_no
from shared.domain.situation import Situation
from shared.errors import SourceError
from shared.workflow.context import Context
from shared.workflow.controls import situation
from shared.workflow.effects import Group, Underway

log = logging.getLogger(__name__)


async def refused_now(
    ctx: Context, group: Group, organization_id: str | None, guards: tuple[Guard, ...]
) -> dict[str, Refusal]:
    """Who must not go on, by subscription; all of them while pauses and holds cannot be read."""
    try:
        now = await situation(ctx, organization_id)
    except SourceError as error:
        log.warning("Nothing is written, since pauses and holds could not be read: %s", error)
        return dict.fromkeys(group, Refusal("controls", f"pauses and holds could not be read ({error})"))
    answers = {i: first_no(guards, _question(u, now)) for i, u in group.items()}
    return {i: refusal for i, refusal in answers.items() if refusal is not None}


def _question(underway: Underway, now: Situation) -> Question:
    case, look = underway.stored.case, underway.look
    return Question(case, look, diagnose(look), case.plan, now, underway.share)
