"""Dataverse's own refusals: HTTP status, hexadecimal code, text.

Texts from Microsoft's documentation and from answers quoted in public threads; where none was found the
code is the documented one and the text ours. A caller raises one of these; the Web API turns it into
`{"error": {"code": "0x...", "message": "..."}}`.
"""

from collections.abc import Iterable, Mapping

PAYLOAD_HELP = (
    "For more information on this error please follow this help link "
    "https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : "
)


class ODataError(Exception):
    """A request that Dataverse refuses. `headers` go out with the answer (Retry-After, WWW-Authenticate)."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, dict[str, str]]:
        """The JSON body of the answer."""
        return {"error": {"code": self.code, "message": self.message}}


def bad_query(message: str) -> ODataError:
    """A query option that cannot be understood."""
    return ODataError(400, "0x80060888", message)


def unknown_property(name: str, logical: str) -> ODataError:
    """A column that the table does not have, in $select, $filter, $orderby or $expand."""
    return bad_query(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{logical}'.")


def unknown_attribute(name: str, logical: str) -> ODataError:
    """A name inside a Dataverse query function, which wants logical names (not `_x_value`)."""
    return ODataError(
        400,
        "0x80041103",
        f"'{logical}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'.",
    )


def syntax_error(position: int, text: str) -> ODataError:
    return bad_query(f"Syntax error at position {position} in '{text}'.")


def incompatible(left: str, right: str, operator: str) -> ODataError:
    """A comparison of two types that do not fit."""
    return bad_query(
        "A binary operator with incompatible types was detected. "
        f"Found operand types '{left}' and '{right}' for operator kind '{operator}'."
    )


def too_many_conditions() -> ODataError:
    return ODataError(400, "0x8004430C", "Number of conditions in query exceeded maximum limit.")


def no_segment(name: str) -> ODataError:
    """A path that names no entity set, function or navigation property."""
    return ODataError(404, "0x8006088a", f"Resource not found for the segment '{name}'.")


def no_row(logical: str, id: str) -> ODataError:
    return ODataError(404, "0x80040217", f"Entity '{logical}' With Id = {id} Does Not Exist")


def version_mismatch() -> ODataError:
    return ODataError(
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )


def row_exists() -> ODataError:
    return ODataError(412, "0x80040237", "A record with matching key values already exists.")


def method_not_allowed(method: str) -> ODataError:
    message = f"The requested resource does not support http method '{method}'."
    return ODataError(405, "", message)


def bad_payload(entity_set: str, inner: str) -> ODataError:
    """A body that does not fit the table."""
    message = f"Error identified in Payload provided by the user for Entity :'{entity_set}', {PAYLOAD_HELP}"
    return ODataError(400, "0x80048d19", message + inner)


def option_out_of_range(value: object, column: str, logical: str, accepted: Iterable[int]) -> ODataError:
    return ODataError(
        400,
        "0x8004431a",
        f"A validation error occurred.  The value {value} of '{column}' on record of type '{logical}' "
        f"is outside the valid range. Accepted Values: {','.join(map(str, accepted))}",
    )


def text_too_long(column: str, logical: str, limit: int) -> ODataError:
    return ODataError(
        400,
        "0x80044331",
        f"A validation error occurred.  The length of the '{column}' attribute of the '{logical}' entity "
        f"exceeded the maximum allowed length of '{limit}'.",
    )


def state_mismatch(status: int, state: str, logical: str, id: str) -> ODataError:
    return ODataError(
        400,
        "0x80048408",
        f"{status} is not a valid status code for state code {logical}State.{state} on {logical} with Id {id}.",
    )
