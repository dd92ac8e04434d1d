"""What a save must know of the row that it replaces. It travels inside the version that `load` hands out."""

import json
from dataclasses import dataclass

from shared.adapters.tables.client import Found
from shared.adapters.tables.index_keys import OPEN, IndexKey, Keys, keys_named
from shared.adapters.tables.remains import PURGED_ON
from shared.adapters.tables.rows import from_row
from shared.domain.case import Case
from shared.ports import Stored


@dataclass(frozen=True, slots=True)
class Held:
    """The ETag that must still be there, the case's number, and the index rows that stand for it."""

    etag: str
    number: int
    keys: Keys

    def version(self) -> str:
        """As text for `Stored.version`; opaque to everybody else."""
        state, open_row = self.keys.state_row, self.keys.open_row
        return json.dumps([self.etag, self.number, open_row.row if open_row else None, state.partition, state.row])

    @classmethod
    def of(cls, version: str) -> "Held":
        """Raises ValueError when the text is not a version that this store handed out."""
        try:
            etag, number, open_row, partition, state_row = json.loads(version)
        except (ValueError, TypeError):
            raise ValueError("this is not a version of a stored case") from None
        return cls(etag, number, Keys(IndexKey(OPEN, open_row) if open_row else None, IndexKey(partition, state_row)))


@dataclass(frozen=True, slots=True)
class Current:
    """A case as it was read, with what a save over it needs."""

    case: Case
    held: Held
    purged: bool = False
    """Only its remains are there: what the subscription's next case must know."""

    @property
    def stored(self) -> Stored:
        return Stored(self.case, self.held.version())


def current(found: Found) -> Current:
    """Reads a case's row. Raises CaseUnreadable."""
    case = from_row(found.row)
    held = Held(found.etag, case.number, keys_named(case, found.row))
    return Current(case, held, found.row.get(PURGED_ON) is not None)
