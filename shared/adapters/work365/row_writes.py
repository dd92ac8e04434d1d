"""One save of a row's columns as Dataverse takes it: values by the type of each column in the schema map."""

from shared.adapters.dataverse import odata
from shared.adapters.dataverse.parts import Patch, etag
from shared.adapters.work365.schema import Column, SchemaMap, Table
from shared.ports import RowWrite


def row_patch(schema: SchemaMap, write: RowWrite) -> Patch:
    """Raises SettingsError for a map that lacks a name, ValueError for a row without a version."""
    table = schema.table(write.table)
    values: dict[str, object] = {}
    for name, text in write.values.items():
        values |= _set(schema, table, table.column(name), text)
    return Patch(odata.row(table.entity_set, write.row_id), values, etag(write.etag))


def _set(schema: SchemaMap, table: Table, column: Column, text: str | None) -> dict[str, object]:
    match column.type:
        case "lookup":
            target = schema.table(column.target or "").entity_set
            bound = f"/{odata.row(target, text)}" if text is not None else None
            return {f"{column.navigation}@odata.bind": bound}
        case "choice":
            return {column.logical: column.value(text) if text is not None else None}
        case "status" if text is not None:
            # Dataverse wants both: a Status Reason belongs to one state.
            state = table.column("state")
            return {
                state.logical: state.value((column.states or {}).get(text, "")),
                column.logical: column.value(text),
            }
        case "datetime" if text is not None:
            return {column.logical: text.replace("+00:00", "Z")}
        case _:
            return {column.logical: text}
