"""The subscription's own state, its customer and its product: what blocks it, and what only looks like a block."""

from dataclasses import replace

from shared.domain.evidence import ChangeType
from shared.domain.evidence import SubscriptionStatus as Status
from shared.domain.finding import Disposition
from tests.builders import DAY, NOW
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case, healthy
from tests.corpus.parts import (
    ACCOUNT,
    NOTHING,
    OTHER_CUSTOMER,
    PROVISIONED,
    failed,
    old,
    seats,
    see,
    stuck,
    sub,
)

_ACTIVATE = stuck(20, change_type=ChangeType.ACTIVATE)
_DEACTIVATE = stuck(-20, change_type=ChangeType.DEACTIVATE)
_NO_ACCOUNT = (
    "Account does not exist for Subscription. Specify the Account and change the state to \u2018Awaiting "
    "Provisioning\u2019 to retry the sync."
)


def _blocked(status: Status) -> Case:
    return case(
        f"{status} in Work 365",
        "no change goes through in that state",
        see(subscription=sub(status=status)),
        "subscription_state_blocked",
        PERSON,
        never=["trigger_missed"],
    )


def _blocked_there(status: str) -> Case:
    return case(
        f"{status} at the provider",
        "active here, not there: no change goes through",
        see(provider=seats(20, status=status)),
        "subscription_state_blocked",
        PERSON,
    )


def _said(code: int, text: str) -> Case:
    return case(
        f"said: {code}",
        "a code of the state, whatever else shows",
        see(old(), failed(f'{{"code":{code},"description":"{text}"}}')),
        "subscription_state_blocked",
        PERSON,
        WAIT,
    )


def _customer(id: str, why: str, *allowed: Disposition, **values: object) -> Case:
    return case(id, why, see(subscription=sub(**values)), "customer_missing", *allowed)


def _product(id: str, why: str, **values: object) -> Case:
    return case(id, why, see(subscription=sub(**values)), "product_or_price_invalid", PERSON, never=["trigger_missed"])


def _advice(id: str, **values: object) -> Case:
    return case(
        id,
        "worth mending, but it holds nothing back",
        see(subscription=sub(**values)),
        "trigger_missed",
        AUTO,
        also=["product_or_price_invalid"],
    )


# fmt: off
CASES = [
    *(_blocked(status) for status in (Status.SUSPENDED, Status.EXPIRED, Status.CANCELLED, Status.INACTIVE)),
    *(_blocked_there(status) for status in ("suspended", "expired", "deleted", "disabled")),
    _said(800091, "Can't update a subscription with suspended status"),
    _said(800012, "This subscription isn't an active subscription"),
    _said(900277, "Your subscription is in the process of being expired."),
    _said(2001, "Subscription quantity can't be increased or decreased while subscription is being suspended"),
    case(
        "an increase after a deactivation", "deactivated and provisioned: the state is right, the increase is not",
        see(
            old(), stuck(-20, id="d", change_type=ChangeType.DEACTIVATE, status=PROVISIONED, created_on=NOW - DAY),
            stuck(), subscription=sub(status=Status.SUSPENDED), provider=seats(0, status="suspended"),
        ),
        "subscription_state_blocked", PERSON,
    ),
    case(
        "Do Nothing where provisioning is expected", "nothing is ever sent there",
        see(subscription=sub(provider=NOTHING)), "subscription_state_blocked", PERSON, never=["trigger_missed"],
    ),
    case(
        "blocked here and there", "one state, one finding",
        see(subscription=sub(status=Status.SUSPENDED), provider=seats(20, status="suspended")),
        "subscription_state_blocked", PERSON,
    ),
    case(
        "a cancellation in the state it brings about",
        "the head is the Deactivate itself: not blocked by its own effect",
        see(old(), _DEACTIVATE, subscription=sub(status=Status.CANCELLED)), "trigger_missed", APPROVE, PERSON,
        never=["subscription_state_blocked"],
    ),
    case(
        "a suspension in the state it brings about", "the head is the Deactivate itself",
        see(old(), _DEACTIVATE, subscription=sub(status=Status.SUSPENDED)), "trigger_missed", APPROVE, PERSON,
        never=["subscription_state_blocked"],
    ),
    case(
        "a cancellation while the subscription awaits", "taking licenses away is approved, deadline first",
        see(old(), _DEACTIVATE), "trigger_missed", APPROVE, never=["subscription_state_blocked"],
    ),
    case(
        "an activation of a suspended one", "the head is the Activate itself: that is what resumes it",
        see(old(), _ACTIVATE, subscription=sub(status=Status.SUSPENDED), provider=seats(20, status="suspended")),
        "trigger_missed", AUTO, APPROVE, PERSON, never=["subscription_state_blocked"],
    ),
    case(
        "an activation while the subscription awaits", "suspended there, and the change wants it active",
        see(old(), _ACTIVATE, provider=seats(20, status="suspended")), "trigger_missed", AUTO,
        never=["subscription_state_blocked"],
    ),
    case(
        "an activation of one deleted at the provider", "what is deleted there cannot be resumed",
        see(old(), _ACTIVATE, provider=seats(20, status="deleted")), ("trigger_missed", "subscription_state_blocked"),
        PERSON,
    ),
    case(
        "labelled Active", "both labels mean that it is in force", see(subscription=sub(status=Status.ACTIVE)),
        "trigger_missed", AUTO, never=["subscription_state_blocked"],
    ),
    case(
        "a state that nobody knows", "not read is not active", see(subscription=sub(status=None)),
        ("unknown", "subscription_state_blocked"), PERSON,
    ),
    case(
        "a state at the provider that it does not say", "not said is not active",
        see(provider=seats(20, status=None)), ("trigger_missed", "unknown", "subscription_state_blocked"), PERSON,
    ),
    healthy(
        "suspended and nothing waits", "a suspended subscription without changes is not stuck",
        see(old(), subscription=sub(status=Status.SUSPENDED)), near="subscription_state_blocked",
    ),
    _customer(
        "no customer, and both others name one", "account and contract agree: approve", APPROVE, customer_id=None,
        customer_name="", customer_active=None,
    ),
    _customer(
        "the wrong customer, and both others agree", "account and contract name another: approve", APPROVE,
        customer_id=OTHER_CUSTOMER, customer_name="Fabrikam",
    ),
    _customer(
        "no customer, and the contract names another", "they disagree: a person", PERSON, customer_id=None,
        customer_active=None, contract_customer_id=OTHER_CUSTOMER,
    ),
    _customer(
        "no customer and no contract", "nothing names one", PERSON, customer_id=None, customer_active=None,
        contract_id=None, contract_customer_id=None, contract_active=None, next_invoice_on=None,
    ),
    _customer(
        "no customer, and the account names nobody", "nothing confirms it", PERSON, customer_id=None,
        customer_active=None, account=replace(ACCOUNT, customer_id=None),
    ),
    _customer("an inactive customer", "the account was closed", PERSON, APPROVE, customer_active=False),
    _customer(
        "no billing contract", "nothing could be invoiced", PERSON, contract_id=None, contract_customer_id=None,
        contract_active=None, next_invoice_on=None,
    ),
    case(
        "Work 365 says that the account does not exist", "its own message, with curly quotes",
        see(old(), failed(_NO_ACCOUNT), subscription=sub(customer_id=None, customer_active=None)), "customer_missing",
        APPROVE, PERSON,
    ),
    case(
        "it says so, and the customer is there now", "when it was filled in is not known: a person decides",
        see(old(), failed(_NO_ACCOUNT)), "customer_missing", PERSON, APPROVE,
    ),
    case(
        "customer, account and contract agree", "nothing is missing", see(), "trigger_missed", AUTO,
        never=["customer_missing"],
    ),
    case(
        "a customer without a name", "the lookup is there, its label is not", see(subscription=sub(customer_name="")),
        "trigger_missed", AUTO, never=["customer_missing"],
    ),
    case(
        "the account belongs to another customer",
        "contract and subscription agree: the mapping is wrong, not the customer",
        see(subscription=sub(account=replace(ACCOUNT, customer_id=OTHER_CUSTOMER))), "provider_account_mismatch",
        PERSON, APPROVE, never=["customer_missing"],
    ),
    _product("no Provider Part Number", "nothing can be ordered without it", part_number=None),
    _product("an empty Provider Part Number", "empty is missing", part_number=""),
    _product("an inactive product", "it is not for sale any more", product_active=False),
    case(
        "the part number is not known there", "the provider's own code",
        see(old(), failed('{"code":400013,"description":"Product was not found."}')), "product_or_price_invalid",
        PERSON,
    ),
    case(
        "no such SKU", "the provider's own code",
        see(old(), failed('{"code":"400018","description":"The SKU was not found"}')), "product_or_price_invalid",
        PERSON,
    ),
    _advice("no price list", price_list_id=None),
    case(
        "price list and product in order", "nothing is blank", see(subscription=sub(product_active=True)),
        "trigger_missed", AUTO, never=["product_or_price_invalid"],
    ),
    case(
        "no price list and an obstacle", "advice is ranked last",
        see(subscription=sub(price_list_id=None, status=Status.SUSPENDED)), "subscription_state_blocked", PERSON,
        also=["product_or_price_invalid"],
    ),
    case(
        "no part number, but a price change", "nothing is ordered for it",
        see(old(), stuck(0), subscription=sub(part_number=None)), "nothing_to_provision", APPROVE, PERSON,
    ),
]
