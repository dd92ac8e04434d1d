"""Who is in every world, by fixed ids, and how rows get ids that are the same at every load."""

import hashlib

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


def row_id(*parts: object) -> str:
    """The id of what these words name: world, group, number and so on.

    In the shape of a version 5 UUID; made by hand, since worlds of 20,000 subscriptions need half a million of them.
    """
    text = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-8{text[17:20]}-{text[20:32]}"
