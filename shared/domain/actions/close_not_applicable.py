"""Close the head as Not Applicable: there is nothing to provision for it, or a person has decided so."""

from shared.domain.action import Action, Risk, WhyNot
from shared.domain.actions.preconditions import head_of
from shared.domain.amendment import CHANGE, Amendment, Asked, Column
from shared.domain.evidence import Change, ChangeSource
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.safety import may_be_there, shows_head
from shared.domain.seats import touches_none

NAME = "close_not_applicable"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:
    head = head_of(look)
    if isinstance(head, WhyNot):
        return head
    if (reason := _something_to_do(look, head, asked)) is not None:
        return WhyNot(reason)
    return Amendment(CHANGE, head.id, (Column("provisioning_status", head.status, "not_applicable"),))


def _something_to_do(look: Look, head: Change, asked: Asked | None) -> str | None:
    if touches_none(head):
        return None
    if shows_head(look):
        sourced = head.source is ChangeSource.PROVIDER
        return None if sourced else "the provider has this change: mark it Provisioned instead"
    if asked is None:
        return "the change asks for something that the provider does not show"
    if not asked.reason:
        return "say why: the change is billed all the same, and nobody orders it any more"
    return may_be_there(look)


ACTION = Action(
    name=NAME,
    title="Close the change as Not Applicable",
    changes="License Change Log: Provisioning Status to Not Applicable",
    risk=Risk.HIGH,
    freest=Level.APPROVE,
    verified="The change is read as Not Applicable, and nothing of the subscription awaits provisioning any more.",
    undone="The status before is put back, where Work 365 would not order for it at once.",
    propose=propose,
)
