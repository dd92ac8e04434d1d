"""Tokens for the services we call, through azure-identity.

That library takes half a second to import, so it is loaded when the first token is needed. It keeps its own
caches, which would hand out a token again that the service has just refused; so each token is asked of a fresh
credential, about once an hour, and cached here.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.adapters.web.answers import clean
from shared.errors import Garbled, ServiceTrouble, SignInRefused, SourceError, Throttled, Unreachable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

REFRESH_BEFORE_SECONDS = 300.0
"""A token is renewed this long before it expires, so that no request is under way with one that runs out."""

_CODE = re.compile(r"AADSTS\d{4,8}")
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_MEANING = {
    "AADSTS7000215": "The client secret is wrong. Set the secret's value (not its id) in the settings.",
    "AADSTS7000222": "The client secret has expired. Create a new one and set it in the settings.",
    "AADSTS700016": "The tenant does not know this client id. Check client id and tenant in the settings.",
    "AADSTS7000112": "The app registration is disabled. Enable it in Microsoft Entra.",
    "AADSTS90002": "There is no such tenant. Check the tenant id in the settings.",
    "AADSTS900023": "The tenant id is not a valid one. Check it in the settings.",
    "AADSTS500011": "The service's address is not known in this tenant. Check its URL in the settings.",
    "AADSTS70011": "The service's address cannot be used as a scope. Check its URL in the settings.",
    "AADSTS53003": "A Conditional Access policy blocks this sign-in. Ask for an exception for this identity.",
    "AADSTS530003": "A Conditional Access policy asks for a managed device. Ask for an exception for this identity.",
}


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity that Azure gives to this app: `client_id` of a user-assigned one, None for the system's."""

    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """An app registration with a secret, which is kept out of `repr`."""

    tenant_id: str
    client_id: str
    secret: str = field(repr=False)
    authority: str = "https://login.microsoftonline.com"


type Credential = ManagedIdentity | ClientSecret


@dataclass(frozen=True, slots=True)
class Token:
    """A token and when it expires, in seconds since 1970 UTC."""

    text: str = field(repr=False)
    expires_on: float


type Fetch = Callable[[], Awaitable[Token]]


class TokenSource:
    """Hands out a token for one scope, renewing it in time; any number of callers cause one renewal.

    Raises SignInRefused when there is no token to be had; Unreachable, ServiceTrouble, Throttled or Garbled when
    nobody is there to give one now.
    """

    def __init__(
        self,
        scope: str,
        credential: Credential,
        *,
        now: Callable[[], float] = time.time,
        fetch: Fetch | None = None,
    ) -> None:
        """`scope` ends in /.default; `now` gives seconds since 1970; `fetch` stands in for azure-identity."""
        self._now = now
        self._fetch = fetch or (lambda: _from_azure(scope, credential))
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token] | None = None

    async def __call__(self) -> str:
        """A token that is good for five minutes at least, or for as long as fresh ones are."""
        if self._token is None or self._now() >= self._token.expires_on - REFRESH_BEFORE_SECONDS:
            self._token = await self._renewed()
        return self._token.text

    def invalidate(self, token: str) -> None:
        """The service refused `token`. Does nothing if that one has been replaced already."""
        if self._token is not None and self._token.text == token:
            self._token = None

    async def _renewed(self) -> Token:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.ensure_future(self._fetch())
            self._renewal.add_done_callback(_seen)
        # A caller that is cancelled must not take the token from the others who wait for it.
        return await asyncio.shield(self._renewal)


def _seen(task: asyncio.Task[Token]) -> None:
    if not task.cancelled():
        task.exception()  # all who waited may be gone; nobody needs to hear of it then


async def _from_azure(scope: str, credential: Credential) -> Token:
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    # Its log lines quote answers of the sign-in service, which may hold a token; our errors say what matters.
    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
    try:
        async with _open(credential) as opened:
            token = await opened.get_token(scope)
            return Token(token.token, float(token.expires_on))
    except ClientAuthenticationError as error:
        # Its `message` only: as a string it quotes the answer as it came, a token in it included.
        raise _refused(str(error.message), error.status_code or 0, credential) from None
    except AzureError as error:
        raise Unreachable(
            "sign_in",
            "No token: the sign-in service cannot be reached. Check the network, and the authority if one is set.",
            detail=clean(type(error).__name__),
        ) from None
    except (KeyError, TypeError, ValueError):
        # From None: what was being read may hold the token.
        raise Garbled("sign_in", "No token: the sign-in service's answer makes no sense.") from None


def _open(credential: Credential) -> "AsyncTokenCredential":
    from azure.identity.aio import ClientSecretCredential, ManagedIdentityCredential

    if isinstance(credential, ManagedIdentity):
        return ManagedIdentityCredential(client_id=credential.client_id, **_HASTE)
    return ClientSecretCredential(
        credential.tenant_id, credential.client_id, credential.secret, authority=credential.authority, **_HASTE
    )


# Whoever needs the token has retries of its own, and a queue behind it: do not sleep here for minutes.
_HASTE: dict[str, Any] = {"retry_total": 1, "retry_backoff_max": 2, "connection_timeout": 5, "read_timeout": 15}


def _refused(text: str, status: int, credential: Credential) -> SourceError:
    found = _CODE.search(text)
    code = found[0] if found else None
    if code is None and (status == 429 or status >= 500):
        kind = Throttled if status == 429 else ServiceTrouble
        return kind("sign_in", "No token: the sign-in service is not able to give one now.", status=status)
    where = "this app's managed identity" if isinstance(credential, ManagedIdentity) else "the app registration"
    meaning = _MEANING.get(code or "", f"Check {where} and its settings.")
    return SignInRefused("sign_in", f"No token. {meaning}", detail=clean(text) or None, code=code)
