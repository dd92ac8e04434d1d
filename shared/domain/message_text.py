"""Makes a message readable before it is searched: one kind of quote, no markup, no control characters.

Everything here takes time in proportion to the text's length: every repetition in a pattern has an end, and no
pattern can match the same characters in two ways (a test of the reader looks at the patterns).
"""

import html
import re

LONGEST = 1_100_000
"""Characters of a message that are read: a column of Dataverse holds 1,048,576. Longer ones lose their middle."""

DOTS = ("...", "\u2026")
"""What whoever cuts a text off puts at its end."""

_CLEAN = str.maketrans(
    {
        **dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160), 0x2028, 0x2029), " "),
        **dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
        # Invisible: soft hyphen, zero width, direction marks, byte order mark.
        **dict.fromkeys((0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF), ""),
        **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u2032\uff07`\u00b4"), "'"),
        **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\uff02"), '"'),
        **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"), "-"),
        **{0xFF10 + digit: str(digit) for digit in range(10)},
        **dict(zip(map(ord, "\uff1a\uff08\uff09\uff3b\uff3d\uff1d"), ":()[]=", strict=True)),
    }
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:_.-]{0,40}+)([^<>]{0,2000}+)>|<![^<>]{0,2000}+>")
_ESCAPE = re.compile(r"""\\{1,15}+(u[0-9a-fA-F]{4}|["'/nrt])""")
_BREAKS = {"n": "\n", "r": "\n", "t": " "}

_SILENT = frozenset({"a", "b", "code", "em", "font", "i", "mark", "small", "span", "strong", "sub", "sup", "u", "wbr"})
"""Tags that stand inside a word or number without parting it."""
_LABELS = {"code": "code", "errorcode": "error code", "statuscode": "status code", "hresult": "error code"}
"""Elements of an XML answer that name the number they hold."""


def readable(text: str) -> str:
    """The text without markup, entities and control characters, with plain quotes and digits."""
    text = shortened(text).translate(_CLEAN)
    if "&" in text:
        text = _ENTITY.sub(_character, _ENTITY.sub(_character, text))  # twice: markup is escaped within markup
    return _without_markup(text) if "<" in text else text


def shortened(text: str) -> str:
    """The beginning and the end of a text that is too long. No code comes about where they meet."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\n...\n{text[-(LONGEST // 2) :]}"


def searchable(text: str) -> str:
    """The same of a text that was put into JSON, perhaps several times over: its quotes and lines are back."""
    if "\\" not in text:
        return readable(text)
    return _unescaped(readable(_unescaped(shortened(text))))


def comparable(text: str) -> str:
    """Words only: small letters, single spaces, and the long form of can't, isn't and their kind."""
    text = " ".join(text.casefold().split())
    return text.replace("can't", "can not").replace("cannot", "can not").replace("n't", " not")


def cut_off(text: str) -> bool:
    """Whether the text ends before its time: with a bracket or quote still open, or the dots of whoever cut it off."""
    still_open = any(text.count(one) > text.count(other) for one, other in ("{}", "[]", "()"))
    return still_open or text.count('"') % 2 == 1 or text.rstrip().endswith(DOTS)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_unescape, text).translate(_CLEAN)


def _unescape(found: re.Match[str]) -> str:
    mark = found[1]
    return chr(int(mark[1:], 16)) if mark[0] == "u" else _BREAKS.get(mark, mark)


def _character(found: re.Match[str]) -> str:
    return html.unescape(found.group())


def _without_markup(text: str) -> str:
    kept: list[str] = []
    at, hidden = 0, ""
    for tag in _TAG.finditer(text):
        name = (tag[2] or "").rpartition(":")[2].casefold()
        if hidden and not (name == hidden and tag[1]):
            continue
        if hidden:
            hidden = ""
        else:
            kept += [text[at : tag.start()], _instead(tag, name, text)]
            hidden = name if name in ("script", "style") and not tag[1] else ""
        at = tag.end()
    return "".join((*kept, text[at:]))  # what an unclosed script hides is kept: it may be the message itself


def _instead(tag: re.Match[str], name: str, text: str) -> str:
    if not tag[1] and name in _LABELS and text[tag.end() : tag.end() + 1] in "-0123456789":
        return f" {_LABELS[name]}: "
    if any(word in name for word in ("error", "fault", "exception")):
        return f" {tag[3] or ''} "  # <error code="800082"/> says it in an attribute
    return "" if name in _SILENT else " "
