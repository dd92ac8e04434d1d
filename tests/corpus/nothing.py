"""Nothing to do: the provider has it already, or there is nothing to send."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.evidence import ChangeSource, ChangeType, JobStatus, ProviderReading, ProviderSubscription
from shared.domain.evidence import SubscriptionStatus as Status
from tests.builders import AT_PROVIDER, DAY, NOW
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, case
from tests.corpus.parts import (
    EARLIER,
    FAILED,
    NOT_APPLICABLE,
    PART,
    failed,
    job,
    later,
    old,
    seats,
    see,
    stuck,
    sub,
    unreadable,
)

_GATEWAY = "<html><h1>504 Gateway Time-out</h1></html>"
_CONSENT = '{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired"}'
_NEW = sub(provider_subscription_id=None)
_FIRST = stuck(25, change_type=ChangeType.CREATE)
_NEW_THERE = ProviderSubscription("f0f0", 25, "active", f"{PART}:CFQ7TTC0", NOW - timedelta(hours=1))


def _customer_has(*found: ProviderSubscription) -> ProviderReading:
    return ProviderReading(NOW, found, relationship=True)


_HERE = frozenset[str]()
_DEACTIVATE = stuck(-20, change_type=ChangeType.DEACTIVATE)
_ACTIVATE = stuck(20, change_type=ChangeType.ACTIVATE)
_USAGE = sub(product_class="usage")

# fmt: off
CASES = [
    case(
        "the running total is there", "only Work 365 does not know", see(provider=seats(25)), "already_applied",
        APPROVE,
    ),
    case(
        "an order that went through behind a 504", "the gateway gave up, the provider did not",
        see(old(), failed(_GATEWAY), provider=seats(25)), "already_applied", APPROVE, PERSON,
    ),
    case(
        "a failed change without a word, yet applied", "its status is wrong, not the provider",
        see(old(), stuck(status=FAILED), provider=seats(25)), "already_applied", APPROVE, PERSON,
    ),
    case(
        "a succeeded job with unchanged status, and the seats are there", "the answer was lost, the order was not",
        see(jobs=(job(JobStatus.SUCCEEDED),), provider=seats(25)), "already_applied", APPROVE, PERSON,
    ),
    case(
        "a reduction that is there already", "the provider shows fifteen", see(old(), stuck(-5), provider=seats(15)),
        "already_applied", APPROVE,
    ),
    case(
        "a reduction refused today that was carried out before",
        "the second try was refused because the first worked",
        see(old(), failed('{"code":900257,"description":"passed"}', quantity=-5), provider=seats(15)),
        "already_applied", APPROVE, PERSON,
    ),
    case(
        "applied, with later changes behind it", "compared with the sum up to this change, not with the total",
        see(old(), stuck(), later(10), provider=seats(25), subscription=sub(quantity=Decimal(35))), "already_applied",
        APPROVE, also=["prior_change_blocking"],
    ),
    case(
        "the provider shows the total of a chain", "thirty-five is neither before nor after the first change",
        see(old(), stuck(), later(10), provider=seats(35), subscription=sub(quantity=Decimal(35))),
        "prior_change_blocking", PERSON, APPROVE, never=["already_applied"],
    ),
    case(
        "seats from the provider are part of the sum", "twenty, three from there and five of ours",
        see(
            old(), stuck(3, id=EARLIER, status=NOT_APPLICABLE, source=ChangeSource.PROVIDER), stuck(),
            provider=seats(28),
        ),
        "already_applied", APPROVE,
    ),
    case(
        "the sum without the seats from the provider", "twenty-five is neither 23 nor 28",
        see(
            old(), stuck(3, id=EARLIER, status=NOT_APPLICABLE, source=ChangeSource.PROVIDER), stuck(),
            provider=seats(25),
        ),
        "trigger_missed", PERSON, never=["already_applied"],
    ),
    case(
        "activated there already", "the status is what an activation wants",
        see(old(), _ACTIVATE, provider=seats(20)), "already_applied", APPROVE,
    ),
    case(
        "an activation with another quantity there", "an activation is compared by status only",
        see(old(), _ACTIVATE, provider=seats(17)), "already_applied", APPROVE,
    ),
    case(
        "suspended there already", "the status is what a deactivation wants",
        see(old(), _DEACTIVATE, provider=seats(20, status="suspended")), "already_applied", APPROVE, PERSON,
        never=["subscription_state_blocked"],
    ),
    case(
        "a deactivation that is not there yet", "the quantity says nothing about a deactivation",
        see(old(), _DEACTIVATE, provider=seats(0)), "trigger_missed", APPROVE, PERSON, never=["already_applied"],
    ),
    case(
        "usage that happens to show the number", "usage-based quantities are not comparable",
        see(provider=seats(25), subscription=_USAGE), "trigger_missed", APPROVE, PERSON, never=["already_applied"],
    ),
    case(
        "usage with another number", "a different number at the provider is no sign of anything either",
        see(provider=seats(3), subscription=_USAGE), "trigger_missed", APPROVE, PERSON, never=["already_applied"],
    ),
    case(
        "a usage activation there already", "usage-based ones are compared by status",
        see(old(), _ACTIVATE, provider=seats(0), subscription=_USAGE), "already_applied", APPROVE,
    ),
    case(
        "a first order found at the provider unlinked", "bought, but Work 365 does not know its id",
        see(_FIRST, subscription=_NEW, provider=_customer_has(_NEW_THERE), linked_at_provider=_HERE),
        "already_applied", PERSON, APPROVE,
    ),
    case(
        "a first order behind a 504 found unlinked", "a second order would be a second subscription",
        see(
            failed(_GATEWAY, quantity=25, change_type=ChangeType.CREATE), subscription=_NEW,
            provider=_customer_has(_NEW_THERE), linked_at_provider=_HERE,
        ),
        "already_applied", PERSON, APPROVE,
    ),
    case(
        "the product bought by another row", "a linked one is not this order",
        see(_FIRST, subscription=_NEW, provider=_customer_has(_NEW_THERE), linked_at_provider=frozenset({"f0f0"})),
        "trigger_missed", AUTO, WAIT, never=["already_applied"],
    ),
    case(
        "another product of the customer, unlinked", "another offer is not this order",
        see(
            _FIRST, subscription=_NEW, linked_at_provider=_HERE,
            provider=_customer_has(replace(_NEW_THERE, product="CFQ7TTC0LDPB:0001", created_on=NOW - DAY)),
        ),
        "trigger_missed", AUTO, never=["already_applied"],
    ),
    case(
        "applied and still a live job", "never anything beside a live job, yet the seats are there",
        see(provider=seats(25), jobs=(job(JobStatus.RETRY, 5),)), "already_applied", APPROVE, WAIT, PERSON,
    ),
    case(
        "applied, and the consent has expired since", "both are true: the change is closed, the consent is renewed",
        see(old(), failed(_CONSENT), provider=seats(25)), "already_applied", PERSON, APPROVE,
        also=["consent_expired"],
    ),
    case(
        "a price-only change", "no seats to order: never retriggered", see(old(), stuck(0)), "nothing_to_provision",
        APPROVE, PERSON, never=["already_applied", "trigger_missed"],
    ),
    case(
        "a price-only change that failed", "what failed there is nothing to send again",
        see(old(), stuck(0, status=FAILED)), "nothing_to_provision", APPROVE, PERSON,
    ),
    case(
        "a price-only change with a price", "zero seats at another price",
        see(old(), stuck(0, unit_price=Decimal("18.90"), name="New price")), "nothing_to_provision", APPROVE, PERSON,
    ),
    case(
        "a price-only change and the provider unreadable", "nothing has to be asked for it",
        see(old(), stuck(0), provider=unreadable("403")), "nothing_to_provision", APPROVE, PERSON,
    ),
    case(
        "a price-only change ahead of an increase", "the head is closed, the next one follows",
        see(old(), stuck(0), later(2)), "nothing_to_provision", APPROVE, PERSON, also=["prior_change_blocking"],
    ),
    case(
        "a price-only change of a usage subscription", "usage or not, it asks for no seats",
        see(old(), stuck(0), subscription=_USAGE), "nothing_to_provision", APPROVE, PERSON,
    ),
    case(
        "awaiting although it came from the provider", "it is there already: retriggering would order it again",
        see(old(), stuck(source=ChangeSource.PROVIDER)), "nothing_to_provision", APPROVE, PERSON,
    ),
    case(
        "failed although it came from the provider", "the failure is of a call that was not needed",
        see(old(), failed(_GATEWAY, source=ChangeSource.PROVIDER)), "nothing_to_provision", APPROVE, PERSON,
    ),
    case(
        "a reduction that came from the provider", "a minus from there is there as well",
        see(old(), stuck(-5, source=ChangeSource.PROVIDER), provider=seats(15)),
        ("already_applied", "nothing_to_provision"), APPROVE, PERSON, also=["nothing_to_provision"],
    ),
    case(
        "a quantity that could not be read", "not zero: not known", see(old(), stuck(None)),
        ("trigger_missed", "unknown"), PERSON, never=["nothing_to_provision"],
    ),
    case(
        "an activation without a quantity", "it asks for a status, not for seats",
        see(
            old(), stuck(0, change_type=ChangeType.ACTIVATE), provider=seats(20, status="suspended"),
            subscription=sub(status=Status.AWAITING),
        ),
        "trigger_missed", AUTO, APPROVE, PERSON, never=["nothing_to_provision", "subscription_state_blocked"],
    ),
    case(
        "a deactivation without a quantity", "it takes everything away",
        see(old(), stuck(0, change_type=ChangeType.DEACTIVATE)), "trigger_missed", APPROVE, PERSON,
        never=["nothing_to_provision"],
    ),
    case(
        "an order of the portal", "made in Work 365, not at the provider",
        see(old(), stuck(source=ChangeSource.PORTAL)), "trigger_missed", AUTO, never=["nothing_to_provision"],
    ),
    case(
        "who made it could not be read", "not known is not Work 365", see(old(), stuck(source=None)),
        ("trigger_missed", "unknown"), PERSON, APPROVE, never=["nothing_to_provision"],
    ),
    case(
        "another subscription of the customer shows the number", "only the linked one counts",
        see(provider=ProviderReading(NOW, (*seats(20).subscriptions, *seats(25, id="0e0e").subscriptions))),
        "trigger_missed", AUTO, never=["already_applied"],
    ),
    case(
        "the linked id in capitals", "ids are compared without case", see(provider=seats(25, id=AT_PROVIDER.upper())),
        "already_applied", APPROVE,
    ),
]
