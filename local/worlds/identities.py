"""Who is in every world, by fixed ids, and how rows get ids that are the same at every load."""

import hashlib

from local.work365_engine.options import WORK365_USER_ID

__all__ = [
    "ADMIN_USER_ID",
    "APP_CLIENT_ID",
    "APP_USER_ID",
    "TENANT_ID",
    "USERS",
    "WORK365_APPLICATION_IDS",
    "WORK365_USER_ID",
    "row_id",
]

# The partner's own tenant, and this app's managed identity in it.
TENANT_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000d001"
APP_CLIENT_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000e001"

APP_USER_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000c002"
ADMIN_USER_ID = "0f6ce7c8-7a0c-4f0e-9d0b-36500000c003"

# The applications as which Work 365's back-end works in its customers' environments, as its documents print them.
WORK365_APPLICATION_IDS = {"us": "e4b1a995-abe3-4350-a61c-65fccd32e8bd", "eu": "5e56ae97-9be1-40d3-938b-99ea52175a30"}

# Who is there besides Work 365's own user: id, name, application id, security roles.
USERS: tuple[tuple[str, str, str | None, tuple[str, ...]], ...] = (
    (APP_USER_ID, "Unstuck", APP_CLIENT_ID, ("Unstuck",)),
    (ADMIN_USER_ID, "Robin Billing", None, ("Work 365 Admin",)),
)


def row_id(*parts: object) -> str:
    """The id of what these words name: world, group, number and so on.

    In the shape of a version 5 UUID; made by hand, since worlds of 20,000 subscriptions need half a million of them.
    """
    text = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-8{text[17:20]}-{text[20:32]}"
