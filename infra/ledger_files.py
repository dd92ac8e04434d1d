"""A backup of the ledger: one file for each table, one row a line, and a list of what belongs to it.

Values keep the types that Table Storage tells apart: text, true and false and small whole numbers stand as they are,
everything else as `{"Edm.…": text}`.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from azure.data.tables import EdmType, EntityProperty

CONTENTS = "contents.json"
FORMAT = 1


class BackupUnreadable(Exception):
    """A backup that is incomplete or was altered; the text says where."""


@dataclass(frozen=True)
class Part:
    """One table of a backup."""

    table: str
    rows: int
    sha256: str


def line_of(row: Mapping[str, Any]) -> str:
    """A row as one line of JSON."""
    return json.dumps({name: _written(value) for name, value in row.items()}, ensure_ascii=True, sort_keys=True)


def row_of(line: str) -> dict[str, Any]:
    """The row in a line. Raises ValueError."""
    found = json.loads(line)
    if not isinstance(found, dict) or not {"PartitionKey", "RowKey"} <= set(found):
        raise ValueError("not a row of a table")
    return {name: _read(value) for name, value in found.items()}


def write_contents(folder: Path, parts: list[Part]) -> None:
    """Written last: without it a backup is not complete."""
    tables = {part.table: {"rows": part.rows, "sha256": part.sha256} for part in parts}
    text = json.dumps({"format": FORMAT, "made_on": datetime.now(UTC).isoformat(), "tables": tables}, indent=2)
    (folder / CONTENTS).write_text(text + "\n", encoding="utf-8")


def contents(folder: Path) -> list[Part]:
    """What a backup holds, each file checked against its sum. Raises BackupUnreadable."""
    try:
        found = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
        parts = [Part(name, entry["rows"], entry["sha256"]) for name, entry in found["tables"].items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupUnreadable(f"{folder / CONTENTS} cannot be read, so the backup is not complete: {error}") from None
    if found.get("format") != FORMAT:
        raise BackupUnreadable(f"{folder / CONTENTS} has format {found.get('format')!r}; {FORMAT} can be read.")
    for part in parts:
        if not file_of(folder, part.table).is_file() or sum_of(file_of(folder, part.table)) != part.sha256:
            raise BackupUnreadable(f"{file_of(folder, part.table)} is missing or was altered since it was made.")
    return parts


def rows(folder: Path, table: str) -> Iterator[dict[str, Any]]:
    """All rows of a table, in the order of their keys. Raises BackupUnreadable naming the line."""
    with file_of(folder, table).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield row_of(line)
            except (ValueError, TypeError) as error:
                raise BackupUnreadable(f"{table}, line {number}: {error}") from None


def file_of(folder: Path, table: str) -> Path:
    """The file of a table."""
    if not table.isalnum():
        raise BackupUnreadable(f"{table!r} is not the name of a table.")
    return folder / f"{table}.jsonl"


def sum_of(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _written(value: Any) -> Any:
    if isinstance(value, EntityProperty):
        return {str(EdmType(value.edm_type).value): str(value.value)}
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return {"Edm.Double": repr(value)}
    if isinstance(value, datetime):
        # The service counts in 100 ns, which a datetime of Python cannot; the client keeps the rest aside.
        return {"Edm.DateTime": getattr(value, "tables_service_value", "") or value.isoformat()}
    if isinstance(value, UUID):
        return {"Edm.Guid": str(value)}
    if isinstance(value, bytes):
        return {"Edm.Binary": base64.b64encode(value).decode()}
    raise TypeError(f"a value of type {type(value).__name__} is not known here")


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    if kind == "Edm.Binary":
        return base64.b64decode(text)
    if kind == "Edm.Double":
        return float(text)
    if kind == "Edm.Guid":
        return UUID(text)
    return EntityProperty(text, EdmType(kind))
