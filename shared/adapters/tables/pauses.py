"""Table `pauses`: one row for each wish that nothing be written. Several parties may pause the same thing."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import cut
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.adapters.text import well_formed
from shared.domain.pause import Pause, Scope

TABLE = "pauses"
PARTITION = "pause"

_TEXT_UNITS = 1_000


class TablePauses:
    """Port Pauses. A row that makes no sense makes every read raise CaseUnreadable: it may be in force."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rows = Documents(tables, Kind(TABLE, _columns, _pause))

    async def read(self) -> Mapping[str, Pause]:
        """All pauses by id, those that are over, too; one request."""
        found = await self._tables.query(TABLE, "PartitionKey eq @partition", {"partition": PARTITION}, None)
        return {str(each.row["RowKey"]): _pause(each.row) for each in found}

    async def put(self, pause: Pause) -> str:
        """Adds a pause, or replaces the one that the same party has on the same thing. Returns its id."""
        id_ = id_of(pause)
        # Whatever it was before: the same party has said something else last.
        await self._rows.change(PARTITION, id_, lambda _: (pause, None))
        return id_

    async def remove(self, id_: str) -> None:
        """Takes a pause back, one that is not there or cannot be read, too."""
        await self._tables.delete(TABLE, PARTITION, id_)


def id_of(pause: Pause) -> str:
    """The same party's pause of the same thing has the same id."""
    named = "\n".join((pause.scope.value, pause.target, pause.by)).casefold()
    return f"{pause.scope.value}-{sha256(named.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _columns(pause: Pause) -> dict[str, Any]:
    texts = {name: well_formed(cut(getattr(pause, name), _TEXT_UNITS)) for name in ("target", "by", "reason")}
    return {"scope": pause.scope.value, **texts, "since": stamp(pause.since), "until": stamp(pause.until)}


def _pause(row: Mapping[str, Any]) -> Pause:
    read = Reader(row)
    read.version(SCHEMA_VERSION)
    scope, texts = read.choice("scope", Scope), {name: read.text(name) or "" for name in ("target", "by", "reason")}
    if scope is not Scope.EVERYTHING and not texts["target"]:
        raise read.fault("target", f"is empty, and the scope is {scope}")
    return Pause(scope, since=read.moment("since"), until=read.moment("until"), **texts)
