"""One running host: worker, listeners and HTTP, put together, started and stopped in order."""

import asyncio
import logging
from typing import IO

from starlette.applications import Starlette

from local.functions_host.admin import Admin
from local.functions_host.easy_auth import SETTING, EasyAuth
from local.functions_host.errors import CannotStart
from local.functions_host.front import HttpFront
from local.functions_host.hostjson import HostJson
from local.functions_host.invoker import Invoker
from local.functions_host.keys import Keys
from local.functions_host.listeners import Listeners
from local.functions_host.metadata import HTTP_TRIGGER, Function, require_known
from local.functions_host.options import HostOptions
from local.functions_host.refusals import refusals
from local.functions_host.routes import routes_of
from local.functions_host.settings import load_settings
from local.functions_host.storage import Storage
from local.functions_host.supervisor import Supervisor
from local.functions_host.web import Web

_log = logging.getLogger("host")


class Host:
    """A host for one app, in this process and loop. `stop` is right at any time, also half-way into `start`."""

    def __init__(self, options: HostOptions, log: IO[str]) -> None:
        self._options = options
        self._easy_auth = EasyAuth.read(options.sign_ins) if options.sign_ins else None
        self._settings = {**load_settings(options.settings), **({SETTING: "True"} if self._easy_auth else {})}
        self._json = HostJson.read(options.app_dir, self._settings)
        self._host_id = self._settings.get("AzureFunctionsWebHost__hostid", options.app_dir.absolute().name)
        self._supervisor = Supervisor(options, self._settings, log)
        self._storage = Storage(self._settings, self._json.queues.base64)
        self._invoker = Invoker(self._supervisor, self._storage, self._json.function_timeout)
        self._listeners: Listeners | None = None
        self._web: Web | None = None

    async def start(self) -> dict[str, object]:
        """What the line on standard output says; `CannotStart` if the app is not fit to run."""
        functions = await self._supervisor.start()
        self._check(functions)
        self._listeners = Listeners(
            functions,
            self._options,
            self._settings,
            self._json,
            self._host_id,
            self._storage,
            self._invoker,
            self._supervisor,
        )
        self._web = Web(self._options.port)
        await self._web.start(self._app(functions, self._listeners))
        await self._listeners.start()
        return {
            "url": self._web.url,
            "master_key": self._options.master_key,
            "host_key": self._options.host_key,
            "worker_pid": self._supervisor.pid,
            "functions": [function.name for function in functions],
        }

    async def stop(self) -> None:
        """Take nothing new, let what runs end within the grace, then end the worker."""
        grace = self._options.stop_grace_seconds
        await asyncio.gather(
            *([self._web.stop(grace)] if self._web else []),
            *([self._listeners.stop(grace)] if self._listeners else []),
        )
        await self._supervisor.stop()
        if self._web is not None:
            await self._web.close()
        if self._listeners is not None:
            await self._listeners.close()
        await self._storage.close()

    def _check(self, functions: list[Function]) -> None:
        """Refuse what the real host refuses, what this one leaves out, and outputs without their settings."""
        refused = refusals(functions)
        if refused:
            raise CannotStart("the app is refused, as on Azure:\n" + "\n".join(refused))
        require_known(functions)
        for function in functions:
            for binding in function.outputs:
                if binding.kind == "queue":
                    self._storage.queue(binding)

    def _app(self, functions: list[Function], listeners: Listeners) -> Starlette:
        keys = Keys(self._options.master_key, self._options.host_key)
        admin = Admin(functions, listeners.timers, self._invoker, self._supervisor, keys, self._host_id)
        http = [function for function in functions if function.trigger.kind == HTTP_TRIGGER]
        routes = routes_of(http, self._json.route_prefix)
        for route in routes:
            _log.info("%s answers at /%s", route.function.name, route.template)
        front = HttpFront(routes, keys, self._invoker, self._easy_auth)
        site = Starlette(routes=admin.routes())
        site.router.default = front  # not a route: none of Starlette's takes a path with a line break in it
        return site
