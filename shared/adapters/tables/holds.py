"""Table `holds`: what is remembered from sweep to sweep, and the hold that a surge has raised. One row."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import COLUMN_UNITS, as_json, split
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.domain.surge import Hold, Watch

TABLE = "holds"
PARTITION, ROW = "sweep", "watch"

DIGEST = 8
"""Characters of one suspect's digest."""

MOST_COLUMNS = 12
"""Columns of digests, 48,000 suspects. Those beyond count as new at every sweep: the hold stays."""

MOST_SEEN = MOST_COLUMNS * COLUMN_UNITS // DIGEST

_HOLD = TypeAdapter(Hold)
_MOMENTS = ("looked_on", "stock_taken_on")


class TableHolds:
    """Port Holds."""

    def __init__(self, tables: Tables) -> None:
        self._rows = Documents(tables, Kind(TABLE, _columns, _watch))

    async def read(self) -> Watch:
        """What is remembered; nothing before the first sweep."""
        return await self._rows.load(PARTITION, ROW) or Watch()

    async def change[R](self, change: Callable[[Watch], tuple[Watch, R]]) -> R:
        """Puts what `change` makes of it in its place, and gives what `change` says besides. It may be asked twice."""
        return await self._rows.change(PARTITION, ROW, lambda before: change(before or Watch()))


def _columns(watch: Watch) -> dict[str, Any]:
    seen = "".join(sorted(watch.seen))[: MOST_COLUMNS * COLUMN_UNITS]
    row: dict[str, Any] = {"silent": watch.silent, **split("seen", seen)}
    row["stock_told"] = watch.stock_told
    for name in _MOMENTS:
        row |= {name: stamp(moment)} if (moment := getattr(watch, name)) is not None else {}
    row |= {"usual_seconds": round(watch.usual.total_seconds())} if watch.usual is not None else {}
    return row | ({"hold": as_json(_HOLD.dump_python(watch.hold, mode="json"))} if watch.hold is not None else {})


def _watch(row: Mapping[str, Any]) -> Watch:
    read = Reader(row)
    read.version(SCHEMA_VERSION)
    said, seen = {"silent": row.get("silent"), "stock_told": row.get("stock_told", False)}, read.text("seen")
    for name, value in said.items():
        if not isinstance(value, bool):
            raise read.fault(name, "should be true or false")
    if seen is None or len(seen) % DIGEST:
        raise read.fault("seen", "is missing or cut")
    moments = {name: read.moment(name) for name in _MOMENTS if row.get(name) is not None}
    return Watch(
        looked_on=moments.get("looked_on"),
        stock_taken_on=moments.get("stock_taken_on"),
        usual=timedelta(seconds=read.whole("usual_seconds")) if row.get("usual_seconds") is not None else None,
        **said,
        seen=frozenset(seen[i : i + DIGEST] for i in range(0, len(seen), DIGEST)),
        hold=read.json("hold", _HOLD),
    )
