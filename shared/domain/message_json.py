"""Finds what a message carries: through nested JSON, as far as there is any that can be read, and through its text.

Where an error passes on another one, the innermost code counts. JSON that is cut off is read as text, where no nesting
is told apart: codes that differ contradict each other there.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from shared.domain.message_codes import CUT, TOKEN, Found, Lexicon, in_text, label
from shared.domain.message_text import cut_off, searchable, shortened

_DEEPEST = 30
"""Levels of nested JSON that are followed; deeper ones are read as text."""

_CODE_KEYS = frozenset({"code", "codes", "errorcode", "errorcodes", "errcode", "errornumber", "faultcode", "hresult"})
_STATUS_KEYS = frozenset({"status", "statuscode", "httpstatus", "httpstatuscode", "responsecode"})
_WORDS_KEYS = frozenset({"message", "description", "errordescription", "errormessage", "detail", "title", "innererror"})
_PASSING_ON = re.compile("body|cause|content|data|detail|error|exception|fault|inner|message|response")
"""Keys under which a service passes on the answer of another."""


def find(text: str, lexicon: Lexicon) -> Found:
    """Everything in the text that is a code or an HTTP status."""
    found = _in_json(shortened(text), lexicon, _DEEPEST)
    if found is None:
        plain = searchable(text)
        found = _in_json(plain, lexicon, _DEEPEST)
        if found is None:
            found = Found(cut=cut_off(plain))
            in_text(plain, lexicon, found)
    return _once(found)


def _once(found: Found) -> Found:
    """Without repetitions: Entra gives the number of its code again, bare, in error_codes and in a link.

    The last of them may be cut off; so may a code that stands whole elsewhere.
    """
    whole = [code.removeprefix("AADSTS") for code in found.codes if not code.endswith(CUT)]
    for code in [*found.codes]:
        beginning = code.removeprefix("AADSTS").removesuffix(CUT)
        repeated = any(other.startswith(beginning) for other in whole) if code.endswith(CUT) else False
        if repeated or f"AADSTS{code}" in found.codes:
            del found.codes[code]
    return found


@dataclass(frozen=True, slots=True)
class _Object:
    """A JSON object with all its pairs: a key that comes twice is not lost."""

    pairs: tuple[tuple[str, Any], ...]


def _in_json(text: str, lexicon: Lexicon, levels: int) -> Found | None:
    """What the JSON in a text carries, with what stands around it; None when there is none that can be read."""
    start, end = text.find("{"), text.rfind("}") + 1
    if start < 0 or end <= start or levels <= 0:
        return None
    try:
        tree = json.loads(
            text[start:end],
            object_pairs_hook=lambda pairs: _Object(tuple(pairs)),
            parse_int=str,
            parse_float=str,
            strict=False,
        )
        found = _in_node(tree, lexicon, levels, error=True)
    except (ValueError, RecursionError):
        return None
    in_text(searchable(f"{text[:start]}\n{text[end:]}"), lexicon, found)
    return found


def _in_node(node: object, lexicon: Lexicon, levels: int, *, error: bool) -> Found:
    if levels <= 0:
        raise RecursionError
    found = Found()
    if isinstance(node, _Object):
        return _in_object(node, lexicon, levels, error=error)
    if isinstance(node, list):
        for item in node:
            found.add(_in_node(item, lexicon, levels - 1, error=error))
    elif isinstance(node, str):
        nested = _in_json(node, lexicon, levels - 1)
        if nested is not None:
            return nested
        in_text(searchable(node), lexicon, found, error=error)
    return found


def _in_object(node: _Object, lexicon: Lexicon, levels: int, *, error: bool) -> Found:
    """An object's own codes, unless something that it passes on carries one: that is nearer to the reason."""
    own, inner = Found(), Found()
    keys = {_key(key) for key, _ in node.pairs}
    error = error or bool(keys & _CODE_KEYS and keys & _WORDS_KEYS)
    for name, value in node.pairs:
        key = _key(name)
        if error and key in _CODE_KEYS and not isinstance(value, _Object):
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str):
                    label(one, lexicon, own, entra=name == "error_codes")
        elif key in _STATUS_KEYS and isinstance(value, str) and re.fullmatch(r"[1-5][0-9]{2}", value):
            own.statuses.add(int(value))
        elif error and key == "error" and isinstance(value, str) and TOKEN.match(value):
            label(value, lexicon, own)
        elif isinstance(value, str) and "{" not in value:
            own.add(_in_node(value, lexicon, levels - 1, error=error))
        else:
            passed_on = error and _PASSING_ON.search(key) is not None
            inner.add(_in_node(value, lexicon, levels - 1, error=passed_on))
    if inner.codes:
        inner.about(own)
        return inner
    own.add(inner)
    return own


def _key(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
