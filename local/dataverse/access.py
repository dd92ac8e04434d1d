"""Who may call: tokens that stand for users, and what those users may read and write.

The sign-in endpoint gives tokens out; whoever runs both tells this object about each of them.
"""

import uuid
from collections.abc import Callable
from typing import Literal

from local.dataverse.errors import ODataError
from local.dataverse.records import Records

type Privilege = Literal["Read", "Create", "Write", "Delete"]

# Gives the system_user id behind a bearer token (None: no token sent) or raises ODataError.
type TokenCheck = Callable[[str | None], str]

_PRIVILEGE_IDS = uuid.UUID("0f6ce7c8-7a0c-4f0e-9d0b-36500000c001")


class Access:
    """Tokens and privileges of one environment. Every user may do everything until `deny` says otherwise.

    `authorization_uri` and `resource` go into the WWW-Authenticate header of a 401.
    """

    def __init__(
        self,
        records: Records,
        *,
        authorization_uri: str = "https://login.microsoftonline.com/common/oauth2/authorize",
        resource: str = "https://contoso.crm.dynamics.com/",
        roles_required: bool = False,
    ) -> None:
        self._records = records
        self._challenge = f"Bearer authorization_uri={authorization_uri}, resource_id={resource}"
        self._roles_required = roles_required
        self._users: dict[str, str] = {}
        self._expired: set[str] = set()
        self._denied: set[tuple[str, str, Privilege]] = set()

    def grant(self, token: str, user_id: str) -> None:
        """Makes `token` stand for a system_user (whether that row exists is checked at each call)."""
        self._users[token] = user_id.lower()
        self._expired.discard(token)

    def revoke(self, token: str) -> None:
        """Lets a token be refused as expired from now on."""
        self._expired.add(token)

    def deny(self, user_id: str, table: str, privilege: Privilege) -> None:
        """Takes a privilege on a table (by key) away from a user."""
        self._denied.add((user_id.lower(), self._records.schema.table(table).key, privilege))

    def allow(self, user_id: str, table: str, privilege: Privilege) -> None:
        """Gives a denied privilege back."""
        self._denied.discard((user_id.lower(), table, privilege))

    def user_of(self, token: str | None) -> str:
        """The user behind a token: this is the TokenCheck.

        Raises ODataError 401 for no, an unknown or an expired token; 403 for a user that this environment
        does not have (a good token of an application that nobody registered), has disabled, or gave no role.
        """
        if token is None or token not in self._users:
            raise self._unauthorized("0x80040204", "Invalid user auth.")
        if token in self._expired:
            raise self._unauthorized("0x8005F101", "The access token has expired.")
        user_id = self._users[token]
        user = self._records.get("system_user", user_id)
        if user is None:
            raise ODataError(403, "0x80072560", "The user is not a member of the organization.")
        if user["is_disabled"]:
            raise ODataError(
                403,
                "0x80040225",
                "The specified user is either disabled or is not a member of any business unit.",
            )
        if self._roles_required and not self._records.roles_of(user_id):
            raise ODataError(403, "0x80042f09", "The user has not been assigned any roles.")
        return user_id

    def require(self, user_id: str, table: str, privilege: Privilege) -> None:
        """Raises ODataError 403 naming the privilege that the user lacks on the table (by key)."""
        if (user_id, table, privilege) not in self._denied:
            return
        logical = self._records.schema.table(table).logical
        name = f"prv{privilege}{logical}"
        roles = len(self._records.roles_of(user_id))
        raise ODataError(
            403,
            "0x80040220",
            f"Principal user (Id={user_id}, type=8, roleCount={roles}, accessMode=4), is missing {name} "
            f"privilege (Id={uuid.uuid5(_PRIVILEGE_IDS, name)}) for entity '{logical}'. "
            f"context.Caller={user_id}",
        )

    def _unauthorized(self, code: str, message: str) -> ODataError:
        return ODataError(401, code, message, {"WWW-Authenticate": self._challenge})
