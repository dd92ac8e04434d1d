"""What stands before the service: sign-in, limits, faults, counting, and the taking apart of a $batch."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from local.dataverse.access import TokenCheck
from local.dataverse.batch import Changeset, Part, format_batch, parse_batch, resolved
from local.dataverse.errors import ODataError
from local.dataverse.exchange import Request, Response, error_response
from local.dataverse.faults import Armed, Faults
from local.dataverse.limits import Limits
from local.dataverse.preferences import parse_preferences
from local.dataverse.render import Language
from local.dataverse.service import Caller, Service
from local.dataverse.striking import WholeAnswer, seen, strike_after, strike_before
from local.dataverse.traffic import Traffic

type PartAnswers = Sequence[tuple[str | None, Response]]


@dataclass(frozen=True)
class Options:
    """What may differ between environments.

    `max_batch`: requests in one $batch (Microsoft documents 1000, some environments answer 250).
    `max_url`: characters of a GET's URL. `language`: the calling user's, for formatted values.
    """

    max_batch: int = 1000
    max_url: int = 32_768
    language: Language = field(default_factory=Language)


@dataclass
class Visit:
    """One HTTP request on its way: its purpose, and how many parts of its $batch were reached."""

    purpose: str
    parts: int = 0


class Front:
    """Answers HTTP requests. One per environment; `limits` None means no service protection."""

    def __init__(
        self,
        service: Service,
        options: Options,
        token_check: TokenCheck,
        faults: Faults,
        traffic: Traffic,
        limits: Limits | None,
    ) -> None:
        self.service = service
        self.options = options
        self.token_check = token_check
        self.faults = faults
        self.traffic = traffic
        self.limits = limits

    async def respond(self, request: Request, token: str | None, purpose: str) -> Response:
        """The answer to one HTTP request. Raises ConnectionCut when there must be none."""
        visit = Visit(purpose)
        self.traffic.arrived(purpose)
        response: Response | None = None
        try:
            response = await self._respond(request, token, visit)
        finally:
            status = response.status if response else None
            self.traffic.answered(purpose, request.method, request.target, status, visit.parts)
        return response

    async def _respond(self, request: Request, token: str | None, visit: Visit) -> Response:
        meeting = self.faults.meeting(seen(request, visit.purpose, part=False))
        try:
            response = await self._admit(request, token, visit, meeting)
        except ODataError as error:
            return error_response(error)
        except WholeAnswer as whole:
            return whole.response
        return strike_after(request, response, meeting) if response.status < 400 else response

    async def _admit(self, request: Request, token: str | None, visit: Visit, meeting: list[Armed]) -> Response:
        if len(request.path) + len(request.query) > self.options.max_url:
            raise ODataError(413, "", "The request URL is too long.")
        caller = Caller(self.token_check(token), visit.purpose)
        with self.limits.request(caller.user_id) if self.limits else nullcontext() as left:
            # Within the limits: a request that takes its time is one of those that run at once.
            request = await strike_before(request, meeting)
            if request.path == "$batch":
                response = await self._batch(request, caller, visit)
            else:
                response = self.service.answer(request, caller)
        if left is None:
            return response
        return response.with_headers(x_ms_ratelimit_burst_remaining_xrm_requests=str(left))

    async def _batch(self, request: Request, caller: Caller, visit: Visit) -> Response:
        if request.method != "POST":
            raise ODataError(405, "", "The requested resource does not support this http method.")
        items = parse_batch(request)
        self._check_size(items)
        go_on = parse_preferences(request.header("prefer")).continue_on_error
        answers: list[Response | PartAnswers] = []
        failed = False
        for item in items:
            answer = await self._item(item, caller, visit)
            answers.append(answer)
            failed = isinstance(answer, Response) and answer.status >= 400
            if failed and not go_on:
                break
        content_type, body = format_batch(answers)
        headers = {"Content-Type": content_type, "OData-Version": "4.0"}
        if go_on:
            headers["Preference-Applied"] = "odata.continue-on-error"
        return Response(400 if failed and not go_on else 200, headers, body)

    def _check_size(self, items: Sequence[Part | Changeset]) -> None:
        limit = self.options.max_batch
        if sum(len(item.parts) if isinstance(item, Changeset) else 1 for item in items) > limit:
            raise ODataError(
                400,
                "",
                "The current batch message contains too many parts. Only batch messages with a maximum "
                f"number of '{limit}' query operations, including changeset operations, are allowed.",
            )

    async def _item(self, item: Part | Changeset, caller: Caller, visit: Visit) -> Response | PartAnswers:
        """A failed item is one answer, a changeset's too; a good changeset has one for each of its parts."""
        try:
            if isinstance(item, Changeset):
                return await self._changeset(item, caller, visit)
            return await self._part(item, caller, visit)
        except ODataError as error:
            return error_response(error)

    async def _part(self, part: Part, caller: Caller, visit: Visit) -> Response:
        _, meeting = self._reached(part, visit)
        request = resolved(part, {})
        response = self.service.answer(await strike_before(request, meeting), caller)
        return strike_after(request, response, meeting)

    async def _changeset(self, item: Changeset, caller: Caller, visit: Visit) -> PartAnswers:
        """All parts in one transaction. Faults strike before its beginning or after its end, never within."""
        met: list[tuple[Request, list[Armed]]] = []
        for part in item.parts:
            request, meeting = self._reached(part, visit)
            await strike_before(request, meeting)
            met.append((request, meeting))
        answers = self._together(item, caller)
        for (request, meeting), (_, response) in zip(met, answers, strict=True):
            strike_after(request, response, meeting)
        return answers

    def _together(self, item: Changeset, caller: Caller) -> PartAnswers:
        answers: list[tuple[str | None, Response]] = []
        made: dict[str, str] = {}
        store = self.service.store
        with store.transaction(by=caller.user_id, source="web_api", purpose=caller.purpose):
            for part in item.parts:
                response = self.service.write(resolved(part, made), caller)
                answers.append((part.content_id, response))
                if part.content_id is not None and "OData-EntityId" in response.headers:
                    made[part.content_id] = response.headers["OData-EntityId"]
        return answers

    def _reached(self, part: Part, visit: Visit) -> tuple[Request, list[Armed]]:
        visit.parts += 1
        self.traffic.arrived_part(visit.purpose)
        request = part.addressed()
        return request, self.faults.meeting(seen(request, visit.purpose, part=True))
