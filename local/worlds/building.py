"""From a world file's model to rows, at a given moment. Pure: the same world and moment give the same rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from local.partner_center.errors import Refusal
from local.partner_center.model import Customer
from local.work365_engine.options import DISPATCH_WORKFLOW, TRIGGER_WORKFLOW, Quirk
from local.worlds.at_provider import provider_side
from local.worlds.built import Built, Expectation, HalfToggled
from local.worlds.catalogue import company
from local.worlds.changes import add_changes
from local.worlds.identities import USERS, row_id
from local.worlds.member import Member, turn
from local.worlds.model import UNPROVISIONED, Provider, Quirks, World
from local.worlds.planning import plan_world, planned

# How Dataverse's process table marks a classic workflow that is a definition.
_WORKFLOW, _DEFINITION = 0, 1


def build(world: World, now: datetime) -> Built:
    """All rows of a world that is loaded at `now`."""
    now = now.astimezone(UTC).replace(microsecond=0)
    built = Built()
    _add_surroundings(built, world, now)
    accounts: set[tuple[str, str]] = set()
    for member in _members(world, now):
        _add_customer(built, member, accounts)
        _add_subscription(built, member)
    built.planned += plan_world(world, built)
    return built


def _members(world: World, now: datetime) -> Iterator[Member]:
    for group in world.subscriptions:
        for n in range(group.count):
            yield Member(world, group, n, now)


def _add_surroundings(built: Built, world: World, now: datetime) -> None:
    for user_id, name, application_id, _ in USERS:
        built.add("system_user", {"id": user_id, "name": name, "application_id": application_id, "is_disabled": False})
    for name in (TRIGGER_WORKFLOW, DISPATCH_WORKFLOW):
        state = "activated" if world.work365.workflow_on or name != TRIGGER_WORKFLOW else "draft"
        row = {"name": name, "category": _WORKFLOW, "type": _DEFINITION, "state": state}
        built.add("workflow", {"id": row_id(world.name, "workflow", name), **row})
    for key, provider in world.providers.items():
        built.add("provider", _provider_row(world, key, provider, now))
        if provider.refuses:
            said = provider.refuses
            built.refusals.append(Refusal.known(said.code, *said.values, provider_name=provider.name))
    for key, product in world.products.items():
        row = {"name": product.name, "provider_part_number": product.part_number}
        built.add("product", {"id": row_id(world.name, "product", key), **row})


def _provider_row(world: World, key: str, provider: Provider, now: datetime) -> dict[str, object]:
    return {
        "id": row_id(world.name, "provider", key),
        "name": provider.name,
        "type": provider.type,
        "connector": provider.connector,
        "last_verified_on": now + provider.verified if provider.verified is not None else None,
        "connectivity": provider.connectivity,
        "consent_on": now + provider.consent if provider.consent is not None else None,
    }


def _add_customer(built: Built, member: Member, accounts: set[tuple[str, str]]) -> None:
    """The customer with billing contract and tenant once, and its account at the provider of this subscription."""
    world, tenant_id = member.world, member.tenant_id
    account_id = row_id(world.name, "account", member.customer)
    known = built.customers.get(tenant_id)
    if known is None:
        name = company(len(built.customers))
        known = built.customers[tenant_id] = Customer(tenant_id, name, "")
        built.add("account", {"id": account_id, "name": name})
        contract_id = row_id(world.name, "contract", member.customer)
        built.add("billing_contract", {"id": contract_id, "name": f"{name} - monthly", "customer": account_id})
    if member.provider.type == "do_nothing":
        return
    known.connector = known.connector or member.provider.connector or ""
    if (tenant_id, member.group.provider) not in accounts:
        accounts.add((tenant_id, member.group.provider))
        row = {
            "name": known.name,
            "account": account_id,
            "provider": row_id(world.name, "provider", member.group.provider),
            "provider_specific_id": tenant_id,
        }
        built.add("provider_account", {"id": member.provider_account_id, **row})


def _add_subscription(built: Built, member: Member) -> None:
    group, world = member.group, member.world
    side = provider_side(member)
    if side is not None:
        built.provider_subscriptions.append(side)
    product, customer = world.products[group.product], built.customers[member.tenant_id].name
    name = f"{product.name} - {customer}"
    begins = min((change.created for change in group.changes), default=timedelta(days=-30))
    parent, linked = member.of(group.parent), member.of(group.linked)
    built.add(
        "subscription",
        {
            "id": member.id,
            "name": name,
            "customer": row_id(world.name, "account", member.customer),
            "billing_contract": row_id(world.name, "contract", member.customer),
            "product": row_id(world.name, "product", group.product),
            "parent": parent.id if parent else None,
            "linked": linked.id if linked else None,
            "start_date": member.day(group.start if group.start is not None else begins).date(),
            "end_date": member.day(group.end if group.end is not None else _term_end(begins)).date(),
            "channel": "system",
            "product_class": product.product_class,
            "provider": row_id(world.name, "provider", group.provider),
            "provider_account": None if member.provider.type == "do_nothing" else member.provider_account_id,
            "provider_subscription_id": side.id if side and group.provider_side.linked else None,
            "quantity": Decimal(_total(member)),
            "status": group.status or _status(member),
            "created_on": member.now + begins,
            "modified_on": member.now + begins,
        },
    )
    add_changes(built, member)
    built.planned += planned(member)
    quirk = _quirk(group.quirks)
    if quirk is not None:
        built.quirks[member.id] = quirk
    toggled = tuple(member.change_id(i) for i, change in enumerate(group.changes) if change.half_toggled)
    built.half_toggled += (HalfToggled(member.id, change) for change in toggled)
    may_write = tuple(member.change_id(number - 1) for number in group.expect.may_write)
    built.expectations.append(
        Expectation(member.id, name, group.group, group.expect.cause, group.expect.outcome, may_write, toggled)
    )


def _term_end(begins: timedelta) -> timedelta:
    """The end of the yearly term that is under way, and not within the next month."""
    end = begins
    while end < timedelta(days=30):
        end += timedelta(days=365)
    return end


def _total(member: Member) -> int:
    if member.group.quantity is not None:
        return member.group.quantity
    return sum(turn(change.quantity, member.n) for change in member.group.changes)


def _status(member: Member) -> str:
    changes = [change for change in member.group.changes if not change.archived]
    if any(change.status in UNPROVISIONED or change.half_toggled for change in changes):
        return "awaiting_provisioning"
    return "provisioned" if member.provider.type in ("automatic", "rest") else "active"


def _quirk(quirks: Quirks) -> Quirk | None:
    if quirks == Quirks():
        return None
    said = quirks.fails_with
    return Quirk(
        ignores=quirks.ignores,
        slow_cycles=None if quirks.slow_cycles == "for_ever" else quirks.slow_cycles,
        fails_with=Refusal.known(said.code, *said.values) if said else None,
        provisions_without_saying=quirks.provisions_without_saying,
    )
