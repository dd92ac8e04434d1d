"""What one stuck subscription costs in requests, counted: the real workflow and adapters over the local cloud.

Counted are requests to Dataverse (and those inside a $batch, which is how its daily allowance counts), to the
provider, and operations of Table Storage and queues. A transaction of Table Storage counts once, as it is billed.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from operator import eq, ge, gt, le, lt
from typing import Any

import httpx

from local.partner_center import web_api
from shared.adapters.partner_center.client import PartnerCenter
from shared.adapters.tables.client import Found
from shared.adapters.tables.columns import size
from shared.adapters.tables.index import TABLE as INDEX
from shared.adapters.tables.lists import CASES
from shared.adapters.tables.store import TableCaseStore
from shared.adapters.web.transport import HttpTransport
from shared.domain.policy import Caps, Mode
from shared.workflow.context import Context
from shared.workflow.sweep import sweep
from shared.workflow.wake import wake
from tests.contract.city_kit import City
from tests.contract.web_kit import BASE, Tokens
from tests.fakes.tables import FakeTables
from tests.workflow_kit import LONG_AGO, remembering

STUCK = 50
"""Subscriptions in one run: they fit into one message, so what a message costs is counted, too."""
_COMPARE = {"eq": eq, "ge": ge, "gt": gt, "le": le, "lt": lt}


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of one kind of work."""

    dataverse: float
    """HTTP requests."""
    dataverse_parts: float
    """Requests inside of them: what the daily allowance counts."""
    provider: float
    tables: float
    messages: float
    """Queue messages sent; each is fetched and deleted as well."""

    def each(self, count: int) -> "Requests":
        """For one of `count`."""
        return Requests(**{name: round(value / count, 3) for name, value in asdict(self).items()})


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted, for one of each."""

    sweep: Requests
    """A sweep that finds nothing, and a tick of wake with nothing due."""
    retrigger: Requests
    """One stuck change from being found to being resolved, in auto mode."""
    look: Requests
    """One open case that is looked at again and is as it was."""
    stored_bytes: float
    """What one resolved case takes up in the tables, events and index included."""
    stuck: int = STUCK
    """How many were counted together, in one message."""


@dataclass
class CountedTables(FakeTables):
    """Tables in memory that understand every question the case store asks."""

    async def query(self, table: str, where: str, parameters: Mapping[str, str], limit: int | None) -> list[Found]:
        await self._turn("query", table)
        tests = re.findall(r"(\w+) (eq|ge|gt|le|lt) @(\w+)", where)
        rows = self._table(table)
        found = [rows[key] for key in sorted(rows)]
        return [each for each in found if _fits(each.row, tests, parameters)][:limit]


@dataclass
class CountedCity(City):
    """The city with the real case store in place of the fake one."""

    tables: FakeTables = field(default_factory=lambda: remembering(CountedTables(), LONG_AGO))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.real_store = TableCaseStore(self.tables, self.clock)

    @property
    def ctx(self) -> Context:
        return replace(super().ctx, store=self.real_store)

    def _partner_center(self) -> PartnerCenter:
        center = web_api.PartnerCenter(self.at_provider, self.clock.now, lambda _: web_api.AUDIENCE)
        self.asked = center.traffic
        transport = HttpTransport(httpx.ASGITransport(web_api.create_app(center)))
        return PartnerCenter(BASE, tokens=Tokens(), transport=transport, product="x/1", timing=self.time.timing())

    def so_far(self) -> Requests:
        """Everything that was requested up to now."""
        return Requests(
            dataverse=sum(self.traffic.requests.values()),
            dataverse_parts=sum(max(call.parts, 1) for call in self.traffic.calls),
            provider=len(self.asked.requests),
            tables=len(self.tables.requests),
            messages=len(self.queues.sent),
        )

    def stored_bytes(self) -> int:
        """What all rows of cases and their index take up."""
        tables = (self.tables.rows.get(name, {}) for name in (CASES, INDEX))
        return sum(size(found.row) for rows in tables for found in rows.values())


async def count(stuck: int = STUCK) -> Counted:
    """Counts all three kinds of work."""
    generous: dict[str, Any] = {"surge": stuck, "caps": Caps(stuck, 5 * stuck, stuck)}
    resolved = CountedCity(limits=generous)
    return Counted(
        sweep=await _idle(CountedCity(limits=generous)),
        retrigger=(await _retriggered(resolved, stuck)).each(stuck),
        look=(await _looked_at(CountedCity(limits=generous, mode=Mode.OBSERVE), stuck)).each(stuck),
        stored_bytes=round(resolved.stored_bytes() / stuck),
        stuck=stuck,
    )


async def _idle(town: CountedCity) -> Requests:
    town.healthy(10)
    await sweep(town.ctx)
    before = town.so_far()
    await sweep(town.ctx)
    await wake(town.ctx)
    return _closed(town, before)


async def _retriggered(town: CountedCity, stuck: int) -> Requests:
    town.stuck_many(stuck)
    before = town.so_far()
    await sweep(town.ctx)
    await town.drain()
    await town.cycles(6)
    if await town.real_store.open_cases():
        raise RuntimeError("not every case was resolved, so the counts would be too low")
    return _closed(town, before)


async def _looked_at(town: CountedCity, stuck: int) -> Requests:
    town.stuck_many(stuck)
    await sweep(town.ctx)
    await town.drain()
    await town.pass_time(town.policy.look_again + timedelta(seconds=1))
    before = town.so_far()
    await town.pass_time(town.policy.look_again + timedelta(seconds=1))
    return _closed(town, before)


def _closed(town: CountedCity, before: Requests) -> Requests:
    after = asdict(town.so_far())
    town.records.close()
    return Requests(**{name: after[name] - value for name, value in asdict(before).items()})


def _fits(row: Mapping[str, Any], tests: list[tuple[str, str, str]], parameters: Mapping[str, str]) -> bool:
    return all(_COMPARE[how](str(row.get(column, "")), parameters[name]) for column, how, name in tests)
