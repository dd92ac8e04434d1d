"""Table `pauses`: one row for each wish, pauses in one partition and mutes in another.

Several parties may wish the same: each has a row of its own.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from shared.adapters.tables.client import Tables
from shared.adapters.tables.columns import cut
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.adapters.text import well_formed
from shared.domain.pause import MUTABLE, PAUSABLE, Mute, Pause, Scope, Wish

TABLE = "pauses"
PAUSE_PARTITION, MUTE_PARTITION = "pause", "mute"

_TEXT_UNITS = 1_000


class TableWishes[W: Wish]:
    """Port Wishes. A row that makes no sense makes every read raise CaseUnreadable: it may be in force."""

    def __init__(self, tables: Tables, kind: type[W]) -> None:
        self._tables = tables
        self._kind = kind
        self._partition = MUTE_PARTITION if issubclass(kind, Mute) else PAUSE_PARTITION
        self._rows = Documents(tables, Kind(TABLE, _columns, self._wish))

    async def read(self) -> Mapping[str, W]:
        """All wishes by id, those that are over, too; one request."""
        found = await self._tables.query(TABLE, "PartitionKey eq @partition", {"partition": self._partition}, None)
        return {str(each.row["RowKey"]): self._wish(each.row) for each in found}

    async def put(self, wish: W) -> str:
        """Adds a wish, or replaces the one that the same party has about the same thing. Returns its id."""
        id_ = id_of(wish)
        # Whatever it was before: the same party has said something else last.
        await self._rows.change(self._partition, id_, lambda _: (wish, None))
        return id_

    async def remove(self, id_: str) -> None:
        """Takes a wish back, one that is not there or cannot be read, too."""
        await self._tables.delete(TABLE, self._partition, id_)

    def _wish(self, row: Mapping[str, Any]) -> W:
        read = Reader(row)
        read.version(SCHEMA_VERSION)
        scope, texts = read.choice("scope", Scope), {name: read.text(name) or "" for name in _TEXTS}
        if scope not in (MUTABLE if issubclass(self._kind, Mute) else PAUSABLE):
            raise read.fault("scope", f"is {scope}, which is nothing to {self._partition}")
        if scope is not Scope.EVERYTHING and not texts["target"]:
            raise read.fault("target", f"is empty, and the scope is {scope}")
        return self._kind(scope, since=read.moment("since"), until=read.moment("until"), **texts)


class TablePauses(TableWishes[Pause]):
    """Port Pauses."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables, Pause)


class TableMutes(TableWishes[Mute]):
    """Port Mutes."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables, Mute)


def id_of(wish: Wish) -> str:
    """The same party's wish about the same thing has the same id."""
    named = "\n".join((wish.scope.value, wish.target, wish.by)).casefold()
    return f"{wish.scope.value}-{sha256(named.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


_TEXTS = ("target", "by", "reason")


def _columns(wish: Wish) -> dict[str, Any]:
    texts = {name: well_formed(cut(getattr(wish, name), _TEXT_UNITS)) for name in _TEXTS}
    return {"scope": wish.scope.value, **texts, "since": stamp(wish.since), "until": stamp(wish.until)}
