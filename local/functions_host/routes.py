"""Route templates of HTTP functions: `{name}`, `{name?}`, `{name:constraint}` and `{*rest}`.

Left out, and refused at start: default values (`{name=x}`), several parameters in one segment, and other
constraints than those below.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from local.functions_host.errors import CannotStart
from local.functions_host.metadata import Function

_PARAMETER = re.compile(r"\{(\*?)(\w+)((?::[^{}?=]+)*)(\??)\}")
_GUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INT32 = range(-(2**31), 2**31)

type Check = Callable[[str], bool]


def _constraint(text: str) -> Check:
    """The test that one constraint puts a value to."""
    if text == "guid":
        return lambda value: _GUID.fullmatch(value.strip("{}")) is not None
    if text == "int":
        return lambda value: re.fullmatch(r"[+-]?\d{1,10}", value) is not None and int(value) in _INT32
    if text == "alpha":
        return lambda value: re.fullmatch("[A-Za-z]*", value) is not None
    if length := re.fullmatch(r"length\((\d+)(?:,\s*(\d+))?\)", text):
        least, most = int(length[1]), int(length[2] or length[1])
        return lambda value: least <= len(value) <= most
    raise CannotStart(f"the local host does not know the route constraint {text!r}")


@dataclass(frozen=True)
class Route:
    """Where one HTTP function answers."""

    function: Function
    template: str
    pattern: re.Pattern[str]
    checks: Sequence[tuple[str, Check]]

    @classmethod
    def of(cls, function: Function, prefix: str) -> "Route":
        pattern, checks = "", []
        template = f"{prefix}/{function.route}".strip("/")
        for segment in template.split("/"):
            parameter = _PARAMETER.fullmatch(segment)
            pattern += _pattern(segment, parameter, function)
            if parameter:
                checks += [(parameter[2], _constraint(name)) for name in parameter[3].split(":")[1:]]
        return cls(function, template, re.compile(pattern, re.IGNORECASE), checks)

    def match(self, method: str, raw_path: str) -> dict[str, str] | None:
        """The route values if this path (still percent-encoded) and method are this function's."""
        found = self.pattern.fullmatch(raw_path.rstrip("/"))
        if found is None or (self.function.methods and method not in self.function.methods):
            return None
        values = {name: _decoded(value) for name, value in found.groupdict().items() if value}
        if all(check(values[name]) for name, check in self.checks if name in values):
            return values
        return None


def _pattern(segment: str, parameter: re.Match[str] | None, function: Function) -> str:
    if parameter is None:
        if set(segment) & set("{}"):
            raise CannotStart(f"{function.name}: the local host does not know the route segment {segment!r}")
        return "/" + re.escape(segment)
    rest, name, _, optional = parameter.groups()
    if rest:
        return f"(?:/(?P<{name}>.*))?"
    return f"(?:/(?P<{name}>[^/]+))?" if optional else f"/(?P<{name}>[^/]+)"


def _decoded(value: str) -> str:
    """ASP.NET decodes all of a path but an encoded slash, which would be taken for a separator."""
    return unquote(re.sub("%(2f)", r"%25\1", value, flags=re.IGNORECASE))


def routes_of(functions: Iterable[Function], prefix: str) -> list[Route]:
    """In the order in which they are tried: the real host goes by the names of functions, not by templates.

    `x/{id}` of a function `case` hides `x/all` of a function `list_all`, there as well as here.
    """
    return [Route.of(function, prefix) for function in sorted(functions, key=lambda found: found.name.lower())]


def find(routes: Sequence[Route], method: str, raw_path: str) -> tuple[Function, dict[str, str]] | None:
    """The first route that fits. A wrong method is no match, as on Azure: 404."""
    for route in routes:
        values = route.match(method, raw_path)
        if values is not None:
            return route.function, values
    return None
