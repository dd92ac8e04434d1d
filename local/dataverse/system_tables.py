"""Tables of every Dataverse environment that the schema map leaves out, in the map's own shape.

Names from Microsoft's table reference (role, organization) and from the many-to-many relationship
`systemuserroles_association`.
"""

from typing import Any

SYSTEM_TABLES: dict[str, Any] = {
    "role": {
        "logical": "role",
        "entity_set": "roles",
        "primary_id": "roleid",
        "label": "Security Role",
        "known": "public",
        "columns": {"name": {"logical": "name", "type": "text", "known": "public"}},
    },
    "organization": {
        "logical": "organization",
        "entity_set": "organizations",
        "primary_id": "organizationid",
        "label": "Organization",
        "known": "public",
        "columns": {
            "name": {"logical": "name", "type": "text", "known": "public"},
            "language": {"logical": "languagecode", "type": "whole", "known": "public"},
        },
    },
}

# (navigation property, table that has it, table that it leads to)
ASSOCIATIONS: tuple[tuple[str, str, str], ...] = (("systemuserroles_association", "system_user", "role"),)
