"""Finds the codes and HTTP statuses that a message carries, and tells them from the digits around them.

A number is a code when it is called one (`"code": 800082`, `Fehlercode 800082`), when its shape says so
(AADSTS50076, 0x80040220), or when it stands in brackets and the catalogue knows it. Digits of ids, dates, versions and
quantities are none. Where JSON is nested, the innermost code counts: what is around it only passes it on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.message_text import DOTS, cut_off, searchable

CUT = "..."
"""Behind a code whose last digits may be missing: such a one is never known."""

_ENTRA = re.compile(r"(?:AADSTS[ :#_-]{0,2}|login\.microsoftonline\.com/error\?code=)([0-9]{1,12})", re.IGNORECASE)
_HRESULT = re.compile(r"0x8[0-9a-f]{7}(?![0-9a-z])|-21[0-9]{8}(?![0-9])", re.IGNORECASE)
_THINGS = r"(?:seats?|licen[cs]es?|users?|units?|days?|hours?|minutes?|seconds?|requests?)\b"
_ENDS = rf"(?![0-9a-z_]|[.,:][0-9]|[/-][0-9a-z]| {_THINGS})"
"""Behind a number: what would make it part of a date, a time, a version, an amount or an id, or count something."""
_NUMBER = rf"(0x[0-9a-f]{{8}}|-?[0-9]{{1,40}}+){_ENDS}"
_CALLED = re.compile(
    r"(error[ _-]?codes?|error[ _-]?(?:number|no\.?|nr\.?)|err[ _-]?code|hresult|fehlercode|code d'erreur|code erreur"
    r"|c[óo]digo de erro|c[óo]digo de error|codice(?: di)? errore|foutcode|felkod|fejlkode|feilkode|virhekoodi"
    r"|kod błędu|kód chyby|hata kodu|hibakód|код ошибки|код помилки|エラー ?コード|错误代码|錯誤代碼|오류 코드|code)"
    r"""["']? {0,3}(?:[:=#]|is |ist )? {0,3}["'(\[#]{0,3} ?""" + _NUMBER,
    re.IGNORECASE,
)
_ERROR_WORD = "error|fehler|erreur|fout|błąd|ошибка|エラー|错误|錯誤"
_ERROR = re.compile(
    rf"(?:{_ERROR_WORD})[ :#=]{{0,3}}[(\[]?([0-9]{{4,7}}+){_ENDS}",
    re.IGNORECASE,
)
_KEYED = re.compile(r"""["'](?:error_?)?code["'] ?: ?["']([a-z0-9_.-]{1,60})""", re.IGNORECASE)
_CODE_STEMS = ("cod", "hresult", "kod", "kód", "код", "コード", "代码", "代碼", "코드", "error n")
_ERROR_STEMS = tuple(_ERROR_WORD.split("|"))
_BRACKETS = re.compile(rf"[(\[] ?([0-9]{{3,6}}+) ?[)\]](?! {_THINGS})", re.IGNORECASE)
_NAMED_THING = re.compile(
    rf"(?:{_THINGS}|count|customer|id|invoice|no|number|order|quantity|reference|subscription|tenant|ticket|total)"
    r"[ :#]{0,3}\Z",
    re.IGNORECASE,
)
_LEADING = re.compile(r"\n[ \t]{0,3}([0-9]{5,6}+) {0,2}[:-][ \t]")
_STATUS = re.compile(
    r"(?:status[ _-]?code|status(?=[\"']? ?[:=])|http(?:[/ ][0-9.]{1,3})?[ _-]?(?:error|status)?)"
    r"(?: does not indicate success)?"
    rf"""["']? {{0,2}}[:=]? {{0,2}}["'(]?([45][0-9]{{2}}){_ENDS}""",
    re.IGNORECASE,
)
_ERROR_STATUS = re.compile(r"error[ :#]{1,2}(?:\(([45][0-9]{2})\)|([45][0-9]{2})(?=[:.;]| {0,3}\Z))", re.IGNORECASE)
_TRAILING = " \t\r\n.\u2026\"'"
_CODE_PLACE = re.compile(r"(?:400|500|600|800|900)[0-9]{3}")
"""Numbers as Partner Center gives them; behind a text, in brackets, such a one is a code even if it is not known."""
_WORD = re.compile(r"[A-Za-z]{1,20}\Z")
_OTHER_CODES = re.compile(
    r"activation|area|bar|catalog|country|coupon|currency|customer|dial|discount|exit|http|language|market|offer|part"
    r"|plan|postal|product|promo|promotion|qr|reason|region|response|security|sku|sort|source|status|swift|tax|unit|vat"
    r"|verification|voucher|zip",
    re.IGNORECASE,
)
"""`postal code 98052` is a code, and not of an error."""
TOKEN = re.compile(r"[A-Za-z0-9_.\u2026-]{1,60}\Z")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What the catalogue knows, as far as finding goes."""

    causes: Mapping[str, str | None]
    """Every code, in its one spelling, with the cause it proves."""
    names: Mapping[str, str]
    """A code's name, as the services print it -> the code."""
    small_names: Mapping[str, str]
    """The same in small letters, for a name that is called a code."""
    envelopes: frozenset[str]
    """Codes that only say that a sign-in failed; the reason stands inside."""
    envelope_words: tuple[str, ...]
    """Those of them that are words, wherever they stand: invalid_grant."""
    phrases: Sequence[tuple[int, Sequence[str], re.Pattern[str]]]
    """An HTTP status beside its own name: `504 Gateway Timeout`, `Gateway Timeout (504)`."""
    status_names: Mapping[str, int]
    """`BadRequest` and its kind, in small letters -> status."""

    def spelled(self, value: str, *, entra: bool = False) -> str:
        """A code in its one spelling; one that the catalogue does not know stays as it is."""
        if match := _ENTRA.fullmatch(value):
            return f"AADSTS{match[1]}"
        number = value.removeprefix("-")
        if number.isascii() and number.isdigit():
            return self._number(value, entra=entra)
        if re.fullmatch(r"(?:0[xX])?8[0-9A-Fa-f]{7}", value):
            return f"0x{value[-8:].upper()}"
        small = value.casefold()
        return self.small_names.get(small.replace("_", ""), small if small in self.causes else value)

    def _number(self, value: str, *, entra: bool) -> str:
        if value.startswith("-") or (len(value) == 10 and value > "2147483647"):  # an HRESULT, signed or not
            return f"0x{int(value) % 2**32:08X}"
        if entra:
            return f"AADSTS{value}"
        if value not in self.causes and f"0x{value}" in self.causes:
            return f"0x{value}"
        return value

    def settled(self, beginning: str) -> bool:
        """Whether a code that may have lost its last digits still proves one cause, whatever they were."""
        causes = {cause for code, cause in self.causes.items() if code.startswith(beginning)}
        return beginning in self.causes and len(causes) == 1


@dataclass(slots=True)
class Found:
    """What a message carries, each once, in the order met."""

    codes: dict[str, None] = field(default_factory=dict)
    envelopes: dict[str, None] = field(default_factory=dict)
    doubtful: dict[str, None] = field(default_factory=dict)
    """Numbers in a code's place that could be anything else: they need words that say the same."""
    statuses: set[int] = field(default_factory=set)
    cut: bool = False
    """The text ends before its time, so that an inner code may be missing."""

    def add(self, other: "Found") -> None:
        self.codes |= other.codes
        self.about(other)

    def about(self, other: "Found") -> None:
        """Takes over all but the codes, which something inside speaks more clearly about."""
        self.envelopes |= other.envelopes
        self.doubtful |= other.doubtful
        self.statuses |= other.statuses
        self.cut = self.cut or other.cut


def given(code: str, lexicon: Lexicon, found: Found) -> None:
    """Takes note of a code that somebody gave beside the text: `800082`, `cart 10018`, `AADSTS50033 / 90024`."""
    code = code.strip()[:200]
    if not any(character.isalnum() for character in code):
        return  # a dash for no code
    whole = lexicon.small_names.get(code.casefold()) or lexicon.status_names.get(code.casefold().replace(" ", ""))
    parts = [part for part in re.split(r"[\s,;:/()]+", code) if TOKEN.match(part)]
    numbers = [part for part in parts if any(character.isdigit() for character in part)]
    for part in [str(whole)] if whole else numbers or parts:
        label(part, lexicon, found, entra=code[:6].upper() == "AADSTS")
    if not whole and not parts:
        found.codes[re.sub("[^A-Za-z0-9]", "?", code[:40])] = None


def label(value: str, lexicon: Lexicon, found: Found, *, entra: bool = False) -> None:
    """Takes note of a value that was called a code. Words that are none are read as text."""
    value = value.strip()
    if not TOKEN.match(value):
        in_text(searchable(value), lexicon, found)
    elif re.fullmatch(r"[1-5][0-9]{2}", value) and not entra:
        found.statuses.add(int(value))
        if value in lexicon.causes:
            found.doubtful[value] = None
    elif value.casefold() in lexicon.status_names:
        found.statuses.add(lexicon.status_names[value.casefold()])
    else:
        code = lexicon.spelled(value, entra=entra)
        (found.envelopes if code in lexicon.envelopes else found.codes)[code] = None


def in_text(text: str, lexicon: Lexicon, found: Found, *, error: bool = True) -> None:
    """What a text carries outside of JSON. Each pattern is only tried where a word of it occurs: that is quick."""
    small = text.casefold()
    end = text.rstrip()
    dots = end.endswith(DOTS)
    cut_at = len(end.rstrip(".\u2026 ") if dots else end) if cut_off(text) else None
    found.cut = found.cut or dots
    if "aadsts" in small or "login.microsoftonline" in small:
        for match in _ENTRA.finditer(text):
            _note(match[1], match.end(), cut_at, lexicon, found, entra=True)
    if "0x8" in small or "-21" in small:
        for match in _HRESULT.finditer(text):
            if not text[max(0, match.start() - 1) : match.start()].isalnum():
                label(match[0], lexicon, found)
    if not error:
        return
    for name in (name for name in lexicon.names if name in text):
        if re.search(rf"\b{name}\b", text):
            found.codes[lexicon.names[name]] = None
    found.envelopes |= {word: None for word in lexicon.envelope_words if word in small and _stands(word, small)}
    _statuses(text, small, lexicon, found)
    _called(text, small, cut_at, lexicon, found)
    _in_places(text, lexicon, found)


def _stands(word: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


def _note(value: str, end: int, cut_at: int | None, lexicon: Lexicon, found: Found, *, entra: bool) -> None:
    """Takes note of a code that a text calls one. Where the text is cut off, its last digits may be missing."""
    if cut_at is not None and end >= cut_at and not lexicon.settled(lexicon.spelled(value, entra=entra)):
        found.codes[f"{value}{CUT}"] = None
    else:
        label(value, lexicon, found, entra=entra)


def _statuses(text: str, small: str, lexicon: Lexicon, found: Found) -> None:
    if "http" in small or "status" in small:
        found.statuses |= {int(match[1]) for match in _STATUS.finditer(text)}
    if "error" in small:
        found.statuses |= {int(match[1] or match[2]) for match in _ERROR_STATUS.finditer(text)}
    for status, phrases, pattern in lexicon.phrases:
        if any(phrase in small for phrase in phrases) and pattern.search(small):
            found.statuses.add(status)


def _called(text: str, small: str, cut_at: int | None, lexicon: Lexicon, found: Found) -> None:
    matches: list[re.Match[str]] = []
    if any(stem in small for stem in _CODE_STEMS):
        matches += [match for match in _CALLED.finditer(text) if not _other_code(text, match.start())]
        matches += _KEYED.finditer(text)
    if any(stem in small for stem in _ERROR_STEMS):
        matches += _ERROR.finditer(text)
    for match in matches:
        value = match[match.lastindex or 0]
        entra = match[1].casefold() == "error_codes"  # Entra's own key, for its bare numbers
        _note(value, match.end(), cut_at, lexicon, found, entra=entra)


def _other_code(text: str, start: int) -> bool:
    """Whether what is called a code is none of an error: `postal code`, `barcode`, `sub_code`."""
    before = text[max(0, start - 22) : start]
    if before[-1:] == "_" or before[-1:].isalnum():
        return text[start : start + 5].casefold() != "error"
    word = _WORD.search(before.rstrip(" -"))
    return word is not None and _OTHER_CODES.fullmatch(word[0]) is not None


def _in_places(text: str, lexicon: Lexicon, found: Found) -> None:
    """Numbers where a code usually stands: at the beginning of a line, or in brackets."""
    for match in _LEADING.finditer(f"\n{text}"):
        if match[1] in lexicon.causes:
            found.codes[match[1]] = None
    if "(" not in text and "[" not in text:
        return
    ends = len(text.rstrip(_TRAILING))
    for match in _BRACKETS.finditer(text):
        number, last = match[1], match.end() >= ends
        known = number in lexicon.causes
        named = _NAMED_THING.search(text[max(0, match.start() - 20) : match.start()]) is not None
        if known and (last or len(number) == 6):
            clear = not named and len(number) > 4 and not (len(number) == 5 and number.endswith("00"))
            (found.codes if clear else found.doubtful)[number] = None
        elif last and _CODE_PLACE.fullmatch(number):
            found.codes[number] = None
