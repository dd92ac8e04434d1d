"""The Dataverse Web API: whole reads, guarded writes, and many of either in one request.

    dataverse = Dataverse(url, tokens=tokens, transport=HttpTransport(), product="unstuck/1.0")
    rows = await dataverse.get_pages(odata.query("accounts", select=["name"]), purpose="sweep")
    results = await dataverse.batch([Patch(odata.row("accounts", id), {"name": "x"}, etag)], purpose="remediate")

`purpose` ends up in the User-Agent header, so that whoever watches the service sees what a request was for.
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from shared.adapters.dataverse import batch, faults, wire
from shared.adapters.dataverse.batch import HttpPart
from shared.adapters.dataverse.pages import Pages
from shared.adapters.dataverse.parts import ETag, Get, Part, PartResult, Patch, Post, Row, rows_in
from shared.adapters.web.gate import Gate
from shared.adapters.web.links import Site
from shared.adapters.web.names import guid, header_words
from shared.adapters.web.sender import Retries, Sender, Tokens
from shared.adapters.web.timing import Patience, Timing
from shared.adapters.web.transport import Answer, HttpTransport, Outgoing
from shared.errors import (
    Forbidden,
    Garbled,
    OutcomeUnknown,
    ServiceTrouble,
    SignInRefused,
    SourceError,
    Throttled,
    Unreachable,
)
from shared.ports import Telemetry

_ROOT = "/api/data/v9.2/"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client does at most."""

    widest: int = 8
    """Requests under way at once. Dataverse refuses beyond 52 for one user, and other processes share him."""

    first: int = 4
    """Requests under way at once in the beginning; grows with success up to `widest`, halves with each 429."""

    retries: Retries = field(default_factory=Retries)
    """How often and how long one call tries."""

    pages: int = 200
    """Pages of one read; 200 of 5,000 rows are a million."""

    read_parts: int = 1_000
    """Reads in one batch: Dataverse's own limit. Made smaller by itself where an environment allows fewer."""

    write_parts: int = 100
    """Parts of one batch that writes, few enough that a pause takes effect soon."""


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """Which user of which organisation we are; GUIDs in lower case."""

    user_id: str
    business_unit_id: str
    organization_id: str


class Dataverse:
    """One environment, one credential. Its methods raise SourceErrors unless they say otherwise."""

    def __init__(
        self,
        base_url: str,
        *,
        tokens: Tokens,
        transport: HttpTransport,
        product: str,
        timing: Timing | None = None,
        limits: Limits | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        """`product` is name/version for the User-Agent. Raises ValueError for an address that is not safe."""
        timing = timing or Timing()
        self._limits = limits or Limits()
        self._site = Site(base_url, _ROOT)
        self._product = header_words(product)
        self._most_parts = self._limits.read_parts
        self._sender = Sender(
            "dataverse",
            transport=transport,
            tokens=tokens,
            gate=Gate(timing, widest=self._limits.widest, first=self._limits.first),
            timing=timing,
            retries=self._limits.retries,
            telemetry=telemetry,
        )

    async def get_pages(self, path_and_query: str, *, purpose: str, max_page_size: int = 5_000) -> list[Row]:
        """All rows of a collection, collections expanded in it included; an error if any page fails.

        A row may come twice if rows change while pages are read. A `<collection>@odata.nextLink` left on a row
        says that this collection reached 5,000 rows and may not be complete.
        """
        return rows_in(await self._whole(Get(path_and_query, max_page_size), purpose))

    async def get(self, path_and_query: str, *, purpose: str) -> Row:
        """One row, or what a function returns. Raises NotFound when it is not there."""
        return await self._whole(Get(path_and_query), purpose)

    async def patch(
        self, path: str, values: Mapping[str, object], *, etag: ETag, purpose: str
    ) -> tuple[ETag | None, Row | None]:
        """Change one row that still is the version read; returns its new version and the columns changed.

        Raises VersionConflict if it is not, OutcomeUnknown if the answer was lost.
        """
        done = await self._alone(Patch(path, values, etag), purpose, self._sender.patience())
        return done.etag, done.body

    async def post(self, path: str, values: Mapping[str, object], *, purpose: str) -> Row | None:
        """Create a row or call an action; what it returns. Raises OutcomeUnknown if the answer was lost."""
        return (await self._alone(Post(path, values), purpose, self._sender.patience())).body

    async def who_am_i(self, *, purpose: str) -> WhoAmI:
        """Which user of which organisation the token stands for."""
        answer = await self.get("WhoAmI", purpose=purpose)
        try:
            user, unit, organization = (guid(answer[key]) for key in ("UserId", "BusinessUnitId", "OrganizationId"))
        except (KeyError, TypeError, ValueError):
            raise Garbled("dataverse", "Dataverse did not say which organisation it is.") from None
        return WhoAmI(user, unit, organization)

    async def batch(self, parts: Sequence[Part], *, purpose: str) -> list[PartResult]:
        """One result for each part, in order. Trouble is a value of its part, and no SourceError is raised.

        Reads go in one request and come back with all their pages. With a write among them, the parts are sent
        in groups of `write_parts`, one after the other, and none further after a group without a proper answer.
        """
        writes = any(not isinstance(part, Get) for part in parts)
        http_parts = [self._http_part(part, wire.LONGEST_URL_IN_BATCH) for part in parts]  # all of them, or none sent
        patience = self._sender.patience()
        results: list[PartResult] = []
        while len(results) < len(parts):
            size = min(self._most_parts, self._limits.write_parts) if writes else self._most_parts
            sent = slice(len(results), len(results) + size)
            group = parts[sent]
            try:
                answers = await self._exchange(http_parts[sent], writes, purpose, patience)
            except _TooManyParts as too_many:
                self._most_parts = too_many.allowed
                continue
            except SourceError as error:
                results += [PartResult(error.status, error=_as_read(part, error)) for part in group]
                results += [PartResult(error=_not_sent(error))] * (len(parts) - len(results))
                break
            for part, answer in zip(group, answers, strict=True):
                results.append(await self._result(part, answer, purpose, patience))
        return results

    async def _exchange(
        self, group: Sequence[HttpPart], writes: bool, purpose: str, patience: Patience
    ) -> list[Answer | None]:
        """The answers to a group, None where there is none."""
        boundary = f"batch_{uuid4()}"
        headers = {
            "Content-Type": f'multipart/mixed; boundary="{boundary}"',
            "Prefer": "odata.continue-on-error",
        }
        whole = HttpPart("POST", self._site.target("$batch"), wire.ODATA | headers, batch.encode(group, boundary))
        answer = await self._send(whole, writes, purpose, patience)
        answers = self._unpacked(answer, writes)
        refused = answers[0] if answers is not None and len(answers) == 1 and not writes else answer
        again = all(part.method != "POST" for part in group)  # in case the first parts were executed after all
        if len(group) > 1 and again and (most := faults.most_parts(refused)):
            raise _TooManyParts(most if most < len(group) else len(group) // 2)
        if answers is None:
            unclear = writes and answer.status == 400  # refused as a whole, or given up half-way?
            error = None if unclear else faults.error_from(answer, writes=writes)
            raise error or faults.strange(answer, writes=writes)
        if len(answers) > len(group):  # there is no telling which answer belongs to which part
            answers = []
        return [*answers, *[None] * (len(group) - len(answers))]

    def _unpacked(self, answer: Answer, writes: bool) -> list[Answer] | None:
        """The answers in a batch answer; None if something else answered, be it with a page of HTML."""
        content_type = answer.headers.get("content-type", "")
        if not content_type.lower().startswith("multipart/mixed"):
            return None
        try:
            return list(batch.decode(content_type, answer.body).answers)
        except ValueError:
            raise faults.strange(answer, writes=writes) from None

    async def _result(self, part: Part, answer: Answer | None, purpose: str, patience: Patience) -> PartResult:
        if answer is None:
            return PartResult(error=_unanswered(part))
        result = wire.result(part, answer)
        if isinstance(result.error, Throttled):
            self._sender.throttled(result.error.retry_after)
        elif isinstance(result.error, Forbidden | SignInRefused):
            self._sender.refused()
        if not isinstance(part, Get) or result.body is None:
            return result
        try:
            return replace(result, body=await self._all_pages(part, result.body, purpose, patience))
        except SourceError as error:
            return PartResult(result.status, error=error)

    async def _whole(self, part: Get, purpose: str) -> Row:
        patience = self._sender.patience()
        found = await self._alone(part, purpose, patience)
        return await self._all_pages(part, found.body or {}, purpose, patience)

    async def _all_pages(self, part: Get, first: Row, purpose: str, patience: Patience) -> Row:
        async def fetch(target: str) -> Row:
            answer = await self._send(wire.get(target, part.page_size), False, purpose, patience)
            return _taken(wire.result(part, answer)).body or {}

        return await Pages(self._site, fetch, most=self._limits.pages).complete(first, self._site.target(part.path))

    async def _alone(self, part: Part, purpose: str, patience: Patience) -> PartResult:
        writes = not isinstance(part, Get)
        answer = await self._send(self._http_part(part, wire.LONGEST_URL), writes, purpose, patience)
        return _taken(wire.result(part, answer))

    async def _send(self, part: HttpPart, writes: bool, purpose: str, patience: Patience) -> Answer:
        headers = {**part.headers, "User-Agent": f"{self._product} ({header_words(purpose)})"}
        request = Outgoing(part.method, self._site.origin + part.target, headers, part.body)
        return await self._sender.send(request, writes=writes, patience=patience)

    def _http_part(self, part: Part, longest: int) -> HttpPart:
        made = wire.http_part(part, self._site)
        if len(made.target) > longest:
            raise ValueError(f"an address of {len(made.target):,} characters; Dataverse takes {longest:,}")
        return made


class _TooManyParts(Exception):
    def __init__(self, allowed: int) -> None:
        self.allowed = max(1, allowed)
        super().__init__(allowed)


def _taken(result: PartResult) -> PartResult:
    if result.error is not None:
        raise result.error
    return result


def _unanswered(part: Part) -> SourceError:
    if isinstance(part, Get):
        return Garbled("dataverse", "Dataverse's answer to a batch ends before this part. It was not read.")
    return OutcomeUnknown(
        "dataverse",
        "Dataverse's answer to a batch ends before this part, whose outcome is not known. Read before anything is "
        "tried again.",
    )


def _as_read(part: Part, error: SourceError) -> SourceError:
    # In a batch that writes, a lost answer leaves open what became of its writes; its reads just were not read.
    if isinstance(part, Get) and isinstance(error, OutcomeUnknown):
        return Unreachable(error.source, "Dataverse did not answer. This part only reads.", detail=error.detail)
    return error


def _not_sent(error: SourceError) -> SourceError:
    # What holds for every request alike (throttling, sign-in, privilege) is the reason here too.
    if isinstance(error, OutcomeUnknown | Garbled | ServiceTrouble):
        return Unreachable(error.source, "Not sent, since what went before it was not answered properly.")
    return error
