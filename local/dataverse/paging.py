"""Dataverse's paging cookie: the last row's sort values and id, in XML, encoded twice into $skiptoken.

The next page starts after those values, not after a number of rows; so rows that change or go away
between two pages do not make others be skipped, as long as the sort values stay.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape, unescape

from local.dataverse.errors import bad_query
from local.dataverse.values import SqlValue

_OUTER = re.compile(r'<cookie pagenumber="(\d+)" pagingcookie="([^"]*)" istracking="False" />')
_INNER = re.compile(r'<cookie page="(\d+)">((?:<[a-z0-9_]+ [^<>]*/>)+)</cookie>')
_VALUE = re.compile(r'<([a-z0-9_]+) (?:last="([^"]*)"|lastnull="1") (?:first="[^"]*"|firstnull="1") />')
_ENTITIES = {'"': "&quot;"}


@dataclass(frozen=True)
class Cookie:
    """Where a page ended: its number, and per sort key the name, the last row's value and the first row's."""

    page: int
    names: tuple[str, ...]
    last: tuple[SqlValue, ...]
    first: tuple[SqlValue, ...]

    def skiptoken(self) -> str:
        """The value for $skiptoken in a URL, encoded as Dataverse does."""
        values = "".join(map(_attribute, self.names, self.last, self.first))
        inner = f'<cookie page="{self.page}">{values}</cookie>'
        twice = quote(_lower_escapes(quote(inner, safe="")), safe="")
        return (
            f"%3Ccookie%20pagenumber=%22{self.page + 1}%22%20pagingcookie=%22{twice}%22%20istracking=%22False%22%20/%3E"
        )


def read_cookie(text: str, names: tuple[str, ...]) -> tuple[int, tuple[str | None, ...]]:
    """The number of the page asked for and the sort values it starts after, from a decoded $skiptoken.

    `names` are the sort keys of the query; a cookie of another query, or one that was decoded or
    encoded once too often, is refused (ODataError) as Dataverse refuses it.
    """
    outer = _OUTER.fullmatch(text)
    # Encoded twice: for the URL, which its reader has undone, and for the attribute.
    inner = _INNER.fullmatch(unquote(outer.group(2))) if outer else None
    if outer is None or inner is None:
        raise bad_query("Malformed XML in the Paging Cookie")
    found = _VALUE.findall(inner.group(2))
    if tuple(name for name, _ in found) != names:
        raise bad_query("Malformed XML in the Paging Cookie")
    values = [
        unescape(match.group(2), {"&quot;": '"'}) if match.group(2) is not None else None
        for match in _VALUE.finditer(inner.group(2))
    ]
    return int(outer.group(1)), tuple(values)


def _attribute(name: str, last: SqlValue, first: SqlValue) -> str:
    return f"<{name} {_value('last', last)} {_value('first', first)} />"


def _value(end: str, value: SqlValue) -> str:
    return f'{end}null="1"' if value is None else f'{end}="{escape(str(value), _ENTITIES)}"'


def _lower_escapes(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), text)
