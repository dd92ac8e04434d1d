"""Roles: what somebody may ask of the app. Their names are those of the app roles in Entra, to the letter."""

from enum import StrEnum


class Role(StrEnum):
    """A role holds everything that the roles before it may do."""

    READER = "Reader"
    """Sees cases, evidence, plans and reports. Changes nothing."""
    OPERATOR = "Operator"
    """Has the app look again and flows called, claims cases, notes things on them, and pauses."""
    APPROVER = "Approver"
    """Says yes to a plan, and confirms a surge: what lets the app write to Dataverse."""

    def holds(self, wanted: "Role") -> bool:
        """Whether whoever has this role may do what `wanted` may."""
        return _RISING.index(self) >= _RISING.index(wanted)


_RISING = tuple(Role)
"""From the one that may least to the one that may most."""
