"""Table `operations`: work that takes longer than a request may, one row for each."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.adapters.tables.client import Tables
from shared.adapters.tables.documents import SCHEMA_VERSION, Documents, Kind
from shared.adapters.tables.expired import purged
from shared.adapters.tables.kept_answers import answer_in, columns_of
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.domain.idempotency import KeptAnswer
from shared.domain.operation import KEPT_FOR, Operation
from shared.errors import NotFound

TABLE = "operations"
PARTITION = "operation"


class TableOperations:
    """Port Operations. Ids are ours: nothing that a caller gives becomes a key before it was compared with one."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rows = Documents(tables, Kind(TABLE, _columns, _operation))

    async def begin(self, operation: Operation) -> None:
        """Writes down what is to be done."""
        await self._rows.change(PARTITION, operation.id, lambda _: (operation, None))

    async def load(self, id_: str) -> Operation | None:
        """One operation, None when there is none."""
        return await self._rows.load(PARTITION, id_)

    async def finish(self, id_: str, answer: KeptAnswer) -> None:
        """Keeps its answer; the first one stays. Raises NotFound when there is no such operation, Refused."""

        def finished(before: Operation | None) -> tuple[Operation, None]:
            if before is None:
                raise NotFound("storage", "The operation is gone.")
            return (before if before.answer is not None else replace(before, answer=answer)), None

        await self._rows.change(PARTITION, id_, finished)

    async def purge(self, now: datetime) -> int:
        """Takes away up to a hundred operations that have expired; how many."""
        return await purged(self._tables, TABLE, PARTITION, now)


def _columns(operation: Operation) -> dict[str, Any]:
    return {
        "route": operation.route,
        "body": operation.body,
        "caller": operation.caller,
        "asked_on": stamp(operation.asked_on),
        "expires_on": stamp(operation.asked_on + KEPT_FOR),
        **columns_of(operation.answer),
    }


def _operation(row: Mapping[str, Any]) -> Operation:
    read = Reader(row)
    read.version(SCHEMA_VERSION)
    texts = {name: read.text(name) or "" for name in ("route", "body", "caller")}
    missing = next((name for name, text in texts.items() if not text), None)
    if missing is not None:
        raise read.fault(missing, "is missing")
    return Operation(str(row["RowKey"]), **texts, asked_on=read.moment("asked_on"), answer=answer_in(read, row))
