"""Run this change's job now, the way WORK365_RUN_JOB says. No row of Work 365's changes is saved."""

from dataclasses import replace

from shared.domain.action import Action, Risk, WhyNot
from shared.domain.actions.preconditions import head_of
from shared.domain.amendment import Asked
from shared.domain.evidence import ProvisioningStatus
from shared.domain.finding import Disposition
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.safety import order_safety

NAME = "run_job"


def propose(look: Look, asked: Asked | None) -> WhyNot | None:  # noqa: ARG001
    """Only this change's job, never an environment-wide one (rule 7), and never beside one that is under way."""
    head = head_of(look, scheduled_too=True)
    if isinstance(head, WhyNot):
        return head
    if head.status is not ProvisioningStatus.AWAITING:
        return WhyNot("the change stands at Failed Provisioning: set it back to Awaiting Provisioning instead")
    without = replace(look, evidence=replace(look.evidence, jobs=()))
    safety = order_safety(without)
    if safety.disposition in (Disposition.PERSON, Disposition.WAIT):
        return WhyNot(safety.objections[0])
    return None


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
