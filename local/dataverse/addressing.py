"""What a path below the service root names."""

import re
from dataclasses import dataclass

from local.dataverse.errors import bad_query, no_segment
from local.schema import Schema, Table

_SEGMENT = re.compile(r"([A-Za-z_$][\w.$]*)(?:\(([^()]*)\))?")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Address:
    """Rows of `table`; one of them if `id` is set; what hangs on it by `navigation`; only their number."""

    table: Table
    id: str | None = None
    navigation: str | None = None
    count: bool = False


def parse_address(schema: Schema, path: str) -> Address:
    """The address of `set`, `set(guid)`, `set(guid)/navigation`, each maybe with `/$count`.

    Raises ODataError 404 for a name that does not exist, 400 for a key that is no GUID.
    """
    first, *rest = path.split("/")
    match = _SEGMENT.fullmatch(first)
    name = match.group(1) if match else first
    table = schema.by_entity_set.get(name)
    if match is None or table is None:
        raise no_segment(name)
    id = _key(match.group(2)) if match.group(2) is not None else None
    count = rest[-1:] == ["$count"]
    if count:
        rest.pop()
    if len(rest) > 1 or (rest and id is None):
        raise no_segment(rest[-1])
    return Address(table, id, rest[0] if rest else None, count)


def _key(text: str) -> str:
    if not _GUID.fullmatch(text):
        raise bad_query(f"Error in query syntax. The key '{text}' is not a GUID.")
    return text.lower()
