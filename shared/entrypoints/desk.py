"""HTTP: people at their desks. They claim cases, note things on them and link tickets."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import AnyUrl, Field, StringConstraints, UrlConstraints

from shared.domain.case import Case
from shared.entrypoints.bodies import By, Name
from shared.entrypoints.exchange import Reply
from shared.entrypoints.found import changed, moved, seen_by, stored_case
from shared.entrypoints.route import Ask, Nothing, Taken
from shared.errors import CaseConflict
from shared.ports import Stored
from shared.workflow import desk
from shared.workflow.context import Context

LONGEST_NOTE = 2_000

_HttpsUrl = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["https"], host_required=True, max_length=900)]


class ClaimRequest(Taken):
    """You look after the case from now on."""

    by: By = None


class AssignmentRequest(Taken):
    """Somebody looks after the case from now on."""

    assignee: Name = Field(title="Assignee", description="Who, as people know them: a name or an address.")
    by: By = None


class NoteRequest(Taken):
    """Something to write down, on the record for good."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTE)] = Field(
        title="Text", description=f"At most {LONGEST_NOTE:,} characters.", examples=["Called the customer."]
    )
    by: By = None


class TicketRequest(Taken):
    """The support ticket in which the case is handled."""

    ticket: Name = Field(title="Ticket", description="What people call it.", examples=["INC-4711"])
    url: _HttpsUrl | None = Field(
        None, title="Address", description="Its address, beginning with https.", examples=["https://tickets.example/1"]
    )
    by: By = None


type _Write = Callable[[Context, Stored, str, desk.Seen], Coroutine[Any, Any, Case]]


async def claim(ask: Ask[ClaimRequest, Nothing]) -> Reply:
    """The caller looks after the case."""
    return await _written(
        ask, ask.body.by, lambda ctx, stored, by, seen: desk.assign(ctx, stored, by, by=by, seen=seen)
    )


async def assign(ask: Ask[AssignmentRequest, Nothing]) -> Reply:
    """Somebody else looks after the case."""
    to = ask.body.assignee
    return await _written(
        ask, ask.body.by, lambda ctx, stored, by, seen: desk.assign(ctx, stored, to, by=by, seen=seen)
    )


async def release(ask: Ask[Nothing, Nothing]) -> Reply:
    """Nobody looks after the case any more."""
    return await _written(ask, None, lambda ctx, stored, by, seen: desk.assign(ctx, stored, "", by=by, seen=seen))


async def add_note(ask: Ask[NoteRequest, Nothing]) -> Reply:
    """Writes something down."""
    text = ask.body.text
    write: _Write = lambda ctx, stored, by, seen: desk.note(ctx, stored, text, by=by, seen=seen)  # noqa: E731
    return await _written(ask, ask.body.by, write, HTTPStatus.CREATED)


async def link_ticket(ask: Ask[TicketRequest, Nothing]) -> Reply:
    """Links a ticket."""
    name, url = ask.body.ticket, str(ask.body.url or "")
    return await _written(
        ask, ask.body.by, lambda ctx, stored, by, seen: desk.link_ticket(ctx, stored, name, url, by=by, seen=seen)
    )


async def unlink_ticket(ask: Ask[Nothing, Nothing]) -> Reply:
    """Takes the link away."""
    return await _written(
        ask, None, lambda ctx, stored, by, seen: desk.link_ticket(ctx, stored, "", "", by=by, seen=seen)
    )


async def _written(ask: Ask[Any, Any], by: str | None, write: _Write, status: HTTPStatus = HTTPStatus.OK) -> Reply:
    who = ask.caller.on_record(by)
    ctx = await ask.context()
    stored = await stored_case(ctx, ask.path["case_id"])
    try:
        case = await write(ctx, stored, who, lambda version: seen_by(ask, version))
    except CaseConflict:
        raise moved(stored.case.id) from None
    return changed(case, status)
