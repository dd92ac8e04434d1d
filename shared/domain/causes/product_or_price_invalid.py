"""The product lacks what the provider needs to know it by, is inactive, or the provider does not sell it like that."""

from shared.domain.complaints import complaint
from shared.domain.evidence import ProviderType, Subscription
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look

NAME = "product_or_price_invalid"


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    subscription = look.evidence.subscription
    complains = look.reading.cause == NAME
    if subscription.product_active is False:
        return _person(
            look, Confidence.CERTAIN, f"The product {subscription.product_name} is inactive.".replace("  ", " ")
        )
    if not subscription.part_number and _ordered_by_number(subscription):
        return _person(look, Confidence.CERTAIN, "The product has no Provider Part Number to order it by.")
    if complains:
        return _person(
            look, Confidence.CERTAIN, f"The provider refuses the product or its price: {look.reading.means}."
        )
    blanks = _blanks(look, subscription)
    if blanks:
        return _advice(blanks)
    return RuledOut(NAME, "the product is active, has its Provider Part Number, and no price field is blank")


def _ordered_by_number(subscription: Subscription) -> bool:
    """Whether Work 365 orders it at a provider: manual and Do Nothing providers need no number."""
    provider = subscription.provider
    return provider is not None and provider.type in (ProviderType.AUTOMATIC, ProviderType.REST)


def _person(look: Look, confidence: Confidence, sentence: str) -> Finding:
    subscription = look.evidence.subscription
    where = f"product:{subscription.product_id or '?'}"
    active = {True: "yes", False: "no", None: None}[subscription.product_active]
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=confidence,
        sentence=sentence,
        next_step="Correct the product on its Work 365 tab (Provider Part Number, term, billing cycle, price list), "
        "then retrigger the change.",
        who="billing administrator",
        proof=(
            look.fact("Provider Part Number", subscription.part_number, where),
            look.fact("product active", active, where),
            *(complaint(look) if look.reading.cause == NAME else ()),
        ),
    )


def _blanks(look: Look, subscription: Subscription) -> tuple[Fact, ...]:
    where = f"subscription:{subscription.id}"
    fields = {"Price List": subscription.price_list_id, "Currency": subscription.currency}
    return tuple(look.fact(name, value, where) for name, value in fields.items() if not value)


def _advice(blanks: tuple[Fact, ...]) -> Finding:
    names = " and ".join(fact.what for fact in blanks)
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LOW,
        sentence=f"{names} of the subscription {'are' if len(blanks) > 1 else 'is'} blank. It holds nothing back.",
        next_step="Fill it in before the next invoice.",
        who="billing administrator",
        proof=blanks,
        advice=True,
    )
