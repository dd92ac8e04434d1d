"""Reads a provisioning message: which cause does its code or its text prove?

The catalogue is data (provider_errors.json). Order: an AADSTS number or a provider code inside the message,
then a known text, then a wrapper such as `invalid_grant` that says little by itself. Anything else is not
recognised, and stays so: a near guess could order twice.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

_LONGEST = 20_000
"""Characters of a message that are searched. A megabyte of text holds no code that its beginning lacks."""

_AADSTS = re.compile(r"AADSTS\d{4,8}")
_NAMED_CODE = re.compile(
    r"""["']?(?:error\s*code|code|statuscode)["']?\s*[:=]\s*["']?(\d{3,6})\b""",
    re.IGNORECASE,
)
_BRACKETED_CODE = re.compile(r"[(\[](\d{5,6})[)\]]")
_CURLY = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message proves. `cause` is None when no rule of the catalogue knows it."""

    cause: str | None
    matched: str
    """The code or text that decided; empty when nothing did."""
    means: str


NOT_RECOGNISED = Reading(cause=None, matched="", means="no rule of the catalogue knows this message")


def read_message(message: str) -> Reading:
    """The cause that a provisioning message or job result proves.

    Several codes of different causes in one message contradict each other: that is not recognised either.
    """
    text = message[:_LONGEST].translate(_CURLY)
    catalogue = _catalogue()
    codes = _codes_in(text)
    if codes:
        known = [catalogue.codes[code] for code in codes if code in catalogue.codes]
        if len(known) == len(codes) and len({reading.cause for reading in known}) == 1:
            return known[0]
        return NOT_RECOGNISED
    lowered = text.casefold()
    for needle, reading in (*catalogue.texts, *catalogue.wrappers):
        if needle in lowered:
            return reading
    return NOT_RECOGNISED


def _codes_in(text: str) -> list[str]:
    """Codes in the order they are met, each once. HTTP statuses are no codes: they wrap the one that counts."""
    entra = _AADSTS.findall(text)
    numbers = [*_NAMED_CODE.findall(text), *_BRACKETED_CODE.findall(text)]
    # Entra repeats the number of its code bare, in error_codes and in a link.
    own = [n for n in numbers if len(n) != 3 and f"AADSTS{n}" not in entra]
    return list(dict.fromkeys([*entra, *own]))


@dataclass(frozen=True, slots=True)
class _Catalogue:
    codes: dict[str, Reading]
    texts: tuple[tuple[str, Reading], ...]
    wrappers: tuple[tuple[str, Reading], ...]


@cache
def _catalogue() -> _Catalogue:
    raw = json.loads(resources.files(__package__).joinpath("provider_errors.json").read_text("utf-8"))
    return _Catalogue(
        codes={row["code"]: Reading(row["cause"], row["code"], row["means"]) for row in raw["codes"]},
        texts=tuple((row["text"].casefold(), Reading(row["cause"], row["text"], row["means"])) for row in raw["texts"]),
        wrappers=tuple(
            (row["code"].casefold(), Reading(row["cause"], row["code"], row["means"])) for row in raw["wrappers"]
        ),
    )
