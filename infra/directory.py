"""The two registrations in Entra ID: the app's own, with its roles, and the Power Automate connector's."""

from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from infra.az import GRAPH, Cloud, Trouble

API = f"{GRAPH}/v1.0"
SCOPE = "user_impersonation"
ROLES = {
    "Reader": "Sees cases, evidence and plans.",
    "Operator": "Starts sweeps and diagnoses, pauses and resumes, takes cases on.",
    "Approver": "Says yes to a plan that writes to the billing system.",
}
TRUST = "unstuck-identity"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The Azure CLI's own client id, the same in every tenant."""


class Directory:
    """Makes what is missing, leaves what is there. All methods raise Trouble."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def api(self, name: str, app_url: str | None, *, with_cli: bool = False) -> str | None:
        """The app's own registration by its display name. Its client id, None when it would only now be made.

        `with_cli` lets people get a token for it from the Azure CLI.
        """
        found = self._application(name)
        if found is None:
            found = self._create(name, {"appRoles": _roles(name, []), "api": _api(name, {})})
        if found is None:
            return None
        self._complete(name, found, app_url)
        self._principal(found["appId"], name)
        if with_cli and not self._cloud.dry_run:
            api = self._by_client_id(found["appId"])  # with the scope that may only now have been added
            self._authorise(api, AZURE_CLI, _scope(api))
        return str(found["appId"])

    def trust(self, client_id: str, principal_id: str) -> None:
        """Lets the managed identity speak for the registration, so that no client secret is needed."""
        application = self._by_client_id(client_id)
        wanted = {
            "name": TRUST,
            "issuer": f"https://login.microsoftonline.com/{self._cloud.tenant()}/v2.0",
            "subject": principal_id,
            "audiences": ["api://AzureADTokenExchange"],
        }
        base = f"{API}/applications/{application['id']}/federatedIdentityCredentials"
        there = {each["name"]: each for each in self._cloud.get(base, GRAPH)["value"]}.get(TRUST)
        if there is None:
            self._cloud.write("federated credential of the managed identity created", "post", base, GRAPH, wanted)
        elif any(there[key] != value for key, value in wanted.items()):
            body = {key: value for key, value in wanted.items() if key != "name"}
            self._cloud.write("federated credential changed", "patch", f"{base}/{there['id']}", GRAPH, body)

    def connector(self, name: str, api_client_id: str, redirects: list[str]) -> str | None:
        """The connector's registration: may call the app on behalf of whoever owns the flow, and nothing else."""
        api = self._by_client_id(api_client_id)
        scope = _scope(api)
        needs = [{"resourceAppId": api_client_id, "resourceAccess": [{"id": scope, "type": "Scope"}]}]
        found = self._application(name) or self._create(name, {"requiredResourceAccess": needs})
        if found is None:
            return None
        missing = [url for url in redirects if url not in found.get("web", {}).get("redirectUris", [])]
        if missing:
            self._patch(found, "redirect addresses added", {"web": _with_redirects(found, missing)})
        self._authorise(api, found["appId"], scope)
        self._principal(found["appId"], name)
        return str(found["appId"])

    def _complete(self, name: str, found: dict[str, Any], app_url: str | None) -> None:
        """Adds what a registration from an earlier run, or made by hand, lacks."""
        address = f"api://{found['appId']}"
        if address not in found.get("identifierUris", []):
            self._patch(found, "identifier address added", {"identifierUris": [*found["identifierUris"], address]})
        roles = _roles(name, found.get("appRoles", []))
        if len(roles) != len(found.get("appRoles", [])):
            self._patch(found, "missing app roles added", {"appRoles": roles})
        if not any(each["value"] == SCOPE for each in found["api"].get("oauth2PermissionScopes", [])):
            self._patch(found, f"scope {SCOPE} added", {"api": _api(name, found["api"])})
        callback = f"{app_url.rstrip('/')}/.auth/login/aad/callback" if app_url else None
        if callback and callback not in found.get("web", {}).get("redirectUris", []):
            self._patch(found, "redirect address added", {"web": _with_redirects(found, [callback])})

    def _application(self, name: str) -> dict[str, Any] | None:
        quoted = quote(name.replace("'", "''"), safe="'")
        answer = self._cloud.get(f"{API}/applications?$filter=displayName eq '{quoted}'", GRAPH)
        found = answer["value"]
        if len(found) > 1:
            ids = ", ".join(each["appId"] for each in found)
            raise Trouble(f"There are {len(found)} registrations named {name!r} ({ids}). Rename or delete all but one.")
        return found[0] if found else None

    def _by_client_id(self, client_id: str) -> dict[str, Any]:
        found = self._cloud.get(f"{API}/applications(appId='{client_id}')", GRAPH)
        if found is None:
            raise Trouble(f"This directory has no app registration with client id {client_id}.")
        return dict(found)

    def _create(self, name: str, more: dict[str, Any]) -> dict[str, Any] | None:
        body = {"displayName": name, "signInAudience": "AzureADMyOrg", **more}
        made = self._cloud.write(f"registration {name!r} created", "post", f"{API}/applications", GRAPH, body)
        return None if made is None else {"identifierUris": [], "api": {}, **made}

    def _patch(self, found: dict[str, Any], what: str, body: dict[str, Any]) -> None:
        self._cloud.write(what, "patch", f"{API}/applications/{found['id']}", GRAPH, body)

    def _principal(self, client_id: str, name: str) -> None:
        """The registration as something that people can be given roles of."""
        if self._cloud.get(f"{API}/servicePrincipals(appId='{client_id}')", GRAPH) is None:
            body = {"appId": client_id}
            self._cloud.write(f"service principal of {name!r} created", "post", f"{API}/servicePrincipals", GRAPH, body)

    def _authorise(self, api: dict[str, Any], client_id: str, scope: str) -> None:
        there = api["api"].get("preAuthorizedApplications", [])
        if not any(each["appId"] == client_id and scope in each["delegatedPermissionIds"] for each in there):
            others = [each for each in there if each["appId"] != client_id]
            added = [*others, {"appId": client_id, "delegatedPermissionIds": [scope]}]
            body = {"api": {**api["api"], "preAuthorizedApplications": added}}
            self._patch(api, f"client {client_id} allowed to call the app without asking each user", body)


def _scope(api: dict[str, Any]) -> str:
    """The id of the registration's scope. Raises Trouble when there is none."""
    scopes = [each["id"] for each in api["api"].get("oauth2PermissionScopes", []) if each["value"] == SCOPE]
    if not scopes:
        raise Trouble(f"The registration {api['appId']} has no scope {SCOPE}: run `setup.py registration` first.")
    return str(scopes[0])


def _roles(name: str, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The roles that are there, and those of ours that are missing."""
    values = {each["value"] for each in there}
    return there + [
        {
            "id": str(uuid5(NAMESPACE_URL, f"unstuck/{name}/role/{role}")),
            "value": role,
            "displayName": role,
            "description": description,
            "allowedMemberTypes": ["User", "Application"],
            "isEnabled": True,
        }
        for role, description in ROLES.items()
        if role not in values
    ]


def _api(name: str, there: dict[str, Any]) -> dict[str, Any]:
    scope = {
        "id": str(uuid5(NAMESPACE_URL, f"unstuck/{name}/scope")),
        "value": SCOPE,
        "type": "User",
        "isEnabled": True,
        "adminConsentDisplayName": "Use Unstuck",
        "adminConsentDescription": "Lets an application use Unstuck on behalf of the signed-in person.",
        "userConsentDisplayName": "Use Unstuck",
        "userConsentDescription": "Lets an application use Unstuck on your behalf.",
    }
    scopes = [*there.get("oauth2PermissionScopes", []), scope]
    return {**there, "requestedAccessTokenVersion": 2, "oauth2PermissionScopes": scopes}


def _with_redirects(found: dict[str, Any], more: list[str]) -> dict[str, Any]:
    web = found.get("web", {})
    settings = {**web.get("implicitGrantSettings", {}), "enableIdTokenIssuance": True}
    return {**web, "redirectUris": [*web.get("redirectUris", []), *more], "implicitGrantSettings": settings}
