"""An `az` that answers from memory: a small directory and a small Dataverse that remember what they are sent."""

import json
import re
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from infra.az import Ran

GRAPH = "https://graph.microsoft.com/v1.0/"
ORG = "https://contoso.crm.dynamics.com"
ORGANIZATION = "00000000-0000-0000-0000-0000000000aa"
TENANT = "11111111-0000-0000-0000-000000000000"
ROOT = "22222222-0000-0000-0000-000000000000"
RIGHTS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo")

type Answer = tuple[int, Any]


class FakeAz:
    """Call it as `az`. `deny` names services that refuse every write."""

    def __init__(self, tables: Sequence[str], deny: Sequence[str] = ()) -> None:
        self.tables, self.deny = tables, deny
        self.applications: list[dict[str, Any]] = []
        self.principals: list[str] = []
        self.credentials: dict[str, list[dict[str, Any]]] = {}
        self.roles: list[dict[str, Any]] = []
        self.held: dict[str, dict[str, str]] = {}
        self.users: list[dict[str, Any]] = []
        self.writes: list[str] = []
        self.stays = {"sharepoint": "Global"}
        """Privileges that Dataverse gives every role and never takes away."""
        self._ids = count(1)

    def __call__(self, arguments: Sequence[str]) -> Ran:
        if list(arguments[:2]) == ["account", "show"]:
            return Ran(0, json.dumps({"tenantId": TENANT}), "")
        assert arguments[0] == "rest"
        options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
        method, url = options["--method"], unquote(options["--url"])
        assert url.startswith(options["--resource"].rstrip("/")), "a token for another service"
        body = json.loads(Path(options["--body"][1:]).read_text("utf-8")) if "--body" in options else None
        if method != "get":
            self.writes.append(f"{method} {url}")
            if any(url.startswith(each) for each in self.deny):
                return Ran(1, "", 'ERROR: Forbidden({"error":{"code":"Authorization_RequestDenied"}})')
        status, answer = self._answer(method, url, body)
        if status == 404:
            return Ran(3, "", "ERROR: Not Found({})")
        return Ran(0, "" if answer is None else json.dumps(answer), "")

    def _answer(self, method: str, url: str, body: Any) -> Answer:
        routes = self._graph() if url.startswith(GRAPH) else self._dataverse()
        path = url.removeprefix(GRAPH).removeprefix(f"{ORG}/api/data/v9.2/")
        for wanted, pattern, handler in routes:
            if wanted == method and (match := re.fullmatch(pattern, path)):
                return handler(body, *match.groups())
        raise AssertionError(f"nobody answers {method} {path}")

    def _new(self) -> str:
        return f"33333333-0000-0000-0000-{next(self._ids):012d}"

    def _graph(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        return [
            ("get", r"applications\?\$filter=displayName eq '(.*)'", self._applications_named),
            ("get", r"applications\(appId='(.*)'\)", self._application_by_client_id),
            ("post", r"applications", self._add_application),
            ("patch", r"applications/([^/]*)", self._change_application),
            ("get", r"applications/(.*)/federatedIdentityCredentials", self._credentials_of),
            ("post", r"applications/(.*)/federatedIdentityCredentials", self._add_credential),
            ("patch", r"applications/(.*)/federatedIdentityCredentials/(.*)", self._change_credential),
            ("get", r"servicePrincipals\(appId='(.*)'\)", self._principal_of),
            ("post", r"servicePrincipals", self._add_principal),
        ]

    def _dataverse(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        return [
            ("get", r"WhoAmI", lambda _: (200, {"OrganizationId": ORGANIZATION})),
            ("get", r"businessunits\?.*", lambda _: (200, {"value": [{"businessunitid": ROOT}]})),
            ("get", r"EntityDefinitions\(LogicalName='(.*)'\)\?.*", self._table),
            ("get", r"privileges\?.*name eq '(.*)'", self._privilege),
            ("get", r"roles\?.*name eq '(.*)' and .*", self._roles_named),
            ("post", r"roles", self._add_role),
            ("get", r"RetrieveRolePrivilegesRole\(RoleId=(.*)\)", self._held_by),
            ("post", r"roles\((.*)\)/Microsoft.Dynamics.CRM.ReplacePrivilegesRole", self._replace),
            ("get", r"systemusers\?.*applicationid eq ([0-9a-f-]*)&.*", self._users_of),
            ("post", r"systemusers", self._add_user),
            ("post", r"systemusers\((.*)\)/systemuserroles_association/\$ref", self._give),
        ]

    def _applications_named(self, _: Any, name: str) -> Answer:
        return 200, {"value": [a for a in self.applications if a["displayName"] == name.replace("''", "'")]}

    def _application_by_client_id(self, _: Any, client_id: str) -> Answer:
        return next(((200, a) for a in self.applications if a["appId"] == client_id), (404, None))

    def _add_application(self, body: Any) -> Answer:
        made = {"id": self._new(), "appId": self._new(), "identifierUris": [], "api": {}, "web": {}, **body}
        self.applications.append(made)
        return 201, made

    def _change_application(self, body: Any, key: str) -> Answer:
        next(a for a in self.applications if a["id"] == key).update(body)
        return 204, None

    def _credentials_of(self, _: Any, key: str) -> Answer:
        return 200, {"value": self.credentials.get(key, [])}

    def _add_credential(self, body: Any, key: str) -> Answer:
        self.credentials.setdefault(key, []).append({"id": self._new(), **body})
        return 201, body

    def _change_credential(self, body: Any, key: str, credential: str) -> Answer:
        next(c for c in self.credentials[key] if c["id"] == credential).update(body)
        return 204, None

    def _principal_of(self, _: Any, client_id: str) -> Answer:
        return (200, {"appId": client_id}) if client_id in self.principals else (404, None)

    def _add_principal(self, body: Any) -> Answer:
        self.principals.append(body["appId"])
        return 201, body

    def _table(self, _: Any, logical: str) -> Answer:
        if logical not in self.tables:
            return 404, None
        rights = [{"PrivilegeType": r, "PrivilegeId": f"{r}:{logical}", "Name": f"prv{r}{logical}"} for r in RIGHTS]
        return 200, {"LogicalName": logical, "Privileges": rights}

    def _privilege(self, _: Any, name: str) -> Answer:
        return 200, {"value": [{"privilegeid": name, "name": name}]}

    def _roles_named(self, _: Any, name: str) -> Answer:
        return 200, {"value": [role for role in self.roles if role["name"] == name]}

    def _add_role(self, body: Any) -> Answer:
        role = {"roleid": self._new(), "name": body["name"]}
        self.roles.append(role)
        self.held[role["roleid"]] = {**self.stays, "by default": "Basic"}
        return 204, None

    def _held_by(self, _: Any, role: str) -> Answer:
        return 200, {"RolePrivileges": [{"PrivilegeId": p, "Depth": d} for p, d in self.held[role].items()]}

    def _replace(self, body: Any, role: str) -> Answer:
        self.held[role] = {**self.stays, **{each["PrivilegeId"]: each["Depth"] for each in body["Privileges"]}}
        return 204, None

    def _users_of(self, _: Any, client_id: str) -> Answer:
        return 200, {"value": [user for user in self.users if user["applicationid"] == client_id]}

    def _add_user(self, body: Any) -> Answer:
        user = {"systemuserid": self._new(), "isdisabled": False, "systemuserroles_association": []}
        self.users.append({**user, "applicationid": body["applicationid"]})
        return 204, None

    def _give(self, body: Any, key: str) -> Answer:
        role = re.findall(r"roles\((.*)\)", body["@odata.id"])[0]
        user = next(each for each in self.users if each["systemuserid"] == key)
        user["systemuserroles_association"].append(next(each for each in self.roles if each["roleid"] == role))
        return 204, None
