"""The document as a whole: what stands around the operations."""

import re
from collections.abc import Iterator

from connector.document import Document, mapping, referred, sequence

SHORTEST_DESCRIPTION, LONGEST_DESCRIPTION = 30, 500
LONGEST_TITLE = 30
LARGEST = 1_000_000
"""Bytes of a connector's definition."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")
_RESERVED = re.compile(r"\b(?:API|Connector|Power Apps|Power Automate|Logic Apps)\b", re.IGNORECASE)
_METADATA = ("Website", "Privacy policy", "Categories")


def version(document: Document) -> Iterator[str]:
    """Only Swagger 2.0 can be registered."""
    if document.raw.get("swagger") != "2.0":
        yield 'swagger: must be "2.0"; documents of OpenAPI 3 are refused'


def info(document: Document) -> Iterator[str]:
    """Title, description and version."""
    about = mapping(document.raw.get("info"))
    title, description = str(about.get("title") or ""), str(about.get("description") or "")
    if not title or len(title) > LONGEST_TITLE or not title[-1].isalnum():
        yield f"info.title: give 1 to {LONGEST_TITLE} characters that end with a letter or digit"
    if word := _RESERVED.search(title):
        yield f'info.title: leave out "{word[0]}"'
    if not SHORTEST_DESCRIPTION <= len(description) <= LONGEST_DESCRIPTION:
        yield f"info.description: give {SHORTEST_DESCRIPTION} to {LONGEST_DESCRIPTION} characters"
    if not about.get("version"):
        yield "info.version: missing"


def address(document: Document) -> Iterator[str]:
    """Where the API is."""
    host, base = document.raw.get("host"), document.raw.get("basePath")
    if not isinstance(host, str) or not _HOST.fullmatch(host):
        yield "host: give a host name alone, without scheme or path"
    if not isinstance(base, str) or not base.startswith("/") or (base != "/" and base.endswith("/")):
        yield 'basePath: begin with "/" and do not end with one'
    if list(sequence(document.raw.get("schemes"))) != ["https"]:
        yield 'schemes: only ["https"]'


def media(document: Document) -> Iterator[str]:
    """What is taken and given: connectors understand JSON."""
    for name in ("consumes", "produces"):
        if "application/json" not in sequence(document.raw.get(name)):
            yield f"{name}: name application/json"


def security(document: Document) -> Iterator[str]:
    """How to sign in: declared, and every requirement refers to a declaration."""
    known = mapping(document.raw.get("securityDefinitions"))
    if not known:
        yield "securityDefinitions: missing"
    wanted = [("security", document.raw.get("security"))]
    wanted += [(f"{each.name}.security", each.body.get("security")) for each in document.operations]
    for where, requirements in wanted:
        for name in {str(name) for each in sequence(requirements) for name in mapping(each)} - set(known):
            yield f"{where}: {name} is not among the securityDefinitions"


def metadata(document: Document) -> Iterator[str]:
    """Where people read on."""
    entries = [mapping(each) for each in sequence(document.raw.get("x-ms-connector-metadata"))]
    given = {str(each.get("propertyName")): each.get("propertyValue") for each in entries}
    for name in _METADATA:
        if not given.get(name):
            yield f"x-ms-connector-metadata: {name} is missing"


def definitions(document: Document) -> Iterator[str]:
    """Nothing refers to what is not there, and nothing is there that nobody refers to."""
    known = document.definitions
    outside = {key: value for key, value in document.raw.items() if key != "definitions"}
    used: set[str] = set()
    waiting = set(referred(outside))
    while waiting:
        used |= waiting
        waiting = {name for each in waiting for name in referred(known.get(each, {}))} - used
    yield from (f"definitions.{name}: referred to and not there" for name in sorted(used - set(known)))
    yield from (f"definitions.{name}: nothing refers to it" for name in sorted(set(known) - used))


RULES = (version, info, address, media, security, metadata, definitions)
