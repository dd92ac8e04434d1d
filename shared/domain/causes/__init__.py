"""One small pure file for each cause, in the order in which they must be solved.

The order of looking: our own half-done toggle, nothing to do, waiting by design, whole provider, chain of
earlier changes, this change, nothing wrong but the trigger. The first finding names the case.
"""

from collections.abc import Callable

from shared.domain.causes import (
    already_applied,
    consent_expired,
    future_effective_date,
    half_toggled,
    manual_provider,
    not_stuck_yet,
    parent_not_provisioned,
    prior_change_blocking,
    trigger_missed,
    unknown,
)
from shared.domain.finding import Finding, RuledOut
from shared.domain.look import Look

CAUSES: dict[str, Callable[[Look], Finding | RuledOut]] = {
    half_toggled.NAME: half_toggled.look_for,
    already_applied.NAME: already_applied.look_for,
    future_effective_date.NAME: future_effective_date.look_for,
    not_stuck_yet.NAME: not_stuck_yet.look_for,
    manual_provider.NAME: manual_provider.look_for,
    consent_expired.NAME: consent_expired.look_for,
    parent_not_provisioned.NAME: parent_not_provisioned.look_for,
    prior_change_blocking.NAME: prior_change_blocking.look_for,
    unknown.NAME: unknown.look_for,
    trigger_missed.NAME: trigger_missed.look_for,
}
