"""Who calls, and what they may do: the principal of App Service's authentication, or a function key.

| authentication | the caller brings          | is let in as                                              |
|----------------|----------------------------|-----------------------------------------------------------|
| on             | a principal of our tenant  | the highest of its app roles; its identity is recorded    |
| on             | one of another tenant      | nobody: 403                                               |
| off            | the principal header       | nobody: 401, since anybody can write that header          |
| on or off      | no principal, keys allowed | the role of UNSTUCK_KEYS_ALLOWED_AS; the host checked the key |
| on or off      | no principal, no keys      | nobody: 401                                               |

The Functions host checks keys before the app is asked, and only on functions whose level says so: `key_level` and
`admit` come from one Gate, so a key is never believed where nobody has checked it.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from shared.domain import person
from shared.domain.role import Role
from shared.entrypoints.problems import Problem, bad_field

PRINCIPAL = "x-ms-client-principal"
"""The header in which App Service says who has signed in. Names of headers arrive in lower case."""

LONGEST_PRINCIPAL = 64 * 1024

_SESSION = "AppServiceAuthSession"
"""The cookie of people who have signed in with a browser."""

_ROLES = frozenset({"roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"})
_TENANT = ("tid", "http://schemas.microsoft.com/identity/claims/tenantid")
_OBJECT = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
_NAME = ("name", "preferred_username", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "appid", "azp")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in."""

    identity: str
    """As it goes on the record (shared/domain/person.py)."""
    role: Role | None
    """None on routes that want none."""
    checked: bool
    """Whether the identity was checked by signing in."""

    def on_record(self, by: str | None) -> str:
        """Who this is on the record. `by` is what the request says. Raises Problem where it has nothing to say."""
        if by is None:
            return self.identity
        if self.checked:
            detail, hint = (
                "by: who signed in is who is recorded.",
                "Leave it out: only with a function key it says more.",
            )
            raise bad_field("by", detail, hint)
        return person.with_key(by)


def check_own_site(headers: Mapping[str, str]) -> None:
    """Refuses what a page of another site may have had a browser send, cookie included. Raises Problem.

    Browsers add cookies by themselves, and other sites cannot add headers: a session's cookie alone is no wish.
    """
    if _SESSION in headers.get("cookie", "") and not headers.keys() & {"x-requested-with", "authorization"}:
        hint = "Send the header X-Requested-With, with anything in it."
        raise Problem(HTTPStatus.FORBIDDEN, "A browser's session alone may not change anything.", hint=hint)


NOBODY = Caller("nobody", None, checked=False)
"""Whoever asks a route that wants no role."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What decides who is let in: the platform's word and two settings, read once when the functions are made."""

    signs_in: bool = False
    """Whether App Service's authentication is on: then it removes the principal header from what comes in."""
    tenant: str | None = None
    keys_as: Role | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """What makes no sense opens nothing; the health page names it."""
        keys_as, tenant = environ.get("UNSTUCK_KEYS_ALLOWED_AS", ""), environ.get("UNSTUCK_TENANT_ID", "")
        return cls(
            signs_in=environ.get("WEBSITE_AUTH_ENABLED", "").casefold() == "true",
            tenant=_guid(tenant),
            keys_as=Role(keys_as) if keys_as in Role else None,
        )

    @property
    def key_level(self) -> bool:
        """Whether the host has to check a function key before the app is asked."""
        return self.keys_as is not None

    def admit(self, headers: Mapping[str, str], wanted: Role | None) -> Caller:
        """The caller, if they may do what `wanted` may. Raises Problem: 401 for nobody, 403 for too little."""
        if wanted is None:
            return NOBODY
        caller = self._caller(headers)
        if caller.role is None or not caller.role.holds(wanted):
            has = f"you have {caller.role}" if caller.role else "you have none of the app's roles"
            hint = "An administrator gives roles in Entra, or the key's role in UNSTUCK_KEYS_ALLOWED_AS."
            raise Problem(HTTPStatus.FORBIDDEN, f"This needs the role {wanted}; {has}.", hint=hint)
        return caller

    def _caller(self, headers: Mapping[str, str]) -> Caller:
        principal = headers.get(PRINCIPAL)
        if principal is None and self.keys_as is not None:
            return Caller(person.KEY, self.keys_as, checked=False)
        if principal is None:
            raise _unknown("Sign in first.", "Send a bearer token for this app; keys are not accepted as it is set up.")
        if not self.signs_in:
            hint = "App Service sets WEBSITE_AUTH_ENABLED while its authentication is on; nobody else can vouch for it."
            raise _unknown("The principal header is not believed: the platform's authentication is off.", hint)
        return self._signed_in(_claims(principal))

    def _signed_in(self, claims: Mapping[str, list[str]]) -> Caller:
        if self.tenant is None or _guid(_first(claims, _TENANT)) != self.tenant:
            hint = "UNSTUCK_TENANT_ID names the tenant whose people and apps may call."
            raise Problem(HTTPStatus.FORBIDDEN, "You have signed in to a tenant that is not let in here.", hint=hint)
        object_id = _guid(_first(claims, _OBJECT))
        if object_id is None:
            raise _unknown("The principal has no object id.", "Sign in with Entra ID.")
        held = {value for name in _ROLES for value in claims.get(name, [])}
        role = max((r for r in Role if r in held), key=list(Role).index, default=None)
        return Caller(person.signed_in(_first(claims, _NAME), object_id), role, checked=True)


class _Claim(BaseModel):
    typ: str
    val: str


class _Principal(BaseModel):
    """The header's content; `aad` is Entra ID."""

    auth_typ: Literal["aad"]
    claims: list[_Claim]


def _claims(principal: str) -> dict[str, list[str]]:
    """The claims by their type. Raises Problem for a header that is none of App Service's."""
    try:
        said = _Principal.model_validate_json(base64.b64decode(principal[:LONGEST_PRINCIPAL], validate=True))
    except ValueError:  # ValidationError and binascii.Error are such
        raise _unknown("The principal header makes no sense.", "Sign in with Entra ID.") from None
    claims: dict[str, list[str]] = {}
    for claim in said.claims:
        claims.setdefault(claim.typ, []).append(claim.val)
    return claims


def _first(claims: Mapping[str, list[str]], names: tuple[str, ...]) -> str:
    return next((claims[name][0] for name in names if claims.get(name)), "")


def _guid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _unknown(detail: str, hint: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, hint=hint, headers={"WWW-Authenticate": "Bearer"})
