"""What the provider says when it says no: its known errors, and rules by which it refuses on purpose.

`error_texts.tsv` holds real codes with their HTTP status and text (from Partner Center's error page and
Entra's error list; {0} and {1} stand for values). What a code means is for its readers to find out.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

from local.partner_center.error_bodies import Shape, error_text, natural_shape

TEXTS_FILE = Path(__file__).with_name("error_texts.tsv")


@dataclass(frozen=True)
class KnownError:
    """A code of the provider with its HTTP status and its text."""

    code: str
    status: int
    text: str

    def message(self, *values: object) -> str:
        """The text with its values filled in; a value that is not given stays as it stands."""
        text = self.text
        for index, value in enumerate(values):
            text = text.replace(f"{{{index}}}", str(value))
        return text


@cache
def known_errors() -> Mapping[str, KnownError]:
    """Every error of `error_texts.tsv` by its code."""
    with TEXTS_FILE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["code"]: KnownError(row["code"], int(row["status"]), row["text"]) for row in rows}


class ProviderRefusal(Exception):
    """The provider's answer to a call that it did not accept or, behind a timeout, did not confirm."""

    def __init__(self, code: str, status: int, message: str, shape: Shape | None = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.status = status
        self.message = message
        self.shape: Shape = shape or natural_shape(code, status)

    def body(self, on: datetime) -> str:
        """The body of the answer as the provider sends it at `on` (UTC)."""
        return error_text(self.shape, self.code, self.status, self.message, on)


def refuse(code: str, *values: object) -> ProviderRefusal:
    """A refusal with a known code. KeyError when `error_texts.tsv` does not have it."""
    known = known_errors()[code]
    return ProviderRefusal(known.code, known.status, known.message(*values))


@dataclass
class Refusal:
    """A rule by which the provider refuses calls that would otherwise be fine.

    Scopes that are None match everything; several narrow each other. It ends at `until` (UTC) or after
    `times` calls, whichever comes first. `executes`: the order goes through and only the answer is lost.
    `reads`: whoever reads through Partner Center is refused too.
    """

    code: str
    status: int
    message: str
    provider_name: str | None = None
    tenant_id: str | None = None
    subscription_id: str | None = None
    until: datetime | None = None
    times: int | None = None
    executes: bool = False
    reads: bool = False
    shape: Shape | None = None

    @classmethod
    def known(cls, code: str, *values: object, **options: Any) -> Self:
        """A rule with a code of `error_texts.tsv`; `options` are the other fields. KeyError when unknown."""
        error = known_errors()[code]
        return cls(error.code, error.status, error.message(*values), **options)

    def is_open(self, now: datetime) -> bool:
        """Whether the rule still refuses at `now` (UTC)."""
        return (self.until is None or now < self.until) and (self.times is None or self.times > 0)

    def covers(self, provider_name: str | None, tenant_id: str, subscription_id: str | None) -> bool:
        """Whether a call is in scope. A reader has no Work 365 provider, so only unscoped ones concern it."""
        return (
            self.provider_name in (None, provider_name)
            and self.tenant_id in (None, tenant_id)
            and self.subscription_id in (None, subscription_id)
        )

    def use(self) -> ProviderRefusal:
        """Count one call against `times` and return the answer to give."""
        if self.times is not None:
            self.times -= 1
        return ProviderRefusal(self.code, self.status, self.message, self.shape)
