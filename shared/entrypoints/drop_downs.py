"""Where a flow's drop-downs get their values from: routes of ours that list them (x-ms-dynamic-values)."""

from typing import Any


def _listed(operation: str) -> dict[str, Any]:
    """The extension for a field whose values `operation` lists as `values`, each with `value` and `title`."""
    return {
        "x-ms-dynamic-values": {
            "operationId": operation,
            "value-collection": "values",
            "value-path": "value",
            "value-title": "title",
        }
    }


STATE = _listed("ListStates")
CAUSE = _listed("ListCauses")
PROVIDER = _listed("ListProviders")

TARGET = _listed("ListTargets")
TARGET["x-ms-dynamic-values"]["parameters"] = {"scope": {"parameter": "scope"}}
"""By what was chosen as the scope beside it."""
