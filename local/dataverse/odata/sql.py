"""A $filter tree as SQL for SQLite: text with marks, and the values for them.

Shape of the joins: a lambda over a collection becomes `id IN (SELECT the lookup FROM child WHERE ...)`, which
SQLite evaluates once, from the child's index; so the cost follows the matches and not the healthy rows
around them. A path through a lookup becomes a scalar subquery by primary key.
"""

# ruff: noqa: S608  (names in SQL come from the schema map, values are parameters)

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from local.dataverse.errors import bad_query, incompatible, unknown_attribute, unknown_property
from local.dataverse.odata import functions
from local.dataverse.odata.ast import (
    Compare,
    CrmFunction,
    Lambda,
    Literal,
    Logical,
    Node,
    Not,
    Path,
    TextTest,
)
from local.dataverse.odata.operands import EDM_TYPES, SQL_OPERATORS, literal_value
from local.dataverse.store import quoted
from local.dataverse.values import SqlValue
from local.schema import Association, Collection, Column, Schema, Table

_OPERATOR_KINDS = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
_FLIPPED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge", "eq": "eq", "ne": "ne"}


@dataclass(frozen=True)
class Sql:
    """A piece of SQL and the values of its marks, in order."""

    text: str
    values: tuple[SqlValue, ...] = ()


@dataclass(frozen=True)
class Operand:
    """A column reached by a path: its SQL, and what it is. The primary key has no Column."""

    sql: str
    table: Table
    column: Column | None

    @property
    def type(self) -> str:
        return self.column.type if self.column else "guid"

    @property
    def edm(self) -> str:
        return EDM_TYPES[self.type]


@dataclass(frozen=True)
class Scope:
    """The rows that a path may start from: the current one (no variable outside lambdas)."""

    table: Table
    alias: str
    variable: str | None = None


class FilterCompiler:
    """Compiles filters over one schema. `now` is the time that OlderThanXHours and its kin count from."""

    def __init__(self, schema: Schema, now: Callable[[], datetime]) -> None:
        self.schema = schema
        self.now = now
        self._numbers = itertools.count(1)
        self.tables: set[str] = set()

    def compile(self, node: Node, table: Table, alias: str) -> Sql:
        """SQL of a filter on `table`, whose rows stand under `alias`. `tables` collects what else it reads."""
        return self._node(node, Scope(table, alias))

    def _node(self, node: Node, scope: Scope) -> Sql:
        match node:
            case Logical():
                parts = [self._node(part, scope) for part in node.parts]
                text = f" {node.operator.upper()} ".join(part.text for part in parts)
                return Sql(f"({text})", tuple(itertools.chain(*(part.values for part in parts))))
            case Not():
                inner = self._node(node.operand, scope)
                return Sql(f"NOT ({inner.text})", inner.values)
            case Compare():
                return self._compare(node, scope)
            case TextTest():
                return self._text_test(node, scope)
            case Lambda():
                return self._lambda(node, scope)
            case CrmFunction():
                return self._crm_function(node, scope)

    def _compare(self, node: Compare, scope: Scope) -> Sql:
        left, right, operator = node.left, node.right, node.operator
        if isinstance(left, Literal) and isinstance(right, Path):
            left, right, operator = right, left, _FLIPPED[operator]
        if isinstance(left, Literal):
            raise bad_query("A comparison needs a property on one side at least.")
        operand = self._operand(left, scope)
        if isinstance(right, Path):
            return self._compare_columns(operand, self._operand(right, scope), operator)
        if right.kind == "null":
            return _null_test(operand.sql, operator)
        value = literal_value(operand.type, right)
        if value is None:
            found = (operand.edm, EDM_TYPES[right.kind])
            raise incompatible(*(found if node.left is left else found[::-1]), _OPERATOR_KINDS[node.operator])
        return Sql(f"{operand.sql} {SQL_OPERATORS[operator]} ?{_collation(operand)}", (value,))

    def _compare_columns(self, left: Operand, right: Operand, operator: str) -> Sql:
        if left.edm != right.edm:
            raise incompatible(left.edm, right.edm, _OPERATOR_KINDS[operator])
        return Sql(f"{left.sql} {SQL_OPERATORS[operator]} {right.sql}{_collation(left)}")

    def _text_test(self, node: TextTest, scope: Scope) -> Sql:
        operand = self._operand(node.path, scope)
        if operand.type != "text":
            raise bad_query(f"No function signature for the function with name '{node.function}' matches.")
        before = "" if node.function == "startswith" else "%"
        after = "" if node.function == "endswith" else "%"
        return Sql(f"dataverse_like(?, {operand.sql})", (f"{before}{node.text}{after}",))

    def _lambda(self, node: Lambda, scope: Scope) -> Sql:
        source, target, alias = self._collection_rows(node.collection, scope)
        if node.body is None:
            return Sql(f"{scope.alias}.id IN ({source})")
        body = self._node(node.body, Scope(target, alias, node.variable))
        if node.kind == "any":
            return Sql(f"{scope.alias}.id IN ({source} AND {body.text})", body.values)
        return Sql(f"{scope.alias}.id NOT IN ({source} AND NOT ({body.text}))", body.values)

    def _collection_rows(self, path: Path, scope: Scope) -> tuple[str, Table, str]:
        """A SELECT of owner ids over a collection's rows, the rows' table and their alias."""
        name = self._own_segments(path, scope)
        if len(name) != 1:
            raise bad_query(
                "Lambda expressions are supported on collection-valued navigation properties "
                "of the current entity only."
            )
        alias = self._alias()
        found = self.schema.collections(scope.table.key).get(name[0])
        if isinstance(found, Collection):
            self.tables.add(found.table.key)
            owner = f"{alias}.{quoted(found.column.key)}"
            source = f"SELECT {owner} FROM {quoted(found.table.key)} {alias} WHERE {owner} IS NOT NULL"
            return source, found.table, alias
        linked = self.schema.association(scope.table.key, name[0])
        if isinstance(linked, Association):
            self.tables.add(linked.right)
            target = self.schema.table(linked.right)
            source = (
                f"SELECT link.left_id FROM {quoted(linked.name)} link "
                f"JOIN {quoted(target.key)} {alias} ON {alias}.id = link.right_id WHERE TRUE"
            )
            return source, target, alias
        raise unknown_property(name[0], scope.table.logical)

    def _crm_function(self, node: CrmFunction, scope: Scope) -> Sql:
        name = node.arguments.get("PropertyName")
        if not isinstance(name, Literal) or name.kind != "string":
            raise bad_query(f"The function Microsoft.Dynamics.CRM.{node.name} needs a PropertyName.")
        segments = self._own_segments(Path((*node.prefix, str(name.value))), scope)
        *navigation, attribute = segments
        table, sql = self._navigate(tuple(navigation), scope)
        operand = self._attribute(table, sql, attribute)
        text, values = functions.compile_function(node, operand.sql, operand.type, self.now)
        return Sql(text, values)

    def _attribute(self, table: Table, sql: Callable[[str], str], name: str) -> Operand:
        return Operand(sql(column_key(table, name)), table, table.by_logical.get(name))

    def _operand(self, path: Path, scope: Scope) -> Operand:
        *navigation, name = self._own_segments(path, scope)
        table, sql = self._navigate(tuple(navigation), scope)
        if name == table.primary_id:
            return Operand(sql("id"), table, None)
        column = table.by_api_name.get(name)
        if column is None:
            raise unknown_property(name, table.logical)
        return Operand(sql(column.key), table, column)

    def _own_segments(self, path: Path, scope: Scope) -> tuple[str, ...]:
        """A path's segments without the lambda variable, which a path inside a lambda must start with."""
        if scope.variable is None:
            return path.segments
        if path.segments[0] != scope.variable or len(path.segments) < 2:
            raise bad_query(f"Inside the lambda, '{path}' must start with its variable '{scope.variable}'.")
        return path.segments[1:]

    def _navigate(self, navigation: tuple[str, ...], scope: Scope) -> tuple[Table, Callable[[str], str]]:
        """The table at the end of a chain of lookups, and how to write one of its columns in SQL."""
        if not navigation:
            return scope.table, lambda key: f"{scope.alias}.{quoted(key)}"
        table, source, joins = scope.table, scope.alias, ""
        first = ""
        for name in navigation:
            lookup = table.by_navigation.get(name)
            if lookup is None:
                raise unknown_property(name, table.logical)
            table, alias = self.schema.table(lookup.targets[name]), self._alias()
            self.tables.add(table.key)
            test = f"{alias}.id = {source}.{quoted(lookup.key)}"
            if first:
                joins += f" JOIN {quoted(table.key)} {alias} ON {test}"
            else:
                joins, first = f"FROM {quoted(table.key)} {alias}", test
            source = alias
        return table, lambda key: f"(SELECT {source}.{quoted(key)} {joins} WHERE {first})"

    def _alias(self) -> str:
        return f"n{next(self._numbers)}"


def column_key(table: Table, name: str) -> str:
    """The key of a column by its logical name, as query functions want it; ODataError when there is none."""
    if name == table.primary_id:
        return "id"
    if name not in table.by_logical:
        raise unknown_attribute(name, table.logical)
    return table.by_logical[name].key


def _collation(operand: Operand) -> str:
    return " COLLATE dataverse" if operand.type == "text" else ""


def _null_test(sql: str, operator: str) -> Sql:
    tests: Mapping[str, str] = {"eq": f"{sql} IS NULL", "ne": f"{sql} IS NOT NULL"}
    # Greater or less than nothing is never true.
    return Sql(tests.get(operator, "NULL"))
