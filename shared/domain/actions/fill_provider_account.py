"""Fill in the empty Provider Account with the only one that it can be; then the change is retriggered."""

from shared.domain.account_choice import choice_for
from shared.domain.action import Action, Risk, WhyNot
from shared.domain.actions.preconditions import head_of
from shared.domain.amendment import SUBSCRIPTION, Amendment, Asked, Column
from shared.domain.look import Look
from shared.domain.policy import Level

NAME = "fill_provider_account"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:  # noqa: ARG001
    head, own = head_of(look), look.evidence.subscription
    if isinstance(head, WhyNot):
        return head
    if own.account is not None and own.account.tenant_id:
        return WhyNot("the provider account is set: whether it is the wrong one, a person finds out")
    choice = choice_for(look)
    if choice.account is None:
        return WhyNot(choice.why_not)
    before = own.account.id if own.account is not None else None
    return Amendment(SUBSCRIPTION, own.id, (Column("provider_account", before, choice.account.id),))


ACTION = Action(
    name=NAME,
    title="Fill in the provider account, then retrigger the change",
    changes="Subscription: Provider Account to the customer's only account at this provider",
    risk=Risk.HIGH,
    freest=Level.APPROVE,
    verified="The subscription is read with this account and judged anew; the same yes covers just the retrigger that "
    "was shown with it.",
    undone="The account before is put back as long as the change is not provisioned.",
    propose=propose,
)
