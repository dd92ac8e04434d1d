"""Table `budgets`: what was granted within the last hour, by all instances together. One row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import COLUMN_UNITS, as_json, split
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.domain.budget import HOUR, Budget, Claim, Grant, Spent, Ticket, given_back, grant
from shared.domain.policy import Caps
from shared.errors import Refused

TABLE = "budgets"
PARTITION, ROW = "retrigger", "hour"

MOST_COLUMNS = {"spent": 10, "line": 2}
"""Columns that each list may fill: as many grants as a policy may allow within an hour. No more are granted."""

_Short = Annotated[str, Field(min_length=1, max_length=100)]
_Seats = Annotated[int, Field(ge=0, strict=True)]
_SPENT = TypeAdapter(list[tuple[_Short, datetime, _Seats, _Short]])
_LINE = TypeAdapter(list[tuple[_Short, datetime, _Seats, _Short, datetime]])


class TableLimits:
    """Port Limits. A budget is reserved before the intent: a crash wastes some of it and never exceeds it."""

    def __init__(self, tables: Tables) -> None:
        self._rows = Documents(tables, Kind(TABLE, _columns, _budget))

    async def reserve(self, wanted: Sequence[Claim], caps: Caps, now: datetime) -> Grant:
        """Grants what fits, oldest first."""
        short = {_short(claim.key): claim.key for claim in wanted}
        claims = [Claim(_short(c.key), c.since, c.seats, _short(c.customer)) for c in wanted]

        def change(before: Budget | None) -> tuple[Budget, Grant]:
            granted = grant(before or Budget(), claims, caps, now)
            return granted.budget, granted

        result = await self._rows.change(PARTITION, ROW, change)
        named = {short[key]: wait for key, wait in result.waits.items()}
        return Grant(result.budget, frozenset(short[key] for key in result.granted), named)

    async def release(self, keys: Sequence[str], now: datetime) -> None:
        """Gives back what for sure was not used."""

        def change(before: Budget | None) -> tuple[Budget, None]:
            kept = given_back(before or Budget(), [_short(key) for key in keys])
            return Budget(tuple(s for s in kept.spent if now - s.on < HOUR), kept.line), None

        await self._rows.change(PARTITION, ROW, change)


def _short(id_: str) -> str:
    """Twelve characters that stand for an id: the row must hold thousands."""
    return sha256(id_.casefold().encode()).hexdigest()[:12]


def _columns(budget: Budget) -> dict[str, Any]:
    spent = [[s.key, stamp(s.on), s.seats, s.customer] for s in budget.spent]
    line = [[t.claim.key, stamp(t.claim.since), t.claim.seats, t.claim.customer, stamp(t.until)] for t in budget.line]
    return {**_list("spent", spent), **_list("line", line)}


def _list(name: str, items: list[list[Any]]) -> dict[str, str]:
    text = as_json(items)
    if len(text) > MOST_COLUMNS[name] * COLUMN_UNITS:
        raise Refused("storage", f"The hour's budget holds {len(items):,} entries, more than fit: lower the caps.")
    return split(name, text)


def _budget(row: Mapping[str, Any]) -> Budget:
    read = Reader(row)
    read.version(SCHEMA_VERSION)
    spent, line = read.json("spent", _SPENT), read.json("line", _LINE)
    if spent is None or line is None:
        raise read.fault("spent" if spent is None else "line", "is missing")
    return Budget(
        tuple(Spent(key, on, seats, customer) for key, on, seats, customer in spent),
        tuple(Ticket(Claim(key, since, seats, who), until) for key, since, seats, who, until in line),
    )
