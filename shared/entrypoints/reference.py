"""The part of docs/http-api.md that is made from the table of routes and its models.

`python -m shared.entrypoints.reference docs/http-api.md` writes it anew.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from pydantic import BaseModel

from shared.entrypoints.route import AnyRoute, Nothing
from shared.entrypoints.swagger import statuses_of

BEGIN = "<!-- made from the table of routes: python -m shared.entrypoints.reference docs/http-api.md -->"
END = "<!-- end of what is made from the table of routes -->"


def reference(routes: Iterable[AnyRoute]) -> str:
    """All routes by tag, each with who may ask, what it takes and what it gives."""
    by_tag = sorted(routes, key=lambda route: route.tag)
    parts = [f"### {tag}\n\n{_of_tag(tuple(group))}" for tag, group in groupby(by_tag, key=lambda route: route.tag)]
    return "\n\n".join(parts)


def renewed(text: str, routes: Iterable[AnyRoute]) -> str:
    """A page with its made part as it should be now. Raises ValueError for a page without the two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page lacks the marks between which the reference stands")
    return f"{before}{BEGIN}\n\n{reference(routes)}\n\n{END}{after}"


def _of_tag(routes: tuple[AnyRoute, ...]) -> str:
    rows = ["| route | operation | who | what it does | answers |", "|---|---|---|---|---|"]
    rows += [_row(route) for route in routes]
    given = [text for route in routes for text in _given(route)]
    return "\n".join(rows) + "".join(f"\n\n{text}" for text in given)


def _row(route: AnyRoute) -> str:
    good = ", ".join(f"{status} `{model.__name__}`" for status, model in route.answers.items())
    bad = ", ".join(str(status.value) for status in statuses_of(route))
    who = route.role or "anybody"
    return f"| `{route.method} {route.path}` | {route.operation} | {who} | {route.description} | {good}; {bad} |"


def _given(route: AnyRoute) -> Iterator[str]:
    if route.query is not Nothing:
        yield f"`{route.method} {route.path}` takes in its query:\n\n{_fields(route.query)}"
    if route.body is not Nothing:
        left_out = ", which may be left out" if route.bare else ""
        words = f"`{route.method} {route.path}` takes a body{left_out}, such as `{route.example}`:"
        yield f"{words}\n\n{_fields(route.body)}"


def _fields(model: type[BaseModel]) -> str:
    rows = ["| field | needed | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        rows.append(f"| `{name}` | {'yes' if field.is_required() else 'no'} | {field.description} |")
    return "\n".join(rows)


if __name__ == "__main__":
    from shared.entrypoints.routes import ROUTES

    page = Path(sys.argv[1])
    page.write_text(renewed(page.read_text("utf-8"), ROUTES), "utf-8")
