"""Run this change's job now, the way WORK365_RUN_JOB says. No row of Work 365's changes is saved."""

from shared.domain.action import Action, Risk, WhyNot
from shared.domain.actions.preconditions import head_of, may_order
from shared.domain.amendment import Asked
from shared.domain.look import Look
from shared.domain.policy import Level

NAME = "run_job"


def propose(look: Look, asked: Asked | None) -> WhyNot | None:  # noqa: ARG001
    """Only this change's job, never an environment-wide one (rule 7), and never beside one that is under way."""
    head = head_of(look, scheduled_too=True)
    if isinstance(head, WhyNot):
        return head
    reason = may_order(look)
    return WhyNot(reason) if reason is not None else None


ACTION = Action(
    name=NAME,
    title="Run the change's job now",
    changes="Work 365 Job: a row for this change, as WORK365_RUN_JOB says",
    risk=Risk.HIGH,
    freest=Level.APPROVE,
    verified="Change and subscription are read as Provisioned, and stay so.",
    undone="It cannot be: what Work 365 orders is an order.",
    propose=propose,
    asked_only=True,
)
