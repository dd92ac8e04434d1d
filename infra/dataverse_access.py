"""The managed identity's way into Dataverse: an application user with one security role of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.az import Cloud, Trouble

HERE = Path(__file__).resolve().parent
DEFINITION = HERE / "security-role.json"
SCHEMA_MAP = HERE.parent / "shared" / "adapters" / "work365" / "schema_map.json"


class DataverseAccess:
    """Makes what is missing, leaves what is there. All methods raise Trouble."""

    def __init__(self, cloud: Cloud, url: str, schema_map: Path = SCHEMA_MAP) -> None:
        self._cloud = cloud
        self._url = url.rstrip("/")
        self._api = f"{self._url}/api/data/v9.2"
        self._tables = _json(schema_map)["tables"]
        self._definition = _json(DEFINITION)

    def set_up(self, identity_client_id: str, organization_id: str, run_job: str) -> None:
        """Role, privileges, application user, and the one given to the other."""
        who = self._get("WhoAmI")
        if who is None:
            raise Trouble(f"There is no Dataverse environment at {self._url}.")
        if (there := who["OrganizationId"].lower()) != organization_id.lower():
            raise Trouble(f"{self._url} is organisation {there}, not {organization_id}. Nothing was changed.")
        unit = self._get("businessunits?$select=businessunitid&$filter=_parentbusinessunitid_value eq null")
        root = unit["value"][0]["businessunitid"]
        wanted = dict(self._privileges(run_job))
        role = self._role(root)
        if role is not None:
            self._grant(role, wanted)
        user = self._user(identity_client_id, root)
        if user is not None and role is not None:
            self._give(user, role)

    def _privileges(self, run_job: str) -> Iterator[tuple[str, str]]:
        """Id and name of each privilege that the definition asks for."""
        extra = self._definition["run_job"][run_job]
        for key, entry in self._definition["tables"].items():
            if key not in self._tables:  # a map of one's own may leave it out
                continue
            rights = {*entry["rights"], *extra["tables"].get(key, [])}
            yield from self._of_table(self._tables[key]["logical"], rights, optional=entry.get("optional", False))
        for name in extra["privileges"]:
            found = self._get(f"privileges?$select=privilegeid,name&$filter=name eq '{name}'")["value"]
            if not found:
                raise Trouble(f"This environment has no privilege {name}.")
            yield found[0]["privilegeid"], name

    def _of_table(self, logical: str, rights: set[str], *, optional: bool) -> Iterator[tuple[str, str]]:
        found = self._get(f"EntityDefinitions(LogicalName='{logical}')?$select=LogicalName,Privileges")
        if found is None and optional:
            self._cloud.note(f"note: there is no table {logical}; take it out of the schema map")
            return
        if found is None:
            raise Trouble(
                f"This environment has no table {logical}. Correct the schema map (docs/schema-map.md) and give it "
                "with --schema-map."
            )
        there = {each["PrivilegeType"]: each for each in found["Privileges"]}
        for right in sorted(rights):
            if right not in there:
                raise Trouble(f"Table {logical} knows no privilege {right}.")
            yield there[right]["PrivilegeId"], there[right]["Name"]

    def _role(self, root: str) -> str | None:
        name = self._definition["name"]
        where = f"roles?$select=roleid&$filter=name eq '{name}' and _businessunitid_value eq {root}"
        if not (found := self._get(where)["value"]):
            body = {"name": name, "businessunitid@odata.bind": f"/businessunits({root})"}
            self._write(f"security role {name} created", "roles", body)
            found = [] if self._cloud.dry_run else self._get(where)["value"]
        return found[0]["roleid"] if found else None

    def _grant(self, role: str, wanted: dict[str, str]) -> None:
        has = self._held(role)
        if missing := [name for each, name in wanted.items() if has.get(each) != "Global"]:
            body = {"Privileges": [{"PrivilegeId": each, "Depth": "Global"} for each in wanted]}
            what = f"privileges of the role set, among them {', '.join(sorted(missing))}"
            self._write(what, f"roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole", body)
            has = has if self._cloud.dry_run else self._held(role)
        if spare := set(has) - set(wanted):
            # Dataverse adds some by itself and keeps them: not worth a write at each run.
            self._cloud.note(f"note: the role holds {len(spare)} privileges more than the definition asks for")

    def _held(self, role: str) -> dict[str, str]:
        held = self._get(f"RetrieveRolePrivilegesRole(RoleId={role})")["RolePrivileges"]
        return {each["PrivilegeId"]: each["Depth"] for each in held}

    def _user(self, client_id: str, root: str) -> dict[str, Any] | None:
        where = (
            f"systemusers?$select=systemuserid,isdisabled&$filter=applicationid eq {client_id}"
            "&$expand=systemuserroles_association($select=roleid,name)"
        )
        if not (found := self._get(where)["value"]):
            body = {"applicationid": client_id, "businessunitid@odata.bind": f"/businessunits({root})"}
            self._write(f"application user for {client_id} created", "systemusers", body)
            found = [] if self._cloud.dry_run else self._get(where)["value"]
        if found and found[0]["isdisabled"]:
            raise Trouble("The application user is disabled. Enable it in the Power Platform admin center.")
        return found[0] if found else None

    def _give(self, user: dict[str, Any], role: str) -> None:
        roles = {each["roleid"]: each["name"] for each in user["systemuserroles_association"]}
        if role not in roles:
            body = {"@odata.id": f"{self._api}/roles({role})"}
            self._write(
                "role given to the user", f"systemusers({user['systemuserid']})/systemuserroles_association/$ref", body
            )
        if others := sorted(name for each, name in roles.items() if each != role):
            self._cloud.note(f"note: the user also has {', '.join(others)}; the app needs none of them")

    def _get(self, path: str) -> Any:
        return self._cloud.get(f"{self._api}/{path}", self._url)

    def _write(self, what: str, path: str, body: dict[str, Any]) -> None:
        self._cloud.write(what, "post", f"{self._api}/{path}", self._url, body)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Trouble(f"{path} cannot be read: {error}") from None
