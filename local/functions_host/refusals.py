"""What the real host refuses, or quietly ignores, in an app that indexes without a word.

Pure, so that a test can hold the real app against it:

    refusals([Function.from_sdk(function) for function in function_app.app.get_functions()])
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from local.functions_host.metadata import HTTP_TRIGGER, QUEUE_TRIGGER, Function

_RESERVED = ("admin", "runtime")


def refusals(functions: Iterable[Function]) -> list[str]:
    """One sentence for every reason why these functions would not run on Azure as they stand."""
    found = list(functions)
    http = [function for function in found if function.trigger.kind == HTTP_TRIGGER]
    return [*_conflicts(http), *_reserved(http), *_retries(found)]


def _conflicts(http: Sequence[Function]) -> Iterator[str]:
    """The same template, whatever its case, with a method in common; no methods means all of them."""
    for one, other in combinations(http, 2):
        same_route = one.route.lower() == other.route.lower()
        if same_route and (not one.methods or not other.methods or one.methods & other.methods):
            yield f"{other.name}: its route {other.route!r} conflicts with the one of {one.name}"


def _reserved(http: Iterable[Function]) -> Iterator[str]:
    """The real host compares the beginning of the text, so `administrators` is refused as well."""
    for function in http:
        if function.route.lower().startswith(_RESERVED):
            yield f"{function.name}: its route {function.route!r} begins with a word that the host keeps for itself"


def _retries(functions: Iterable[Function]) -> Iterator[str]:
    for function in functions:
        if function.has_retry and function.trigger.kind == QUEUE_TRIGGER:
            yield f"{function.name}: @retry does not work on a queue trigger; host.json governs its tries"
