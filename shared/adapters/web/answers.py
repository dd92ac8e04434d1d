"""Reading answers without trusting them: text is cleaned and cut, numbers are checked, HTML is named as such."""

import email.utils
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

TEXT_LIMIT = 2_000
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
# A service may echo what it was sent; a token must not travel on in an error's text.
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=Bearer )\S+", re.IGNORECASE)


def clean(text: str) -> str:
    """`text` on one line without control characters or tokens, at most 2,000 characters."""
    text = _TOKEN.sub("[token]", text[: TEXT_LIMIT * 4])
    visible = "".join(" " if unicodedata.category(c) in _INVISIBLE else c for c in text)
    line = " ".join(visible.split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"


def text_of(body: bytes) -> str | None:
    """What a body says, for a person: an HTML page by its title, anything else as cleaned text."""
    text = body[: TEXT_LIMIT * 8].decode("utf-8", "replace")
    if text.lstrip("\ufeff \r\n\t").startswith("<"):
        title = _TITLE.search(text)
        return f"an HTML page titled “{clean(title[1])}”" if title else "an HTML or XML page"
    return clean(text) or None


def json_of(body: bytes) -> Any:
    """The JSON in `body`. Raises ValueError for anything else, NaN, Infinity and deep nesting included."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_not_json)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header, in seconds or as a date, or None when there is none to believe.

    A date is compared with the answer's own Date header: the service's clock against itself.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value):
        return float(value)
    then, now = _date(value), _date(headers.get("date", ""))
    return max(0.0, then - now) if then is not None and now is not None else None


def _date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
