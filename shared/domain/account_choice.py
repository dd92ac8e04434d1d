"""Which provider account an empty field may be filled with: only one that nothing speaks against."""

from dataclasses import dataclass

from shared.domain.evidence import ProviderAccount
from shared.domain.finding import Fact
from shared.domain.look import Look
from shared.domain.unlinked import unlinked_in


@dataclass(frozen=True, slots=True)
class Choice:
    """The account to fill in, or why none may be chosen without a person."""

    account: ProviderAccount | None
    why_not: str
    proof: tuple[Fact, ...]


def choice_for(look: Look) -> Choice:
    """Exactly one account of this customer at this provider, its tenant confirmed, and nothing bought there yet."""
    accounts = look.evidence.accounts_of_customer
    if accounts is None:
        return Choice(None, "the customer's provider accounts could not be read", ())
    mine = sorted((a for a in accounts if _fits(look, a)), key=lambda a: (a.id, a.tenant_id or ""))
    proof = tuple(look.fact("tenant", a.tenant_id, f"provider_account:{a.id}") for a in mine[:10])
    if not mine:
        return Choice(None, "the customer has no provider account here", proof)
    if len(mine) > 1:
        return Choice(None, f"{len(mine)} accounts match the customer", proof)
    objection = _objection(look, mine[0])
    return Choice(None if objection else mine[0], objection or "", proof)


def _fits(look: Look, account: ProviderAccount) -> bool:
    """Whether it may be meant: what is not known about it does not rule it out, and is objected to afterwards."""
    subscription = look.evidence.subscription
    provider = subscription.provider.id if subscription.provider is not None else None
    return account.active is not False and account.provider_id in (None, provider)


def _objection(look: Look, account: ProviderAccount) -> str | None:
    subscription = look.evidence.subscription
    if not account.tenant_id:
        return "the customer's only account has no Provider Specific Id"
    if account.active is None or account.provider_id is None:
        return "it could not be read whether the customer's only account is active and this provider's"
    if not subscription.customer_id or account.customer_id != subscription.customer_id:
        return "the only account is not known to be this customer's"
    reading = look.evidence.accounts_at_provider.get(account.tenant_id.casefold())
    if reading is None or not reading.readable or reading.relationship is not True:
        return "the provider has not confirmed the tenant of the customer's only account"
    bought = unlinked_in(look, reading)
    if bought is None:
        return "it is not known whether something was bought in its tenant meanwhile"
    return f"its tenant already has an unlinked subscription of this product ({bought[0].id})" if bought else None
