"""The subscription's provider or provider account is empty, ambiguous, or is not the customer's at the provider."""

from shared.domain.account_choice import Choice, choice_for
from shared.domain.complaints import complaint
from shared.domain.evidence import ChangeType, ProviderAccount, ProviderType
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.mended import read_since, with_a_yes
from shared.domain.unlinked import unlinked

NAME = "provider_account_mismatch"

_NEEDS_NO_ACCOUNT = (ProviderType.MANUAL, ProviderType.DO_NOTHING, ProviderType.LINKED)


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    subscription = look.evidence.subscription
    provider, account, complains = subscription.provider, subscription.account, look.reading.cause == NAME
    if provider is None:
        return _person(look, Confidence.LIKELY, "The subscription has no provider.", "Set Provider, then retrigger.")
    if provider.active is False:
        return _person(
            look, Confidence.CERTAIN, f"The provider {provider.name} is inactive.", "Activate it, or set another one."
        )
    if provider.type in _NEEDS_NO_ACCOUNT and not complains:
        return RuledOut(NAME, f"a {provider.type} provider needs no provider account")
    if account is None or not account.tenant_id:
        return _empty(look)
    wrong = _wrong(look, account)
    if wrong is not None:
        return _wrong_tenant(look, account, wrong)
    if complains:
        return _by_message(look)
    return RuledOut(
        NAME, "provider and provider account are set, and nothing read says that they are not the customer's"
    )


def _empty(look: Look) -> Finding:
    choice: Choice = choice_for(look)
    if choice.account is not None:
        return Finding(
            cause=NAME,
            disposition=Disposition.APPROVE,
            confidence=Confidence.CERTAIN,
            sentence="The provider account is empty; the customer has exactly one, and its tenant is confirmed.",
            next_step=f"Set Provider Account to {choice.account.id} (tenant {choice.account.tenant_id}), read it back, "
            "then retrigger the change.",
            who="billing administrator",
            proof=(*_facts(look), *choice.proof),
        )
    sentence = f"The provider account is empty or has no Provider Specific Id, and {choice.why_not}."
    next_step = "Set Provider Account to the customer's account at this provider and check its tenant id."
    return _person(look, Confidence.CERTAIN, sentence, next_step, *choice.proof)


def _wrong(look: Look, account: ProviderAccount) -> tuple[str, Confidence] | None:
    """Why the account that is set cannot be the right one, and how sure that is."""
    subscription, reading = look.evidence.subscription, look.evidence.provider
    provider = subscription.provider
    if account.active is False:
        return "it is inactive", Confidence.CERTAIN
    if _differ(account.customer_id, subscription.customer_id):
        return "it belongs to another customer", Confidence.CERTAIN
    if _differ(account.provider_id, provider.id if provider is not None else None):
        return "it belongs to another provider", Confidence.CERTAIN
    if reading is not None and reading.relationship is False:
        return "the provider does not know its tenant as a customer of this partner", Confidence.CERTAIN
    linked = subscription.provider_subscription_id
    if reading is not None and reading.readable and linked and look.at_provider() is None:
        elsewhere = _elsewhere(look, linked)
        found = f"; tenant {elsewhere} has it" if elsewhere is not None else ""
        sure = Confidence.CERTAIN if elsewhere is not None else Confidence.LIKELY
        return f"its tenant does not have the linked subscription {linked}{found}", sure
    return None


def _elsewhere(look: Look, linked: str) -> str | None:
    """Another tenant of the customer that does have the linked subscription."""
    tenants = [
        tenant
        for tenant, reading in look.evidence.accounts_at_provider.items()
        if any(s.id.casefold() == linked.casefold() for s in reading.subscriptions)
    ]
    return min(tenants, default=None)


def _differ(one: str | None, other: str | None) -> bool:
    """Whether both are known and are not the same."""
    return bool(one) and bool(other) and str(one).casefold() != str(other).casefold()


def _wrong_tenant(look: Look, account: ProviderAccount, wrong: tuple[str, Confidence]) -> Finding:
    why, sure = wrong
    bought = _bought_there(look)
    look_there = " Look in that tenant for seats already bought, and cancel them in time." if bought else ""
    return _person(
        look,
        sure,
        f"The provider account cannot be the customer's: {why}.",
        f"Set the right Provider Account and check its tenant id; only then retrigger.{look_there}",
        look.fact("customer of the provider account", account.customer_id, f"provider_account:{account.id}"),
        *bought,
    )


def _bought_there(look: Look) -> tuple[Fact, ...]:
    """Seats that may have been bought in the wrong tenant meanwhile, with the day until which they can be cancelled."""
    if look.head is None or look.head.change_type is not ChangeType.CREATE:
        return ()
    return tuple(
        look.fact(
            "perhaps bought there",
            f"{s.quantity} seats, {s.status}, can be cancelled until "
            f"{s.cancellation_until.isoformat() if s.cancellation_until else 'a date that is not known'}",
            f"provider_subscription:{s.id}",
        )
        for s in unlinked(look) or ()
    )


def _by_message(look: Look) -> Finding:
    reading = look.evidence.provider
    if _seen_since(look):
        fact = look.fact("customer known to the provider", "yes", f"customer:{_tenant(look)}")
        sentence = "The provider did not find the customer or subscription when this change failed; it does now."
        return with_a_yes(look, NAME, sentence, (fact,))
    against: tuple[Fact, ...] = ()
    if reading is not None and reading.readable and reading.relationship:
        against = (look.fact("customer known to the provider", "yes", f"customer:{_tenant(look)}"),)
    return _person(
        look,
        Confidence.LIKELY,  # by the message alone: a tenant that is no customer any more was certain above
        f"The provider does not accept the customer that Work 365 has on file: {look.reading.means}.",
        "Compare the Provider Specific Id with the customer's tenant id, and look for seats bought in a wrong tenant.",
        against=against,
    )


def _seen_since(look: Look) -> bool:
    """Whether the provider, read after the message, shows the customer, and the subscription where there is one.

    A sign-in that failed for its tenant is Work 365's own: that we could read proves nothing for it.
    """
    reading = look.evidence.provider
    if reading is None or not read_since(look) or reading.relationship is not True:
        return False
    linked = look.evidence.subscription.provider_subscription_id
    return not look.reading.matched.startswith("AADSTS") and (not linked or look.at_provider() is not None)


def _person(
    look: Look, sure: Confidence, sentence: str, next_step: str, *facts: Fact, against: tuple[Fact, ...] = ()
) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=sure,
        sentence=sentence,
        next_step=next_step,
        who="billing administrator",
        proof=(*_facts(look), *facts, *(complaint(look) if look.reading.cause == NAME else ())),
        against=against,
    )


def _facts(look: Look) -> tuple[Fact, ...]:
    subscription = look.evidence.subscription
    where = f"subscription:{subscription.id}"
    return (
        look.fact("Provider", subscription.provider.name if subscription.provider else None, where),
        look.fact("Provider Account", subscription.account.id if subscription.account else None, where),
        look.fact("Provider Specific Id", _tenant(look), where),
    )


def _tenant(look: Look) -> str | None:
    account = look.evidence.subscription.account
    return account.tenant_id if account is not None else None
