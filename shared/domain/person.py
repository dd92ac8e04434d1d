"""Who asked: how people and programs stand on the record, and whether two entries may be the same person.

Somebody who signed in is `<name> [<object id>]`: the id is what was checked, the name is for people. With a key there
is only what the caller says of itself, marked so.
"""

import re
import unicodedata

KEY = "API key"
"""Who a request with a function key is on the record, where it does not say more: a key names nobody."""

LONGEST_NAME = 200
"""Characters of a name on the record."""

_CHECKED = re.compile(r"\[([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\]$")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def signed_in(name: str, object_id: str) -> str:
    """On the record: somebody whose identity was checked. `object_id` is a GUID in lower case."""
    return f"{_plain(name) or 'unnamed'} [{object_id}]"


def with_key(name: str | None) -> str:
    """On the record: whoever has a function key, with the name that they give."""
    plain = _plain(name or "")
    return f"{plain} (with an {KEY})" if plain else KEY


def may_be_same(one: str, other: str) -> bool:
    """Whether two entries may be the same person. Where an identity was not checked, it may be anybody's."""
    first, second = _CHECKED.search(one), _CHECKED.search(other)
    if first and second:
        return first[1] == second[1]
    if _unchecked(one) or _unchecked(other):
        return True
    return one.casefold() == other.casefold()


def _unchecked(entry: str) -> bool:
    return entry == KEY or entry.endswith(f"(with an {KEY})")


def _plain(name: str) -> str:
    """One line that cannot be taken for another entry's end."""
    seen = "".join(c for c in name if unicodedata.category(c) not in _UNSEEN and c not in "[]")
    return " ".join(seen.split())[:LONGEST_NAME]
