"""Loading a built world into an environment that is empty."""

from local.dataverse.records import Records
from local.partner_center.model import MICROSOFT_CSP
from local.partner_center.provider import Provider
from local.work365_engine.options import EngineOptions
from local.worlds.built import Built
from local.worlds.identities import ADMIN_USER_ID, USERS
from local.worlds.model import World


def seed_rows(built: Built, records: Records) -> None:
    """All rows at once, without telling listeners: they were there before anybody looked."""
    for table, rows in built.tables.items():
        records.create_many(table, rows, by=ADMIN_USER_ID)
    for user_id, _, _, roles in USERS:
        for role in roles:
            records.grant_role(user_id, role)


def seed_provider(built: Built, provider: Provider) -> None:
    """Customers, what they have, and what the provider refuses."""
    for customer in built.customers.values():
        # A customer of nothing but manual providers could buy at Microsoft's all the same.
        provider.add_customer(customer.tenant_id, customer.name, customer.connector or MICROSOFT_CSP)
    for subscription in built.provider_subscriptions:
        provider.add_subscription(subscription)
    provider.rules += built.refusals


def engine_options(world: World, built: Built, cycle_seconds: float) -> EngineOptions:
    """Work 365 as this world has it set up. Whether its workflow is on stands in its row."""
    return EngineOptions(
        cycle_seconds=cycle_seconds,
        time_zone=world.work365.time_zone,
        plugin_touch=world.work365.plugin_touch,
        quirks=dict(built.quirks),
    )
