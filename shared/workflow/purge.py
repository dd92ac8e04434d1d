"""Purge: history that was kept long enough goes, a bounded part of it at a time."""

import logging

from shared.workflow.context import Context

log = logging.getLogger(__name__)

MOST_CASES = 2_000
MOST_RECEIPTS = 5_000
"""What one run deletes: more than a day makes. What is left is still there for the next run."""

_PORTION = 100


async def purge(ctx: Context) -> int:
    """Deletes cases that were closed longer ago than the policy keeps history, and receipts of sweeps as old.

    Nothing is deleted while the policy is invalid: how long history is kept is not known then. Returns how many
    cases went. Raises SourceError; the next run goes on.
    """
    if ctx.policy.problems:
        log.warning("No history is purged, since %s", ctx.policy.broken)
        return 0
    before = ctx.clock.now() - ctx.policy.history_kept
    count = 0
    while count < MOST_CASES:
        gone = await ctx.store.purge(before, _PORTION)
        count += len(gone)
        if gone:
            log.info("Purged, closed before %s: %s", before.isoformat(), ", ".join(gone))
        if len(gone) < _PORTION:
            break
    receipts = await ctx.store.purge_receipts(before, MOST_RECEIPTS)
    if receipts:
        log.info("Purged %d receipts of sweeps", receipts)
    return count
