"""The desk: people claim cases, note things on them and link tickets. None of it changes what the app does."""

from collections.abc import Callable

from shared.domain.case import ACTING, Case, Recorded, record
from shared.errors import CaseConflict, NotPossible
from shared.ports import Stored
from shared.workflow.context import Context

TRIES = 5
"""How often an entry is made anew when the case was saved in between: it says nothing of what the case says."""

type Entry = Callable[[Case], Recorded]
type Seen = Callable[[Case], bool]


async def assign(ctx: Context, stored: Stored, assignee: str, *, by: str, seen: Seen) -> Case:
    """Somebody looks after the case from now on; nobody, where `assignee` is empty.

    `seen` says whether a version of the case is still the one that the caller decided on. Raises CaseConflict where
    it is not, NotPossible where the case is resolved or being written, and SourceError.
    """

    def entry(case: Case) -> Recorded:
        if not case.open:
            raise NotPossible("the case is resolved: nobody needs to look after it any more")
        text = f"{by} gave the case to {assignee}." if assignee else f"{by} took the case from {case.assignee}."
        if assignee == by:
            text = f"{by} looks after the case."
        details = {"from": case.assignee, "to": assignee}
        return record(case, ctx.clock.now(), by=by, kind="assigned", text=text, details=details, assignee=assignee)

    same: Callable[[Case], bool] = lambda case: case.assignee == assignee  # noqa: E731  a word for what is there already
    return await _entered(ctx, stored, entry, seen, same)


async def note(ctx: Context, stored: Stored, text: str, *, by: str, seen: Seen) -> Case:
    """Writes something down on the case, on the record for good. Raises as `assign`."""

    def entry(case: Case) -> Recorded:
        return record(case, ctx.clock.now(), by=by, kind="note", text=text)

    return await _entered(ctx, stored, entry, seen)


async def link_ticket(ctx: Context, stored: Stored, name: str, url: str, *, by: str, seen: Seen) -> Case:
    """The support ticket in which the case is handled, or none, where `name` is empty. Raises as `assign`."""

    def entry(case: Case) -> Recorded:
        text = f"{by} linked ticket {name}." if name else f"{by} took the link to ticket {case.ticket} away."
        details = {"ticket": name, "url": url}
        kind = "ticket_linked" if name else "ticket_unlinked"
        return record(case, ctx.clock.now(), by=by, kind=kind, text=text, details=details, ticket=name, ticket_url=url)

    def same(case: Case) -> bool:
        return (case.ticket, case.ticket_url) == (name, url)

    return await _entered(ctx, stored, entry, seen, same)


async def _entered(
    ctx: Context, stored: Stored, entry: Entry, seen: Seen, same: Callable[[Case], bool] = lambda _: False
) -> Case:
    """The case with the entry, saved; as it is where that is what it says already."""
    for _ in range(TRIES):
        case = stored.case
        if not seen(case):
            raise CaseConflict(case.subscription_id, "it is another version than the one that was read")
        if same(case):
            return case
        if case.state in ACTING:
            raise NotPossible("the app is writing for this case right now: try again in a minute")
        try:
            return (await ctx.store.save(entry(case), stored.version)).case
        except CaseConflict:
            newest = await ctx.store.load(case.subscription_id)
            if newest is None or newest.case.number != case.number:
                break
            stored = newest
    raise NotPossible("the case is being changed by others again and again: read it and try once more")
