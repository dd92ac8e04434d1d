"""What the tests of these causes share: a change that failed with a message so many minutes ago."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.domain.evidence import Change, ProvisioningStatus
from shared.domain.finding import Disposition, Finding, RuledOut
from shared.domain.look import Look
from tests.builders import HOUR, NOW, change

AUTO, WAIT, APPROVE, PERSON = Disposition.AUTO, Disposition.WAIT, Disposition.APPROVE, Disposition.PERSON
MINUTE = timedelta(minutes=1)

Rule = Callable[[Look], Finding | RuledOut]


def failed(message: str, minutes: float = 60, **values: Any) -> Change:
    """The change as Work 365 left it when it gave up, with this text."""
    left = NOW - minutes * MINUTE
    defaults = {"status": ProvisioningStatus.FAILED, "message": message, "modified_on": left}
    return change(**{**defaults, "created_on": min(left, NOW - HOUR), **values})


def found(rule: Rule, seen: Look) -> Finding:
    verdict = rule(seen)
    assert isinstance(verdict, Finding), f"ruled out: {verdict.reason}"
    assert verdict.sentence.endswith(".")
    assert verdict.next_step
    assert verdict.proof
    assert verdict.disposition is not AUTO or verdict.cured
    return verdict


def ruled_out(rule: Rule, seen: Look) -> str:
    verdict = rule(seen)
    assert isinstance(verdict, RuledOut), f"found: {verdict.sentence}"
    assert verdict.reason
    return verdict.reason
