"""Tables of every Dataverse environment that the schema map leaves out, in the map's own shape.

Names from Microsoft's table reference.
"""

from typing import Any

SYSTEM_TABLES: dict[str, Any] = {
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
