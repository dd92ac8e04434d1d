"""Table `alarms`: what the app has noticed about itself, and what people know of it. One row."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter

from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import as_json, cut
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.adapters.text import well_formed
from shared.domain.watchdog import Alarm, Concern, Vigil

TABLE = "alarms"
PARTITION, ROW = "alarm", "app"

_TEXT_UNITS = 4_000
_MOMENTS = ("since", "looked_on", "standing_since")
_ALARMS = TypeAdapter(dict[Concern, Alarm])


class TableAlarms:
    """Port Alarms."""

    def __init__(self, tables: Tables) -> None:
        self._rows = Documents(tables, Kind(TABLE, _columns, _vigil))

    async def read(self) -> Vigil:
        """What is remembered; nothing before the first look."""
        return await self._rows.load(PARTITION, ROW) or Vigil()

    async def change[R](self, change: Callable[[Vigil], tuple[Vigil, R]]) -> R:
        """Puts what `change` makes of it in its place, and gives what `change` says besides. It may be asked twice."""
        return await self._rows.change(PARTITION, ROW, lambda before: change(before or Vigil()))


def _columns(vigil: Vigil) -> dict[str, Any]:
    moments = {name: stamp(moment) for name in _MOMENTS if (moment := getattr(vigil, name)) is not None}
    alarms = _ALARMS.dump_python(dict(vigil.alarms), mode="json")
    for alarm in alarms.values():
        alarm["text"] = well_formed(cut(alarm["text"], _TEXT_UNITS))
    return {**moments, "alarms": as_json(alarms)}


def _vigil(row: Mapping[str, Any]) -> Vigil:
    read = Reader(row)
    read.version(SCHEMA_VERSION)
    alarms = read.json("alarms", _ALARMS)
    if alarms is None:
        raise read.fault("alarms", "is missing")
    return Vigil(alarms=alarms, **{name: read.moment(name) for name in _MOMENTS if row.get(name) is not None})
