"""Whole reads: all pages of a collection and of the collections expanded in it, or an error. Never a part.

Dataverse gives two kinds of link for an expanded collection. With `$skiptoken` there is more to fetch. Without,
the link leads to the very rows that are there already (single-level expansion is not paged, up to 5,000 rows)
and following it would only read them again.
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/join-tables
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from shared.adapters.dataverse.parts import Row, rows_in
from shared.adapters.web.links import Site
from shared.errors import Garbled

NEXT = "@odata.nextLink"
_BELOW = "*/"
MOST_EXPANDED = 5_000
"""Rows that a single-level expansion gives per row; a collection of this size may have been cut."""

type Fetch = Callable[[str], Awaitable[Row]]
"""Fetches one page by its path and query from the root of the server."""


class Pages:
    """Completes one read. Made anew for each, since it remembers which pages it has seen."""

    def __init__(self, site: Site, fetch: Fetch, *, most: int) -> None:
        self._site = site
        self._fetch = fetch
        self._most = most
        self._seen: set[str] = set()

    async def complete(self, first: Row, target: str) -> Row:
        """`first`, the answer to `target`, with all further pages in its `value` and no links left in it.

        One link may stay, on a row, as `<collection>@odata.nextLink`: that collection reached the limit of a
        single-level expansion and may not be complete.
        """
        if "value" not in first:
            await self._complete_row(first)
            return first
        rows = await self._all(first, target.partition("?")[0])
        for row in rows:
            await self._complete_row(row)
        return {**{key: value for key, value in first.items() if key != NEXT}, "value": rows}

    async def _all(self, page: Row, path: str) -> list[Row]:
        rows = rows_in(page)
        all_rows = list(rows)
        while (link := page.get(NEXT)) is not None:
            page = await self._fetch(self._next(link, path))
            before, rows = rows, rows_in(page)
            if rows == before and (rows or NEXT in page):
                raise _endless("the same page, or a second empty one, came again")
            all_rows += rows
        return all_rows

    async def _complete_row(self, row: Row) -> None:
        for key in [key for key in row if key.endswith(NEXT) and key != NEXT]:
            collection = key.removesuffix(NEXT)
            inner = row.get(collection)
            rows = rows_in({"value": inner})
            if _has_more(row[key]):
                page = {"value": rows, NEXT: row.pop(key)}
                row[collection] = rows = await self._all(page, _BELOW + collection)
            elif len(rows) < MOST_EXPANDED:
                del row[key]
        for value in row.values():
            for inner_row in value if isinstance(value, list) else [value]:
                if isinstance(inner_row, dict):
                    await self._complete_row(inner_row)

    def _next(self, link: Any, path: str) -> str:
        """The target of `link`, which must be new and lead to `path`, or to a collection named so below any row."""
        try:
            target = self._site.target_of_link(link if isinstance(link, str) else "")
        except ValueError as error:
            raise Garbled("dataverse", f"A link to the next page was not followed: {error}.") from None
        if not _has_more(link):  # one that lost its end may have lost a part of the filter before it
            raise Garbled("dataverse", "A link to the next page does not say which page. It was not followed.")
        found = target.partition("?")[0]
        if found != path and not (path.startswith(_BELOW) and found.endswith(path[len(_BELOW) - 1 :])):
            raise Garbled("dataverse", "A link to the next page leads to another table and was not followed.")
        if target in self._seen:
            raise _endless("a page's link leads back to it")
        self._seen.add(target)
        if len(self._seen) >= self._most:
            raise _endless(f"there are more than {self._most}")
        return target


def _has_more(link: Any) -> bool:
    query = link.partition("?")[2] if isinstance(link, str) else ""
    return any(option.lower() == "$skiptoken" for option, _ in parse_qsl(query))


def _endless(why: str) -> Garbled:
    return Garbled("dataverse", f"Dataverse's pages do not come to an end: {why}. Nothing of them is used.")
