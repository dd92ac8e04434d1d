"""Pull the head's date forward to today. It moves a billing date, so a person asks for it and a person says yes."""

from shared.domain.action import Action, Risk, WhyNot
from shared.domain.actions.preconditions import head_of, may_order
from shared.domain.amendment import CHANGE, Amendment, Asked, Column, text_of
from shared.domain.evidence import Change, ChangeType
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.seats import ends_it, seats

NAME = "pull_forward"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:  # noqa: ARG001
    head = head_of(look, scheduled_too=True)
    if isinstance(head, WhyNot):
        return head
    if (reason := _refused(look, head)) is not None:
        return WhyNot(reason)
    return Amendment(CHANGE, head.id, (Column("effective_date", text_of(head.effective_date), look.today.isoformat()),))


def _refused(look: Look, head: Change) -> str | None:
    subscription = look.evidence.subscription
    if head.effective_date is None or head.effective_date <= look.today:
        return "its Effective Date is today or earlier: backdating is a person's work in Work 365"
    if subscription.start_date is not None and subscription.start_date > look.today:
        return f"the subscription itself starts on {subscription.start_date}: move that date in Work 365 first"
    if head.change_type is ChangeType.DEACTIVATE or ends_it(look):
        return "a cancellation is not pulled forward: it takes licenses away earlier"
    if (seats(head) or 0) <= 0:
        return "only a change that adds seats is pulled forward: a reduction has a window of its own"
    if look.evidence.scheduled:
        return "scheduled changes of the subscription would come after it: decide about all of them together"
    return may_order(look)


ACTION = Action(
    name=NAME,
    title="Pull the change forward to today",
    changes="License Change Log: Effective Date to today, in Work 365's time zone; its job is run",
    risk=Risk.MEDIUM,
    freest=Level.APPROVE,
    verified="Change and subscription are read as Provisioned, and stay so.",
    undone="The date before is put back as long as the change is not provisioned.",
    propose=propose,
    asked_only=True,
)
