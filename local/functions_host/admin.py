"""The admin endpoints: the few of the real host that people use, and our own under /admin/local."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.functions_host.errors import WorkerUnavailable
from local.functions_host.front import problem
from local.functions_host.invoker import Invoker
from local.functions_host.keys import Keys
from local.functions_host.metadata import HTTP_TRIGGER, TIMER_TRIGGER, Function
from local.functions_host.outcome import Datum
from local.functions_host.supervisor import Supervisor
from local.functions_host.timers import Timer

type Endpoint = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger("host.admin")


class Admin:
    """Everything under /admin. All of it wants the master key."""

    def __init__(
        self,
        functions: Sequence[Function],
        timers: Mapping[str, Timer],
        invoker: Invoker,
        supervisor: Supervisor,
        keys: Keys,
        host_id: str,
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._timers = timers
        self._invoker = invoker
        self._supervisor = supervisor
        self._keys = keys
        self._host_id = host_id
        self._running: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """The routes, each behind the master key."""
        served: list[tuple[str, str, Endpoint]] = [
            ("GET", "/admin/host/status", self.status),
            ("GET", "/admin/functions", self.list_functions),
            ("POST", "/admin/functions/{name}", self.invoke),
            ("POST", "/admin/local/functions/{name}", self.carry_out),
            ("GET", "/admin/local/worker", self.worker),
            ("POST", "/admin/local/worker/kill", self.kill),
            ("POST", "/admin/local/worker/pause", self.pause),
            ("POST", "/admin/local/worker/resume", self.resume),
            ("POST", "/admin/local/timers/{name}/stop", self.stop_timer),
            ("POST", "/admin/local/timers/{name}/start", self.start_timer),
        ]
        return [Route(path, self._guarded(endpoint), methods=[method]) for method, path, endpoint in served]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            if not self._keys.admit("admin", request.headers, request.query_params):
                return Response(status_code=401)
            try:
                return await endpoint(request)
            except WorkerUnavailable as error:
                return problem(503, "No worker", str(error))

        return guarded

    async def status(self, _: Request) -> Response:
        return JSONResponse({"id": self._host_id, "state": "Running", "version": "local", "errors": []})

    async def list_functions(self, _: Request) -> Response:
        return JSONResponse([_described(function) for function in self._functions.values()])

    async def invoke(self, request: Request) -> Response:
        """Run a timer or queue function now. The answer does not wait for it, and a failure is not retried."""
        function = self._functions.get(request.path_params["name"].lower())
        if function is None:
            return Response(status_code=404)
        if function.trigger.kind == HTTP_TRIGGER:
            return problem(400, "Left out", "the local host runs only timer and queue functions this way")
        try:
            text = json.loads(await request.body())["input"]
        except (ValueError, KeyError, TypeError):
            return problem(400, "No input", 'the body must be JSON: {"input": "text"}')
        task = asyncio.create_task(self._run(function, str(text or "")))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return Response(status_code=202)

    async def carry_out(self, request: Request) -> Response:
        """Run a timer function now, and answer once it has ended, however it did."""
        function = self._functions.get(request.path_params["name"].lower())
        if function is None or function.trigger.kind != TIMER_TRIGGER:
            return Response(status_code=404)
        await self._invoker.run(function, self._timers[function.name].datum())
        return Response(status_code=204)

    async def worker(self, _: Request) -> Response:
        return JSONResponse({"pid": self._supervisor.pid, "starts": self._supervisor.starts})

    async def kill(self, _: Request) -> Response:
        return JSONResponse({"pid": await self._supervisor.kill()})

    async def pause(self, _: Request) -> Response:
        return await self._signalled("SIGSTOP")

    async def resume(self, _: Request) -> Response:
        return await self._signalled("SIGCONT")

    async def stop_timer(self, request: Request) -> Response:
        timer = self._timers.get(request.path_params["name"])
        if timer is None:
            return Response(status_code=404)
        await timer.stop()
        return Response(status_code=204)

    async def start_timer(self, request: Request) -> Response:
        timer = self._timers.get(request.path_params["name"])
        if timer is None:
            return Response(status_code=404)
        timer.start()
        return Response(status_code=204)

    async def _signalled(self, name: str) -> Response:
        if await self._supervisor.signal(name):
            return Response(status_code=204)
        return problem(501, "Not here", f"this platform has no {name}")

    async def _run(self, function: Function, text: str) -> None:
        try:
            if function.trigger.kind == TIMER_TRIGGER:
                await self._invoker.run(function, self._timers[function.name].datum())
            else:  # a message that was never in a queue: no id, no times, not taken even once
                count: Datum = {"type": "json", "value": "0"}
                await self._invoker.run(function, {"type": "string", "value": text}, {"DequeueCount": count})
        except WorkerUnavailable:
            _log.warning("%s: no worker, this run is lost", function.name)


def _described(function: Function) -> dict[str, object]:
    return {
        "name": function.name,
        "language": "python",
        "isDisabled": False,
        "config": {"bindings": [dict(binding.properties) for binding in function.bindings]},
    }
