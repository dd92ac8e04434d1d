"""One request on its own, answered from the store: rows read, made, changed, removed.

Everything here runs without waiting, so nothing comes between the reading and the writing of one request.
"""

import json
from dataclasses import dataclass
from typing import Any

from local.dataverse import metadata
from local.dataverse.access import Access
from local.dataverse.addressing import Address, parse_address
from local.dataverse.errors import (
    bad_payload,
    method_not_allowed,
    no_row,
    no_segment,
    row_exists,
    version_mismatch,
)
from local.dataverse.exchange import Request, Response, empty_response, json_response
from local.dataverse.odata.options import Query, parse_query
from local.dataverse.odata.sql import Sql
from local.dataverse.preferences import Preferences, parse_preferences
from local.dataverse.reading import Reader, Reading, rows_of
from local.dataverse.records import BUSINESS_UNIT_ID, Records, stamps
from local.dataverse.render import TOTAL, TOTAL_EXCEEDED, Json, Language, Renderer
from local.dataverse.values import etag, settle_state
from local.dataverse.writing import body_values, check_state
from local.schema import Table


@dataclass(frozen=True)
class Caller:
    """Who asks (a system_user id), and for which of our purposes."""

    user_id: str
    purpose: str


class Service:
    """The Web API's behaviour over one environment's records."""

    def __init__(self, records: Records, access: Access, language: Language) -> None:
        self.records = records
        self.store = records.store
        self.access = access
        self.language = language

    def answer(self, request: Request, caller: Caller) -> Response:
        """Answers one request; a write is a transaction of its own. Raises ODataError for a refusal."""
        if request.method == "GET":
            return self._read(request, caller)
        with self.store.transaction(by=caller.user_id, source="web_api", purpose=caller.purpose):
            return self.write(request, caller)

    def write(self, request: Request, caller: Caller) -> Response:
        """A write inside the transaction that is open. Raises ODataError for a refusal."""
        address = parse_address(self.records.schema, request.path)
        preferences = parse_preferences(request.header("prefer"))
        if address.navigation is not None or address.count:
            raise method_not_allowed(request.method)
        match (request.method, address.id):
            case ("POST", None):
                return self._post(request, caller, address.table, preferences)
            case ("PATCH", str(id)):
                return self._patch(request, caller, address.table, id, preferences)
            case ("DELETE", str(id)):
                return self._delete(request, caller, address.table, id)
        raise method_not_allowed(request.method)

    def _read(self, request: Request, caller: Caller) -> Response:
        if request.path in ("WhoAmI", "WhoAmI()"):
            return self._who_am_i(request, caller)
        if request.path == "":
            return self._service_document(request)
        if request.path.startswith("EntityDefinitions"):
            return metadata.answer(self.records.schema, request, self.language)
        address = parse_address(self.records.schema, request.path)
        preferences = parse_preferences(request.header("prefer"))
        reader = self._reader(request, preferences)
        if address.navigation is not None:
            return self._read_navigation(request, caller, address, reader, preferences)
        query = self._query(request, caller, address.table, reader)
        if address.id is not None:
            return self._read_one(request, address, query, reader, preferences)
        if address.count:
            return _plain_count(reader.count(query))
        return self._page(request, query, reader, preferences)

    def _reader(self, request: Request, preferences: Preferences) -> Reader:
        renderer = Renderer(self.store, preferences.annotations, self.language)
        return Reader(self.store, renderer, Reading(request.base, preferences.max_page))

    def _query(self, request: Request, caller: Caller, table: Table, reader: Reader) -> Query:
        query = parse_query(self.records.schema, table, request.query)
        for key in sorted(reader.tables(query)):
            self.access.require(caller.user_id, key, "Read")
        return query

    def _page(
        self,
        request: Request,
        query: Query,
        reader: Reader,
        preferences: Preferences,
        within: Sql | None = None,
    ) -> Response:
        page = reader.page(query, within)
        document: Json = {"@odata.context": f"{request.base}/$metadata#{_context(query)}"}
        if page.count is not None:
            document["@odata.count"] = page.count
            if preferences.annotations.wants(TOTAL):
                document[f"@{TOTAL}"] = page.count
            if preferences.annotations.wants(TOTAL_EXCEEDED):
                document[f"@{TOTAL_EXCEEDED}"] = page.count_exceeded
        document["value"] = page.rows
        if page.skiptoken is not None:
            document["@odata.nextLink"] = request.link(page.skiptoken)
        return _applied(json_response(200, document), preferences)

    def _read_one(
        self, request: Request, address: Address, query: Query, reader: Reader, preferences: Preferences
    ) -> Response:
        assert address.id is not None  # noqa: S101  (the caller looked)
        known = request.header("if-none-match")
        # Dataverse never says "not modified" when related rows or annotations were asked for.
        if known is not None and not query.expand and not preferences.annotations.patterns:
            row = self.store.row(address.table, address.id)
            if row is not None and etag(row["version"]) == known:
                return Response(304, {"OData-Version": "4.0"})
        item = reader.one(query, address.id)
        if item is None:
            raise no_row(address.table.logical, address.id)
        context = f"{request.base}/$metadata#{_context(query)}/$entity"
        response = json_response(200, {"@odata.context": context, **item}, {"ETag": item["@odata.etag"]})
        return _applied(response, preferences)

    def _read_navigation(
        self,
        request: Request,
        caller: Caller,
        address: Address,
        reader: Reader,
        preferences: Preferences,
    ) -> Response:
        """`set(guid)/navigation`: the row that a lookup leads to, or the rows of a collection."""
        table, name = address.table, str(address.navigation)
        owner = self.store.row(table, str(address.id))
        if owner is None:
            raise no_row(table.logical, str(address.id))
        self.access.require(caller.user_id, table.key, "Read")
        schema = self.records.schema
        lookup = table.by_navigation.get(name)
        if lookup is not None:
            target = schema.table(lookup.targets[name])
            leads_there = self.store.row(target, owner[lookup.key]) is not None if lookup.also else True
            # A lookup to several tables leads nowhere by the names of those that it does not point to.
            if owner[lookup.key] is None or not leads_there:
                return empty_response()
            query = self._query(request, caller, target, reader)
            return self._read_one(request, Address(target, owner[lookup.key]), query, reader, preferences)
        collection, linked = schema.collections(table.key).get(name), schema.association(table.key, name)
        if collection is None and linked is None:
            raise no_segment(name)
        target = collection.table if collection else schema.table(linked.right if linked else "")
        query = self._query(request, caller, target, reader)
        within = rows_of(name, owner["id"], query, self.store, table)
        if address.count:
            return _plain_count(reader.count(query, within))
        return self._page(request, query, reader, preferences, within)

    def _who_am_i(self, request: Request, caller: Caller) -> Response:
        document = {
            "@odata.context": f"{request.base}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
            "BusinessUnitId": BUSINESS_UNIT_ID,
            "UserId": caller.user_id,
            "OrganizationId": self.records.organization_id,
        }
        return json_response(200, document)

    def _service_document(self, request: Request) -> Response:
        sets = sorted(self.records.schema.by_entity_set)
        value = [{"name": name, "kind": "EntitySet", "url": name} for name in sets]
        return json_response(200, {"@odata.context": f"{request.base}/$metadata", "value": value})

    def _post(self, request: Request, caller: Caller, table: Table, preferences: Preferences) -> Response:
        self.access.require(caller.user_id, table.key, "Create")
        row, id = body_values(self.store, table, _document(table, request.body))
        id = id or self.records.new_id()
        if self.store.row(table, id) is not None:
            raise row_exists()
        self._insert(caller, table, id, row)
        return self._written(request, caller, table, id, preferences, created=True)

    def _patch(self, request: Request, caller: Caller, table: Table, id: str, preferences: Preferences) -> Response:
        """Update; without If-Match also create, which is what Dataverse calls an upsert."""
        current = self.store.row(table, id)
        wanted, unwanted = request.header("if-match"), request.header("if-none-match")
        if current is None and wanted is not None:
            raise no_row(table.logical, id)
        if current is not None and unwanted == "*":
            raise row_exists()
        if current is not None and wanted not in (None, "*", etag(current["version"])):
            raise version_mismatch()
        self.access.require(caller.user_id, table.key, "Create" if current is None else "Write")
        row, _ = body_values(self.store, table, _document(table, request.body))
        if current is None:
            self._insert(caller, table, id, row)
            return self._written(request, caller, table, id, preferences, created=True)
        check_state(table, row, dict(current), id)
        settle_state(table, row, dict(current))
        row = {**row, **stamps(table, caller.user_id, self.store.now(), new=False)}
        self.store.update(table, id, row)
        return self._written(request, caller, table, id, preferences, created=False)

    def _insert(self, caller: Caller, table: Table, id: str, row: dict[str, Any]) -> None:
        check_state(table, row, None, id)
        row = {**row, **stamps(table, caller.user_id, self.store.now(), new=True)}
        settle_state(table, row, None)
        self.store.insert(table, id, row)

    def _delete(self, request: Request, caller: Caller, table: Table, id: str) -> Response:
        self.access.require(caller.user_id, table.key, "Delete")
        current = self.store.row(table, id)
        if current is None:
            raise no_row(table.logical, id)
        if request.header("if-match") not in (None, "*", etag(current["version"])):
            raise version_mismatch()
        self.store.delete(table, id)
        return empty_response()

    def _written(
        self,
        request: Request,
        caller: Caller,
        table: Table,
        id: str,
        preferences: Preferences,
        *,
        created: bool,
    ) -> Response:
        url = f"{request.base}/{table.entity_set}({id})"
        headers = {"OData-EntityId": url, **({"Location": url} if created else {})}
        if not preferences.representation:
            return _applied(empty_response(headers), preferences)
        reader = self._reader(request, preferences)
        query = self._query(request, caller, table, reader)
        item = reader.one(query, id)
        document = {"@odata.context": f"{request.base}/$metadata#{_context(query)}/$entity", **(item or {})}
        headers["ETag"] = document["@odata.etag"]
        return _applied(json_response(201 if created else 200, document, headers), preferences)


def _document(table: Table, body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise bad_payload(table.entity_set, "Microsoft.OData.ODataException: Invalid JSON.") from error


def _context(query: Query) -> str:
    if query.select is None:
        return query.table.entity_set
    return f"{query.table.entity_set}({','.join(column.api_name for column in query.select)})"


def _plain_count(count: int) -> Response:
    return Response(200, {"Content-Type": "text/plain", "OData-Version": "4.0"}, str(count).encode())


def _applied(response: Response, preferences: Preferences) -> Response:
    return response.with_headers(Preference_Applied=preferences.applied) if preferences.applied else response
