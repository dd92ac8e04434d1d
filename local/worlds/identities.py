"""Who is in every world, by fixed ids, and how rows get ids that are the same at every load."""

import uuid

from local.work365_engine.options import WORK365_USER_ID

__all__ = ["ADMIN_USER_ID", "APP_CLIENT_ID", "APP_USER_ID", "TENANT_ID", "USERS", "WORK365_USER_ID", "row_id"]

# The partner's own tenant, and this app's managed identity in it.
TENANT_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000d001"
APP_CLIENT_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000e001"

APP_USER_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000c002"
ADMIN_USER_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000c003"

# id, name, application id, security roles.
USERS: tuple[tuple[str, str, str | None, tuple[str, ...]], ...] = (
    (
        WORK365_USER_ID,
        "Work 365",
        "0f6ce7c8-7a0c-4f0e-9d0b-36500000e002",
        ("Work 365 Service", "Work 365 Portal Service"),
    ),
    (APP_USER_ID, "Unstuck", APP_CLIENT_ID, ("Unstuck",)),
    (ADMIN_USER_ID, "Robin Billing", None, ("Work 365 Admin",)),
)

_SPACE = uuid.UUID("0f6ce7c8-7a0c-4f0e-9d0b-36500000f001")


def row_id(*parts: object) -> str:
    """The id of what these words name: world, group, number and so on."""
    return str(uuid.uuid5(_SPACE, "/".join(map(str, parts))))
