"""Who may call what: the keys of the Functions host."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """The two keys that this host has. Keys of single functions and system keys are left out."""

    master: str
    host: str

    def admit(self, level: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether a request may reach a function of this level. A header wins over ?code=, even a wrong one."""
        if level == "anonymous":
            return True
        given = headers.get("x-functions-key")
        if given is None:
            given = query.get("code", "")
        if _same(given, self.master):
            return True
        return level == "function" and _same(given, self.host)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
