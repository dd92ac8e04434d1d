"""The evidence as it is to be expected once a row shows an amendment."""

from dataclasses import replace

from shared.domain.amendment import SUBSCRIPTION, Amendment
from shared.domain.evidence import Evidence, ProviderAccount


def with_amendment(evidence: Evidence, amendment: Amendment) -> Evidence:
    """The same evidence with a subscription's provider account, customer or link filled in.

    What else a new reading would bring along (the customer's name, what the account's tenant has) is taken from what
    was read about it already, and left as it is where nothing was. Amendments of changes leave it as it is.
    """
    if amendment.table != SUBSCRIPTION:
        return evidence
    for column in amendment.columns:
        evidence = _filled(evidence, column.name, column.after)
    return evidence


def _filled(evidence: Evidence, name: str, value: str | None) -> Evidence:
    own = evidence.subscription
    match name:
        case "provider_account":
            account = _account(evidence, value)
            tenant = (account.tenant_id or "").casefold() if account is not None else ""
            reading = evidence.accounts_at_provider.get(tenant, evidence.provider)
            return replace(evidence, subscription=replace(own, account=account), provider=reading)
        case "customer":
            return replace(evidence, subscription=replace(own, customer_id=value, customer_active=True))
        case _:
            return replace(evidence, subscription=replace(own, provider_subscription_id=value))


def _account(evidence: Evidence, id: str | None) -> ProviderAccount | None:
    return next((a for a in evidence.accounts_of_customer or () if a.id == id), None)
