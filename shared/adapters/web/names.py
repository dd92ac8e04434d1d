"""Text that may stand in addresses and headers, checked before it gets there."""

import re

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORDS = re.compile(r"[A-Za-z0-9_.\-/ ]{1,60}")


def guid(text: str) -> str:
    """A GUID in lower case. Raises ValueError for anything else."""
    if not isinstance(text, str) or not _GUID.fullmatch(text):
        raise ValueError(f"not a GUID: {str(text)[:60]!r}")
    return text.lower()


def header_words(text: str) -> str:
    """Words for a User-Agent header. Raises ValueError for anything that could end it."""
    if not _WORDS.fullmatch(text):
        raise ValueError(f"cannot stand in a header: {text[:60]!r}")
    return text
