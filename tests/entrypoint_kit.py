"""Asking the app's HTTP functions in this process, with fakes behind them.

Not faked: the table of routes, the gate, the models, the handlers and the workflow. The Functions host is left out:
keys have been checked by it, and headers of App Service are what a test says they are.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import azure.functions as func

from shared.adapters.tables.idempotency import TableIdempotencyKeys
from shared.adapters.tables.operations import TableOperations
from shared.domain.role import Role
from shared.entrypoints.callers import Gate
from shared.entrypoints.route import AnyRoute
from shared.entrypoints.routes import ROUTES
from shared.entrypoints.serving import endpoint_of
from shared.errors import SettingsError
from shared.ports import IdempotencyKeys, Operations
from shared.settings import Settings, load
from shared.workflow.context import Context
from tests.workflow_kit import ORGANIZATION, Town

TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
ANN, BOB = "bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"

SIGNING_IN = Gate(signs_in=True, tenant=TENANT)
"""As on Azure: authentication on, no keys."""

KEYED = Gate(keys_as=Role.APPROVER)
"""As on a developer's machine: no authentication, whoever has the key may do everything."""

BY_OPERATION: Mapping[str, AnyRoute] = {route.operation: route for route in ROUTES}


def principal(
    *roles: str, tenant: str = TENANT, oid: str = ANN, name: str = "Ann", auth_typ: str = "aad"
) -> dict[str, str]:
    """The header that App Service adds to a request of somebody who has signed in."""
    claims = [("http://schemas.microsoft.com/identity/claims/tenantid", tenant)]
    claims += [("http://schemas.microsoft.com/identity/claims/objectidentifier", oid), ("name", name)]
    claims += [("roles", role) for role in roles]
    said = {"auth_typ": auth_typ, "claims": [{"typ": typ, "val": val} for typ, val in claims]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(said).encode()).decode()}


@dataclass
class FakeServices:
    """What shared.bootstrap.App gives, over a town of fakes. `problems` are those of the settings."""

    town: Town
    problems: list[str] = field(default_factory=list)
    patience_seconds: float = 3_600.0

    @property
    def settings(self) -> Settings:
        if self.problems:
            raise SettingsError(self.problems)
        return load(
            {
                "UNSTUCK_MODE": self.town.mode.value,
                "DATAVERSE_URL": "https://contoso.crm.dynamics.com",
                "DATAVERSE_ORGANIZATION_ID": ORGANIZATION,
                "AzureWebJobsStorage": "UseDevelopmentStorage=true",
                "SWEEP_SCHEDULE": "0 */5 * * * *",
                "WAKE_SCHEDULE": "30 * * * * *",
            }
        )

    async def context(self) -> Context:
        _ = self.settings
        return self.town.ctx

    def idempotency_keys(self) -> IdempotencyKeys:
        return TableIdempotencyKeys(self.town.tables)

    def operations(self) -> Operations:
        return TableOperations(self.town.tables)


@dataclass
class Asked:
    """An answer."""

    response: func.HttpResponse

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def headers(self) -> Mapping[str, str]:
        return dict(self.response.headers)

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.response.get_body())
        return found

    def problem(self, status: int, field: str | None = None) -> dict[str, Any]:
        """The answer as a problem that says what is wrong."""
        assert self.status == status, self.response.get_body()
        assert self.json["correlation_id"] == self.headers["X-Correlation-Id"]
        return self._problem(status, field)

    def problem_of_another_request(self, status: int, field: str | None) -> dict[str, Any]:
        """The same, of an answer that was kept: its correlation id is that of the request that made it."""
        assert self.json["correlation_id"] != self.headers["X-Correlation-Id"]
        return self._problem(status, field)

    def _problem(self, status: int, field: str | None) -> dict[str, Any]:
        assert (self.status, self.response.mimetype) == (status, "application/problem+json")
        body = self.json
        assert (body["status"], body.get("field")) == (status, field), body
        assert body["title"]
        assert body["detail"]
        return body


@dataclass
class Front:
    """The app's HTTP functions over a town."""

    town: Town = field(default_factory=Town)
    gate: Gate = KEYED

    def __post_init__(self) -> None:
        self.services = FakeServices(self.town)

    async def ask(
        self,
        operation: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        path: Mapping[str, str] | None = None,
    ) -> Asked:
        """`body` is sent as it is where it is bytes, else as JSON; None sends nothing."""
        route = BY_OPERATION[operation]
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        url = f"https://app.example/api/{route.path.format(**(path or {}))}"
        request = func.HttpRequest(
            method=route.method,
            url=f"{url}?{urlencode(query)}" if query else url,
            headers={name.lower(): value for name, value in (headers or {}).items()},
            params=dict(query or {}),
            route_params=dict(path or {}),
            body=raw,
        )
        response = await endpoint_of(route, self.gate, lambda: self.services)(request)
        return Asked(response)

    def asks(self, operation: str, body: object = None, **more: Any) -> Asked:
        """The same, for tests that are not asynchronous."""
        return asyncio.run(self.ask(operation, body, **more))
