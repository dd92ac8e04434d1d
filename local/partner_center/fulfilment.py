"""How far orders are: what Partner Center says of a subscription's provisioning and of its order."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.partner_center.model import OrderStatus, ProviderSubscription, Provisioning

REFRESH = timedelta(minutes=15)
"""How often Partner Center looks up how far the licenses are."""
_DAY_ONE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Provisioned:
    """How far the licenses themselves are."""

    status: Provisioning
    quantity: int


def last_refresh(now: datetime) -> datetime:
    """When provisioning was looked up last: each full quarter of an hour."""
    return now - (now - _DAY_ONE) % REFRESH


def provisioned(subscription: ProviderSubscription, now: datetime, fulfilment: timedelta) -> Provisioned:
    """What provisioningstatus shows at `now` (UTC): the state of the last refresh, whatever happened since."""
    at = last_refresh(now)
    status, quantity = _at(subscription, at, fulfilment)
    return Provisioned(subscription.provisioning or status, quantity)


def order_status(subscription: ProviderSubscription, now: datetime, fulfilment: timedelta) -> OrderStatus:
    """How far the subscription's order is at `now` (UTC). Orders are up to date, once they can be seen at all."""
    if subscription.order_status is not None:
        return subscription.order_status
    last = subscription.steps[-1].on if subscription.steps else None
    return "pending" if last is not None and now < last + fulfilment else "completed"


def _at(subscription: ProviderSubscription, at: datetime, fulfilment: timedelta) -> tuple[Provisioning, int]:
    """Status and seats at a moment in the past."""
    later = [step for step in subscription.steps if step.on > at]
    quantity = later[0].quantity_before if later else subscription.quantity
    done = subscription.steps[: len(subscription.steps) - len(later)]
    if done and at < done[-1].on + fulfilment:
        return "pending", done[-1].quantity_before
    if at < subscription.creation_date:
        return "pending", 0  # it is there, and has not been looked up yet
    return "success", quantity
