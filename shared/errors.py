"""What can go wrong between this app and the outside world.

UnstuckError
  x SettingsError        a setting is missing or wrong; every problem is named, not only the first
  x SourceError          something we read from or wrote to did not give what we asked
    + Throttled          we are asked to come back later; nothing was executed
    + Unreachable        no answer to a read, or a request that never left: for sure nothing was changed
    + ServiceTrouble     the service says that it failed itself (5xx) on something that only reads
    + OutcomeUnknown     a write was sent and no clear answer came: it may or may not have taken effect
    + SignInRefused      no token, or one that is not accepted
    + Forbidden          signed in, and not allowed to do this
    + NotFound           what we asked for is not there
    + VersionConflict    the row was changed since we read it; nothing was written
    + Refused            the service understood and said no; its own words are in `detail`
    + Garbled            an answer we cannot trust: HTML, not JSON, cut off, a page that never ends
  x CaseConflict         somebody saved the case since it was read; nothing of ours was saved
  x CaseUnreadable       a stored row makes no sense; nothing is done with its case until a person mends it
  x MessageUnreadable    a queue message makes no sense, and never will
  x NotPossible          a person asked for something that cannot be done now; the text says why and what to do

Only OutcomeUnknown leaves the question open whether something was written. All others mean: nothing was.
"""

from collections.abc import Sequence
from typing import Literal

type Source = Literal["dataverse", "partner_center", "sign_in", "storage", "webhook"]


class UnstuckError(Exception):
    """The root of everything this app raises on purpose."""


class SettingsError(UnstuckError):
    """Settings are missing or wrong. `problems` holds one sentence for each, naming the setting."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))


class SourceError(UnstuckError):
    """Something we read from or wrote to did not give what we asked.

    `message` says in plain words what happened and what to do about it; `detail` is the service's own text
    (cleaned, at most 2,000 characters), which may be misleading and is never decided upon; `status` is the
    HTTP status, `code` the service's own code, `correlation_id` what its support asks for, and `retry_after`
    the seconds after which another try makes sense. All but `source` and `message` may be None.
    """

    def __init__(
        self,
        source: Source,
        message: str,
        *,
        detail: str | None = None,
        status: int | None = None,
        code: str | None = None,
        correlation_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.source: Source = source
        self.message = message
        self.detail = detail
        self.status = status
        self.code = code
        self.correlation_id = correlation_id
        self.retry_after = retry_after
        super().__init__(message)

    def __str__(self) -> str:
        facts = [
            f"HTTP {self.status}" if self.status is not None else None,
            f"code {self.code}" if self.code else None,
            f"correlation id {self.correlation_id}" if self.correlation_id else None,
            f"try again in {self.retry_after:.0f} s" if self.retry_after is not None else None,
        ]
        known = ", ".join(fact for fact in facts if fact)
        said = f" It said: {self.detail}" if self.detail else ""
        return f"{self.message}{said}" + (f" ({known})" if known else "")


class Throttled(SourceError):
    """We are asked to come back later. Nothing was executed; `retry_after` says when."""


class Unreachable(SourceError):
    """A read got no answer, or a request never left this machine. For sure nothing was changed."""


class ServiceTrouble(SourceError):
    """The service says that it failed itself (5xx) on a request that only reads."""


class OutcomeUnknown(SourceError):
    """A write was sent and no clear answer came. Only reading can tell whether it took effect."""


class SignInRefused(SourceError):
    """There is no token, or the service does not accept the one we have."""


class Forbidden(SourceError):
    """We are signed in and not allowed to do this; `message` names what is missing where the service does."""


class NotFound(SourceError):
    """What we asked for is not there."""


class VersionConflict(SourceError):
    """The row was changed since we read it. Nothing was written: read again and decide again."""


class Refused(SourceError):
    """The service understood the request and said no. Its own words are in `detail`."""


class Garbled(SourceError):
    """An answer that cannot be trusted: HTML, not JSON, cut off, or pages that never end."""


OUTAGES = (Throttled, Unreachable, ServiceTrouble, SignInRefused, Forbidden)
"""What says nothing of a case, only of a source: it is out, or we are not let in. Nothing was written.

A refusal or a garbled answer may be about the very data that was asked for.
"""


class CaseConflict(UnstuckError):
    """Somebody saved this subscription's case since it was read. Nothing was saved: read again and decide again."""

    def __init__(self, subscription_id: str, why: str) -> None:
        self.subscription_id = subscription_id
        super().__init__(f"The case of subscription {subscription_id} was not saved: {why}. Read it again.")


class CaseUnreadable(UnstuckError):
    """A stored row makes no sense. It is left as it is, and nothing is done with its case.

    `row` is its partition and row key, `column` where reading stopped, and `problem` what is wrong there.
    """

    def __init__(self, row: str, column: str, problem: str) -> None:
        self.row = row
        self.column = column
        self.problem = problem
        super().__init__(
            f"The row {row} cannot be read: {column} {problem}. Nothing is done with it until it is mended; "
            "docs/ledger.md says how."
        )


class MessageUnreadable(UnstuckError):
    """A queue message makes no sense, and delivering it again will not help. `reason` names the field."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The queue message cannot be read: {reason}")


class NotPossible(UnstuckError):
    """A person asked for something that cannot be done now. The text says why, and what to do instead."""
