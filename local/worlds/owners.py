"""Whom a subscription belongs to: customer, billing contract, tenant, and accounts at the provider."""

from typing import Any

from local.partner_center.model import Customer
from local.worlds.built import Built
from local.worlds.catalogue import company
from local.worlds.identities import row_id
from local.worlds.member import Member

_STRANGER = "somebody-else"
_SPECIFIC = {"text": "contoso.onmicrosoft.com", "empty": None}


class Owners:
    """Adds what belongs to the customers of a world, each once."""

    def __init__(self, built: Built) -> None:
        self._built = built
        self._accounts: set[tuple[str, str]] = set()

    def add(self, member: Member) -> None:
        """The customer with billing contract and tenant, and its accounts at the provider of this subscription."""
        known = self._customer(member)
        if member.provider.type == "do_nothing":
            return
        known.connector = known.connector or member.provider.connector or ""
        if (member.tenant_id, member.group.provider) in self._accounts:
            return
        self._accounts.add((member.tenant_id, member.group.provider))
        if member.group.accounts.own:
            self._add_account(member, member.provider_account_id, member.customer, _specific_id(member))
        for number in range(1, member.group.accounts.more + 1):
            tenant_id = row_id(member.world.name, "tenant", member.customer, number)
            self._built.customers[tenant_id] = Customer(tenant_id, f"{known.name} {number + 1}", known.connector)
            another = row_id(member.world.name, "provider-account", member.customer, member.group.provider, number)
            self._add_account(member, another, member.customer, tenant_id)

    def lookups(self, member: Member) -> dict[str, Any]:
        """What the subscription's own columns point to."""
        group, world = member.group, member.world
        by_customer = {
            "own": member.customer,
            "another": self._stranger(member) if "another" in (group.holder.lookup, group.contract.lookup) else "",
        }
        holder, contract = by_customer.get(group.holder.lookup), by_customer.get(group.contract.lookup)
        return {
            "customer": row_id(world.name, "account", holder) if holder else None,
            "billing_contract": row_id(world.name, "contract", contract) if contract else None,
            "provider": row_id(world.name, "provider", group.provider) if group.provider_lookup else None,
            "provider_account": self._account_of(member),
        }

    def _account_of(self, member: Member) -> str | None:
        accounts = member.group.accounts
        if member.provider.type == "do_nothing" or accounts.lookup == "none":
            return None
        if accounts.lookup == "own":
            return member.provider_account_id if accounts.own else None
        stranger = self._stranger(member)
        id = row_id(member.world.name, "provider-account", stranger, member.group.provider)
        if (stranger, member.group.provider) not in self._accounts:
            self._accounts.add((stranger, member.group.provider))
            self._add_account(member, id, stranger, row_id(member.world.name, "tenant", stranger))
        return id

    def _customer(self, member: Member) -> Customer:
        side, group = member.group.provider_side, member.group
        known = self._built.customers.get(member.tenant_id)
        if known is None:
            name = company(len(self._built.customers))
            known = self._built.customers[member.tenant_id] = Customer(member.tenant_id, name, "")
            self._add_customer_rows(member, member.customer, name)
        if side.customer == "unknown":
            self._built.unknown_tenants.add(member.tenant_id)
        elif side.customer == "none":
            known.relationship = "none"
        if group.accounts.tenant == "another":
            self._stranger(member)
        return known

    def _stranger(self, member: Member) -> str:
        """Another customer of the same world, who has bought nothing."""
        tenant_id = row_id(member.world.name, "tenant", _STRANGER)
        if tenant_id not in self._built.customers:
            self._built.customers[tenant_id] = Customer(tenant_id, "Somebody Else Ltd", "")
            self._add_customer_rows(member, _STRANGER, "Somebody Else Ltd")
        return _STRANGER

    def _add_customer_rows(self, member: Member, customer: str, name: str) -> None:
        """The account with its billing contract. A stranger's are in force whatever the group says of its own."""
        own, group = customer == member.customer, member.group
        account_id = row_id(member.world.name, "account", customer)
        row = {"id": account_id, "name": name, "state": _state(group.holder.active or not own)}
        self._built.add("account", row)
        invoiced = group.contract.next_invoice
        self._built.add(
            "billing_contract",
            {
                "id": row_id(member.world.name, "contract", customer),
                "name": f"{name} - monthly",
                "customer": account_id,
                "next_invoice_on": member.day(invoiced).date() if invoiced is not None else None,
                "state": _state(group.contract.active or not own),
            },
        )

    def _add_account(self, member: Member, id: str, customer: str, specific_id: str | None) -> None:
        active = member.group.accounts.active or customer != member.customer
        row = {
            "name": self._built.customers[row_id(member.world.name, "tenant", customer)].name,
            "account": row_id(member.world.name, "account", customer),
            "provider": row_id(member.world.name, "provider", member.group.provider),
            "provider_specific_id": specific_id,
            "state": _state(active),
        }
        self._built.add("provider_account", {"id": id, **row})


def _specific_id(member: Member) -> str | None:
    tenant = member.group.accounts.tenant
    if tenant in _SPECIFIC:
        return _SPECIFIC[tenant]
    whose = {"own": member.customer, "another": _STRANGER, "unknown": f"{member.customer}-nowhere"}[tenant]
    return row_id(member.world.name, "tenant", whose)


def _state(active: bool) -> str:
    return "active" if active else "inactive"
