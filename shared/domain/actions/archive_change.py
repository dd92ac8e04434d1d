"""Archive the head, so that the changes behind it may go on. Archived and not invoiced means never billed."""

from shared.domain.action import Action, Risk, WhyNot
from shared.domain.actions.preconditions import head_of
from shared.domain.amendment import CHANGE, Amendment, Asked, Column
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.safety import may_be_there, shows_head

NAME = "archive_change"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:
    head = head_of(look)
    if isinstance(head, WhyNot):
        return head
    if not look.chain.behind:
        return WhyNot("nothing waits behind this change: there is no need to archive it")
    if shows_head(look):
        return WhyNot("the provider has this change: mark it Provisioned instead, or it is never billed")
    if (reason := may_be_there(look)) is not None:
        return WhyNot(reason)
    if asked is None or not asked.reason:
        return WhyNot("say why: archived and not invoiced means that it is never billed")
    return Amendment(CHANGE, head.id, (Column("status", "active", "archived"),))


ACTION = Action(
    name=NAME,
    title="Archive the earlier change",
    changes="License Change Log: Status Reason to Archived (its state becomes Inactive)",
    risk=Risk.HIGH,
    freest=Level.APPROVE,
    verified="The change is read as archived, and the one behind it is looked at next.",
    undone="It is made active again, unless a later change was provisioned meanwhile.",
    propose=propose,
    asked_only=True,
)
