"""What became of the last call to the provider (rule 3): carried out, not carried out, or nobody knows yet."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.evidence import ChangeType, JobStatus, ProviderSubscription, ProvisioningStatus
from shared.domain.finding import Fact
from shared.domain.look import Look
from shared.domain.safety import shows_head
from shared.domain.seats import counted_by_use
from shared.domain.unlinked import unlinked

_PENDING = "pending"
_BEFORE = {ChangeType.ACTIVATE: "suspended", ChangeType.DEACTIVATE: "active"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that ended without saying whether it was carried out."""

    on: datetime | None
    """When it ended; None when that is not known."""
    proof: tuple[Fact, ...]


def open_call(look: Look) -> Call | None:
    """The head's last call, where it ended with a lost answer, or as a success that changed nothing."""
    head = look.head
    if head is None:
        return None
    if look.reading.outcome_open:
        means = look.change_fact("which means", look.reading.means)
        return Call(_not_later(look, look.message_on), (_message(look), means))
    if head.message.strip() or look.reading.cause is not None or look.live_jobs or not look.jobs:
        return None  # a message is an outcome, and so is a job that has not ended
    last = look.jobs[0]
    if last.status is not JobStatus.SUCCEEDED or head.status is ProvisioningStatus.NOT_APPLICABLE:
        return None
    state = look.fact("job state", last.status, f"work365_job:{last.id}")
    return Call(_not_later(look, last.modified_on), (state, look.change_fact("Provisioning Status", head.status)))


def not_carried_out(look: Look) -> Fact | None:
    """The provider's own words that it has what it had before the change; None when it does not say that."""
    head, shown = look.head, look.at_provider()
    if head is None or shows_head(look) or pending_at_provider(look) is not None or _provisioned_otherwise(look):
        return None
    if shown is None:
        return _nothing_bought(look)
    if head.change_type in _BEFORE:
        return _at(look, shown, "status", shown.status) if shown.status == _BEFORE[head.change_type] else None
    before = look.chain.before
    if counted_by_use(look) or before is None or shown.quantity is None or shown.quantity != before:
        return None
    return _at(look, shown, "seats", shown.quantity)


def pending_at_provider(look: Look) -> Fact | None:
    """What the provider itself calls pending of the subscription's last order."""
    details = look.evidence.provider_details
    if details is None or _PENDING not in (details.provisioning, details.order_status):
        return None
    what = "provisioning" if details.provisioning == _PENDING else "order"
    return Fact(f"{what} at the provider", _PENDING, _where(look), details.read_on)


def _provisioned_otherwise(look: Look) -> bool:
    """Whether its provisioning speaks of another number than from before: then the list may merely be late."""
    details, head = look.evidence.provider_details, look.head
    if details is None or details.provisioned_quantity is None or head is None or head.change_type in _BEFORE:
        return False
    return details.provisioned_quantity == look.chain.after != look.chain.before


def _nothing_bought(look: Look) -> Fact | None:
    """Of a first order: nothing of the product is there that no subscription in Work 365 points to."""
    reading, head, subscription = look.evidence.provider, look.head, look.evidence.subscription
    if reading is None or head is None or head.change_type is not ChangeType.CREATE:
        return None
    if subscription.provider_subscription_id or unlinked(look) != []:
        return None
    return Fact("subscriptions of the product that nothing points to", "none", _where(look), reading.read_on)


def _at(look: Look, shown: ProviderSubscription, what: str, value: object) -> Fact:
    reading = look.evidence.provider
    read_on = reading.read_on if reading is not None else look.now
    return Fact(f"{what} at the provider", str(value), f"provider_subscription:{shown.id}", read_on)


def _where(look: Look) -> str:
    return f"provider_subscription:{look.evidence.subscription.provider_subscription_id or '?'}"


def _message(look: Look) -> Fact:
    return look.change_fact("Provisioning Message", look.message[:500])


def _not_later(look: Look, moment: datetime | None) -> datetime | None:
    """A time that lies in the future is none that is known."""
    return moment if moment is not None and moment <= look.after(look.now, look.policy.grace) else None
