"""Provider and provider account: empty, ambiguous, another customer's, another tenant."""

from dataclasses import replace
from typing import Any

from shared.domain.evidence import ChangeType, ProviderAccount, ProviderReading
from shared.domain.look import Look
from tests.builders import NOW, TENANT
from tests.corpus.case import APPROVE, AUTO, PERSON, Case, case
from tests.corpus.parts import (
    ACCOUNT,
    OTHER_ACCOUNT,
    OTHER_CUSTOMER,
    PART,
    REST,
    failed,
    old,
    seats,
    see,
    stuck,
    sub,
    unreadable,
)

_NEW = sub(provider_subscription_id=None)
_FIRST = stuck(25, change_type=ChangeType.CREATE)
_EMPTY = ProviderReading(NOW, (), relationship=True)
_STRANGER = ProviderReading(NOW, (), relationship=False)


def _unmapped(*accounts: ProviderAccount, **values: Any) -> Look:
    """A first order on a subscription without a provider account, with what the customer has."""
    full: dict[str, Any] = {
        "subscription": replace(_NEW, account=None),
        "provider": None,
        "accounts_of_customer": accounts,
        "linked_at_provider": frozenset(),
        **values,
    }
    return see(_FIRST, **full)


def _said(id: str, text: str, *, live: bool = False) -> Case:
    return case(
        f"said: {id}",
        "the provider does not know this tenant or subscription",
        see(old(), failed(text), provider=_STRANGER if live else seats()),
        ("provider_account_mismatch", "unknown"),
        PERSON,
        *([] if live else [APPROVE]),
    )


# fmt: off
CASES = [
    case(
        "no account, and the customer has one",
        "exactly one, tenant confirmed, nothing bought there: approve one plan", _unmapped(ACCOUNT, provider=_EMPTY),
        "provider_account_mismatch", APPROVE, PERSON,
    ),
    case(
        "no account, and nobody asked the tenant", "not confirmed yet", _unmapped(ACCOUNT),
        "provider_account_mismatch", APPROVE, PERSON,
    ),
    case(
        "no account, and the customer has two", "several match: a person chooses", _unmapped(ACCOUNT, OTHER_ACCOUNT),
        "provider_account_mismatch", PERSON,
    ),
    case(
        "no account, and the customer has none", "there is none to fill in", _unmapped(), "provider_account_mismatch",
        PERSON,
    ),
    case(
        "no account, and the customer's could not be read", "not known is not one",
        _unmapped(accounts_of_customer=None), "provider_account_mismatch", PERSON,
    ),
    case(
        "no account, and the only one is without a tenant", "a row without a Provider Specific Id is no mapping",
        _unmapped(replace(ACCOUNT, tenant_id=None)), "provider_account_mismatch", PERSON,
    ),
    case(
        "no account, and the only one is inactive", "switched off: a person says whether it may be used",
        _unmapped(replace(ACCOUNT, active=False)), "provider_account_mismatch", PERSON,
    ),
    case(
        "no account, one of this provider, one of another", "the other provider's account is no match",
        _unmapped(ACCOUNT, replace(OTHER_ACCOUNT, provider_id=REST.id), provider=_EMPTY), "provider_account_mismatch",
        APPROVE, PERSON,
    ),
    case(
        "no account, and it was bought there meanwhile", "nothing may have been bought there",
        _unmapped(
            ACCOUNT,
            provider=ProviderReading(
                NOW, (replace(seats(25).subscriptions[0], id="f0f0", product=PART),), relationship=True,
            ),
        ),
        ("provider_account_mismatch", "already_applied"), PERSON, also=["provider_account_mismatch"],
    ),
    case(
        "no account, and the tenant is not a customer", "the candidate's tenant is unknown to the provider",
        _unmapped(ACCOUNT, provider=_STRANGER), "provider_account_mismatch", PERSON,
    ),
    case(
        "no account, and the tenant cannot be asked", "not confirmed: a person",
        _unmapped(ACCOUNT, provider=unreadable("403")), "provider_account_mismatch", PERSON, APPROVE,
    ),
    case(
        "no provider", "nobody would be asked to provision", see(subscription=sub(provider=None), provider=None),
        "provider_account_mismatch", PERSON, APPROVE,
    ),
    case(
        "neither provider nor account", "both are empty",
        see(subscription=sub(provider=None, account=None), provider=None), "provider_account_mismatch", PERSON,
        APPROVE,
    ),
    case(
        "an account without a tenant", "the Provider Specific Id is empty",
        see(subscription=sub(account=replace(ACCOUNT, tenant_id=None)), provider=None), "provider_account_mismatch",
        PERSON,
    ),
    case(
        "an account with an empty tenant", "an empty text is none",
        see(subscription=sub(account=replace(ACCOUNT, tenant_id="")), provider=None), "provider_account_mismatch",
        PERSON,
    ),
    case(
        "another customer's account", "the seats would be bought in a stranger's tenant",
        see(subscription=sub(account=replace(ACCOUNT, customer_id=OTHER_CUSTOMER))), "provider_account_mismatch",
        PERSON, APPROVE,
    ),
    case(
        "a tenant that the provider does not know", "read, and not a customer of this partner",
        see(provider=_STRANGER), "provider_account_mismatch", PERSON,
    ),
    _said("60003", '{"code":60003,"description":"Tenant not found"}', live=True),
    _said(
        "20002", '{"code":20002,"description":"The partner has no commerce relationship with the customer ID"}',
        live=True,
    ),
    _said("900118", '{"code":900118,"description":"Invalid Customer ID"}'),
    _said("AADSTS90002", "AADSTS90002: Check to make sure you have the correct tenant ID."),
    _said("20003, and it is there now", '{"code":20003,"description":"Subscription with ID x not found."}'),
    case(
        "the provider does not show the subscription", "linked, asked, and not there", see(provider=_EMPTY),
        ("provider_account_mismatch", "trigger_missed", "unknown"), PERSON, never=["already_applied"],
    ),
    case(
        "two accounts of a customer, one chosen", "the subscription has its own: nothing is ambiguous",
        see(accounts_of_customer=(ACCOUNT, OTHER_ACCOUNT)), "trigger_missed", AUTO,
        never=["provider_account_mismatch"],
    ),
    case(
        "the account's customer is not known", "not known is no mismatch, and the tenant is confirmed",
        see(subscription=sub(account=replace(ACCOUNT, customer_id=None))), "trigger_missed", AUTO, APPROVE,
        never=["provider_account_mismatch"],
    ),
    case(
        "the tenant in capitals", "a GUID is compared without case",
        see(subscription=sub(account=replace(ACCOUNT, tenant_id=TENANT.upper()))), "trigger_missed", AUTO,
        never=["provider_account_mismatch"],
    ),
    case(
        "refused sign-in, not a wrong tenant", "403 without relationship says nothing about the mapping",
        see(provider=replace(unreadable("403"), relationship=None)), "trigger_missed", APPROVE, PERSON,
        never=["provider_account_mismatch"],
    ),
]
