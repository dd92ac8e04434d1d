"""From a world file's model to rows, at a given moment. Pure: the same world and moment give the same rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.partner_center.model import ProviderSubscription
from local.work365_engine.options import Quirk
from local.worlds.at_provider import provider_side, twin
from local.worlds.belongings import Quirks
from local.worlds.built import Built, Expectation, HalfToggled
from local.worlds.changes import add_changes
from local.worlds.identities import row_id
from local.worlds.member import Member, turn
from local.worlds.model import World
from local.worlds.owners import Owners
from local.worlds.planning import plan_world, planned
from local.worlds.setting_up import add_surroundings
from local.worlds.words import UNPROVISIONED


def build(world: World, now: datetime) -> Built:
    """All rows of a world that is loaded at `now`."""
    now = now.astimezone(UTC).replace(microsecond=0)
    built = Built()
    add_surroundings(built, world, now)
    owners = Owners(built)
    for member in _members(world, now):
        owners.add(member)
        _add_subscription(built, member, owners.lookups(member))
        _add_expectation(built, member)
    built.planned += plan_world(world, built)
    return built


def _members(world: World, now: datetime) -> Iterator[Member]:
    for group in world.subscriptions:
        for n in range(group.count):
            yield Member(world, group, n, now)


def _add_subscription(built: Built, member: Member, lookups: dict[str, Any]) -> None:
    side = provider_side(member)
    if side is not None:
        built.provider_subscriptions.append(side)
    second = twin(member)
    if second is not None:
        built.provider_subscriptions.append(second)
    built.add("subscription", {**_subscription_row(built, member, side), **lookups})
    add_changes(built, member)
    refuses = member.group.provider_side.refuses
    if refuses is not None:
        until = member.now + refuses.lasts if refuses.lasts is not None else None
        built.refusals.append(refuses.rule(tenant_id=member.tenant_id, until=until))


def _subscription_row(built: Built, member: Member, side: ProviderSubscription | None) -> dict[str, Any]:
    group, world = member.group, member.world
    product = world.products[group.product]
    begins = min((change.created for change in group.changes), default=timedelta(days=-30))
    parent, linked = member.of(group.parent), member.of(group.linked)
    return {
        "id": member.id,
        "name": _name(built, member),
        "product": row_id(world.name, "product", group.product) if group.product_lookup else None,
        "parent": parent.id if parent else None,
        "linked": linked.id if linked else None,
        "start_date": member.day(group.start if group.start is not None else begins).date(),
        "end_date": member.day(group.end if group.end is not None else _term_end(begins)).date(),
        "channel": "system",
        "product_class": product.product_class,
        "provider_subscription_id": side.id if side and group.provider_side.linked else None,
        "quantity": Decimal(_total(member)),
        "price_list": row_id(world.name, "price-list") if group.price_list else None,
        "currency": row_id(world.name, "currency", world.work365.currency),
        "reduction_behavior": group.reduction.behavior,
        "reduction_window": group.reduction.window,
        "status": group.status or _status(member),
        "created_on": member.now + begins,
        "modified_on": member.now + begins,
    }


def _add_expectation(built: Built, member: Member) -> None:
    group = member.group
    built.planned += planned(member)
    quirk = _quirk(group.quirks)
    if quirk is not None:
        built.quirks[member.id] = quirk
    toggled = tuple(member.change_id(i) for i, change in enumerate(group.changes) if change.half_toggled)
    built.half_toggled += (HalfToggled(member.id, change) for change in toggled)
    may_write = tuple(member.change_id(number - 1) for number in group.expect.may_write)
    name = _name(built, member)
    built.expectations.append(
        Expectation(member.id, name, group.group, group.expect.cause, group.expect.outcome, may_write, toggled)
    )


def _name(built: Built, member: Member) -> str:
    return f"{member.world.products[member.group.product].name} - {built.customers[member.tenant_id].name}"


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
    return Quirk(
        ignores=quirks.ignores,
        slow_cycles=None if quirks.slow_cycles == "for_ever" else quirks.slow_cycles,
        fails_with=quirks.fails_with.rule() if quirks.fails_with else None,
        provisions_without_saying=quirks.provisions_without_saying,
        succeeds_without_doing=quirks.succeeds_without_doing,
        workflow_fails=quirks.workflow_fails,
    )
