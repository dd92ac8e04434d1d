"""Table `breakers`: one row for each other party that our calls go to, and for each fix whose success is counted."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import as_json, cut
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.adapters.text import well_formed
from shared.domain.breaker import Breaker, Outcome, Slice, counted, probed
from shared.domain.policy import BreakerLimits
from shared.errors import CaseUnreadable
from shared.ports import BreakersRead

TABLE = "breakers"
PARTITION = "breaker"

_REASON_UNITS = 1_000
_MOMENTS = ("open_until", "not_before", "probe_until")
_Count = Annotated[int, Field(ge=0, strict=True)]
_SLICES = TypeAdapter(Annotated[list[tuple[datetime, _Count, _Count]], Field(max_length=100)])
_SAFE = str.maketrans(dict.fromkeys("/\\#?|", "_"))

_log = logging.getLogger(__name__)


class TableBreakers:
    """Port Breakers."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rows = Documents(tables, Kind(TABLE, _columns, _breaker))

    async def read(self) -> BreakersRead:
        """All breakers by one request, and those whose row makes no sense."""
        found = await self._tables.query(TABLE, "PartitionKey eq @partition", {"partition": PARTITION}, None)
        breakers, broken = {}, {}
        for each in found:
            name = str(each.row["RowKey"])
            try:
                breakers[name] = _breaker(each.row)
            except CaseUnreadable as error:
                _log.error("%s", error)
                broken[name] = str(error)
        return BreakersRead(breakers, broken)

    async def count(self, name: str, outcome: Outcome, limits: BreakerLimits, now: datetime) -> Breaker:
        """Counts one call of ours, and gives the breaker afterwards."""

        def change(before: Breaker | None) -> tuple[Breaker, Breaker]:
            after = counted(before or Breaker(), outcome, limits, now)
            return after, after

        return await self._rows.change(PARTITION, row_of(name), change)

    async def probe(self, name: str, limits: BreakerLimits, now: datetime) -> bool:
        """Whether this worker may make the one call that a half-open breaker lets through."""

        def change(before: Breaker | None) -> tuple[Breaker, bool]:
            after = probed(before or Breaker(), limits, now)
            return (after, True) if after is not None else (before or Breaker(), False)

        return await self._rows.change(PARTITION, row_of(name), change)


def row_of(name: str) -> str:
    """The row key of a breaker."""
    return name.translate(_SAFE)[:400]


def _columns(breaker: Breaker) -> dict[str, Any]:
    moments = {name: stamp(moment) for name in _MOMENTS if (moment := getattr(breaker, name)) is not None}
    return {
        "in_a_row": breaker.in_a_row,
        "calls": as_json([[stamp(s.begins), s.calls, s.failures] for s in breaker.slices]),
        "reason": well_formed(cut(breaker.reason, _REASON_UNITS)),
        **moments,
    }


def _breaker(row: Mapping[str, Any]) -> Breaker:
    read = Reader(row)
    read.version(SCHEMA_VERSION)
    calls = read.json("calls", _SLICES)
    if calls is None:
        raise read.fault("calls", "is missing")
    moments = {name: read.moment(name) for name in _MOMENTS if row.get(name) is not None}
    slices = tuple(Slice(begins, all_, failures) for begins, all_, failures in calls)
    return Breaker(read.whole("in_a_row"), slices, reason=read.text("reason") or "", **moments)
