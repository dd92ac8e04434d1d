"""Never order twice: what must hold before a change may be retriggered without asking (rules 1, 2 and 7)."""

from dataclasses import dataclass
from decimal import Decimal

from shared.domain.evidence import (
    Change,
    ChangeSource,
    ChangeType,
    JobStatus,
    ProviderSubscription,
    ProviderType,
    SubscriptionStatus,
)
from shared.domain.finding import Disposition, Fact
from shared.domain.look import AT_REST, Look, strictest
from shared.domain.unlinked import unlinked

_STATUS_AFTER: dict[ChangeType | None, str] = {ChangeType.ACTIVATE: "active", ChangeType.DEACTIVATE: "suspended"}


_DECIDES_NOTHING = ("currencies",)
"""What of the environment says nothing about whether Work 365 works."""


_BETWEEN = frozenset({SubscriptionStatus.SUSPENDED, SubscriptionStatus.CANCELLED, SubscriptionStatus.INACTIVE})
"""Where a subscription stands while its own activation or deactivation is under way."""


@dataclass(frozen=True, slots=True)
class Safety:
    """How far a retrigger may go, why not further, and what speaks for it."""

    disposition: Disposition
    objections: tuple[str, ...]
    proof: tuple[Fact, ...]


def order_safety(look: Look) -> Safety:
    """Judges a retrigger of the head. `auto` only when nothing at all speaks against it."""
    head = look.head
    if head is None:
        return Safety(Disposition.PERSON, ("there is no change to retrigger",), ())
    objections: list[tuple[Disposition, str]] = [*_about_the_change(look, head), *_about_the_provider(look, head)]
    disposition = Disposition.AUTO
    for wanted, _ in objections:
        disposition = strictest(disposition, wanted)
    return Safety(disposition, tuple(text for _, text in objections), _proof(look))


def not_in_order(look: Look) -> str | None:
    """What of the subscription itself is not as Work 365 needs it to be; None when everything is."""
    subscription = look.evidence.subscription
    provider, account = subscription.provider, subscription.account
    if provider is None or provider.type not in (ProviderType.AUTOMATIC, ProviderType.REST):
        return f"the provider is {provider.type if provider else 'empty'}, not one that Work 365 drives"
    if account is None or not account.tenant_id:
        return "the provider account is empty or has no Provider Specific Id"
    if subscription.customer_id is None:
        return "the subscription has no customer"
    head = look.head
    between = _BETWEEN if head is not None and head.change_type in _STATUS_AFTER else frozenset()
    if subscription.status not in AT_REST | {SubscriptionStatus.AWAITING} | between:
        return f"the subscription is {subscription.status or 'in a state that is not known'}"
    return None


def may_be_there(look: Look) -> str | None:
    """Why the provider may have the head although it does not show it; None where it has not, or cannot be asked.

    What is set aside for good must not be there: nobody would bill it, or the next change would be ordered on top.
    """
    head, subscription = look.head, look.evidence.subscription
    provider, account = subscription.provider, subscription.account
    if head is None or provider is None or provider.connector != "microsoft_csp":
        return None
    if calls := _about_its_calls(look):
        return calls[0][1]
    if account is None or not account.tenant_id:
        return None  # nothing can have been ordered
    reading = look.evidence.provider
    if reading is None or not reading.readable:
        why = reading.problem if reading is not None else "it has not been asked"
        return f"the provider cannot be read now ({why}), and may have it"
    linked = subscription.provider_subscription_id
    return None if linked or head.change_type is not ChangeType.CREATE else _may_be_unlinked(look)


def _may_be_unlinked(look: Look) -> str | None:
    """Whether a first order may stand at the provider without a link. What has no part number cannot be ordered."""
    if not look.evidence.subscription.part_number:
        return None
    found = unlinked(look)
    if found is None:
        return "which of the provider's subscriptions are already linked could not be read, and one may be this order"
    return (
        f"the provider has an unlinked subscription of this product ({found[0].id}): find out whose" if found else None
    )


def shows_head(look: Look) -> bool:
    """True when the provider, read now, already shows what the head asks for."""
    head, shown, after = look.head, look.at_provider(), look.chain.after
    if head is None or shown is None:
        return False
    if head.change_type in _STATUS_AFTER:
        return shown.status == _STATUS_AFTER[head.change_type]
    if look.evidence.subscription.product_class == "usage" or after is None:
        return False
    return after != look.chain.before and shown.quantity == after


def _about_the_change(look: Look, head: Change) -> list[tuple[Disposition, str]]:
    person, approve = Disposition.PERSON, Disposition.APPROVE
    out = []
    disorder = not_in_order(look)
    if disorder is not None:
        out.append((person, disorder))
    if head.created_on is None:
        out.append((person, "when the change was made could not be read, so its age is not known"))
    if any(change.status is None and not change.archived for change in look.evidence.changes):
        out.append((person, "the Provisioning Status of one of its changes is not known"))
    out += _about_its_calls(look)
    if head.archived:
        out.append((person, "the change is archived: it is invoiced and is never written"))
    if head.source is None:
        out.append((person, "who made the change could not be read"))
    elif head.source is ChangeSource.PROVIDER:
        out.append((person, "the change came from the provider and is already there"))
    if head.change_type is None:
        out.append((person, "the change's type could not be read"))
    if head.change_type is ChangeType.DEACTIVATE:
        out.append((approve, "a deactivation takes licenses away: a person decides"))
    if look.jobs and look.jobs[0].status is JobStatus.CANCELLED:
        out.append((person, "a person has cancelled the change's last job: that may be a decision"))
    if look.live_jobs:
        out.append((person, "a job of this change is still live: retriggering beside it could order twice"))
    if any("jobs" in what for what in look.evidence.unread):
        out.append((person, "its jobs could not be read, so one may be live"))
    doubts = [what for what in look.evidence.environment.unread if not what.startswith(_DECIDES_NOTHING)]
    if doubts:
        out.append((approve, f"whether Work 365 itself is in order is not known, for want of: {', '.join(doubts)}"))
    if head.change_type is ChangeType.UPDATE and not head.quantity:
        out.append((person, "the change asks for no seats (a price change, or its quantity could not be read)"))
    return out


def _about_its_calls(look: Look) -> list[tuple[Disposition, str]]:
    """Rule 3: what a call to the provider did shows there only after a while. Until then nobody can tell."""
    lag, now = look.policy.provider_lag, look.now
    begun = look.begun_on()
    out = []
    if begun is not None and now - begun < lag:
        out.append((Disposition.WAIT, "what our last retrigger did may not show at the provider yet"))
    ended = [j for j in look.jobs if j not in look.live_jobs and j.status is not JobStatus.NOT_APPLICABLE]
    if any(j.modified_on is None or now - j.modified_on < lag for j in ended):
        out.append((Disposition.WAIT, "a job of it has just ended, and what it did may not show at the provider yet"))
    return out


def _about_the_provider(look: Look, head: Change) -> list[tuple[Disposition, str]]:
    reading, subscription = look.evidence.provider, look.evidence.subscription
    approve, person = Disposition.APPROVE, Disposition.PERSON
    if subscription.provider is None or subscription.provider.connector != "microsoft_csp":
        return [(approve, "the provider is not Microsoft and cannot be asked what it has already")]
    if reading is None:
        return [(approve, "the provider has not been asked what it has already")]
    if reading.transient:
        return [(Disposition.WAIT, f"the provider could not be asked just now what it has: {reading.problem}")]
    if not reading.readable:
        return [(approve, f"the provider could not be asked what it has already: {reading.problem}")]
    if head.change_type is ChangeType.CREATE:
        return _about_a_first_order(look, head)
    shown = look.at_provider()
    if shown is None:
        return [(person, "the provider does not show this subscription")]
    if shown.has_next_term_instructions is not False:
        return [(approve, "a change scheduled at the provider for the next term would be deleted")]
    if head.change_type in _STATUS_AFTER:
        return _about_the_status(head, shown)
    if shown.status != "active":
        return [(person, f"the provider shows the subscription {shown.status or 'in a state that it does not say'}")]
    if subscription.product_class == "usage":
        return [(approve, "what the provider has of a usage-based subscription cannot be compared")]
    return _about_the_quantity(look, shown)


def _about_the_status(head: Change, shown: ProviderSubscription) -> list[tuple[Disposition, str]]:
    """An activation or deactivation is compared by status only (rule 2)."""
    wanted = _STATUS_AFTER.get(head.change_type, "")
    if shown.status == wanted:
        return [(Disposition.APPROVE, f"the provider already shows it {wanted}")]
    if shown.status not in _STATUS_AFTER.values():
        return [(Disposition.PERSON, f"the provider shows it {shown.status or 'in a state that it does not say'}")]
    return []


def _about_the_quantity(look: Look, shown: ProviderSubscription) -> list[tuple[Disposition, str]]:
    before, after = look.chain.before, look.chain.after
    if before is None or after is None:
        return [(Disposition.PERSON, "a quantity is missing, so it is not known what the provider should show")]
    if shown.quantity is None:
        return [(Disposition.APPROVE, "the provider does not say how many seats it has")]
    if shown.quantity == after:
        return [(Disposition.APPROVE, f"the provider already shows {after} seats")]
    if Decimal(shown.quantity) != before:
        text = (
            f"the provider shows {shown.quantity} seats, neither the {before} before the change nor the {after} after"
        )
        return [(Disposition.PERSON, text)]
    return []


def _about_a_first_order(look: Look, head: Change) -> list[tuple[Disposition, str]]:
    subscription, reading, linked = look.evidence.subscription, look.evidence.provider, look.evidence.linked_at_provider
    person = Disposition.PERSON
    if subscription.provider_subscription_id:
        return [(person, "a first order, yet the subscription is linked to one at the provider")]
    if not subscription.part_number:
        return [(person, "the product has no Provider Part Number to look for at the provider")]
    if linked is None or reading is None:
        return [(person, "which of the provider's subscriptions are already linked could not be read")]
    same = [
        s for s in reading.subscriptions if s.id.casefold() not in linked and _same_product(s, subscription.part_number)
    ]
    if same:
        return [(person, f"the provider already has an unlinked subscription of this product ({same[0].id})")]
    if any(s.created_on is None for s in reading.subscriptions):
        return [(person, "the provider does not say when this customer's other subscriptions were ordered")]
    if any(s.created_on and look.now - s.created_on < look.policy.provider_lag for s in reading.subscriptions):
        return [(Disposition.WAIT, "something was ordered for this customer just now and may not show everywhere yet")]
    return [] if head.quantity and head.quantity > 0 else [(person, "a first order without a quantity")]


def _same_product(shown: ProviderSubscription, part_number: str) -> bool:
    """An unlinked subscription whose product is not known may be the very one: it counts as the same."""
    if shown.product is None:
        return True
    offer, part = shown.product.casefold(), part_number.casefold()
    return offer == part or offer.startswith(f"{part}:")  # Partner Center appends the availability


def _proof(look: Look) -> tuple[Fact, ...]:
    shown, reading = look.at_provider(), look.evidence.provider
    facts = [
        look.change_fact("Provisioning Status", look.head.status if look.head else None),
        look.change_fact("live jobs", len(look.live_jobs)),
    ]
    if shown is not None and reading is not None:
        where = f"provider_subscription:{shown.id}"
        facts.append(Fact("seats at the provider", str(shown.quantity), where, reading.read_on))
        facts.append(look.change_fact("seats before this change", look.chain.before))
    return tuple(facts)
