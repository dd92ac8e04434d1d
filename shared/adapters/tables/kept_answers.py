"""Answers in rows: packed, split over columns, and refused when they are too long."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from shared.adapters.tables.columns import COLUMN_UNITS, as_json, split
from shared.adapters.tables.rows import Reader
from shared.domain.idempotency import KeptAnswer
from shared.errors import Refused

MOST_COLUMNS = 12
"""Columns of under 64 KiB that a packed answer may fill."""

LONGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer, unpacked: a row that says more was not written by us."""

_HEADERS = TypeAdapter(dict[str, str])


def columns_of(answer: KeptAnswer | None) -> dict[str, Any]:
    """The columns of an answer; none while there is none. Raises Refused for one that is too long."""
    if answer is None:
        return {}
    fits = len(answer.body) <= LONGEST_ANSWER
    packed = base64.b64encode(zlib.compress(answer.body)).decode() if fits else ""
    if not fits or len(packed) > MOST_COLUMNS * COLUMN_UNITS:
        raise Refused("storage", f"An answer of {len(answer.body):,} bytes is too long to be kept.")
    return {
        "status": answer.status,
        "content_type": answer.content_type,
        "headers": as_json(dict(answer.headers)),
        **split("answer", packed),
    }


def answer_in(read: Reader, row: Mapping[str, Any]) -> KeptAnswer | None:
    """The answer in a row, None without one. Raises CaseUnreadable naming the column that makes no sense."""
    if row.get("status") is None:
        return None
    packed, content_type, headers = read.text("answer"), read.text("content_type"), read.json("headers", _HEADERS)
    if packed is None or content_type is None:
        raise read.fault("answer" if packed is None else "content_type", "is missing")
    try:
        unpacker = zlib.decompressobj()
        body = unpacker.decompress(base64.b64decode(packed, validate=True), LONGEST_ANSWER)
    except (binascii.Error, zlib.error) as error:
        raise read.fault("answer", f"cannot be unpacked: {error}") from None
    if not unpacker.eof:
        raise read.fault("answer", "is cut off, or longer than any answer")
    return KeptAnswer(read.whole("status"), body, content_type, headers or {})
