"""What people will do, and what will mend itself, about whom."""

from local.worlds.built import Built, Planned
from local.worlds.changing import Happening
from local.worlds.identities import row_id
from local.worlds.member import Member
from local.worlds.model import World


def planned(member: Member) -> list[Planned]:
    """The happenings of its group as they concern one subscription."""
    return [
        Planned(
            does=happening.does,
            after=happening.after,
            when_asked_about=frozenset({member.id}) if happening.when == "asked" else None,
            subscription_id=member.id,
            change_id=member.change_id(happening.change - 1) if happening.change is not None else None,
            provider_id=row_id(member.world.name, "provider", happening.provider or member.group.provider),
            tenant_id=member.tenant_id,
        )
        for happening in member.group.happens
    ]


def plan_world(world: World, built: Built) -> list[Planned]:
    """The happenings of the whole world: being told of any subscription of the provider starts them."""
    return [_of_world(world, happening, built) for happening in world.happens]


def _of_world(world: World, happening: Happening, built: Built) -> Planned:
    provider_id = row_id(world.name, "provider", happening.provider) if happening.provider else None
    concerned = frozenset(
        row["id"] for row in built.tables.get("subscription", ()) if provider_id in (None, row["provider"])
    )
    return Planned(
        does=happening.does,
        after=happening.after,
        when_asked_about=concerned if happening.when == "asked" else None,
        provider_id=provider_id,
    )
