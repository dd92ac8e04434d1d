"""App Service's authentication in front of the app: who has signed in goes into headers that nobody else can write.

Tokens are not checked for what they say, as Entra's would be: those that are known stand in a file, each with the
principal that Entra would make of it. Whoever brings none is let through as nobody ("allow unauthenticated access"),
so that the app itself has to refuse.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from local.functions_host.errors import CannotStart

SETTING = "WEBSITE_AUTH_ENABLED"
"""What App Service sets for the worker while its authentication is on."""

_OWN = "x-ms-client-principal"
"""Every header that begins like this is the platform's: what a caller sends under such a name is thrown away."""


class EasyAuth:
    """Who may sign in."""

    def __init__(self, principals: Mapping[str, Mapping[str, Any]]) -> None:
        """By bearer token: `auth_typ` and `claims` with `typ` and `val`, as App Service hands them on."""
        self._principals = principals

    @classmethod
    def read(cls, path: Path) -> Self:
        """From a file of JSON. Raises CannotStart."""
        try:
            principals = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CannotStart(f"{path}: not a file of principals by token: {error!r}") from error
        if not isinstance(principals, dict) or not all(isinstance(each, dict) for each in principals.values()):
            raise CannotStart(f"{path}: should be an object of principals by token")
        return cls(principals)

    def admit(self, headers: Mapping[str, str]) -> dict[str, str] | None:
        """The headers that the app gets to see; None where a token is not accepted."""
        passed = {name: value for name, value in headers.items() if not name.startswith(_OWN)}
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer":
            return passed
        principal = self._principals.get(token.strip())
        if principal is None:
            return None
        said = base64.b64encode(json.dumps(principal).encode()).decode()
        return {**passed, _OWN: said, f"{_OWN}-idp": str(principal.get("auth_typ", ""))}
