"""What only the provider's codes say: agreements, reviews, credit, offers that are gone, more than is allowed."""

from shared.domain.evidence import ChangeType, ProviderReading
from tests.builders import NOW
from tests.corpus.case import APPROVE, AUTO, PERSON, Case, case
from tests.corpus.parts import MINUTE, failed, later, old, seats, see, stuck, sub

_SAID = (
    ("customer_agreement_missing", "13605", "The customer must accept the Microsoft Customer Agreement"),
    ("customer_agreement_missing", "900124", "Your company hasn't accepted the Microsoft Partner Agreement (MPA)."),
    ("customer_agreement_missing", "900123", "The indirect reseller has not accepted the agreement"),
    ("customer_under_review", "900416", "This customer account is locked for transactions."),
    ("credit_or_risk_hold", "800023", "Credit Line isn't reaching minimum threshold for this purchase."),
    ("credit_or_risk_hold", "800025", "Credit Line isn't reaching minimum threshold for this purchase."),
    ("credit_or_risk_hold", "900121", "Order failed due to insufficient credit limit"),
    ("credit_or_risk_hold", "800069", "Order failed risk management check"),
    ("offer_unavailable", "2091", "The offer is no longer available"),
    ("offer_unavailable", "2085", "The offer is not eligible for this customer"),
    ("offer_unavailable", "800020", "Catalog item is not eligible for purchase"),
    ("offer_unavailable", "800028", "The initial purchase term is no longer available for purchase"),
    ("offer_unavailable", "800070", "Offer is not available in your country"),
    ("quantity_cap_exceeded", "800018", "The sandbox limit has been met"),
    ("quantity_cap_exceeded", "800067", "The desired seat count exceeded the maximum seat count"),
    ("quantity_cap_exceeded", "800066", "The desired number of subscriptions exceeded the maximum"),
    ("quantity_cap_exceeded", "2002", "Subscription quantity isn't within minimum and maximum allowed quantity"),
    ("quantity_cap_exceeded", "27006", "Use limit is exceeded for Offer ID"),
    ("quantity_cap_exceeded", "10009", "The sandbox limit has been exceeded."),
    ("quantity_cap_exceeded", "900322", "It is not available to purchase in the Sandbox environment."),
    ("quantity_cap_exceeded", "900419", "This customer tenant has exceeded the limit for the number of subscriptions."),
    ("quantity_cap_exceeded", "800089", "The requested number of 5 asset/s exceeded the remaining limit of 0 assets"),
)


def _body(code: str, text: str) -> str:
    return f'{{"code":"{code}","description":"{text}","data":[],"source":"PartnerFD"}}'


def _now(cause: str, code: str, text: str) -> Case:
    return case(
        f"{code}: an hour ago",
        "only a person can solve it",
        see(old(), failed(_body(code, text))),
        cause,
        PERSON,
        never=["trigger_missed"],
    )


def _long_ago(cause: str, code: str, text: str) -> Case:
    return case(
        f"{code}: a week ago",
        "time alone does not cure it",
        see(old(), failed(_body(code, text), 7 * 24 * 60)),
        cause,
        PERSON,
    )


def _first_order(cause: str, code: str, text: str) -> Case:
    order = failed(_body(code, text), 60, 25, change_type=ChangeType.CREATE)
    return case(
        f"{code}: a first order",
        "refused before anything was bought",
        see(
            order,
            subscription=sub(provider_subscription_id=None),
            provider=_nothing_bought(),
            linked_at_provider=frozenset(),
        ),
        cause,
        PERSON,
    )


def _in_a_chain(cause: str, code: str, text: str) -> Case:
    return case(
        f"{code}: with one behind it",
        "the chain is named first, and its head keeps it",
        see(old(), failed(_body(code, text)), later()),
        "prior_change_blocking",
        PERSON,
        also=[cause],
    )


def _nothing_bought() -> ProviderReading:
    return ProviderReading(NOW, (), relationship=True)


# fmt: off
CASES = [
    *(_now(*row) for row in _SAID),
    *(_long_ago(*row) for row in _SAID[::3]),
    *(_first_order(*row) for row in _SAID[::4]),
    *(_in_a_chain(*row) for row in (_SAID[0], _SAID[4], _SAID[8], _SAID[14])),
    case(
        "no agreement in words only", "the text is known, no code was kept",
        see(old(), failed("You must confirm acceptance of the Microsoft Customer Agreement before the purchase.")),
        "customer_agreement_missing", PERSON,
    ),
    case(
        "Microsoft and agreement, but another matter", "an agreement to call back is no Customer Agreement",
        see(old(), failed("Microsoft support agreed to call the customer back.")), "unknown", PERSON,
        never=["customer_agreement_missing"],
    ),
    case(
        "a review of the order form", "the word alone is no code",
        see(old(), failed("Please review the order and try once more.")), "unknown", PERSON,
        never=["customer_under_review"],
    ),
    case(
        "credit of a seat", "the word alone is no code", see(old(), failed("The credit note was created.")),
        "unknown", PERSON, never=["credit_or_risk_hold"],
    ),
    case(
        "an offer in the text", "the word alone is no code", see(old(), failed("Offer: CFQ7TTC0LH16")), "unknown",
        PERSON, never=["offer_unavailable"],
    ),
    case(
        "twenty-five seats, a sandbox's number", "the number is not the cap", see(old(), stuck(25)), "trigger_missed",
        AUTO, never=["quantity_cap_exceeded"],
    ),
    case(
        "a cap that was met and the order that went through", "the later try succeeded",
        see(old(), failed(_body("2002", "not within")), provider=seats(25)), "already_applied", PERSON, APPROVE,
        also=["quantity_cap_exceeded"],
    ),
    case(
        "a quantity range in words only", "a line of the order supports a range",
        see(old(), failed("Item X referenced by line item 0 supports quantity range from 3000 to 3000")),
        "quantity_cap_exceeded", PERSON,
    ),
    case(
        "no agreement, minutes ago", "fresh or not, a person", see(old(), failed(_body("13605", "agreement"), 5)),
        "customer_agreement_missing", PERSON,
    ),
    case(
        "no agreement, and still awaiting", "a text on a change that awaits counts like one that failed",
        see(old(), stuck(message=_body("13605", "agreement"), modified_on=NOW - 5 * MINUTE)),
        "customer_agreement_missing", PERSON,
    ),
]
