"""Fill in the missing customer with the account that provider account and billing contract both name."""

from shared.domain.action import Action, Risk, WhyNot
from shared.domain.actions.preconditions import head_of
from shared.domain.amendment import SUBSCRIPTION, Amendment, Asked, Column
from shared.domain.causes.customer_missing import named_by_both
from shared.domain.look import Look
from shared.domain.policy import Level

NAME = "fill_customer"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:  # noqa: ARG001
    head, own = head_of(look), look.evidence.subscription
    if isinstance(head, WhyNot):
        return head
    if own.customer_id is not None:
        return WhyNot("the subscription has a customer: whether it is the wrong one, a person finds out")
    both = named_by_both(own)
    if both is None or own.contract_active is not True:
        return WhyNot("provider account and an active billing contract do not name the same account")
    return Amendment(SUBSCRIPTION, own.id, (Column("customer", None, both),))


ACTION = Action(
    name=NAME,
    title="Fill in the customer, then retrigger the change",
    changes="Subscription: Customer to the account that provider account and billing contract both name",
    risk=Risk.HIGH,
    freest=Level.APPROVE,
    verified="The subscription is read with this customer and judged anew; the same yes covers just the retrigger that "
    "was shown with it.",
    undone="The customer is taken out again as long as the change is not provisioned.",
    propose=propose,
)
