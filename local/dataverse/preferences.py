"""The Prefer header: what a caller would like, and what Preference-Applied says back."""

import re
from dataclasses import dataclass, field

from local.dataverse.errors import bad_query
from local.dataverse.odata.options import split_top
from local.dataverse.render import Annotations, parse_annotations

MAX_PAGE = 5000


@dataclass(frozen=True)
class Preferences:
    """The preferences that this service honours; `applied` is the Preference-Applied header."""

    max_page: int | None = None
    annotations: Annotations = field(default_factory=Annotations)
    representation: bool = False
    continue_on_error: bool = False
    applied: str = ""


def parse_preferences(header: str | None) -> Preferences:
    """The preferences of a Prefer header. Unknown ones are ignored, as RFC 7240 wants."""
    given: dict[str, str] = {}
    for part in split_top(header or "", ","):
        name, _, value = part.strip().partition("=")
        given[name.strip()] = value.strip().strip('"')
    applied: list[str] = []
    max_page = _page_size(given.get("odata.maxpagesize"))
    if max_page is not None:
        applied.append(f"odata.maxpagesize={max_page}")
    annotations = given.get("odata.include-annotations")
    if annotations:
        applied.append(f'odata.include-annotations="{annotations}"')
    representation = given.get("return") == "representation"
    if representation:
        applied.append("return=representation")
    continue_on_error = "odata.continue-on-error" in given
    if continue_on_error:
        applied.append("odata.continue-on-error")
    return Preferences(max_page, parse_annotations(annotations), representation, continue_on_error, ",".join(applied))


def _page_size(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise bad_query(f"Invalid value '{text}' for odata.maxpagesize preference.")
    return min(int(text), MAX_PAGE)
