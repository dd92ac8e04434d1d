"""What a $filter says, as immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal as OneOf

type LiteralKind = OneOf["null", "boolean", "int", "decimal", "string", "guid", "date", "datetime"]
type Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Literal:
    """A constant; dates and times keep their text, GUIDs are lower case."""

    kind: LiteralKind
    value: Scalar


@dataclass(frozen=True)
class Path:
    """`column`, `navigation/column` or `variable/column`."""

    segments: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(self.segments)


@dataclass(frozen=True)
class Compare:
    """`left operator right` with eq, ne, gt, ge, lt or le."""

    operator: str
    left: "Path | Literal"
    right: "Path | Literal"


@dataclass(frozen=True)
class Logical:
    """Parts joined by `and` or by `or`; flat, so that 500 conditions do not nest 500 deep."""

    operator: OneOf["and", "or"]
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    operand: "Node"


@dataclass(frozen=True)
class TextTest:
    """contains, startswith or endswith."""

    function: str
    path: Path
    text: str


@dataclass(frozen=True)
class Lambda:
    """`collection/any(variable:body)` or `all`; `any()` has no body."""

    kind: OneOf["any", "all"]
    collection: Path
    variable: str
    body: "Node | None"


@dataclass(frozen=True)
class CrmFunction:
    """`prefix/Microsoft.Dynamics.CRM.Name(PropertyName='x',PropertyValues=[...])`."""

    prefix: tuple[str, ...]
    name: str
    arguments: Mapping[str, Literal | tuple[Literal, ...]]


type Node = Compare | Logical | Not | TextTest | Lambda | CrmFunction


def conditions(node: Node | None) -> int:
    """How many conditions Dataverse counts in an expression (its limit is 500)."""
    match node:
        case None:
            return 0
        case Logical():
            return sum(conditions(part) for part in node.parts)
        case Not():
            return conditions(node.operand)
        case Lambda():
            return max(1, conditions(node.body))
        case _:
            return 1
