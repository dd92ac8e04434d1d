"""The functions of the Workflow Definition Language, with how many arguments each takes."""

from collections.abc import Mapping

MANY = 1_000

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    # what happened so far
    "actionbody": (1, 1), "actionoutputs": (1, 1), "actions": (1, 1), "body": (1, 1), "outputs": (1, 1),
    "result": (1, 1), "trigger": (0, 0), "triggerbody": (0, 0), "triggeroutputs": (0, 0), "items": (1, 1),
    "item": (0, 0), "iterationindexes": (1, 1), "parameters": (1, 1), "variables": (1, 1), "workflow": (0, 0),
    "listcallbackurl": (0, 0), "formdatavalue": (2, 2), "multipartbody": (2, 2), "action": (0, 0),
    "triggerformdatavalue": (1, 1), "triggermultipartbody": (1, 1),
    # texts
    "chunk": (2, 2), "concat": (1, MANY), "endswith": (2, 2), "formatnumber": (2, 3), "guid": (0, 1),
    "indexof": (2, 2), "isfloat": (1, 2), "isint": (1, 1), "lastindexof": (2, 2), "length": (1, 1),
    "nthindexof": (3, 3), "replace": (3, 3), "slice": (2, 3), "split": (2, 2), "startswith": (2, 2),
    "substring": (2, 3), "tolower": (1, 1), "toupper": (1, 1), "trim": (1, 1),
    # collections
    "contains": (2, 2), "empty": (1, 1), "first": (1, 1), "intersection": (2, MANY), "join": (2, 2), "last": (1, 1),
    "reverse": (1, 1), "skip": (2, 2), "sort": (1, 2), "take": (2, 2), "union": (2, MANY), "range": (2, 2),
    "createarray": (1, MANY), "array": (1, 1),
    # logic
    "and": (1, MANY), "equals": (2, 2), "greater": (2, 2), "greaterorequals": (2, 2), "if": (3, 3), "less": (2, 2),
    "lessorequals": (2, 2), "not": (1, 1), "or": (1, MANY), "coalesce": (1, MANY),
    # conversion
    "base64": (1, 1), "base64tobinary": (1, 1), "base64tostring": (1, 1), "binary": (1, 1), "bool": (1, 1),
    "datauri": (1, 1), "decodebase64": (1, 1), "decodeuricomponent": (1, 1), "decimal": (1, 1),
    "encodeuricomponent": (1, 1), "float": (1, 2), "int": (1, 1), "json": (1, 1), "string": (1, 1),
    "uricomponent": (1, 1), "uricomponenttostring": (1, 1), "xml": (1, 1), "xpath": (2, 2),
    # numbers
    "add": (2, 2), "div": (2, 2), "max": (1, MANY), "min": (1, MANY), "mod": (2, 2), "mul": (2, 2), "rand": (2, 2),
    "sub": (2, 2),
    # times
    "adddays": (2, 3), "addhours": (2, 3), "addminutes": (2, 3), "addseconds": (2, 3), "addtotime": (3, 4),
    "convertfromutc": (2, 3), "converttimezone": (3, 4), "converttoutc": (2, 3), "datedifference": (2, 2),
    "dayofmonth": (1, 1), "dayofweek": (1, 1), "dayofyear": (1, 1), "formatdatetime": (1, 3), "getfuturetime": (2, 3),
    "getpasttime": (2, 3), "parsedatetime": (1, 3), "startofday": (1, 2), "startofhour": (1, 2), "startofmonth": (1, 2),
    "subtractfromtime": (3, 4), "ticks": (1, 1), "utcnow": (0, 1),
    # addresses and objects
    "urihost": (1, 1), "uripath": (1, 1), "uripathandquery": (1, 1), "uriport": (1, 1), "uriquery": (1, 1),
    "urischeme": (1, 1), "addproperty": (3, 3), "removeproperty": (2, 2), "setproperty": (3, 3),
}  # fmt: skip
"""By name in lower case, since case does not matter there; the least and the most arguments."""
