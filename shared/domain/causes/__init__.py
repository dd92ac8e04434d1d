"""One small pure file for each cause, in the order in which they must be solved.

The first finding names the case. docs/causes/ has a page for each; a test holds both together.
"""

from collections.abc import Callable

from shared.domain.causes import (
    already_applied,
    attempt_outcome_unknown,
    automation_inactive,
    billed_not_provisioned,
    consent_expired,
    credentials_invalid,
    credit_or_risk_hold,
    customer_agreement_missing,
    customer_missing,
    customer_under_review,
    future_effective_date,
    half_toggled,
    linked_change,
    manual_provider,
    no_change_log,
    not_stuck_yet,
    nothing_to_provision,
    offer_unavailable,
    parent_not_provisioned,
    possible_duplicate,
    prior_change_blocking,
    product_or_price_invalid,
    provider_account_mismatch,
    provider_operation_pending,
    provider_unavailable,
    quantity_cap_exceeded,
    reduction_window_closed,
    scheduled_change_not_applied,
    service_user_not_ready,
    set_aside_by_hand,
    subscription_state_blocked,
    trigger_missed,
    unknown,
)
from shared.domain.finding import Finding, RuledOut
from shared.domain.look import Look

_IN_ORDER = (
    # our own half-done toggle
    half_toggled,
    # nothing to do
    already_applied,
    nothing_to_provision,
    # waiting by design
    future_effective_date,
    not_stuck_yet,
    manual_provider,
    linked_change,
    attempt_outcome_unknown,
    # whole environment
    service_user_not_ready,
    automation_inactive,
    # whole provider
    credentials_invalid,
    consent_expired,
    provider_unavailable,
    # chain of earlier changes
    parent_not_provisioned,
    scheduled_change_not_applied,
    prior_change_blocking,
    # this subscription
    subscription_state_blocked,
    customer_missing,
    provider_account_mismatch,
    product_or_price_invalid,
    customer_agreement_missing,
    customer_under_review,
    credit_or_risk_hold,
    no_change_log,
    billed_not_provisioned,
    # this change
    set_aside_by_hand,
    possible_duplicate,
    reduction_window_closed,
    quantity_cap_exceeded,
    offer_unavailable,
    provider_operation_pending,
    unknown,
    # nothing wrong but the trigger
    trigger_missed,
)

CAUSES: dict[str, Callable[[Look], Finding | RuledOut]] = {module.NAME: module.look_for for module in _IN_ORDER}
