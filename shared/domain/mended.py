"""A complaint that the evidence read just now no longer bears out, under a cause that asks for a yes all the same."""

from dataclasses import replace

from shared.domain.complaints import cured, left_on
from shared.domain.finding import Disposition, Fact, Finding
from shared.domain.look import Look


def with_a_yes(look: Look, cause: str, sentence: str, proof: tuple[Fact, ...]) -> Finding:
    """What was complained of is over, but nothing says who mended it: the change goes on when a person says yes."""
    finding = cured(look, cause, sentence, proof)
    if finding.disposition is not Disposition.AUTO:
        return finding
    return replace(
        finding,
        disposition=Disposition.APPROVE,
        next_step="Say yes to retriggering the change.",
        who="billing administrator",
    )


def read_since(look: Look) -> bool:
    """Whether the provider was read after the message was left, so that what it shows is the newer word."""
    reading, left = look.evidence.provider, left_on(look)
    return reading is not None and reading.readable and left is not None and reading.read_on > left
