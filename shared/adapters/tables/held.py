"""What a save must know of the row that it replaces. It travels inside the version that `load` hands out."""

import json
from dataclasses import dataclass

from shared.adapters.tables.client import Found
from shared.adapters.tables.index_keys import LISTED, OPEN, IndexKey, Keys, keys_named
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
        named = self.keys.columns()
        rows = [named.get("open_row"), named.get("listed_row"), self.keys.state_row.partition, named["state_row"]]
        return json.dumps([self.etag, self.number, *rows])

    @classmethod
    def of(cls, version: str) -> "Held":
        """Raises ValueError when the text is not a version that this store handed out."""
        try:
            etag, number, open_row, listed_row, partition, state_row = json.loads(version)
        except (ValueError, TypeError):
            raise ValueError("this is not a version of a stored case") from None
        open_key = IndexKey(OPEN, open_row) if open_row else None
        listed_key = IndexKey(LISTED, listed_row) if listed_row else None
        return cls(etag, number, Keys(open_key, listed_key, IndexKey(partition, state_row)))


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
