"""One subscription of a world while it is built: its ids, its customer, its dates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from local.worlds.identities import row_id
from local.worlds.model import Group, World
from local.worlds.surroundings import Provider


@dataclass(frozen=True)
class Member:
    """One subscription: the nth of its group (from 0)."""

    world: World
    group: Group
    n: int
    now: datetime

    @cached_property
    def id(self) -> str:
        return row_id(self.world.name, "subscription", self.group.group, self.n)

    @property
    def provider(self) -> Provider:
        return self.world.providers[self.group.provider]

    def of(self, group: str | None) -> "Member | None":
        """The nth subscription of another group, round and round where that one is smaller."""
        if group is None:
            return None
        other = next(g for g in self.world.subscriptions if g.group == group)
        return Member(self.world, other, self.n % other.count, self.now)

    @cached_property
    def customer(self) -> str:
        """What names its customer: its own, or that of the subscription it belongs with."""
        owner = self.of(self.group.customer or self.group.parent or self.group.linked)
        return owner.customer if owner else f"{self.group.group}-{self.n}"

    @cached_property
    def tenant_id(self) -> str:
        return row_id(self.world.name, "tenant", self.customer)

    @cached_property
    def provider_subscription_id(self) -> str:
        return row_id(self.world.name, "at-provider", self.group.group, self.n)

    @cached_property
    def provider_account_id(self) -> str:
        """The customer's account at the provider of this subscription."""
        return row_id(self.world.name, "provider-account", self.customer, self.group.provider)

    def change_id(self, index: int) -> str:
        """The id of a change, counted from 0."""
        return row_id(self.world.name, "change", self.group.group, self.n, index)

    def day(self, moment: timedelta) -> datetime:
        """A moment as Work 365 sees it, whose date is what date columns hold."""
        return (self.now + moment).astimezone(ZoneInfo(self.world.work365.time_zone))


def turn(numbers: tuple[int, ...], n: int) -> int:
    """The number whose turn it is."""
    return numbers[n % len(numbers)]
