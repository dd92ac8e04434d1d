"""Subscriptions that the provider has and no Work 365 subscription points to."""

from shared.domain.evidence import ProviderReading, ProviderSubscription
from shared.domain.look import Look

_OVER = frozenset({"deleted", "expired", "disabled"})


def unlinked(look: Look) -> list[ProviderSubscription] | None:
    """Those of the subscription's product in its own tenant, as `unlinked_in` says."""
    return unlinked_in(look, look.evidence.provider)


def unlinked_in(look: Look, reading: ProviderReading | None) -> list[ProviderSubscription] | None:
    """Those of the subscription's product, in the order of their ids; None when it is not known which are linked.

    One whose product is not known may be the very one: it is among them.
    """
    linked = look.evidence.linked_at_provider
    part_number = look.evidence.subscription.part_number
    if reading is None or not reading.readable or linked is None or not part_number:
        return None
    known = {one.casefold() for one in linked}
    free = [s for s in reading.subscriptions if s.id.casefold() not in known and s.status not in _OVER]
    return sorted((s for s in free if is_product(s, part_number) is not False), key=lambda s: s.id)


def is_product(shown: ProviderSubscription, part_number: str) -> bool | None:
    """Whether it is of this product; None when the provider does not say. Partner Center appends the availability."""
    if shown.product is None:
        return None
    offer, part = shown.product.casefold(), part_number.casefold()
    return offer == part or offer.startswith(f"{part}:")
