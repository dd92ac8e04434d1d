"""One loaded world: its rows, its provider, its Work 365 and the two HTTP faces over them."""

from collections.abc import Callable, Iterable
from datetime import datetime

from local.dataverse.access import Access
from local.dataverse.faults import Faults
from local.dataverse.limits import Limits
from local.dataverse.records import Records
from local.dataverse.traffic import Traffic
from local.dataverse.web_api import create_app as dataverse_app
from local.partner_center.provider import Provider
from local.partner_center.traffic import Throttle
from local.partner_center.web_api import PartnerCenter
from local.partner_center.web_api import create_app as partner_center_app
from local.storage.faults import Fault as StorageFault
from local.work365_engine.engine import Engine
from local.worlds.building import build
from local.worlds.happenings import Happenings
from local.worlds.model import World
from local.worlds.seeding import engine_options, seed_provider, seed_rows

# The user behind a token of an application that the environment does not know: no row has this id.
_NOBODY = "0f6ce7c8-7a0c-4f0e-9d0b-36500000ffff"


class Environment:
    """Everything that a world is made of. Loading another world replaces it whole.

    `clock` gives aware UTC times, `audience_of` the audience of a valid token, `cycle_seconds` is Work 365's.
    """

    def __init__(
        self,
        world: World,
        clock: Callable[[], datetime],
        audience_of: Callable[[str], str | None],
        cycle_seconds: float,
    ) -> None:
        self.world = world
        self.loaded_on = clock()
        self.built = build(world, self.loaded_on)
        self.records = Records(clock=clock)
        self.provider = Provider(clock)
        self.options = engine_options(world, self.built, cycle_seconds)
        seed_rows(self.built, self.records)
        seed_provider(self.built, self.provider)
        self.engine = Engine(self.records, self.provider, clock, self.options)
        self.happenings = Happenings(self.built.planned, self.records, self.provider, self.options, clock)
        self.access = Access(self.records)
        self.faults = Faults()
        self.storage_faults: list[StorageFault] = []
        self.thrown: list[tuple[str, Callable[[], int]]] = []
        """Each fault that was given a name, with how often it has struck; also those that are no more."""
        self.traffic = Traffic(clock)
        self.dataverse = dataverse_app(
            self.records, access=self.access, faults=self.faults, traffic=self.traffic, limits=Limits(clock)
        )
        self.center = PartnerCenter(self.provider, clock, audience_of, throttle=Throttle(clock))
        self.partner_center = partner_center_app(self.center)
        self._subscriptions = frozenset(e.subscription_id for e in self.built.expectations)

    def admit(self, token: str, client_id: str) -> None:
        """A token for Dataverse was given to this application."""
        users = self.records.find("system_user", application_id=client_id)
        self.access.grant(token, users[0]["id"] if users else _NOBODY)

    def told(self, ids: Iterable[str]) -> None:
        """People were told something in which these ids occur."""
        self.happenings.asked_about(self._subscriptions.intersection(ids))

    def close(self) -> None:
        """Gives the memory back."""
        self.records.close()
