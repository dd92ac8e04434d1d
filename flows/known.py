"""What is known of Microsoft's own connectors: the operations that the templates use, with their fields.

Taken from definitions of flows that others have published; nothing here was tried in a tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass

TEAMS = "/providers/Microsoft.PowerApps/apis/shared_teams"


@dataclass(frozen=True, slots=True)
class Known:
    """One operation."""

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    webhook: bool = False
    """Whether it waits to be called back."""


_POSTED = frozenset({"poster", "location", "body/messageBody"})
_CHANNEL = frozenset({"body/recipient/groupId", "body/recipient/channelId"})

KNOWN: Mapping[str, Mapping[str, Known]] = {
    TEAMS: {
        "PostMessageToConversation": Known(_POSTED | _CHANNEL, frozenset({"body/subject"})),
        "PostCardToConversation": Known(_POSTED | _CHANNEL),
        "PostCardAndWaitForResponse": Known(
            frozenset({"poster", "location", "body/body/messageBody", "body/body/recipient/to"}),
            frozenset({"body/body/updateMessage"}),
            webhook=True,
        ),
    },
}
"""Operations by the connector's id."""
