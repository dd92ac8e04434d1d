"""Every action by its name."""

from collections.abc import Mapping

from shared.domain.action import Action
from shared.domain.actions import (
    archive_change,
    close_not_applicable,
    fill_customer,
    fill_provider_account,
    link_subscription,
    mark_provisioned,
    move_to_renewal,
    pull_forward,
    retrigger,
    run_job,
    undo,
)

ACTIONS: Mapping[str, Action] = {
    each.name: each
    for each in (
        retrigger.RETRIGGER,
        retrigger.RESET_FAILED,
        run_job.ACTION,
        mark_provisioned.ACTION,
        close_not_applicable.ACTION,
        pull_forward.ACTION,
        move_to_renewal.ACTION,
        fill_provider_account.ACTION,
        fill_customer.ACTION,
        link_subscription.ACTION,
        archive_change.ACTION,
        undo.ACTION,
    )
}

OFFERED: Mapping[str, str] = {
    mark_provisioned.OFFERED_BY: mark_provisioned.NAME,
    "nothing_to_provision": close_not_applicable.NAME,
    "reduction_window_closed": move_to_renewal.NAME,
    "provider_account_mismatch": fill_provider_account.NAME,
    "customer_missing": fill_customer.NAME,
}
"""The action that a cause offers where its disposition is `approve` and what it complains of still holds."""

__all__ = ["ACTIONS", "OFFERED"]
