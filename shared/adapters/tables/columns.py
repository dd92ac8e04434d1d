"""Long text in columns that are short: measured, split over several, cut with a mark, put together again.

A text property holds 64 KiB in UTF-16, an entity 1 MiB with 252 properties. Azurite checks neither, so we do.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.adapters.text import well_formed

COLUMN_UNITS = 32_000
"""UTF-16 code units that we put into one column; the limit is 32,768."""

ENTITY_BYTES = 1_000_000
"""Bytes of an entity that we allow ourselves; the limit is 1,048,576."""

TRANSACTION_BYTES = 3_500_000
"""Bytes of all entities of one transaction that we allow ourselves; the limit is 4 MiB, their JSON included."""


def units(text: str) -> int:
    """UTF-16 code units of `text`: what the limits count. An emoji is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """`text` if it has at most `most` UTF-16 units, else its beginning with a mark that says how much there was."""
    if len(text) <= most and units(text) <= most:
        return text
    mark = f" … [cut: {len(text):,} characters]"
    # A megabyte is not encoded to keep a line of it: no character is less than one unit.
    head = text[:most].encode("utf-16-le", "surrogatepass")[: 2 * (most - units(mark))]
    return head.decode("utf-16-le", "ignore") + mark


def split(name: str, text: str) -> dict[str, str]:
    """`text` as columns `name`, `name_2`, `name_3` …, each short enough."""
    parts = list(_pieces(text)) or [""]
    return {_part(name, index): part for index, part in enumerate(parts, start=1)}


def joined(row: Mapping[str, Any], name: str) -> str | None:
    """The text that `split` put into a row; None when the column is not there. TypeError when it is not text."""
    if row.get(name) is None:
        return None
    parts: list[str] = []
    while (part := row.get(_part(name, len(parts) + 1))) is not None:
        if not isinstance(part, str):
            raise TypeError("is not text")
        parts.append(part)
    return "".join(parts)


def as_json(value: object) -> str:
    """Compact JSON that a person can read; escaped to ASCII only where the text could not be sent otherwise."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    if text == well_formed(text):
        return text
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)


def size(row: Mapping[str, Any]) -> int:
    """Bytes of an entity as Azure counts them, rounded up: names and text in UTF-16, 16 bytes for anything else."""
    return 4 + sum(8 + 2 * len(name) + _value_size(value) for name, value in row.items())


def _value_size(value: object) -> int:
    match value:
        case str():
            return 2 * units(value) + 4
        case bytes():
            return len(value) + 4
        case _:
            return 16


def _part(name: str, index: int) -> str:
    return name if index == 1 else f"{name}_{index}"


def _pieces(text: str) -> Iterator[str]:
    encoded = text.encode("utf-16-le", "surrogatepass")
    start = 0
    while start < len(encoded):
        end = min(start + 2 * COLUMN_UNITS, len(encoded))
        if end < len(encoded) and 0xD8 <= encoded[end - 1] <= 0xDB:
            end -= 2  # the first half of an emoji goes with its second
        yield encoded[start:end].decode("utf-16-le", "surrogatepass")
        start = end
