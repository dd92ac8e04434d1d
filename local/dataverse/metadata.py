"""EntityDefinitions: tables, columns, choices and relationships of the schema map, as far as discovery asks.

Like the real one it takes no startswith or contains, and gives labels in languages: English always, and
what the calling user sees as UserLocalizedLabel.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from local.dataverse.errors import ODataError, bad_query, no_segment
from local.dataverse.exchange import Request, Response, json_response
from local.dataverse.odata.ast import Compare, Literal, Logical, Node, Path
from local.dataverse.odata.options import raw_options, split_top
from local.dataverse.odata.parser import parse_filter
from local.dataverse.odata.tokens import tokens
from local.dataverse.render import ENGLISH, Language
from local.schema import Column, Schema, Table

type Json = dict[str, Any]

_IDS = uuid.UUID("0f6ce7c8-7a0c-4f0e-9d0b-36500000d001")
_PATH = re.compile(r"EntityDefinitions(?:\(LogicalName='([^']*)'\))?(?:/(\w+))?(?:/([\w.]+))?")
_CASTS: Mapping[str, str] = {"choice": "Picklist", "state": "State", "status": "Status"}
_ATTRIBUTE_TYPES: Mapping[str, str] = {
    "text": "String",
    "whole": "Integer",
    "decimal": "Decimal",
    "boolean": "Boolean",
    "date": "DateTime",
    "datetime": "DateTime",
    "wall_time": "DateTime",
    "guid": "Uniqueidentifier",
    "lookup": "Lookup",
    **_CASTS,
}

_BEHAVIORS: Mapping[str, str] = {"date": "DateOnly", "datetime": "UserLocal", "wall_time": "TimeZoneIndependent"}


def answer(schema: Schema, request: Request, language: Language) -> Response:
    """The answer to a GET below EntityDefinitions. Raises ODataError for what is not offered."""
    match = _PATH.fullmatch(request.path)
    if match is None:
        raise no_segment(request.path.split("/")[-1])
    logical, part, cast = match.groups()
    options = raw_options(request.query)
    if logical is None:
        if part is not None:
            raise no_segment(part)
        return _list(request, _matching(schema, options.get("$filter"), language), options)
    table = schema.by_logical.get(logical)
    if table is None:
        raise ODataError(404, "0x80060888", f"Could not find an entity with name {logical} and id  .")
    if part is None:
        chosen = _chosen(_definition(table, language), options)
        return json_response(200, {"@odata.context": f"{request.base}/$metadata#EntityDefinitions", **chosen})
    return _list(request, _parts(schema, table, part, cast, language), options)


def _list(request: Request, items: Iterable[Json], options: Mapping[str, str]) -> Response:
    value = [_chosen(item, options) for item in items]
    return json_response(200, {"@odata.context": f"{request.base}/$metadata#EntityDefinitions", "value": value})


def _chosen(item: Json, options: Mapping[str, str]) -> Json:
    """What $select and $expand leave; MetadataId always stays, option sets come only when expanded."""
    expanded = {part.partition("(")[0].strip() for part in split_top(options.get("$expand", ""), ",")}
    wanted = {name.strip() for name in options["$select"].split(",")} if "$select" in options else None
    known = set(item)
    for name in (wanted or set()) - known:
        raise bad_query(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.Metadata'.")
    return {
        name: value
        for name, value in item.items()
        if name in ("@odata.type", "MetadataId")
        or (name in expanded if name in ("OptionSet", "GlobalOptionSet") else wanted is None or name in wanted)
    }


def _matching(schema: Schema, text: str | None, language: Language) -> list[Json]:
    items = [_definition(table, language) for table in schema.tables.values()]
    if text is None:
        return items
    for token in tokens(text):
        if token.text in ("startswith", "contains", "endswith"):
            raise ODataError(501, "0x8006088a", f'The "{token.text}" function isn\'t supported for Metadata Entities.')
    node = parse_filter(text)
    return [item for item in items if _holds(node, item)]


def _holds(node: Node, item: Json) -> bool:
    match node:
        case Logical(operator="and"):
            return all(_holds(part, item) for part in node.parts)
        case Logical():
            return any(_holds(part, item) for part in node.parts)
        case Compare(operator="eq" | "ne", left=Path((name,)), right=Literal(_, value)) if _simple(item.get(name)):
            return bool((item[name] == value) == (node.operator == "eq"))
    raise bad_query("Metadata can be filtered by comparing its simple properties only.")


def _simple(value: Any) -> bool:
    return isinstance(value, str | bool)


def _definition(table: Table, language: Language) -> Json:
    name = table.primary_name
    return {
        "MetadataId": _metadata_id(table.logical),
        "LogicalName": table.logical,
        "SchemaName": table.logical,
        "EntitySetName": table.entity_set,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": name.logical if name else None,
        "IsCustomEntity": "_" in table.logical,
        "IsOptimisticConcurrencyEnabled": True,
        "ChangeTrackingEnabled": False,
        "DisplayName": _label(table.label, language),
    }


def _parts(schema: Schema, table: Table, part: str, cast: str | None, language: Language) -> list[Json]:
    if part == "Attributes":
        columns = [_attribute(table, column, language) for column in table.columns.values()]
        if cast is None:
            return columns
        type_name = cast.removeprefix("Microsoft.Dynamics.CRM.").removesuffix("AttributeMetadata")
        if type_name not in _ATTRIBUTE_TYPES.values():
            raise no_segment(cast)
        return [column for column in columns if column["AttributeType"] == type_name]
    if part == "ManyToOneRelationships":
        lookups = [column for column in table.columns.values() if column.target is not None]
        return [_relationship(schema, table, c, name) for c in lookups for name in c.targets]
    raise no_segment(part)


def _attribute(table: Table, column: Column, language: Language) -> Json:
    type_name = _ATTRIBUTE_TYPES[column.type]
    item: Json = {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{type_name}AttributeMetadata",
        "MetadataId": _metadata_id(f"{table.logical}.{column.logical}"),
        "LogicalName": column.logical,
        "SchemaName": column.navigation or column.logical,
        "AttributeType": type_name,
    }
    if type_name == "DateTime":
        item["DateTimeBehavior"] = {"Value": _BEHAVIORS[column.type]}
    if column.type == "text":
        item["MaxLength"] = column.max_length
    if column.type in _CASTS:
        item["OptionSet"] = {"Options": [_option(table, column, key, language) for key in column.options]}
        item["GlobalOptionSet"] = None
    return item


def _option(table: Table, column: Column, key: str, language: Language) -> Json:
    option = column.options[key]
    item: Json = {"Value": option.value, "Label": _label(option.label, language)}
    if column.type == "status":
        item["State"] = table.columns["state"].option_value(column.state_of(key))
    return item


def _relationship(schema: Schema, table: Table, column: Column, navigation: str) -> Json:
    target = schema.table(column.targets[navigation])
    collection = column.collection if navigation == column.navigation else None
    return {
        "MetadataId": _metadata_id(f"{table.logical}.{navigation}"),
        "SchemaName": collection or navigation,
        "ReferencingEntity": table.logical,
        "ReferencingAttribute": column.logical,
        "ReferencedEntity": target.logical,
        "ReferencedAttribute": target.primary_id,
        "ReferencingEntityNavigationPropertyName": navigation,
        "ReferencedEntityNavigationPropertyName": collection,
    }


def _label(text: str, language: Language) -> Json:
    mine = {"Label": language.label(text), "LanguageCode": language.code}
    english = {"Label": text, "LanguageCode": ENGLISH}
    return {
        "LocalizedLabels": [english] if language.code == ENGLISH else [english, mine],
        "UserLocalizedLabel": mine,
    }


def _metadata_id(name: str) -> str:
    return str(uuid.uuid5(_IDS, name))
