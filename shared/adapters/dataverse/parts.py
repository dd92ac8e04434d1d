"""What can be asked of Dataverse, and what comes back, as values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NewType

from shared.errors import Garbled, SourceError

type Row = dict[str, Any]

ETag = NewType("ETag", str)
"""The version of a row as it was read. Made by `etag` only: a PATCH without one could create a row."""

_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]{1,200}"')
_ONE_ROW = re.compile(r"[A-Za-z_]\w*\([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\)", re.ASCII)


def etag(text: object) -> ETag:
    """A row's version. Raises ValueError for anything that is not one, `*` (any version) included."""
    if not isinstance(text, str) or not _ETAG.fullmatch(text):
        raise ValueError(f"not the version of a row: {str(text)[:60]!r}")
    return ETag(text)


@dataclass(frozen=True, slots=True)
class Get:
    """Read rows; all their pages are fetched, in pages of `page_size` rows (5,000 at most).

    `page_size` None asks for no size: only then does Dataverse heed `$top`.
    """

    path: str
    page_size: int | None = 5_000


@dataclass(frozen=True, slots=True)
class Patch:
    """Change columns of one row, if it still is the version that was read. `path` comes from `odata.row`."""

    path: str
    values: Mapping[str, object]
    etag: ETag

    def __post_init__(self) -> None:
        etag(self.etag)
        if not _ONE_ROW.fullmatch(self.path):
            raise ValueError(f"not the path of one row by its id: {self.path[:200]!r}")


@dataclass(frozen=True, slots=True)
class Post:
    """Create a row or call an action. Nothing guards it against being done twice but its caller."""

    path: str
    values: Mapping[str, object]


type Part = Get | Patch | Post


@dataclass(frozen=True, slots=True)
class PartResult:
    """What became of one part. Exactly one of these holds: `error` is set, or the part took effect.

    `body` is the parsed answer, if there was one; `etag` the row's version after a write.
    """

    status: int | None = None
    body: Row | None = None
    etag: ETag | None = None
    error: SourceError | None = None

    @property
    def rows(self) -> list[Row]:
        """The rows that a Get found, all pages. Raises `error`, or Garbled if the answer holds no list."""
        if self.error is not None:
            raise self.error
        return rows_in(self.body)


def rows_in(body: Row | None) -> list[Row]:
    """The rows of a collection. Raises Garbled: an answer without them must never read as none found."""
    rows = body.get("value") if body is not None else None
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise Garbled("dataverse", "Dataverse's answer holds no list of rows. Nothing of it is used.")
    return rows
