"""The message catalogue: what every code, status and text means, and what an administrator is told about it.

The data is provider_errors.json. Its words are our own; docs/messages.md shows all of it.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from shared.domain.message_codes import Lexicon
from shared.domain.message_text import comparable

DECIDE = "Read the whole text and decide; nothing is done by itself."
_SPANS = (("days", 86400, 2 * 86400), ("hours", 3600, 7200), ("minutes", 60, 180))
"""A unit, its seconds, and from how many seconds on it is spoken in."""


class Waiting(StrEnum):
    """Whether waiting helps."""

    SOON = "T"
    """It passes by itself soon."""
    LONG = "L"
    """It passes by itself after hours or days."""
    CONFIGURATION = "C"
    """It clears once something is set right."""
    PERSON = "H"
    """Only a person can solve it."""
    NEVER = "N"
    """Sending the same again never helps."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message proves. `cause` is None when the catalogue does not know it, or knows that it proves nothing."""

    cause: str | None
    matched: str
    """The code, status or text that decided; empty when nothing did."""
    means: str
    """In words of our own, without a capital or a full stop."""
    waiting: Waiting = Waiting.PERSON
    wait_seconds: int | None = None
    """After how many seconds it makes sense to look again; None when that is not known or does not help."""
    who: str = "support engineer"
    """Who acts next; `no one` while it is waited for."""
    link: str | None = None
    """A public page that says more."""
    sentence: str = f"No rule of the catalogue knows this message. {DECIDE}"
    """All of it for an administrator, to be shown as it is."""
    next_step: str = ""
    """What is to be done, without a capital or a full stop; empty when the catalogue has no cause for it."""
    outcome_open: bool = False
    """The call may or may not have been carried out: only the provider can tell (rule 3)."""
    verifiable: bool = True
    """Whether a successful Verify Connectivity shows that what it complains about is mended."""


NOT_RECOGNISED = Reading(cause=None, matched="", means="no rule of the catalogue knows this message")


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the catalogue."""

    reading: Reading
    next_step: str
    said: tuple[str, ...] = ()
    """Parts of a text, in this order and near each other, that mean the same."""
    statuses: frozenset[int] = frozenset()
    """HTTP statuses that a number needs beside it to be this code."""
    outer: bool = False
    """Says little by itself: what else the message carries is nearer to the reason."""
    weak: bool = False
    """A status that only counts when nothing else does."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is known about messages."""

    lexicon: Lexicon
    codes: Mapping[str, Rule]
    statuses: Mapping[int, Rule]
    texts: Sequence[Rule]


def timed(reading: Reading, next_step: str, seconds: int | None) -> Reading:
    """A reading with the time after which to look again, and the sentence that goes with it."""
    first = f"{reading.means[0].upper()}{reading.means[1:]}."
    when = "soon" if seconds is None else f"in about {_span(seconds)}"
    rest = {
        Waiting.SOON: f"It passes by itself; look again {when}, and {next_step}.",
        Waiting.LONG: f"It passes by itself, after hours or days; look again {when}, and {next_step}.",
        Waiting.CONFIGURATION: f"It clears once this is done: {next_step}.",
        Waiting.PERSON: f"Only a person can solve this: {next_step}.",
        Waiting.NEVER: f"Sending it again does not help: {next_step}.",
    }[reading.waiting]
    if reading.cause is None:
        rest = f"This proves no cause that the app knows. {DECIDE}"
    return replace(reading, wait_seconds=seconds, sentence=f"{first} {rest}")


def _span(seconds: int) -> str:
    for unit, size, enough in _SPANS:
        if seconds >= enough:
            return f"{math.ceil(seconds / size)} {unit}"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


@cache
def catalogue() -> Catalogue:
    """The catalogue, read once."""
    raw = json.loads(resources.files(__package__).joinpath("provider_errors.json").read_text("utf-8"))
    codes = {row["code"]: _rule(row, raw, row["code"]) for row in (*raw["codes"], *raw["wrappers"])}
    statuses = {
        row["status"]: _rule({"family": "http", **row}, raw, f"HTTP {row['status']}")
        for row in raw["statuses"]
        if "cause" in row
    }
    texts = [
        *(_text_rule(row, raw, codes) for row in raw["texts"]),
        *(
            replace(rule, said=(comparable(phrase),), reading=replace(rule.reading, matched=phrase))
            for row in raw["statuses"]
            if (rule := statuses.get(row["status"])) and not rule.weak
            for phrase in row["phrases"]
        ),
    ]
    return Catalogue(_lexicon(raw, codes), codes, statuses, texts)


def _rule(row: Mapping[str, Any], raw: Mapping[str, Any], matched: str) -> Rule:
    cause = row["cause"]
    usual = raw["causes"][cause] if cause else {"who": NOT_RECOGNISED.who, "next": ""}
    next_step = row.get("next", usual["next"])
    reading = Reading(
        cause=cause,
        matched=matched,
        means=row["means"],
        waiting=Waiting(row["waiting"]),
        who=row.get("who", usual["who"]),
        link=row.get("link", raw["families"][row["family"]]["link"]),
        next_step=next_step,
        outcome_open=row.get("open", False),
        verifiable=row.get("verifiable", True),
    )
    return Rule(
        reading=timed(reading, next_step, row.get("wait_seconds")),
        next_step=next_step,
        said=tuple(map(comparable, row.get("said", ()))),
        statuses=frozenset(row.get("only_with", ())),
        outer=row.get("wrapper", False),
        weak=row.get("weak", False),
    )


def _text_rule(row: Mapping[str, Any], raw: Mapping[str, Any], codes: Mapping[str, Rule]) -> Rule:
    """A text that means the same as a code, or one of its own."""
    matched = " ... ".join(row["said"])
    if "code" not in row:
        return _rule(row, raw, matched)
    rule = codes[row["code"]]
    return Rule(replace(rule.reading, matched=matched), rule.next_step, tuple(map(comparable, row["said"])))


def _lexicon(raw: Mapping[str, Any], codes: Mapping[str, Rule]) -> Lexicon:
    names = {name: row["code"] for row in raw["codes"] for name in (*row.get("names", ()), row["code"])}
    envelopes = [row["code"] for row in raw["wrappers"]]
    return Lexicon(
        causes={code: rule.reading.cause for code, rule in codes.items()},
        names={name: code for name, code in names.items() if name.isalpha()},
        small_names={name.casefold(): code for name, code in names.items()},
        envelopes=frozenset(envelopes),
        envelope_words=tuple(code for code in envelopes if code[0].isalpha()),
        phrases=[(row["status"], row["phrases"], _phrase(row)) for row in raw["statuses"] if "cause" in row],
        status_names={name.casefold(): row["status"] for row in raw["statuses"] for name in row["names"]},
    )


def _phrase(row: Mapping[str, Any]) -> re.Pattern[str]:
    status, phrases = row["status"], "|".join(map(re.escape, row["phrases"]))
    return re.compile(rf"\b{status}\)?[ :,-]{{1,3}}(?:{phrases})|(?:{phrases})\.? ?\(?{status}\b")
