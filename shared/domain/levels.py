"""How far the policy lets the app go with what a diagnosis found."""

from shared.domain.actions import ACTIONS
from shared.domain.diagnosis import Diagnosis
from shared.domain.finding import Disposition
from shared.domain.look import Look
from shared.domain.policy import CEILING, Level, Mode, strictest_level

HANDS_OFF = frozenset({Level.OFF, Level.SUGGEST})
"""Levels at which the app changes nothing, whoever says yes."""


def granted(look: Look, diagnosis: Diagnosis, action: str) -> Level:
    """The strictest level of all causes that were found, before the mode is asked; never above the action's own."""
    of = look.evidence.subscription
    provider_id = of.provider.id if of.provider is not None else None
    return strictest_level(
        ACTIONS[action].freest if action else Level.AUTO,
        *(look.policy.granted(cause, action, provider_id, of.customer_id, look.now) for cause in _causes(diagnosis)),
    )


def _causes(diagnosis: Diagnosis) -> list[str | None]:
    """Where nothing is stuck, the action's own level counts all the same."""
    return [f.cause for f in diagnosis.findings] or [None]


def allowed(look: Look, diagnosis: Diagnosis, action: str) -> Level:
    """The same with the mode as its ceiling: what may be done."""
    return strictest_level(granted(look, diagnosis, action), CEILING[look.policy.mode])


def decided_by(look: Look, diagnosis: Diagnosis, action: str) -> Level:
    """The level that a case's state follows. Observe mode decides as auto does; that it writes nothing is a guard's."""
    if look.policy.mode is Mode.OBSERVE:
        return granted(look, diagnosis, action)
    return allowed(look, diagnosis, action)


def goes_unasked(look: Look, diagnosis: Diagnosis, action: str) -> bool:
    """Whether it may be done without a person's yes: diagnosis, policy and mode all say `auto`."""
    return diagnosis.disposition is Disposition.AUTO and allowed(look, diagnosis, action) is Level.AUTO
