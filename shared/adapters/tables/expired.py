"""Rows that are kept for a while only: found by their column `expires_on`, taken away some at a time."""

from datetime import datetime

from shared.adapters.tables.client import Tables
from shared.adapters.tables.keys import stamp
from shared.errors import NotFound, VersionConflict

AT_ONCE = 100
"""Rows that one purge takes away."""


async def purged(tables: Tables, table: str, partition: str, now: datetime) -> int:
    """Takes away up to a hundred rows of a partition that have expired; how many. Raises SourceError."""
    where, values = "PartitionKey eq @partition and expires_on lt @now", {"partition": partition, "now": stamp(now)}
    gone = 0
    for found in await tables.query(table, where, values, AT_ONCE):
        try:
            await tables.delete(table, partition, str(found.row["RowKey"]), found.etag)
            gone += 1
        except (VersionConflict, NotFound):
            continue  # somebody has just written it anew, or taken it away
    return gone
