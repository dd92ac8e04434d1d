"""Link the subscription to one that the provider has and nothing in Work 365 points to."""

from shared.domain.action import Action, Need, Risk, WhyNot
from shared.domain.actions.preconditions import head_of
from shared.domain.amendment import SUBSCRIPTION, Amendment, Asked, Column
from shared.domain.look import Look
from shared.domain.policy import Level
from shared.domain.unlinked import unlinked

NAME = "link_subscription"
WHICH = "provider_subscription_id"


def propose(look: Look, asked: Asked | None) -> Amendment | WhyNot:
    head, own = head_of(look), look.evidence.subscription
    if isinstance(head, WhyNot):
        return head
    if own.provider_subscription_id:
        return WhyNot(f"the subscription is linked to {own.provider_subscription_id}: relinking is a person's work")
    found = unlinked(look)
    if found is None:
        return WhyNot("which of the provider's subscriptions are unlinked could not be read")
    wanted = (asked.value(WHICH) if asked is not None else "").casefold()
    chosen = next((each for each in found if each.id.casefold() == wanted), None)
    if chosen is None:
        there = ", ".join(each.id for each in found[:10]) or "none"
        return WhyNot(f"{WHICH}: is not an unlinked subscription of this product in the customer's tenant ({there})")
    return Amendment(SUBSCRIPTION, own.id, (Column("provider_subscription_id", None, chosen.id),))


ACTION = Action(
    name=NAME,
    title="Link the subscription to the one found at the provider",
    changes="Subscription: Provider Specific Id",
    risk=Risk.HIGH,
    freest=Level.APPROVE,
    verified="The subscription is read with this link and judged anew: when the provider shows the seats, marking the "
    "change Provisioned is offered next.",
    undone="The link is taken out again as long as the change is not provisioned.",
    propose=propose,
    needs=(Need(WHICH, "Which of the unlinked ones it is.", "5f3c9f0e-6a8b-4c6e-9b1d-2f0c7a1e4d55"),),
    asked_only=True,
)
