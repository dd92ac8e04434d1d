"""How Dataverse compares text: without regard to case, and in contains with SQL Server's wildcards."""

import re
import sqlite3
from functools import lru_cache


def _compare(left: str, right: str) -> int:
    a, b = left.casefold(), right.casefold()
    return (a > b) - (a < b)


def _one_of_many(body: str) -> str:
    """A SQL Server character class, `[a-f]` or `[^a-f]`, as a regular expression."""
    negated = body.startswith("^")
    inside = re.sub(r"([\\\]\[&~|])", r"\\\1", body[1:] if negated else body)
    return f"[{'^' if negated else ''}{inside}]"


@lru_cache(maxsize=256)
def like_pattern(pattern: str) -> re.Pattern[str]:
    """SQL Server's LIKE pattern as a regular expression: % any text, _ one character, [] a set of them."""
    parts: list[str] = []
    for piece in re.findall(r"\[[^\]]+\]|.", pattern, flags=re.DOTALL):
        if piece == "%":
            parts.append(".*")
        elif piece == "_":
            parts.append(".")
        elif len(piece) > 1:
            parts.append(_one_of_many(piece[1:-1]))
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _like(pattern: str, value: str | None) -> bool | None:
    if value is None:
        return None
    return like_pattern(pattern).fullmatch(value) is not None


def install_text_rules(db: sqlite3.Connection) -> None:
    """Gives a connection the collation `dataverse` and the function `dataverse_like(pattern, value)`."""
    db.create_collation("dataverse", _compare)
    db.create_function("dataverse_like", 2, _like, deterministic=True)
