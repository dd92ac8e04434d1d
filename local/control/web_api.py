"""The control endpoint: load worlds, look at what happened, let something happen. docs/worlds.md describes it."""

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.control.cloud import Cloud
from local.control.faults import add_fault, clear_faults, struck
from local.control.harm import CHANGE, JOB, forbidden_writes, left_not_applicable
from local.schema import SchemaError
from local.worlds.built import Planned
from local.worlds.changing import Deed
from local.worlds.happenings import CannotBeDone
from local.worlds.identities import APP_USER_ID, row_id
from local.worlds.reading import WorldError, parse_world

type Endpoint = Callable[[Request], Awaitable[Response]]

_DEEDS: tuple[Deed, ...] = get_args(Deed)
_WORKER_DEEDS = ("kill", "pause", "resume")


class _Refused(Exception):
    """A request that makes no sense; `status` and the message are the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def create_app(cloud: Cloud) -> Starlette:
    """The endpoint as an ASGI app."""
    pages = _Pages(cloud)
    served: list[tuple[str, str, Endpoint]] = [
        ("GET", "/", pages.index),
        ("PUT", "/stack", pages.stack),
        ("POST", "/worlds", pages.load),
        ("GET", "/worlds/current", pages.current),
        ("GET", "/harm", pages.harm),
        ("GET", "/traffic", pages.traffic),
        ("GET", "/traffic/calls", pages.calls),
        ("POST", "/traffic/reset", pages.reset_traffic),
        ("POST", "/faults", pages.add_fault),
        ("GET", "/faults", pages.struck),
        ("DELETE", "/faults", pages.clear_faults),
        ("POST", "/people", pages.people),
        ("GET", "/notifications", pages.notifications),
        ("POST", "/notifications", pages.told),
        ("POST", "/worker/{deed}", pages.worker),
        ("POST", "/engine/run-now", pages.run_now),
        ("POST", "/engine/pause", pages.pause),
        ("POST", "/engine/resume", pages.resume),
        ("PUT", "/organization", pages.organization),
        ("GET", "/rows/{table}/{id}", pages.row),
    ]
    routes = [Route(path, endpoint, methods=[method]) for method, path, endpoint in served]
    pages.served = [f"{method} {path}" for method, path, _ in served]
    return Starlette(routes=routes, exception_handlers={_Refused: _refused, WorldError: _bad_world})


class _Pages:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.served: list[str] = []

    async def index(self, _: Request) -> Response:
        return _answer({"endpoints": self.served, "world": self.cloud.environment.world.name})

    async def stack(self, request: Request) -> Response:
        """Where the other processes are: `storage` (connection string), `host` {url, key}."""
        told = await _body(request)
        if "storage" in told:
            await self.cloud.storage_is_up(str(told["storage"]))
        if "host" in told:
            self.cloud.host_is_up(str(told["host"]["url"]), str(told["host"]["key"]))
        return Response(status_code=204)

    async def load(self, request: Request) -> Response:
        """The body is a world file."""
        text = (await request.body()).decode(errors="replace")
        world = parse_world(text, "the body")
        running = self.cloud.environment.world.work365.time_zone
        if self.cloud.host is not None and world.work365.time_zone != running:
            # The app is told the zone by a setting, which is read once.
            raise _Refused(409, f"this stack runs in {running}, the world in {world.work365.time_zone}: start another")
        await self.cloud.load(world)
        return await self.current(request)

    async def current(self, _: Request) -> Response:
        environment = self.cloud.environment
        return _answer(
            {
                "name": environment.world.name,
                "about": environment.world.about,
                "loaded_on": environment.loaded_on,
                "subscriptions": environment.built.expectations,
            }
        )

    async def harm(self, _: Request) -> Response:
        environment = self.cloud.environment
        writes, expected = list(environment.traffic.writes), environment.built.expectations
        return _answer(
            {
                "engine": environment.engine.harm,
                "forbidden": forbidden_writes(writes, expected, APP_USER_ID, self._column(JOB, "license_change_log")),
                "left_not_applicable": left_not_applicable(
                    writes, expected, APP_USER_ID, self._column(CHANGE, "provisioning_status")
                ),
            }
        )

    async def traffic(self, _: Request) -> Response:
        environment = self.cloud.environment
        return _answer(
            {
                "dataverse": dict(environment.traffic.requests),
                "dataverse_parts": dict(environment.traffic.parts),
                "partner_center": dict(environment.center.traffic.by_purpose()),
            }
        )

    async def calls(self, _: Request) -> Response:
        """Every request to Dataverse and Partner Center, oldest first."""
        environment = self.cloud.environment
        return _answer({"dataverse": environment.traffic.calls, "partner_center": environment.center.traffic.requests})

    async def reset_traffic(self, _: Request) -> Response:
        """Counts begin anew. What was written stays written down: harm is not forgotten."""
        traffic = self.cloud.environment.traffic
        for counted in (traffic.requests, traffic.parts, traffic.calls, self.cloud.environment.center.traffic.requests):
            counted.clear()
        return Response(status_code=204)

    async def add_fault(self, request: Request) -> Response:
        try:
            add_fault(await _body(request), self.cloud.environment, self.cloud.sign_in, self.cloud.clock())
        except ValueError as error:
            raise _Refused(422, str(error)) from error
        return Response(status_code=204)

    async def struck(self, _: Request) -> Response:
        """How often faults have struck that were given a name."""
        return _answer({"struck": dict(struck(self.cloud.environment))})

    async def clear_faults(self, _: Request) -> Response:
        clear_faults(self.cloud.environment, self.cloud.sign_in)
        return Response(status_code=204)

    async def people(self, request: Request) -> Response:
        """A person does something now."""
        wanted = await _body(request)
        if wanted.get("does") not in _DEEDS:
            raise _Refused(422, f"does: one of {', '.join(_DEEDS)}")
        provider = wanted.get("provider")
        planned = Planned(
            does=wanted["does"],
            after=timedelta(0),
            when_asked_about=None,
            subscription_id=wanted.get("subscription_id"),
            change_id=wanted.get("change_id"),
            provider_id=row_id(self.cloud.environment.world.name, "provider", provider) if provider else None,
        )
        try:
            self.cloud.environment.happenings.do(planned)
        except (CannotBeDone, ValueError) as error:
            raise _Refused(422, str(error)) from error
        return Response(status_code=204)

    async def notifications(self, _: Request) -> Response:
        return _answer({"notifications": self.cloud.notifications})

    async def told(self, request: Request) -> Response:
        """The app's webhook: this is where it tells people."""
        text = (await request.body()).decode(errors="replace")
        try:
            body = json.loads(text)
        except ValueError as error:
            raise _Refused(400, "the body is not JSON") from error
        self.cloud.told(body, text)
        return Response(status_code=202)

    async def worker(self, request: Request) -> Response:
        """Kill, pause or resume the app's worker process."""
        deed = request.path_params["deed"]
        if deed not in _WORKER_DEEDS:
            raise _Refused(404, f"a worker can {', '.join(_WORKER_DEEDS)}")
        if self.cloud.host is None:
            raise _Refused(409, "no Functions host is up")
        answer = await self.cloud.host.post(f"/admin/local/worker/{deed}")
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    async def run_now(self, _: Request) -> Response:
        self.cloud.environment.engine.run_now()
        return Response(status_code=204)

    async def pause(self, _: Request) -> Response:
        self.cloud.paused = True
        return Response(status_code=204)

    async def resume(self, _: Request) -> Response:
        self.cloud.paused = False
        return Response(status_code=204)

    async def organization(self, request: Request) -> Response:
        """Makes this another environment, as a copy is: the same rows under another id."""
        try:
            self.cloud.environment.records.set_organization(str(uuid.UUID(str((await _body(request)).get("id")))))
        except ValueError as error:
            raise _Refused(422, "id: a GUID") from error
        return Response(status_code=204)

    async def row(self, request: Request) -> Response:
        """One row by key, as it is now."""
        table, id = request.path_params["table"], request.path_params["id"]
        try:
            found = self.cloud.environment.records.get(table, id)
        except (KeyError, SchemaError, ValueError) as error:
            raise _Refused(404, f"there is no table {table}, or {id} is no id") from error
        if found is None:
            raise _Refused(404, f"{table} has no row {id}")
        return _answer(found)

    def _column(self, table: str, column: str) -> Callable[[str], str | None]:
        def value(id: str) -> str | None:
            found = self.cloud.environment.records.get(table, id)
            return cast("str | None", found[column]) if found else None

        return value


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise _Refused(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise _Refused(400, "the body is no JSON object")
    return body


def _answer(content: Mapping[str, Any]) -> Response:
    return Response(json.dumps(content, default=_plain), media_type="application/json")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return list(value)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, _Refused)  # noqa: S101  registered for this class only
    return JSONResponse({"error": str(error)}, error.status)


async def _bad_world(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 422)
