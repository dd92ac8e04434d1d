"""The subscription has no customer or billing contract, or points to the wrong or an inactive account."""

from shared.domain.complaints import complaint, cured, left_on
from shared.domain.evidence import Subscription
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look

NAME = "customer_missing"


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    subscription = look.evidence.subscription
    complains = look.reading.cause == NAME
    if not subscription.customer_id:
        return _no_customer(look)
    wrong = _wrong(look, subscription)
    if wrong is not None:
        what, next_step, facts = wrong
        return _person(look, Confidence.LIKELY, f"{what}.", next_step, *facts)
    if complains:
        return _by_message(look)
    if subscription.customer_active is None:
        return RuledOut(NAME, "customer and billing contract are set; whether the account is active was not read")
    return RuledOut(NAME, "customer and billing contract are set and name the same active account")


def named_by_both(subscription: Subscription) -> str | None:
    """The account that provider account and billing contract both name."""
    account, contract = subscription.account, subscription.contract_customer_id
    named = account.customer_id if account is not None else None
    return contract if contract and named and contract.casefold() == named.casefold() else None


def _no_customer(look: Look) -> Finding:
    subscription = look.evidence.subscription
    both = named_by_both(subscription)
    if both is None or subscription.contract_active is False:
        next_step = "Set the Customer of the subscription, and its Billing Contract, to the account that ordered."
        return _person(look, Confidence.CERTAIN, "The subscription has no customer.", next_step)
    return Finding(
        cause=NAME,
        disposition=Disposition.APPROVE,
        confidence=Confidence.CERTAIN,
        sentence="The subscription has no customer; its provider account and its billing contract name the same one.",
        next_step=f"Set the Customer of the subscription to that account ({both}), then retrigger the change.",
        who="billing administrator",
        proof=_facts(look),
    )


def _wrong(look: Look, subscription: Subscription) -> tuple[str, str, tuple[Fact, ...]] | None:
    """What is wrong about a customer that is set, what to do, and the proof beside the accounts."""
    customer = (subscription.customer_id or "").casefold()
    contract, head = subscription.contract_customer_id, look.head
    if subscription.customer_active is False:
        fact = look.fact("account active", "no", f"account:{subscription.customer_id}")
        return "The customer's account is inactive", "Activate the account, or set the right Customer.", (fact,)
    if not subscription.contract_id:
        return "The subscription has no billing contract", "Assign the subscription to the billing contract.", ()
    if subscription.contract_active is False:
        fact = look.fact("billing contract active", "no", f"billing_contract:{subscription.contract_id}")
        return "The billing contract is inactive", "Assign the subscription to an active billing contract.", (fact,)
    if contract and contract.casefold() != customer:
        return (
            "Subscription and billing contract name different customers",
            "Find out whose subscription it is, and set Customer or Billing Contract right.",
            (),
        )
    if head is not None and head.account_id and head.account_id.casefold() != customer:
        fact = look.change_fact("Account", head.account_id)
        return "The change names another account than its subscription", "Set the change's Account right.", (fact,)
    return None


def _by_message(look: Look) -> Finding:
    """Work 365 found no account when it tried. What is read now is newer; the change itself must name one, too."""
    head, subscription, left = look.head, look.evidence.subscription, left_on(look)
    if head is None or not head.account_id:
        return _person(
            look,
            Confidence.LIKELY if left is None else Confidence.CERTAIN,
            "The change names no account, as its message says.",
            "Set the change's Account to the subscription's customer; then set it to Awaiting Provisioning.",
            look.change_fact("Account", head.account_id if head else None),
        )
    sure = left is not None and left < look.evidence.read_on and subscription.customer_active is True
    if not sure:
        return _person(
            look,
            Confidence.LOW,
            "The message says that the account is missing; by now one is set.",
            "See whether the account is active and the right one; then set the change to Awaiting Provisioning.",
        )
    return cured(look, NAME, "The customer's account was missing when this change failed; it is set now.", _facts(look))


def _person(look: Look, confidence: Confidence, sentence: str, next_step: str, *facts: Fact) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=confidence,
        sentence=sentence,
        next_step=next_step,
        who="billing administrator",
        proof=(*_facts(look), *facts, *(complaint(look) if look.reading.cause == NAME else ())),
    )


def _facts(look: Look) -> tuple[Fact, ...]:
    subscription = look.evidence.subscription
    where, account = f"subscription:{subscription.id}", subscription.account
    return (
        look.fact("Customer", subscription.customer_id, where),
        look.fact("Billing Contract", subscription.contract_id, where),
        look.fact("customer of the billing contract", subscription.contract_customer_id, where),
        look.fact("account of the provider account", account.customer_id if account is not None else None, where),
    )
