"""What properties an Azure resource has, from the models of Microsoft's own management libraries.

They come in two styles: older ones carry `_attribute_map`, newer ones annotated fields with a wire name.
"""

import enum
import re
import types
import typing
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

# Resource type: (module of the library, its model).
MODELS = {
    "Microsoft.Authorization/roleAssignments": ("authorization.v2022_04_01", "RoleAssignment"),
    "Microsoft.Insights/actionGroups": ("monitor", "ActionGroupResource"),
    "Microsoft.Insights/components": ("applicationinsights.v2020_02_02", "ApplicationInsightsComponent"),
    "Microsoft.Insights/scheduledQueryRules": ("monitor", "ScheduledQueryRuleResource"),
    "Microsoft.Insights/workbooks": ("applicationinsights.v2023_06_01", "Workbook"),
    "Microsoft.KeyVault/vaults": ("keyvault", "VaultCreateOrUpdateParameters"),
    "Microsoft.ManagedIdentity/userAssignedIdentities": ("msi.v2024_11_30", "Identity"),
    "Microsoft.Network/networkSecurityGroups": ("network", "NetworkSecurityGroup"),
    "Microsoft.Network/privateDnsZones": ("privatedns", "PrivateZone"),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": ("privatedns", "VirtualNetworkLink"),
    "Microsoft.Network/privateEndpoints": ("network", "PrivateEndpoint"),
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": ("network", "PrivateDnsZoneGroup"),
    "Microsoft.Network/virtualNetworks": ("network", "VirtualNetwork"),
    "Microsoft.OperationalInsights/workspaces": ("loganalytics", "Workspace"),
    "Microsoft.Storage/storageAccounts": ("storage", "StorageAccountCreateParameters"),
    "Microsoft.Storage/storageAccounts/blobServices": ("storage", "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers": ("storage", "BlobContainer"),
    "Microsoft.Storage/storageAccounts/queueServices": ("storage", "QueueServiceProperties"),
    "Microsoft.Storage/storageAccounts/queueServices/queues": ("storage", "StorageQueue"),
    "Microsoft.Storage/storageAccounts/tableServices": ("storage", "TableServiceProperties"),
    "Microsoft.Storage/storageAccounts/tableServices/tables": ("storage", "Table"),
    "Microsoft.Web/serverfarms": ("web", "AppServicePlan"),
    "Microsoft.Web/sites": ("web", "Site"),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": ("web", "CsmPublishingCredentialsPoliciesEntity"),
    "Microsoft.Web/sites/config/appsettings": ("web", "StringDictionary"),
    "Microsoft.Web/sites/config/authsettingsV2": ("web", "SiteAuthSettingsV2"),
}


@dataclass(frozen=True)
class Shape:
    """What a value may look like. `fields` of an object, `item` of an array or of a map; else a scalar."""

    kind: str
    """object, array, map, string, number, boolean, or any: nothing is known about it."""
    model: type | None = None
    fields_here: tuple[tuple[str, "Shape"], ...] = ()
    item: "Shape | None" = None
    allowed: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, "Shape"]:
        return dict(self.fields_here) if self.model is None else _fields_of(self.model)


ANY = Shape("any")
_SCALARS = {str: "string", bool: "boolean", int: "number", float: "number"}
_OLD_SCALARS = {"str": "string", "bool": "boolean", "int": "number", "float": "number", "duration": "string"}


def shape_of(resource_type: str) -> Shape | None:
    """The shape of a resource's body, None for a type that is not in MODELS."""
    if resource_type not in MODELS:
        return None
    module, name = MODELS[resource_type]
    return Shape("object", getattr(import_module(f"azure.mgmt.{module}.models"), name))


@cache
def _fields_of(model: Any) -> dict[str, Shape]:
    return _old_fields(model) if hasattr(model, "_attribute_map") else _new_fields(model)


def _new_fields(model: Any) -> dict[str, Shape]:
    models = import_module(model.__module__.rpartition("._models")[0])
    hints = typing.get_type_hints(model, localns={"_models": models})
    wires = {
        name: attribute
        for base in reversed(model.__mro__)
        for name, attribute in vars(base).items()
        if type(attribute).__name__ == "_RestField"
    }
    return {wire._rest_name_input or name: _hinted(hints.get(name, Any)) for name, wire in wires.items()}


def _hinted(hint: Any) -> Shape:
    parts = typing.get_args(hint)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        chosen = [part for part in parts if part is not type(None)]
        enums = [part for part in chosen if isinstance(part, type) and issubclass(part, enum.Enum)]
        if enums:
            return Shape("string", allowed=tuple(str(member.value) for each in enums for member in each))
        return _hinted(chosen[0]) if len(chosen) == 1 else ANY
    if typing.get_origin(hint) is list:
        return Shape("array", item=_hinted(parts[0]))
    if typing.get_origin(hint) is dict:
        return Shape("map", item=_hinted(parts[1]))
    if isinstance(hint, type) and hint.__module__.startswith("azure.mgmt."):
        return Shape("object", hint)
    return Shape(_SCALARS[hint]) if hint in _SCALARS else ANY


def _old_fields(model: Any) -> dict[str, Shape]:
    models = import_module(model.__module__.rpartition(".")[0])
    fields: dict[str, Shape] = {}
    for attribute in model._attribute_map.values():
        parts = [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", attribute["key"])]
        _put(fields, parts, _named(attribute["type"], models))
    return fields


def _put(fields: dict[str, Shape], path: list[str], shape: Shape) -> None:
    """`properties.severity` stands for an object `properties` with a field `severity`."""
    name, *rest = path
    if not rest:
        fields[name] = shape
        return
    inner = fields[name].fields if name in fields else {}
    _put(inner, rest, shape)
    fields[name] = Shape("object", fields_here=tuple(inner.items()))


def _named(name: str, models: types.ModuleType) -> Shape:
    if name.startswith("["):
        return Shape("array", item=_named(name[1:-1], models))
    if name.startswith("{"):
        return Shape("map", item=_named(name[1:-1], models))
    if name in _OLD_SCALARS:
        return Shape(_OLD_SCALARS[name])
    model = getattr(models, name, None)
    return Shape("object", model) if hasattr(model, "_attribute_map") else ANY
