"""Sweep receipts: what each sweep read. The newest comes first in its partition, so it is found by one request."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.tables.columns import cut
from shared.adapters.tables.keys import stamp
from shared.adapters.tables.rows import Reader
from shared.adapters.tables.versions import RECEIPT
from shared.adapters.text import well_formed
from shared.ports import SweepReceipt

TABLE = "sweeps"
PARTITION = "receipt"

_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
_PROBLEM_UNITS = 8_000


def to_row(receipt: SweepReceipt) -> dict[str, Any]:
    """The row of a receipt: its key counts down from the end of time, to the microsecond at which it started."""
    name = hashlib.sha256(receipt.id.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return {
        "PartitionKey": PARTITION,
        "RowKey": f"{row_before(receipt.started_on)}|{name}",
        "schema_version": RECEIPT,
        "id": receipt.id,
        "started_on": stamp(receipt.started_on),
        "finished_on": stamp(receipt.finished_on),
        "complete": receipt.complete,
        "suspects": receipt.suspects,
        "queued": receipt.queued,
        "left_alone": receipt.left_alone,
        "problem": well_formed(cut(receipt.problem, _PROBLEM_UNITS)),
    }


def row_before(moment: datetime) -> str:
    """Sorts before the keys of receipts that started at this moment or earlier."""
    return f"{(_END_OF_TIME - moment) // timedelta(microseconds=1):018d}"


def is_key(text: str) -> bool:
    """Whether this may be the key of a receipt's row."""
    return re.fullmatch(r"[0-9]{18}\|[0-9a-f]{12}", text) is not None


def from_row(row: Mapping[str, Any]) -> SweepReceipt:
    """The receipt in a row. Raises CaseUnreadable naming the column that makes no sense."""
    read = Reader(row)
    read.version(RECEIPT)
    complete = row.get("complete")
    if not isinstance(complete, bool):
        raise read.fault("complete", "should be true or false")
    return SweepReceipt(
        id=read.text("id") or "",
        started_on=read.moment("started_on"),
        finished_on=read.moment("finished_on"),
        complete=complete,
        suspects=read.whole("suspects"),
        queued=read.whole("queued"),
        left_alone=read.whole("left_alone"),
        problem=read.text("problem") or "",
    )
