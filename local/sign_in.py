"""Sign-in on this machine: App Service's managed-identity endpoint, and Entra's token endpoint.

Both give out opaque tokens and tell `on_issue` for which audience; whoever takes tokens asks `token`.
Error bodies and texts are Entra's and App Service's own. No password or token is ever logged.
"""

import hmac
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.partner_center.error_bodies import entra_body
from local.partner_center.errors import known_errors

MSI_API_VERSION = "2019-08-01"
DEFAULT_SCOPE = "/.default"

# App Service's own texts: the first two as people report them, the last for whatever Entra refuses behind it.
_NO_SUCH_IDENTITY = (
    "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
)
_NO_IDENTITY = "Unable to load the proper Managed Identity."
_MSI_FAILED = (
    "An unexpected error occured while fetching the AAD Token. Please contact support with this provided Correlation Id"
)


@dataclass
class Application:
    """A registered application that signs in with a secret."""

    client_id: str
    secret: str
    secret_expired: bool = False


@dataclass
class SignInRefusal:
    """Sign-in fails with this AADSTS code, for one client or all, until a time (UTC) or for so many requests."""

    code: str
    client_id: str | None = None
    until: datetime | None = None
    times: int | None = None

    def strikes(self, client_id: str, now: datetime) -> bool:
        """Whether this request is refused; counts it if so."""
        is_over = (self.until is not None and now >= self.until) or self.times == 0
        if is_over or self.client_id not in (None, client_id):
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class IssuedToken:
    """For whom a token was given out, to whom, and until when (UTC)."""

    audience: str
    client_id: str
    expires_on: datetime


@dataclass
class SignIn:
    """Who may sign in, and what was given out. `on_issue(token, audience, client_id)` hears of each new token.

    `identity_header` is App Service's IDENTITY_HEADER. `resources`: audiences that exist, None for any.
    """

    clock: Callable[[], datetime]
    tenant_id: str
    identity_client_id: str
    identity_header: str = field(default_factory=lambda: secrets.token_hex(16))
    has_system_identity: bool = True
    applications: dict[str, Application] = field(default_factory=dict)
    resources: frozenset[str] | None = None
    identity_lifetime: timedelta = timedelta(hours=24)
    application_lifetime: timedelta = timedelta(seconds=3599)
    refusals: list[SignInRefusal] = field(default_factory=list)
    on_issue: Callable[[str, str, str], None] | None = None
    _issued: dict[str, IssuedToken] = field(default_factory=dict)

    def token(self, text: str) -> IssuedToken | None:
        """What is behind a token, None if it was never given out or has expired."""
        issued = self._issued.get(text)
        return issued if issued is not None and issued.expires_on > self.clock() else None

    def audience_of(self, text: str) -> str | None:
        """The audience of a valid token, None otherwise."""
        issued = self.token(text)
        return issued.audience if issued else None

    def issue(self, audience: str, client_id: str, lifetime: timedelta) -> str:
        """A new token."""
        text = secrets.token_urlsafe(32)
        self._issued[text] = IssuedToken(audience, client_id, self.clock() + lifetime)
        if self.on_issue is not None:
            self.on_issue(text, audience, client_id)
        return text

    def refused(self, client_id: str) -> str | None:
        """The code by which this sign-in is refused on purpose, if any."""
        now = self.clock()
        return next((refusal.code for refusal in self.refusals if refusal.strikes(client_id, now)), None)

    def knows(self, resource: str) -> bool:
        """Whether tokens are given out for this audience."""
        return self.resources is None or resource.rstrip("/") in {r.rstrip("/") for r in self.resources}


def create_app(sign_in: SignIn) -> Starlette:
    """Both endpoints as one ASGI app."""
    pages = _Pages(sign_in)
    return Starlette(
        routes=[
            Route("/msi/token", pages.managed_identity),
            Route("/{tenant}/oauth2/v2.0/token", pages.token, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", pages.configuration),
        ]
    )


class _EntraError(Exception):
    def __init__(self, code: str, *values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class _Pages:
    def __init__(self, sign_in: SignIn) -> None:
        self.sign_in = sign_in

    async def managed_identity(self, request: Request) -> JSONResponse:
        sign_in, query = self.sign_in, request.query_params
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(given.encode(), sign_in.identity_header.encode()):
            return _msi_error(401, "X-IDENTITY-HEADER is missing or wrong.")
        if query.get("api-version") != MSI_API_VERSION or not query.get("resource"):
            return _msi_error(400, "api-version or resource is missing or not supported.")
        asked = query.get("client_id")
        if asked is None and not sign_in.has_system_identity:
            return _msi_error(400, _NO_IDENTITY)
        if asked is not None and asked.lower() != sign_in.identity_client_id:
            return _msi_error(400, _NO_SUCH_IDENTITY)
        resource = query["resource"]
        if sign_in.refused(sign_in.identity_client_id) or not sign_in.knows(resource):
            # The caller does not get to see why: the code stays behind App Service.
            return _msi_error(500, _MSI_FAILED)
        token = sign_in.issue(resource, sign_in.identity_client_id, sign_in.identity_lifetime)
        return JSONResponse(
            {
                "access_token": token,
                "expires_on": str(int((sign_in.clock() + sign_in.identity_lifetime).timestamp())),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": sign_in.identity_client_id,
            }
        )

    async def token(self, request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        try:
            client_id, audience = self._client_credentials(request.path_params["tenant"], form)
        except _EntraError as error:
            return self._entra_error(error)
        lifetime = self.sign_in.application_lifetime
        seconds = int(lifetime.total_seconds())
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": self.sign_in.issue(audience, client_id, lifetime),
            }
        )

    async def configuration(self, request: Request) -> JSONResponse:
        """Where the token endpoint is: clients read this before they sign in."""
        authority = f"{str(request.base_url).rstrip('/')}/{request.path_params['tenant']}"
        return JSONResponse(
            {
                "issuer": f"{authority}/v2.0",
                "token_endpoint": f"{authority}/oauth2/v2.0/token",
                "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
                "jwks_uri": f"{authority}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "response_types_supported": ["token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def _client_credentials(self, tenant: str, form: Mapping[str, str]) -> tuple[str, str]:
        """The client and the audience, in Entra's order of checking."""
        if tenant.lower() != self.sign_in.tenant_id:
            raise _EntraError("AADSTS90002", tenant)
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                raise _EntraError("AADSTS900144", name)
        if form["grant_type"] != "client_credentials":
            raise _EntraError("AADSTS70003", form["grant_type"])
        client_id, scope = form["client_id"].lower(), form["scope"].split()[0]
        injected = self.sign_in.refused(client_id)
        if injected:
            raise _EntraError(injected, client_id, tenant)
        if not scope.endswith(DEFAULT_SCOPE):
            raise _EntraError("AADSTS70011", scope)
        self._check_secret(client_id, form.get("client_secret", ""), tenant)
        audience = scope.removesuffix(DEFAULT_SCOPE)
        if not self.sign_in.knows(audience):
            raise _EntraError("AADSTS500011", audience, tenant)
        return client_id, audience

    def _check_secret(self, client_id: str, secret: str, tenant: str) -> None:
        application = self.sign_in.applications.get(client_id)
        if application is None:
            raise _EntraError("AADSTS700016", client_id, tenant)
        if not hmac.compare_digest(secret.encode(), application.secret.encode()):
            raise _EntraError("AADSTS7000215", client_id)
        if application.secret_expired:
            raise _EntraError("AADSTS7000222", client_id)

    def _entra_error(self, error: _EntraError) -> JSONResponse:
        known = known_errors()[error.code]
        body = entra_body(error.code, known.message(*error.values), self.sign_in.clock())
        return JSONResponse(body, known.status)


def _msi_error(status: int, message: str) -> JSONResponse:
    body: dict[str, Any] = {"statusCode": status, "message": message, "correlationId": str(uuid.uuid4())}
    return JSONResponse(body, status)
